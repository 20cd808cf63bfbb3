// The retransmission timer: when it runs, how it backs off, when all is given up (RFC 6298 5,
// RFC 9293 3.8.1 to 3.8.3).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Retransmission : public ::testing::Test {
 protected:
  /// Acknowledges all that was sent until everything is.
  void deliver(std::uint32_t end, Duration round_trip) {
    std::uint32_t acked = 0;
    while (acked < end) {
      const auto sent = script.take_all();
      ASSERT_FALSE(sent.empty());
      script.after(round_trip);
      acked = sent.back().end();
      script.in({.ack = acked});
    }
  }

  ConnectionScript script;
};

TEST_F(Retransmission, ComesAfterOneTimeout) {  // RFC6298-5.1, RFC6298-5.4
  script.establish();
  ASSERT_EQ(script.info().rto, 300ms);
  script.write(100);
  script.out({.seq = 1, .length = 100});
  script.quiet_for(299ms);
  script.out_within(1ms, {.flags = kAckPush, .seq = 1, .length = 100});
  EXPECT_EQ(script.info().retransmits, 1U);
  EXPECT_EQ(script.info().timeouts, 1U);
}

TEST_F(Retransmission, BacksOff) {  // RFC6298-5.5, RFC6298-5.6, RFC9293-MUST-19
  script.establish();
  script.write(100);
  Instant last = script.out({.seq = 1}).at;
  Duration gap = 300ms;
  for (int i = 0; i < 8; ++i) {
    const Sent again = script.out_within(5min, {.seq = 1, .length = 100});
    EXPECT_EQ(again.at - last, gap) << i;
    last = again.at;
    gap *= 2;
  }
}

TEST_F(Retransmission, TimerStopsWhenAllIsAcknowledged) {  // RFC6298-5.2
  script.establish();
  script.write(100);
  script.out({.seq = 1});
  script.in({.ack = 101});
  script.quiet_for(1h);
}

TEST_F(Retransmission, TimerRestartsWithNewAcks) {  // RFC6298-5.3
  script.establish();
  script.write(2920);
  EXPECT_EQ(script.take_all().size(), 2U);
  script.after(200ms);
  script.in({.ack = 1461});
  const Duration rto = script.info().rto;
  ASSERT_GT(rto, 150ms);
  script.quiet_for(rto - 1ms);
  script.out_within(1ms, {.seq = 1461, .length = 1460});
}

TEST_F(Retransmission, OfASegmentSentTwiceIsNoSample) {  // RFC9293-MUST-18: Karn
  script.establish();
  const auto srtt = script.info().srtt;
  script.write(100);
  script.out({.seq = 1});
  script.out_within(300ms, {.seq = 1});
  script.after(50ms);
  script.in({.ack = 101});
  EXPECT_EQ(script.info().srtt, srtt);
  EXPECT_EQ(script.info().rto, 600ms) << "the back-off stays until there is a clean sample";
  script.write(100);
  script.out({.seq = 101});
  script.after(100ms);
  script.in({.ack = 201});
  EXPECT_LT(script.info().rto, 300ms);
}

TEST_F(Retransmission, SamplesMakeTheTimeout) {  // RFC6298-2.3
  script.establish();
  script.write(100);
  script.out({.seq = 1});
  script.after(180ms);
  script.in({.ack = 101});
  EXPECT_EQ(script.info().srtt, 110ms) << "7/8 * 100 + 1/8 * 180";
  EXPECT_EQ(script.info().rttvar, 57500us) << "3/4 * 50 + 1/4 * 80";
  EXPECT_EQ(script.info().rto, 340ms);
}

TEST_F(Retransmission, SlowsDown) {  // RFC9293-MUST-19, RFC5681-3.1
  script.establish();
  script.write(14600);
  script.take_all();
  script.out_within(300ms, {.seq = 1, .length = 1460});
  script.quiet();
  EXPECT_EQ(script.info().cwnd, 1460U);
  EXPECT_EQ(script.info().ssthresh, 7300U);
  // Slow start: two for each that is acknowledged.
  script.in({.ack = 1461});
  script.out({.seq = 1461, .length = 1460});
  script.out({.seq = 2921, .length = 1460});
  script.quiet();
  script.in({.ack = 4381});
  EXPECT_EQ(script.waiting(), 3U) << "one segment more for an acknowledgment after a timeout";
}

