// Closing a connection from either side, and by a reset (RFC 9293 3.6, 3.10.4, 3.10.5, 3.10.7.4).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Close : public ::testing::Test {
 protected:
  ConnectionScript script;
};

TEST_F(Close, FromOurSide) {  // RFC 9293 figure 12
  script.establish();
  script.shutdown();
  EXPECT_EQ(script.state(), TcpState::fin_wait_1);
  script.out({.flags = kFinAck, .seq = 1, .ack = 1, .length = 0});
  script.in({.seq = 1, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::fin_wait_2);
  script.quiet();
  script.in({.flags = kFinAck, .seq = 1, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::time_wait);
  script.out({.flags = kAck, .seq = 2, .ack = 2, .length = 0});
  EXPECT_EQ(script.read(1), 0U);
}

TEST_F(Close, FromThePeersSide) {  // RFC 9293 figure 12, RFC9293-MUST-12
  script.establish();
  script.in({.flags = kFinAck, .seq = 1, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::close_wait);
  script.out({.flags = kAck, .seq = 1, .ack = 2});
  const auto end = script.receive(10);
  ASSERT_TRUE(end) << "the end of the stream is no error";
  EXPECT_TRUE(end->empty());
  script.close();
  EXPECT_EQ(script.state(), TcpState::last_ack);
  script.out({.flags = kFinAck, .seq = 1, .ack = 2});
  script.in({.seq = 2, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::finished);
  script.quiet_for(1h);
}

TEST_F(Close, FromBothSidesAtOnce) {  // RFC 9293 figure 13
  script.establish();
  script.shutdown();
  script.out({.flags = kFinAck, .seq = 1, .ack = 1});
  script.in({.flags = kFinAck, .seq = 1, .ack = 1});
  EXPECT_EQ(script.state(), TcpState::closing);
  script.out({.flags = kAck, .seq = 2, .ack = 2});
  script.in({.seq = 2, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::time_wait);
}

TEST_F(Close, WithOneSegmentThatAcknowledgesAndFinishes) {
  script.establish();
  script.shutdown();
  script.out({.flags = kFinAck, .seq = 1});
  script.in({.flags = kFinAck, .seq = 1, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::time_wait);
  script.out({.flags = kAck, .seq = 2, .ack = 2});
}

TEST_F(Close, FinFollowsWhatWasWritten) {
  script.establish();
  script.write(3000);
  script.shutdown();
  script.out({.seq = 1, .length = 1460});
  script.out({.seq = 1461, .length = 1460});
  script.out({.flags = kFinAckPush, .seq = 2921, .length = 80});
  script.in({.ack = 3001});
  EXPECT_EQ(script.state(), TcpState::fin_wait_1) << "the FIN is not acknowledged yet";
  script.in({.ack = 3002});
  EXPECT_EQ(script.state(), TcpState::fin_wait_2);
}

TEST_F(Close, FinIsSentAgainWhenLost) {
  script.establish();
  script.shutdown();
  script.out({.flags = kFinAck, .seq = 1});
  script.out_within(300ms, {.flags = kFinAck, .seq = 1});
  script.out_within(600ms, {.flags = kFinAck, .seq = 1});
}

TEST_F(Close, DataStillComesAfterOurFin) {  // RFC9293-MAY-1: shutdown reads on
  script.establish();
  script.shutdown();
  script.out({.flags = kFinAck, .seq = 1});
  script.in({.seq = 1, .ack = 2, .length = 500});
  EXPECT_EQ(script.read(1000), 500U);
  script.in({.seq = 501, .ack = 2, .length = 500});
  EXPECT_EQ(script.read(1000), 500U);
  EXPECT_EQ(script.state(), TcpState::fin_wait_2);
}

TEST_F(Close, DataStillGoesAfterThePeersFin) {
  script.establish();
  script.in({.flags = kFinAck, .seq = 1});
  script.out({.ack = 2});
  script.write(500);
  script.out({.flags = kAckPush, .seq = 1, .ack = 2, .length = 500});
  script.in({.seq = 2, .ack = 501});
  script.close();
  script.out({.flags = kFinAck, .seq = 501, .ack = 2});
}

TEST_F(Close, FinWaitsForTheDataBeforeIt) {
  script.establish();
  script.in({.flags = kFinAck, .seq = 101, .length = 100});
  script.out({.ack = 1});
  EXPECT_EQ(script.state(), TcpState::established);
  script.in({.seq = 1, .length = 100});
  EXPECT_EQ(script.state(), TcpState::close_wait);
  script.out({.ack = 202});
  EXPECT_EQ(script.read(1000), 200U);
  EXPECT_EQ(script.read(1000), 0U);
}

TEST_F(Close, RepeatedFinIsAcknowledgedAgain) {
  script.establish();
  script.in({.flags = kFinAck, .seq = 1});
  script.out({.ack = 2});
  script.after(1s);
  script.in({.flags = kFinAck, .seq = 1});
  script.out({.flags = kAck, .seq = 1, .ack = 2});
}

TEST_F(Close, NothingIsWrittenAfterAShutdown) {
  script.establish();
  script.shutdown();
  script.take_all();
  EXPECT_EQ(script.write(10), 0U);
  script.quiet();
}

TEST_F(Close, ResetTellsTheApplication) {  // RFC9293-MUST-12, RFC9293-U-5
  script.establish();
  script.in({.flags = kRst, .seq = 1});
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.receive(10).error(), Error::connection_reset);
  EXPECT_EQ(script.info().close_reason, CloseReason::reset_by_peer);
  script.quiet_for(1h);
}

TEST_F(Close, ResetMayCarryData) {  // RFC9293-SHLD-2
  script.establish();
  script.in({.flags = kRst, .seq = 1, .length = 20});
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.receive(100).error(), Error::connection_reset) << "its payload is not delivered";
}

TEST_F(Close, BytesBeforeAResetCanStillBeRead) {
  script.establish();
  script.in({.seq = 1, .length = 20});
  script.in({.flags = kRst, .seq = 21});
  EXPECT_EQ(script.read(100), 20U);
  EXPECT_EQ(script.receive(100).error(), Error::connection_reset);
}

TEST_F(Close, ResetsWhenBytesAreUnread) {  // RFC9293-SHLD-3
  script.establish();
  script.in({.seq = 1, .length = 10});
  script.close();
  script.out({.flags = kRstAck, .seq = 1, .ack = 11});
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST_F(Close, ResetsWhenBytesArriveLater) {  // RFC9293-SHLD-3, RFC9293-MAY-1
  script.establish();
  script.close();
  script.out({.flags = kFinAck, .seq = 1});
  script.in({.seq = 1, .ack = 2});
  script.in({.seq = 1, .ack = 2, .length = 10});
  const Sent reset = script.out({});
  EXPECT_TRUE(reset.header.flags.has(TcpFlag::rst));
  EXPECT_EQ(reset.seq, 2U);
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST_F(Close, AbortResets) {  // RFC 9293 3.10.5
  script.establish();
  script.write(100);
  script.take_all();
  script.abort();
  const Sent reset = script.out({.seq = 101});
  EXPECT_TRUE(reset.header.flags.has(TcpFlag::rst));
  EXPECT_EQ(script.state(), TcpState::closed);
  script.quiet_for(1h);
}

TEST_F(Close, LingerOfZeroResets) {
  script.settings.linger = Duration::zero();
  script.establish();
  script.close();
  const Sent reset = script.out({.seq = 1});
  EXPECT_TRUE(reset.header.flags.has(TcpFlag::rst));
}

TEST_F(Close, DoesNotWaitForeverForThePeersFin) {
  script.establish();
  script.close();
  script.out({.flags = kFinAck, .seq = 1});
  script.in({.seq = 1, .ack = 2});
  EXPECT_EQ(script.state(), TcpState::fin_wait_2);
  script.after(59s);
  EXPECT_EQ(script.state(), TcpState::fin_wait_2);
  script.after(2s);
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST_F(Close, HalfCloseMayLastForever) {
  script.establish();
  script.shutdown();
  script.take_all();
  script.in({.seq = 1, .ack = 2});
  script.after(24h);
  EXPECT_EQ(script.state(), TcpState::fin_wait_2) << "somebody still holds it";
  script.in({.seq = 1, .ack = 2, .length = 5});
  EXPECT_EQ(script.read(10), 5U);
}

TEST_F(Close, DataBehindTheFinIsIgnored) {
  script.establish();
  script.in({.flags = kFinAck, .seq = 1, .length = 10});
  script.out({.ack = 12});
  script.in({.seq = 12, .length = 10});
  EXPECT_EQ(script.read(100), 10U);
  EXPECT_EQ(script.read(100), 0U);
}

}  // namespace
}  // namespace hawser::tcp
