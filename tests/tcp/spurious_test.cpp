// Recoveries for nothing are seen and taken back (RFC 3522, RFC 3708, RFC 4015, RFC 5682).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

constexpr std::uint32_t kMss = 1460;
constexpr std::uint32_t at(std::uint32_t index, std::uint32_t size = kMss) {
  return 1 + size * index;
}

class Spurious : public ::testing::Test {
 protected:
  void send_flight(Peer peer) {
    script.settings.congestion_control = algorithm;
    peer.sack = true;
    script.establish(peer);
    size = kMss - (peer.timestamps ? 12 : 0);
    script.write(40 * size);
    const auto sent = script.take_all();
    EXPECT_EQ(sent.size(), 10U);
    if (peer.timestamps) first_ts = sent.front().header.options.timestamps->value;
    before = script.info();
  }
  /// The round trip takes longer than ever, until the timer expires.
  Sent wait_for_timeout() {
    while (script.info().timeouts == 0) {
      script.take_all();
      script.after(script.connection().next_deadline() - script.now());
    }
    return script.out({.seq = at(0, size)});
  }
  /// Echoes what the first flight said, or what was sent so much later.
  In echo(In in, std::uint32_t later_ms = 0) const {
    const auto clock = script.now().time_since_epoch() / 1ms;
    in.options.timestamps = TcpTimestamps{static_cast<std::uint32_t>(clock), first_ts + later_ms};
    return in;
  }

  ConnectionScript script;
  TcpInfo before;
  std::uint32_t size = kMss;
  std::uint32_t first_ts = 0;
  std::string algorithm = "reno";
};

TEST_F(Spurious, ATimeoutWhoseOriginalsArrive) {  // RFC5682-3.1
  send_flight({});
  wait_for_timeout();
  EXPECT_EQ(script.info().cwnd, kMss);
  script.in({.ack = at(1)});  // the first step says nothing yet, and lets new data out
  const auto fresh = script.take_all();
  ASSERT_FALSE(fresh.empty());
  for (const Sent& sent : fresh) EXPECT_GE(sent.seq, at(10)) << "new data, not what was sent";
  EXPECT_EQ(script.info().spurious_recoveries, 0U);
  script.in({.ack = at(2)});
  EXPECT_EQ(script.info().spurious_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, before.ssthresh);
  EXPECT_EQ(script.info().recovery, TcpRecovery::none);
  const auto next = script.take_all();
  EXPECT_LE(next.size(), 4U) << "no burst";
  for (const Sent& sent : next) EXPECT_GE(sent.seq, at(10));
  script.in({.ack = at(10)});
  EXPECT_EQ(script.info().retransmits, 1U) << "the oldest, and nothing else";
}

TEST_F(Spurious, ATimeoutThatWasNone) {  // RFC5682-3.1: genuine
  send_flight({});
  wait_for_timeout();
  script.in({.ack = at(1)});
  const auto fresh = script.take_all();
  ASSERT_FALSE(fresh.empty());
  // What is new arrives, what was sent before does not.
  script.in({.ack = at(1), .sack = {{fresh.front().seq, fresh.front().end()}}});
  EXPECT_EQ(script.info().spurious_recoveries, 0U);
  EXPECT_EQ(script.info().recovery, TcpRecovery::timeout);
  script.out({.seq = at(1), .length = kMss});
}

TEST_F(Spurious, ATimeoutThatTimestampsTell) {  // RFC3522-3.2, RFC4015-3.2
  send_flight({.timestamps = true});
  wait_for_timeout();
  EXPECT_LT(script.info().cwnd, before.cwnd);
  script.in(echo({.ack = at(2, size)}));
  EXPECT_EQ(script.info().spurious_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, before.ssthresh);
  EXPECT_GT(script.info().rto, before.rto) << "round trips are longer than was thought";
  script.in(echo({.ack = at(10, size)}));
  script.in(echo({.ack = at(10, size)}));
}

TEST_F(Spurious, AFastRetransmitThatTimestampsTell) {  // RFC3522-3.2
  send_flight({.timestamps = true});
  script.after(50ms);
  script.in(echo({.ack = 1, .sack = {{at(1, size), at(4, size)}}}));
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  script.after(5ms);
  script.in(echo({.ack = at(4, size)}));  // the first was only late
  EXPECT_EQ(script.info().spurious_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, before.ssthresh);
  EXPECT_EQ(script.info().recovery, TcpRecovery::none);
}

TEST_F(Spurious, AFastRetransmitThatAnswersTheRetransmission) {
  send_flight({.timestamps = true});
  script.after(50ms);
  script.in(echo({.ack = 1, .sack = {{at(1, size), at(4, size)}}}));
  script.after(50ms);
  script.in(echo({.ack = at(4, size)}, 50));
  EXPECT_EQ(script.info().spurious_recoveries, 0U);
  EXPECT_LT(script.info().ssthresh, before.ssthresh);
}

TEST_F(Spurious, AFastRetransmitThatArrivesTwice) {  // RFC3708-2
  send_flight({});
  script.after(50ms);
  script.in({.ack = 1, .sack = {{at(1), at(4)}}});
  script.out({.seq = at(0)});
  script.after(5ms);
  script.in({.ack = at(4)});
  EXPECT_EQ(script.info().spurious_recoveries, 0U) << "nothing tells yet";
  script.after(45ms);
  script.in({.ack = at(4), .sack = {{at(0), at(1)}}});
  EXPECT_EQ(script.info().spurious_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, before.ssthresh);
}

TEST_F(Spurious, CubicIsAsItWasBefore) {
  algorithm = "cubic";
  send_flight({.timestamps = true});
  script.after(50ms);
  script.in(echo({.ack = 1, .sack = {{at(1, size), at(4, size)}}}));
  EXPECT_LT(script.info().ssthresh, before.ssthresh);
  script.after(5ms);
  script.in(echo({.ack = at(10, size)}));
  EXPECT_EQ(script.info().spurious_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, before.ssthresh);
  EXPECT_GE(script.info().cwnd, 2 * size);
}

}  // namespace
}  // namespace hawser::tcp
