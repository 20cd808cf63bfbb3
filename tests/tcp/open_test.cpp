// Opening a connection actively: SYN-SENT and SYN-RECEIVED (RFC 9293 3.5, 3.10.7.3).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

TEST(Open, SaysWhatItCanDo) {  // RFC9293-MUST-14, RFC9293-SHLD-5
  ConnectionScript script;
  script.config.window_scaling = script.config.timestamps = script.config.sack = true;
  script.open();
  EXPECT_EQ(script.state(), TcpState::syn_sent);
  const Sent syn = script.out({.flags = kSyn, .seq = 0, .length = 0, .window = 65535});
  EXPECT_EQ(syn.header.options.mss, 1460);
  EXPECT_EQ(syn.header.options.window_scale, 7) << "for a receive buffer of up to 6 MiB";
  EXPECT_TRUE(syn.header.options.sack_permitted);
  EXPECT_TRUE(syn.header.options.timestamps);
}

TEST(Open, SaysItsMssThoughItIsTheDefault) {  // RFC9293-MAY-3
  ConnectionScript script;
  script.mss = 536;
  script.open();
  EXPECT_EQ(script.out({.flags = kSyn}).header.options.mss, 536);
}

TEST(Open, IsEstablishedByTheAnswer) {
  ConnectionScript script;
  script.establish();
  EXPECT_EQ(script.state(), TcpState::established);
  EXPECT_TRUE(any(script.take_ready() & Ready::writable));
  EXPECT_EQ(script.info().srtt, ConnectionScript::kRoundTrip);
}

TEST(Open, SendsTheSynAgainWithDoublingGaps) {  // RFC9293-MUST-22, RFC6298-5.5
  ConnectionScript script;
  script.open();
  Instant last = script.out({.flags = kSyn}).at;
  for (const Duration gap : {1s, 2s, 4s, 8s, 16s, 32s, 64s}) {
    const Sent again = script.out_within(gap, {.flags = kSyn, .seq = 0});
    EXPECT_EQ(again.at - last, gap);
    EXPECT_EQ(again.header.options.mss, 1460) << "RFC9293-SHLD-5";
    last = again.at;
  }
}

TEST(Open, GivesUpAfterThreeMinutes) {  // RFC9293-MUST-22, RFC9293-MUST-23, RFC9293-U-1
  ConnectionScript script;
  script.open();
  script.after(180s);
  EXPECT_EQ(script.state(), TcpState::syn_sent);
  script.after(30s);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::timed_out);
  EXPECT_TRUE(any(script.take_ready() & Ready::error));
  EXPECT_EQ(script.receive(1).error(), Error::timed_out);
  script.take_all();
  script.quiet_for(1h);
}

TEST(Open, MeetsTheOpenOfThePeer) {  // RFC9293-MUST-10
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn, .seq = 0});
  script.in({.flags = kSyn, .seq = 0, .ack = 0});
  EXPECT_EQ(script.state(), TcpState::syn_received);
  script.out({.flags = kSynAck, .seq = 0, .ack = 1});
  script.in({.flags = kAck, .seq = 1, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::established);
  script.in({.seq = 1, .ack = 1, .length = 10});
  EXPECT_EQ(script.read(100), 10U);
}

TEST(Open, MeetsTheOpenOfThePeerWhenBothAnswersCross) {  // RFC9293-MUST-10
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn, .seq = 0});
  script.in({.flags = kSyn, .seq = 0, .ack = 0});
  script.out({.flags = kSynAck, .seq = 0, .ack = 1});
  script.in({.flags = kSynAck, .seq = 0, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::established);
  script.write(10);
  EXPECT_GE(script.waiting(), 1U);
  const auto sent = script.take_all();
  EXPECT_EQ(sent.back().seq, 1U);
  EXPECT_EQ(sent.back().length, 10U);
}

TEST(Open, SendsTheAnswerToAMetSynAgain) {  // RFC9293-MUST-10
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.in({.flags = kSyn, .seq = 0, .ack = 0});
  script.out({.flags = kSynAck, .seq = 0, .ack = 1});
  script.out_within(3s, {.flags = kSynAck, .seq = 0, .ack = 1});
}

