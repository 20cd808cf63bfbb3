// Marks of routers in place of losses: the agreement, the echo and the reduction (RFC 3168 6.1).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp::test {
namespace {

constexpr TcpFlags kCwrAck = kAck | TcpFlag::cwr;

/// A peer that marks what it has seen: by echo, as a receiver of ours.
class EcnTest : public ::testing::Test {
 protected:
  /// Agreed, and `segments` in flight, whose window is `segments` too.
  void fill(std::uint32_t segments) {
    script.config.initial_window = static_cast<std::uint16_t>(segments);
    script.establish({.sack = true, .ecn = true});
    script.write(std::size_t{kMss} * 200);
    ASSERT_EQ(script.take_all().size(), segments);
  }
  void acknowledge(std::uint32_t segments, TcpFlags flags) {
    acked += segments * kMss;
    script.in({.flags = flags, .ack = 1 + acked});
  }

  static constexpr std::uint32_t kMss = 1460;
  ConnectionScript script;
  std::uint32_t acked = 0;
};

// ---- the agreement

TEST_F(EcnTest, IsAskedForOnlyWhenSwitchedOn) {  // RFC3168-6.1.1, RFC9293-SHLD-8
  for (const TcpEcn ecn : {TcpEcn::off, TcpEcn::passive, TcpEcn::on}) {
    ConnectionScript each;
    each.settings.ecn = ecn;
    each.open();
    each.out({.flags = ecn == TcpEcn::on ? kEcnSyn : kSyn, .ecn = Ecn::not_ect});
    each.in(ConnectionScript::syn_of({}, kEcnSynAck));
    each.out({.flags = kAck, .ecn = Ecn::not_ect});
    EXPECT_EQ(each.info().ecn_echoes, ecn == TcpEcn::on);
    EXPECT_EQ(each.info().ecn_capable, ecn == TcpEcn::on);
    each.write(100);
    each.out({.flags = kAckPush, .ecn = ecn == TcpEcn::on ? Ecn::ect0 : Ecn::not_ect});
  }
}

TEST_F(EcnTest, IsNotUsedWithAPeerThatDoesNotAnswerOrSendsTheFlagsBack) {  // RFC3168-6.1.1.2
  for (const TcpFlags answer : {kSynAck, kSynAck | TcpFlag::cwr, kEcnSynAck | TcpFlag::cwr}) {
    ConnectionScript each;
    each.settings.ecn = TcpEcn::on;
    each.open();
    each.out({.flags = kEcnSyn});
    each.in(ConnectionScript::syn_of({}, answer));
    each.out({.flags = kAck});
    each.in({.length = 100, .ecn = Ecn::ce});
    each.write(100);
    each.out({.flags = kAckPush, .ecn = Ecn::not_ect});
    EXPECT_EQ(each.info().marks_received, 0U);
  }
}

TEST_F(EcnTest, IsNoLongerAskedForWhenTheSynGoesAgain) {  // RFC3168-6.1.1.1
  script.settings.ecn = TcpEcn::on;
  script.open();
  script.out({.flags = kEcnSyn});
  script.out_within(1s, {.flags = kSyn});
  script.in(ConnectionScript::syn_of({}, kEcnSynAck));  // of the first
  script.out({.flags = kAck});
  script.write(100);
  script.out({.flags = kAckPush, .ecn = Ecn::not_ect});
  script.in({.ack = 101, .length = 100, .ecn = Ecn::ce});
  script.out({.flags = kEchoAck});  // what the first SYN has promised holds
}

TEST_F(EcnTest, IsAgreedUponByTwoThatOpenAtOnce) {
  for (const TcpFlags answer : {kEcnSynAck, kSynAck}) {
    ConnectionScript each;
    each.settings.ecn = TcpEcn::on;
    each.open();
    each.out({.flags = kEcnSyn});
    In syn = ConnectionScript::syn_of({}, kEcnSyn);
    each.in(syn);
    each.out({.flags = kEcnSynAck, .ecn = Ecn::not_ect});
    syn.flags = answer;
    each.in(syn);
    EXPECT_EQ(each.info().ecn_capable, answer == kEcnSynAck);
  }
}

// ---- the receiver of data

TEST_F(EcnTest, EchoesAMarkInAllAcksUntilTheWindowIsReduced) {  // RFC3168-6.1.3
  script.establish({.ecn = true});
  script.in({.length = kMss, .ecn = Ecn::ect0});
  script.quiet();
  script.in({.seq = 1 + kMss, .length = kMss, .ecn = Ecn::ce});
  script.out({.flags = kEchoAck, .ack = 1 + 2 * kMss, .ecn = Ecn::not_ect});
  script.in({.seq = 1 + 2 * kMss, .length = kMss, .ecn = Ecn::ect0});
  script.in({.seq = 1 + 3 * kMss, .length = kMss, .ecn = Ecn::ect0});
  script.out({.flags = kEchoAck, .ack = 1 + 4 * kMss});
  script.write(10);  // data says it too
  script.out({.flags = kAckPush | TcpFlag::ece, .ecn = Ecn::ect0});
  script.in({.flags = kCwrAck, .seq = 1 + 4 * kMss, .length = kMss, .ecn = Ecn::ect0});
  script.out({.flags = kAck, .ack = 1 + 5 * kMss});
  script.in({.flags = kCwrAck, .seq = 1 + 5 * kMss, .length = kMss, .ecn = Ecn::ce});
  script.out({.flags = kEchoAck, .ack = 1 + 6 * kMss});  // marked anew
  EXPECT_EQ(script.info().marks_received, 2U);
  EXPECT_EQ(script.counters.marks_received, 2U);
}

TEST_F(EcnTest, HeedsNoMarkOutsideTheWindowOrWithoutData) {  // RFC3168-6.1.5
  script.establish({.ecn = true});
  script.in({.length = kMss});
  script.quiet();
  script.in({.length = kMss, .ecn = Ecn::ce});  // a duplicate
  script.out({.flags = kAck});
  script.in({.seq = 200000, .length = kMss, .ecn = Ecn::ce});
  script.out({.flags = kAck});
  script.in({.seq = 1 + kMss, .ecn = Ecn::ce});
  script.in({.seq = 1 + kMss, .length = 2 * kMss});
  script.out({.flags = kAck});
}

TEST_F(EcnTest, IgnoresMarksAndEchoesThatNobodyAgreedOn) {
  script.establish();
  script.write(10 * kMss);
  EXPECT_EQ(script.take_all().size(), 10U);
  const std::uint32_t before = script.info().cwnd;
  script.in({.flags = kEchoAck, .ack = 1, .length = kMss, .ecn = Ecn::ce});
  script.in({.flags = kEchoAck, .seq = 1 + kMss, .ack = 1, .length = kMss, .ecn = Ecn::ce});
  script.out({.flags = kAck});
  EXPECT_EQ(script.info().cwnd, before);
  EXPECT_EQ(script.counters.echoes_ignored, 2U);
  EXPECT_EQ(script.counters.marks_received, 0U);
}

// ---- the sender of data

TEST_F(EcnTest, MarksOnlyNewDataAsCapable) {  // RFC3168-6.1.4, RFC3168-6.1.5
  script.establish({.sack = true, .ecn = true});
  script.write(2 * kMss);
  script.out({.seq = 1, .ecn = Ecn::ect0});
  script.out({.seq = 1 + kMss, .ecn = Ecn::ect0});
  script.out_within(1s, {.seq = 1 + kMss, .ecn = Ecn::not_ect});  // a probe of the tail
  script.out_within(2s, {.seq = 1, .ecn = Ecn::not_ect});         // a timeout
  script.in({.ack = 1 + 2 * kMss});
  script.in({.ack = 1 + 2 * kMss, .length = 2 * kMss});
  script.out({.flags = kAck, .length = 0, .ecn = Ecn::not_ect});
  script.shutdown();
  script.out({.flags = kFinAck, .ecn = Ecn::not_ect});
}

TEST_F(EcnTest, SetsNeitherCapableNorReducedOnAWindowProbe) {  // RFC3168-6.1.6
  script.establish({.ecn = true, .window = kMss});
  script.write(2 * kMss);
  script.out({.length = kMss, .ecn = Ecn::ect0});
  script.in({.flags = kEchoAck, .ack = 1 + kMss, .window = 0});
  script.out_within(1s, {.flags = kAck, .length = 1, .ecn = Ecn::not_ect});
  script.in({.flags = kAck, .ack = 2 + kMss, .window = kMss});
  script.out({.flags = kAckPush | TcpFlag::cwr, .length = kMss - 1, .ecn = Ecn::ect0});
}

TEST_F(EcnTest, ReducesTheWindowOnceForAllMarksOfAFlight) {  // RFC3168-6.1.2, RFC8511-3
  fill(10);
  acknowledge(1, kEchoAck);
  script.quiet();
  EXPECT_EQ(script.info().cwnd, 8 * kMss);
  EXPECT_EQ(script.info().ssthresh, 8 * kMss);
  acknowledge(1, kEchoAck);
  script.quiet();
  acknowledge(1, kEchoAck);  // seven are in flight
  script.out({.flags = kCwrAck, .seq = 1 + 10 * kMss, .ecn = Ecn::ect0});
  acknowledge(7, kEchoAck);  // up to that one
  EXPECT_EQ(script.info().mark_reductions, 1U);
  EXPECT_EQ(script.info().cwnd, 8 * kMss) << "nor does it grow";
  for (const Sent& sent : script.take_all()) {
    EXPECT_FALSE(sent.header.flags.has(TcpFlag::cwr)) << "on one segment alone";
  }
  acknowledge(1, kEchoAck);  // beyond it: a mark of later
  EXPECT_EQ(script.info().mark_reductions, 2U);
  EXPECT_EQ(script.info().echoes_received, 5U);
  EXPECT_EQ(script.counters.mark_reductions, 2U);
}

TEST_F(EcnTest, ReducesNoFurtherForALossInTheSameFlight) {  // RFC3168-6.1.2
  fill(10);
  acknowledge(1, kEchoAck);
  EXPECT_EQ(script.info().cwnd, 8 * kMss);
  script.in({.flags = kEchoAck, .ack = 1 + kMss, .sack = {{1 + 2 * kMss, 1 + 5 * kMss}}});
  script.out({.flags = kAck, .seq = 1 + kMss, .ecn = Ecn::not_ect});
  EXPECT_EQ(script.info().recovery, TcpRecovery::fast);
  EXPECT_EQ(script.info().ssthresh, 8 * kMss);
}

TEST_F(EcnTest, ReducesOnceMoreWhenTheSegmentWithCwrIsLost) {  // RFC3168-6.1.2
  fill(10);
  acknowledge(4, kEchoAck);
  auto sent = script.take_all();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent.front().header.flags, kCwrAck);
  const std::uint32_t cwr = sent.front().seq;
  acknowledge(6, kEchoAck);
  sent = script.take_all();
  ASSERT_GE(sent.size(), 3U);
  script.in({.flags = kEchoAck, .ack = cwr, .sack = {{cwr + kMss, sent.back().end()}}});
  script.out({.flags = kAck, .seq = cwr, .ecn = Ecn::not_ect});
  EXPECT_LT(script.info().ssthresh, 8 * kMss);
  const auto more = script.out_within(1s, {});
  EXPECT_EQ(more.header.flags, kCwrAck) << "the peer is told again, by new data";
  EXPECT_EQ(more.ecn, Ecn::ect0);
}