TEST_F(Retransmission, SlowStartDoublesAndThenGrowsByOne) {  // RFC9293-MUST-19
  script.config.initial_window = 1;
  script.establish();
  script.write(500000);
  std::vector<std::size_t> flights;
  // Each segment is acknowledged by itself, a round trip after it was sent; then a loss.
  for (int round = 0; round < 5; ++round) {
    const auto sent = script.take_all();
    flights.push_back(sent.size());
    script.after(100ms);
    for (const Sent& each : sent) script.in({.ack = each.end()});
  }
  EXPECT_EQ(flights, (std::vector<std::size_t>{1, 2, 4, 8, 16}));
  script.after(1s);  // nothing arrives any more
  const std::uint32_t ssthresh = script.info().ssthresh;
  EXPECT_EQ(ssthresh, 16U * 1460);
}

TEST_F(Retransmission,
       TellsOfTroubleBeforeItGivesUp) {  // RFC9293-SHLD-9, RFC9293-SHLD-10, RFC9293-U-2
  script.establish();
  script.take_ready();
  script.write(100);
  script.out({.seq = 1});
  for (int i = 0; i < 2; ++i) script.out_within(5min, {.seq = 1});
  EXPECT_FALSE(any(script.take_ready() & Ready::error));
  script.out_within(5min, {.seq = 1});
  EXPECT_TRUE(any(script.take_ready() & Ready::error)) << "R1: the third retransmission";
  EXPECT_EQ(script.connection().take_error(), Error::timed_out);
  EXPECT_EQ(script.state(), TcpState::established);
  script.in({.ack = 101});
  EXPECT_EQ(script.write(10), 10U) << "it was no more than a report";
  script.take_all();
}

TEST_F(Retransmission, GivesUp) {  // RFC9293-MUST-20, RFC9293-SHLD-11
  script.establish();
  script.write(100);
  script.after(100s);
  EXPECT_EQ(script.state(), TcpState::established);
  script.after(5min);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::timed_out);
  EXPECT_EQ(script.receive(1).error(), Error::timed_out);
  script.take_all();
  script.quiet_for(24h);
}

TEST_F(Retransmission, GivesUpWhenTheApplicationSaysSo) {  // RFC9293-MUST-21
  ConnectionScript other;
  script.settings.user_timeout = 5s;
  script.establish();
  other.establish();
  script.write(100);
  other.write(100);
  script.after(4900ms);
  EXPECT_EQ(script.state(), TcpState::established);
  script.after(200ms);
  other.after(5100ms);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::timed_out);
  EXPECT_EQ(other.state(), TcpState::established);
  script.take_all();
  other.take_all();
}

TEST_F(Retransmission, UserTimeoutCountsFromTheLastProgress) {  // RFC9293-MUST-21
  script.settings.user_timeout = 5s;
  script.establish();
  script.write(2920);
  script.after(4s);
  script.in({.ack = 1461});
  script.after(4s);
  EXPECT_EQ(script.state(), TcpState::established);
  script.after(2s);
  EXPECT_EQ(script.state(), TcpState::closed);
  script.take_all();
}

TEST_F(Retransmission, CarriesWhatWasWrittenSince) {
  script.establish();
  script.write(100);
  script.out({.seq = 1, .length = 100});
  script.write(100);
  script.quiet();
  const Sent again = script.out_within(300ms, {.seq = 1});
  EXPECT_GE(again.length, 100U);
  script.in({.ack = again.end()});
  if (again.length == 100) script.out({.seq = 101, .length = 100});
}

TEST_F(Retransmission, RestartsSlowlyAfterAnIdleTime) {  // RFC5681-4.1
  script.establish();
  script.write(120000);
  deliver(120001, 100ms);
  ASSERT_GT(script.info().cwnd, 20000U);
  script.after(1min);
  script.write(100000);
  EXPECT_EQ(script.waiting(), 10U);
  script.take_all();
}

}  // namespace
}  // namespace hawser::tcp
