// The passive open by packets: SYN-RECEIVED, its timers and what may go wrong.
#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class PassiveOpen : public PacketScript {
 protected:
  PassiveOpen() { listen(); }
};

TEST_F(PassiveOpen, ThreeSegmentsMakeAConnection) {
  in(kSyn, Seq{0}, Mss{1460});
  out(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460}, Win{65535});  // RFC9293-MUST-14, RFC9293-MUST-67
  EXPECT_EQ(stack.census().syn_received, 1U);
  EXPECT_EQ(told(listener), Ready::none);
  EXPECT_EQ(stack.tcp_accept(listener).error(), Error::would_block);
  in(kAck, Seq{1}, Ack{1});
  EXPECT_EQ(told(listener), Ready::readable);
  EXPECT_EQ(stack.census().syn_received, 0U);
  accept();
  EXPECT_EQ(state(), TcpState::established);
  EXPECT_EQ(info().remote, peer.remote);
  quiet();
}

TEST_F(PassiveOpen, TheSynAckOffersOnlyWhatThePeerOffered) {
  in(kSyn, Seq{0});
  const Sent plain = out(kSyn | kAck);
  EXPECT_FALSE(plain.header.options.window_scale);
  EXPECT_FALSE(plain.header.options.timestamps);
  EXPECT_FALSE(plain.header.options.sack_permitted);
  talk_to({peer.local, {peer.remote.address, Port{5001}}});
  in(kSyn, Seq{0}, Mss{1460}, Wscale{7}, SackOk{}, Ts{77, 0});
  out(kSyn | kAck, Wscale{7}, SackOk{}, TsEcho{77});
}

TEST_F(PassiveOpen, TheLeastMssIsAssumedWhenNoneIsSaid) {  // RFC9293-MUST-15
  establish_passive();
  EXPECT_EQ(info().mss, 536);
}

TEST_F(PassiveOpen, TheSynAckGoesAgainWithBackOffAndThenNoMore) {  // RFC9293-MUST-23
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
  for (const Duration when : {1s, 3s, 7s, 15s, 31s, 63s, 127s}) {
    at(when - 1ns);
    quiet();
    at(when);
    out(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});  // RFC9293-SHLD-5: each time
  }
  at(255s);
  quiet();
  EXPECT_EQ(stack.census().syn_received, 0U);
  EXPECT_EQ(stack.next_deadline(), kNever);
}

TEST_F(PassiveOpen, BeginsWithOneSegmentWhenTheSynAckWasLostTwice) {  // RFC6928-2
  in(kSyn, Seq{0}, Mss{1460});
  out(kSyn | kAck);
  at(3s);
  out(kSyn | kAck, LeftAt{1s});
  out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{1});
  accept();
  write(5000);
  out(kAck, Seq{1}, Ack{1}, Len{1460});
}

TEST_F(PassiveOpen, ARepeatedSynIsAnsweredAgain) {
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
  at(500ms);
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
  EXPECT_EQ(stack.census().syn_received, 1U);
}

TEST_F(PassiveOpen, AnExactResetReturnsToListenSilently) {  // RFC9293-MUST-11, RFC9293-U-5
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kRst, Seq{1});
  quiet();
  EXPECT_EQ(stack.census().syn_received, 0U);
  EXPECT_EQ(told(listener), Ready::none);
}

TEST_F(PassiveOpen, AResetThatIsNotExactIsChallenged) {  // RFC9293-U-6
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kRst, Seq{2});
  out(kAck, Seq{1}, Ack{1});
  in(kRst, Seq{1000000});
  quiet();
  EXPECT_EQ(stack.census().syn_received, 1U);
}

TEST_F(PassiveOpen, ASynInTheWindowIsChallenged) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kSyn, Seq{100});
  out(kAck, Seq{1}, Ack{1});
  EXPECT_EQ(stack.census().syn_received, 1U);
}

TEST_F(PassiveOpen, AnAckOfWhatWasNotSentIsReset) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{2});
  out(kRst, Seq{2});
  in(kAck, Seq{1}, Ack{0});
  out(kRst, Seq{0});
  EXPECT_EQ(stack.census().syn_received, 1U);
  in(kAck, Seq{1}, Ack{1});
  accept();
}

TEST_F(PassiveOpen, DataOnTheSynIsNotAcknowledged) {
  in(kSyn, Seq{0}, Data{"too early"});
  out(kSyn | kAck, Seq{0}, Ack{1});
}

TEST_F(PassiveOpen, DataAndFinMayRideOnTheAck) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kAck | kFin, Seq{1}, Ack{1}, Data{"all of it"});
  out(kAck, Seq{1}, Ack{11});
  accept();
  EXPECT_EQ(state(), TcpState::close_wait);
  EXPECT_EQ(read_text(), "all of it");
}

TEST_F(PassiveOpen, AnOldTimestampDoesNotComplete) {
  in(kSyn, Seq{0}, Ts{1000, 0});
  const Sent answer = out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{1}, Ts{999, answer.header.options.timestamps->value});
  out(kAck, Seq{1}, Ack{1});
  EXPECT_EQ(dropped(DropReason::paws), 1U);
  EXPECT_EQ(stack.census().syn_received, 1U);
}

TEST_F(PassiveOpen, AConnectionThatWasResetIsStillAccepted) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{1});
  in(kRst, Seq{1});
  accept();
  EXPECT_EQ(state(), TcpState::closed);
  EXPECT_EQ(try_read().error(), Error::connection_reset);
}

TEST_F(PassiveOpen, ClosingTheListenerResetsWhatWasNotAccepted) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  in(kAck, Seq{1}, Ack{1});
  ASSERT_TRUE(stack.tcp_close(now, listener));
  drain();
  out(kRst | kAck, Seq{1}, Ack{1});
  EXPECT_EQ(stack.census().connections, 0U);
  EXPECT_EQ(stack.census().listeners, 0U);
  EXPECT_EQ(stack.tcp_accept(listener).error(), Error::bad_handle);
}

TEST_F(PassiveOpen, AnAckForAListenerThatIsGoneIsReset) {
  in(kSyn, Seq{0});
  out(kSyn | kAck);
  ASSERT_TRUE(stack.tcp_close(now, listener));
  in(kAck, Seq{1}, Ack{1});
  out(kRst, Seq{1});
  EXPECT_EQ(stack.census().syn_received, 0U);
}

TEST_F(PassiveOpen, AListenerAnswersAnAckWithResetAndIgnoresAReset) {
  in(kAck, Seq{5}, Ack{7});
  out(kRst, Seq{7});
  in(kRst, Seq{5});
  in(kNoFlags, Seq{5});
  quiet();
}

}  // namespace
}  // namespace hawser