TEST_F(EcnTest, TellsOfReductionsForLossesToo) {  // RFC3168-6.1.2
  fill(10);
  script.in({.ack = 1, .sack = {{1 + kMss, 1 + 6 * kMss}}});
  script.out({.flags = kAck, .seq = 1, .ecn = Ecn::not_ect});
  acknowledge(10, kEchoAck);
  EXPECT_EQ(script.info().mark_reductions, 0U) << "the window has been reduced already";
  script.out({.flags = kCwrAck, .seq = 1 + 10 * kMss, .ecn = Ecn::ect0});
}

TEST_F(EcnTest, SendsOneSegmentInATimeoutWhenMarkedAtTheLeastWindow) {  // RFC3168-6.1.2
  fill(1);
  acknowledge(1, kEchoAck);
  script.quiet();
  EXPECT_EQ(script.info().cwnd, kMss);
  EXPECT_EQ(script.info().send_blocked, SendBlocked::congestion_window);
  const Duration rto = script.info().rto;
  const Instant before = script.now();
  script.out_within(2 * rto, {.flags = kCwrAck, .length = kMss});
  EXPECT_EQ(script.now(), before + rto);
  acknowledge(1, kAck);
  EXPECT_GE(script.waiting(), 1U);
}

TEST_F(EcnTest, DoesNotHoldAFinBackAtTheLeastWindow) {
  script.config.initial_window = 1;
  script.establish({.ecn = true});
  script.write(kMss);
  script.out({.length = kMss});
  acknowledge(1, kEchoAck);
  script.shutdown();
  script.out({.flags = kFinAck});
}

TEST_F(EcnTest, IsHeardButNotUsedByAlgorithmsThatDoNotHeedMarks) {
  script.settings.congestion_control = "bbr";
  script.establish({.ecn = true});
  script.write(kMss);
  script.out({.length = kMss, .ecn = Ecn::not_ect});
  script.in({.flags = kEchoAck, .ack = 1 + kMss, .length = kMss, .ecn = Ecn::ce});
  script.out({.flags = kEchoAck});
  EXPECT_TRUE(script.info().ecn_echoes);
  EXPECT_FALSE(script.info().ecn_capable);
  EXPECT_EQ(script.counters.echoes_ignored, 1U);
}

}  // namespace
}  // namespace hawser::tcp::test
