// Segments of a stranger who guesses: what RFC 5961 and RFC 9293 3.10.7.4 make of them.
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Stranger : public ::testing::Test {
 protected:
  Stranger() { script.establish(); }
  void expect_alive() {
    EXPECT_EQ(script.state(), TcpState::established);
    script.in({.seq = 1, .ack = 1, .length = 10});
    EXPECT_EQ(script.read(100), 10U);
  }

  ConnectionScript script;
};

TEST_F(Stranger, ResetInsideTheWindowIsChallenged) {  // RFC9293-U-6
  script.in({.flags = kRst, .seq = 2});
  script.out({.flags = kAck, .seq = 1, .ack = 1, .length = 0});
  script.quiet();
  expect_alive();
}

TEST_F(Stranger, ResetOutsideTheWindowIsIgnored) {  // RFC9293-U-6
  script.in({.flags = kRst, .seq = 1 + (1U << 21)});
  script.in({.flags = kRst, .seq = 0});
  script.quiet();
  expect_alive();
}

TEST_F(Stranger, DataOfAChallengedResetIsNotTaken) {  // RFC9293-U-7
  script.in({.flags = kRst, .seq = 2, .length = 10});
  script.out({.flags = kAck, .ack = 1});
  EXPECT_EQ(script.info().out_of_order, 0U);
  expect_alive();
}

TEST_F(Stranger, SynIsChallengedWhateverItsNumber) {  // RFC9293-U-8
  for (const std::uint32_t seq : {1U, 2U, 1000U}) {
    script.in({.flags = kSyn, .seq = seq, .ack = 0});
    script.out({.flags = kAck, .seq = 1, .ack = 1, .length = 0});
    script.quiet();
  }
  script.in({.flags = kSyn, .seq = 0x40000000, .ack = 0});
  script.out({.flags = kAck, .seq = 1, .ack = 1});
  expect_alive();
}

TEST_F(Stranger, DataOfASynIsNotTaken) {  // RFC9293-U-9
  script.in({.flags = kSynAck, .seq = 1, .ack = 1, .length = 10});
  script.out({.flags = kAck, .ack = 1});
  EXPECT_FALSE(script.receive(10));
  expect_alive();
}

TEST_F(Stranger, AckOfWhatWasNotSentIsChallenged) {  // RFC9293-U-10, RFC9293-U-11, RFC9293-MAY-12
  script.in({.seq = 1, .ack = 2, .length = 10});
  script.out({.flags = kAck, .seq = 1, .ack = 1});
  EXPECT_FALSE(script.receive(10)) << "its data is not taken";
  EXPECT_EQ(script.dropped(DropReason::bad_ack), 1U);
  expect_alive();
}

TEST_F(Stranger, VeryOldAckIsChallenged) {  // RFC9293-U-10, RFC9293-MAY-12
  script.in({.seq = 1, .ack = 1U - 65535U, .length = 5});
  EXPECT_EQ(script.read(100), 5U) << "the largest window ago is just acceptable";
  script.after(1s);
  script.take_all();
  script.in({.seq = 6, .ack = 1U - 65536U, .length = 5});
  script.out({.flags = kAck, .ack = 6});
  EXPECT_FALSE(script.receive(10));
  EXPECT_EQ(script.dropped(DropReason::bad_ack), 1U);
}

TEST_F(Stranger, SegmentWithoutAckIsDropped) {
  script.in({.flags = TcpFlags{}, .seq = 1, .length = 10});
  EXPECT_FALSE(script.receive(10));
  EXPECT_EQ(script.dropped(DropReason::no_ack), 1U);
}

TEST_F(Stranger, SegmentOutsideTheWindowIsAnswered) {  // RFC 9293 3.10.7.4, first
  script.in({.seq = 1 + (1U << 21), .length = 10});
  script.out({.flags = kAck, .seq = 1, .ack = 1});
  EXPECT_EQ(script.dropped(DropReason::out_of_window), 1U);
  expect_alive();
}

TEST_F(Stranger, FloodIsAnsweredInMeasure) {  // RFC5961-7
  for (int i = 0; i < 1000; ++i) script.in({.flags = kRst, .seq = 100});
  EXPECT_EQ(script.take_all().size(), script.config.challenge_acks_per_second);
  script.after(2s);
  script.in({.flags = kRst, .seq = 100});
  script.out({.flags = kAck, .ack = 1});
}

TEST_F(Stranger, AnswersDoNotAnswerEachOther) {
  // An old pure ACK outside the window, as a confused peer sends in answer to ours.
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) {
    script.in({.seq = 0x20000000, .ack = 1});
    answers += script.take_all().size();
  }
  EXPECT_LE(answers, script.config.challenge_acks_per_second);
}

}  // namespace
}  // namespace hawser::tcp
