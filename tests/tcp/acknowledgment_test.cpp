// When the receiver acknowledges, and what it says of bytes out of order (RFC 9293 3.8.6.3,
// RFC 5681 4.2, RFC 2018 4, RFC 2883 4).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Acknowledgment : public ::testing::Test {
 protected:
  ConnectionScript script;
};

TEST_F(Acknowledgment, IsDelayedBelowHalfASecond) {  // RFC9293-MUST-40, RFC9293-SHLD-18
  script.establish();
  script.in({.seq = 1, .length = 100});
  script.quiet();
  const Instant arrived = script.now();
  const Sent ack = script.out_within(500ms, {.flags = kAck, .seq = 1, .ack = 101, .length = 0});
  EXPECT_LT(ack.at - arrived, 500ms);
  EXPECT_GT(ack.at, arrived);
  script.quiet_for(1h);
}

TEST_F(Acknowledgment, AnswersEverySecondFullSegment) {  // RFC9293-SHLD-19
  script.establish();
  for (std::uint32_t i = 0; i < 10; ++i) script.in({.seq = 1 + 1460 * i, .length = 1460});
  const auto acks = script.take_all();
  ASSERT_EQ(acks.size(), 5U);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(acks[i].ack, 1 + 2920 * (i + 1));
}

TEST_F(Acknowledgment, AnswersABatchOnce) {  // RFC9293-MUST-58, RFC9293-MUST-59
  script.establish();
  script.in_batch({{.seq = 1, .length = 1460},
                   {.seq = 1461, .length = 1460},
                   {.seq = 2921, .length = 1460},
                   {.seq = 4381, .length = 1460}});
  script.out({.flags = kAck, .ack = 5841});
  script.quiet();
}

TEST_F(Acknowledgment, RidesOnData) {
  script.establish();
  script.in({.seq = 1, .length = 100});
  script.quiet();
  script.write(50);
  script.out({.seq = 1, .ack = 101, .length = 50});
  script.in({.seq = 101, .ack = 51});
  script.quiet_for(1h);
}

TEST_F(Acknowledgment, HoldsSegmentsThatComeTooEarly) {  // RFC9293-SHLD-31, RFC9293-MAY-13
  script.establish();
  script.in({.seq = 2921, .length = 1460});
  script.out({.flags = kAck, .ack = 1});
  script.in({.seq = 1461, .length = 1460});
  script.out({.flags = kAck, .ack = 1});
  script.in({.seq = 1, .length = 1460});
  script.out({.flags = kAck, .ack = 4381});
  EXPECT_EQ(script.read(10000), 4380U);
}

TEST_F(Acknowledgment, AnswersAtOnceWhenAGapIsFilled) {  // RFC5681-4.2
  script.establish();
  script.in({.seq = 101, .length = 100});
  script.take_all();
  script.in({.seq = 1, .length = 50});
  script.out({.ack = 51});
  script.in({.seq = 51, .length = 50});
  script.out({.ack = 201});
}

TEST_F(Acknowledgment, AnswersADuplicateAtOnce) {
  script.establish();
  script.in({.seq = 1, .length = 100});
  script.after(1s);
  script.take_all();
  script.in({.seq = 1, .length = 100});
  script.out({.flags = kAck, .ack = 101});
  EXPECT_EQ(script.info().duplicate_segments, 1U);
  EXPECT_EQ(script.read(1000), 100U);
}

TEST_F(Acknowledgment, TakesTheNewPartOfASegment) {
  script.establish();
  script.in({.seq = 1, .length = 100});
  script.in({.seq = 51, .length = 100});
  EXPECT_EQ(script.read(1000), 150U);
}

TEST_F(Acknowledgment, TellsOfBlocks) {  // RFC2018-3, RFC2018-4
  script.establish({.sack = true});
  script.in({.seq = 101, .length = 100});
  EXPECT_EQ(script.out({.ack = 1}).sack, (std::vector<Block>{{101, 201}}));
  script.in({.seq = 301, .length = 100});
  EXPECT_EQ(script.out({.ack = 1}).sack, (std::vector<Block>{{301, 401}, {101, 201}}));
  script.in({.seq = 201, .length = 50});
  EXPECT_EQ(script.out({.ack = 1}).sack, (std::vector<Block>{{101, 251}, {301, 401}}));
  script.in({.seq = 1, .length = 100});
  EXPECT_EQ(script.out({.ack = 251}).sack, (std::vector<Block>{{301, 401}}));
  script.in({.seq = 251, .length = 50});
  EXPECT_TRUE(script.out({.ack = 401}).sack.empty());
}

TEST_F(Acknowledgment, TellsOfNoBlocksWhereNoneWereAgreed) {  // RFC2018-2
  script.establish({.sack = false});
  script.in({.seq = 101, .length = 100});
  EXPECT_TRUE(script.out({.ack = 1}).sack.empty());
}

TEST_F(Acknowledgment, LeavesRoomForTheTimestamp) {  // RFC2018-3
  script.establish({.timestamps = true, .sack = true});
  for (std::uint32_t i = 0; i < 6; ++i) script.in({.seq = 101 + 200 * i, .length = 100});
  const auto acks = script.take_all();
  EXPECT_EQ(acks.back().sack, (std::vector<Block>{{1101, 1201}, {901, 1001}, {701, 801}}));
  EXPECT_TRUE(acks.back().header.options.timestamps);
}

TEST_F(Acknowledgment, TellsOfADuplicateBelow) {  // RFC2883-4.1
  script.establish({.sack = true});
  script.in({.seq = 1, .length = 200});
  script.after(1s);
  script.take_all();
  script.in({.seq = 101, .length = 100});
  EXPECT_EQ(script.out({.ack = 201}).sack, (std::vector<Block>{{101, 201}}));
  script.in({.seq = 201, .length = 100});
  script.after(1s);
  EXPECT_TRUE(script.out({.ack = 301}).sack.empty()) << "it is told once";
}

TEST_F(Acknowledgment, TellsOfADuplicateAbove) {  // RFC2883-4.2
  script.establish({.sack = true});
  script.in({.seq = 101, .length = 200});
  script.take_all();
  script.in({.seq = 151, .length = 50});
  EXPECT_EQ(script.out({.ack = 1}).sack, (std::vector<Block>{{151, 201}, {101, 301}}));
}

}  // namespace
}  // namespace hawser::tcp