TEST(Open, IsRefusedByAResetAfterMeeting) {  // RFC9293-MUST-11
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.in({.flags = kSyn, .seq = 0, .ack = 0});
  script.out({.flags = kSynAck});
  script.in({.flags = kRstAck, .seq = 1, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.receive(1).error(), Error::connection_refused);
}

TEST(Open, IsRefusedOnlyByAResetThatAcknowledgesTheSyn) {  // RFC9293-U-4
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.in({.flags = kRst, .seq = 0, .ack = 0});
  script.in({.flags = kRstAck, .seq = 0, .ack = 2});
  script.in({.flags = kRstAck, .seq = 0, .ack = 0});
  EXPECT_EQ(script.state(), TcpState::syn_sent);
  script.quiet();
  script.in({.flags = kRstAck, .seq = 0, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::refused);
  EXPECT_EQ(script.receive(1).error(), Error::connection_refused);
}

TEST(Open, ResetsAnAnswerToAnotherSyn) {  // RFC 9293 3.10.7.3
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.in({.flags = kSynAck, .seq = 0, .ack = 7});
  script.out({.flags = kRst, .seq = 7});
  EXPECT_EQ(script.state(), TcpState::syn_sent);
  script.in({.flags = kAck, .seq = 0, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::syn_sent) << "neither SYN nor RST: dropped";
  script.quiet();
}

TEST(Open, SendsWhatWasWrittenBeforeWithTheFirstAck) {  // RFC9293-U-3
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  EXPECT_EQ(script.write(100), 100U);
  script.quiet();
  script.in(ConnectionScript::syn_of({}, kSynAck));
  script.out({.flags = kAckPush, .seq = 1, .ack = 1, .length = 100});
}

TEST(Open, TakesDataThatComesWithTheAnswer) {
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  In answer = ConnectionScript::syn_of({}, kSynAck);
  script.in(answer);
  script.in({.seq = 1, .ack = 1, .length = 20});
  EXPECT_EQ(script.read(100), 20U);
}

TEST(Open, ClosesAtOnceBeforeTheAnswer) {  // RFC 9293 3.10.4
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.close();
  EXPECT_EQ(script.state(), TcpState::closed);
  script.quiet_for(1h);
}

TEST(Open, SendsFinAfterAShutdownBeforeTheAnswer) {  // RFC 9293 3.10.4
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.write(10);
  script.shutdown();
  script.in(ConnectionScript::syn_of({}, kSynAck));
  script.out({.flags = kFinAckPush, .seq = 1, .ack = 1, .length = 10});
  EXPECT_EQ(script.state(), TcpState::fin_wait_1);
}

TEST(Open, WaitsThreeSecondsForDataWhenTheSynWasLost) {  // RFC6298-5.7
  ConnectionScript script;
  script.open();
  script.out({.flags = kSyn});
  script.out_within(1s, {.flags = kSyn});
  script.in(ConnectionScript::syn_of({}, kSynAck));
  script.out({.flags = kAck, .seq = 1});
  EXPECT_EQ(script.info().srtt, std::nullopt) << "Karn: which SYN was answered is not known";
  EXPECT_EQ(script.info().cwnd, 14600U) << "one lost SYN is no congestion (RFC 6928 2)";
  script.write(10);
  script.out({.seq = 1, .length = 10});
  script.quiet_for(2999ms);
  script.out_within(1ms, {.seq = 1, .length = 10});
}

TEST(Open, BeginsWithOneSegmentWhenTheSynWasLostTwice) {  // RFC6928-2
  ConnectionScript script;
  script.open();
  script.after(3s);
  EXPECT_EQ(script.take_all().size(), 3U);
  script.in(ConnectionScript::syn_of({}, kSynAck));
  EXPECT_EQ(script.info().cwnd, 1460U);
}

TEST(Open, BeginsWithTenSegments) {  // RFC6928-2
  ConnectionScript script;
  script.establish();
  script.write(30000);
  EXPECT_EQ(script.waiting(), 10U);
  EXPECT_EQ(script.info().in_flight, 14600U);
}

}  // namespace
}  // namespace hawser::tcp
