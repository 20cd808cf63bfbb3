// What fast recovery may send, by the examples and bounds of RFC 9937.
#include "tcp/recovery/prr.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;

TEST(Prr, SendsInProportionToWhatArrives) {  // RFC9937-5
  Prr prr;
  prr.start(20 * kMss);
  // One of twenty is lost; every ACK reports one more. Half is to be in flight at the end.
  std::uint32_t pipe = 19 * kMss;
  std::uint32_t sent = 0;
  for (int acks = 1; acks <= 19; ++acks) {
    pipe -= kMss;
    const std::uint32_t window = prr.on_ack(kMss, pipe, 10 * kMss, kMss, false);
    while (pipe + kMss <= window) {
      pipe += kMss;
      sent += kMss;
      prr.on_sent(kMss);
    }
    EXPECT_LE(sent, (acks / 2 + 1) * kMss) << "one for two";
  }
  EXPECT_EQ(pipe, 10 * kMss);
}

TEST(Prr, BeginsWithTheRetransmission) {  // RFC9937-5
  Prr prr;
  prr.start(20 * kMss);
  EXPECT_EQ(prr.on_ack(0, 19 * kMss, 10 * kMss, kMss, false), 20 * kMss);
}

TEST(Prr, SendsNoMoreThanArrivedWhileLossGoesOn) {  // RFC9937-5: the conservative bound
  Prr prr;
  prr.start(20 * kMss);
  prr.on_sent(kMss);
  EXPECT_EQ(prr.on_ack(kMss, 4 * kMss, 10 * kMss, kMss, false), 5 * kMss);
}

TEST(Prr, GrowsAsInSlowStartWhenAllIsWell) {  // RFC9937-5: SafeACK
  Prr prr;
  prr.start(20 * kMss);
  prr.on_sent(kMss);
  EXPECT_EQ(prr.on_ack(kMss, 4 * kMss, 10 * kMss, kMss, true), 6 * kMss);
  prr.on_sent(2 * kMss);
  EXPECT_EQ(prr.on_ack(2 * kMss, 9 * kMss, 10 * kMss, kMss, true), 10 * kMss) << "not beyond";
}

TEST(Prr, HoldsBackWhatWasSentTooEarly) {
  Prr prr;
  prr.start(20 * kMss);
  prr.on_sent(5 * kMss);
  EXPECT_EQ(prr.on_ack(2 * kMss, 15 * kMss, 10 * kMss, kMss, true), 15 * kMss);
}

}  // namespace
}  // namespace hawser::tcp
