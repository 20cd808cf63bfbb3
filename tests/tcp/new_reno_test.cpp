// Checks the congestion window of RFC 5681.
#include "tcp/congestion/new_reno.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;

NewReno established() {
  NewReno reno;
  reno.on_established(kMss, 10, false);
  return reno;
}

TEST(InitialWindow, IsThatOfRfc6928) {  // RFC6928-2
  EXPECT_EQ(initial_window(1460, 10), 14600U);
  EXPECT_EQ(initial_window(536, 10), 5360U);
  EXPECT_EQ(initial_window(9000, 10), 18000U) << "two segments where 14600 are fewer";
  EXPECT_EQ(initial_window(2000, 10), 14600U);
  EXPECT_EQ(initial_window(1460, 1), 1460U);
  EXPECT_EQ(initial_window(9000, 1), 9000U);
}

TEST(NewReno, BeginsWithOneSegmentAfterLostSyns) {
  NewReno reno;
  reno.on_established(kMss, 10, true);
  EXPECT_EQ(reno.cwnd(), kMss);
  EXPECT_EQ(established().cwnd(), 10 * kMss);
}

TEST(NewReno, DoublesInSlowStart) {  // RFC9293-MUST-19
  NewReno reno = established();
  for (int i = 0; i < 10; ++i) reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 20 * kMss);
}

TEST(NewReno, CountsBytesAndAtMostTwoSegmentsOfAnAck) {  // RFC3465-2.2, RFC3465-2.3
  NewReno reno = established();
  reno.on_ack(10, kMss, true);
  EXPECT_EQ(reno.cwnd(), 10 * kMss + 10);
  reno.on_ack(8 * kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 12 * kMss + 10);
  reno.on_timeout(10 * kMss, kMss, true);
  reno.on_ack(8 * kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 2 * kMss) << "one segment after a timeout";
}

TEST(NewReno, GrowsByOneSegmentARoundTripInCongestionAvoidance) {  // RFC9293-MUST-19
  NewReno reno = established();
  reno.on_loss(40 * kMss, kMss);
  ASSERT_EQ(reno.cwnd(), 20 * kMss);
  for (int i = 0; i < 19; ++i) reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 20 * kMss);
  reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 21 * kMss);
  for (int i = 0; i < 21; ++i) reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 22 * kMss);
}

TEST(NewReno, DoesNotGrowAWindowThatIsNotUsed) {
  NewReno reno = established();
  reno.on_ack(kMss, kMss, false);
  EXPECT_EQ(reno.cwnd(), 10 * kMss);
  reno.on_loss(10 * kMss, kMss);
  for (int i = 0; i < 100; ++i) reno.on_ack(kMss, kMss, false);
  EXPECT_EQ(reno.cwnd(), 5 * kMss);
}

TEST(NewReno, HalvesOnALoss) {  // RFC5681-3.1 equation 4
  NewReno reno = established();
  reno.on_loss(9 * kMss, kMss);
  EXPECT_EQ(reno.ssthresh(), 4500U);
  EXPECT_EQ(reno.cwnd(), 4500U);
  reno.on_loss(kMss, kMss);
  EXPECT_EQ(reno.ssthresh(), 2 * kMss) << "never below two segments";
}

TEST(NewReno, BeginsAgainOnATimeout) {  // RFC5681-3.1
  NewReno reno = established();
  reno.on_timeout(10 * kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), kMss);
  EXPECT_EQ(reno.ssthresh(), 5 * kMss);
  reno.on_timeout(kMss, kMss, false);
  EXPECT_EQ(reno.ssthresh(), 5 * kMss) << "the same segment again";
  for (int i = 0; i < 4; ++i) reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 5 * kMss) << "slow start up to ssthresh";
  for (int i = 0; i < 4; ++i) reno.on_ack(kMss, kMss, true);
  EXPECT_EQ(reno.cwnd(), 5 * kMss) << "and not beyond";
}

TEST(NewReno, RestartsAfterAnIdleTime) {  // RFC5681-4.1
  NewReno reno = established();
  for (int i = 0; i < 30; ++i) reno.on_ack(kMss, kMss, true);
  reno.on_idle(kMss, 10);
  EXPECT_EQ(reno.cwnd(), 10 * kMss);
  reno.set_cwnd(3 * kMss);
  reno.on_idle(kMss, 10);
  EXPECT_EQ(reno.cwnd(), 3 * kMss) << "never grows by being idle";
}

TEST(NewReno, StaysBelowTheLargestWindow) {
  NewReno reno = established();
  reno.set_cwnd((1U << 30) - 10);
  reno.on_ack(60000, 60000, true);
  EXPECT_EQ(reno.cwnd(), 1U << 30);
}

}  // namespace
}  // namespace hawser::tcp
