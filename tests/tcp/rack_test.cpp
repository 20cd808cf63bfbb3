// Loss found by time, and the probe of the tail, segment by segment (RFC 8985).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

constexpr std::uint32_t kMss = 1460;
/// The sequence number of segment `index`, counted from zero.
constexpr std::uint32_t at(std::uint32_t index) { return 1 + kMss * index; }

class RackTest : public ::testing::Test {
 protected:
  /// Ten segments are on their way, and half a round trip of 100 ms has passed.
  void send_flight(std::uint32_t segments = 10) {
    script.establish({.sack = true});
    script.write(segments * kMss);
    EXPECT_EQ(script.take_all().size(), segments);
    script.after(100ms);
  }
  void sack(std::vector<Block> blocks, std::uint32_t ack = 1) {
    script.in({.ack = ack, .sack = std::move(blocks)});
  }

  ConnectionScript script;
};

TEST_F(RackTest, WhatIsOnlyLateIsNotSentAgain) {  // RFC8985-6.2
  send_flight();
  sack({{at(1), at(2)}});
  script.after(24ms);
  script.quiet();
  script.in({.ack = at(2)});  // a quarter of the round trip was enough for it
  script.after(50ms);
  EXPECT_EQ(script.info().retransmits, 0U);
  EXPECT_EQ(script.info().fast_recoveries, 0U);
}

TEST_F(RackTest, WhatIsMissingForLongerIs) {  // RFC8985-6.2: step 5 and its timer
  send_flight();
  sack({{at(1), at(2)}});
  script.quiet();
  script.out_within(25ms, {.seq = at(0), .length = kMss});
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  EXPECT_EQ(script.info().timeouts, 0U);
}

TEST_F(RackTest, APathThatReordersIsGivenTime) {  // RFC8985-6.2: step 4
  send_flight();
  sack({{at(1), at(2)}});
  script.in({.ack = at(2)});  // the first was late: now it is known that this happens
  sack({{at(3), at(7)}}, at(2));
  script.quiet();
  script.in({.ack = at(7)});
  script.after(50ms);
  EXPECT_EQ(script.info().retransmits, 0U) << "three duplicates prove nothing any more";
}

TEST_F(RackTest, ALostRetransmissionNeedsNoTimeout) {  // RFC8985-3.4
  send_flight();
  script.write(10 * kMss);
  sack({{at(1), at(4)}});
  script.out({.seq = at(0), .length = kMss});
  script.take_all();
  script.after(100ms);
  sack({{at(1), at(10)}});
  const auto fresh = script.take_all();
  ASSERT_FALSE(fresh.empty());
  script.after(100ms);
  sack({{at(1), fresh.front().end()}});
  script.out({.seq = at(0), .length = kMss});
  EXPECT_EQ(script.info().timeouts, 0U);
  EXPECT_EQ(script.info().fast_recoveries, 1U);
}

TEST_F(RackTest, AProbeGetsTheTailAcknowledged) {  // RFC8985-7.3, RFC8985-7.4
  send_flight(4);
  // The last two are lost: nothing will report it.
  script.in({.ack = at(2)});
  const Instant before = script.now();
  const Sent probe = script.out_within(1s, {.seq = at(3), .length = kMss});
  EXPECT_EQ(probe.at - before, 202ms) << "two round trips, and what timers may be late";
  script.after(100ms);
  sack({{at(3), at(4)}}, at(2));
  script.out_within(25ms, {.seq = at(2), .length = kMss});
  script.after(100ms);
  script.in({.ack = at(4)});
  EXPECT_EQ(script.info().timeouts, 0U);
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  EXPECT_EQ(script.connection().next_deadline(), kNever);
}

TEST_F(RackTest, ASingleSegmentIsGivenTimeForADelayedAck) {  // RFC8985-7.2
  send_flight(1);
  const Sent probe = script.out_within(1s, {.seq = at(0), .length = kMss});
  EXPECT_LE(probe.at, script.now());
  EXPECT_EQ(script.info().timeouts, 0U);
}

TEST_F(RackTest, ASingleSegmentIsProbedWhateverWasHeardMeanwhile) {  // RFC8985-7.2
  send_flight(1);
  script.after(50ms);
  script.in({.ack = at(0), .window = 30000});  // no news of it
  script.out_within(1s, {.seq = at(0), .length = kMss});
  EXPECT_EQ(script.info().timeouts, 0U);
  script.in({.ack = at(1)});
  EXPECT_EQ(script.connection().next_deadline(), kNever);
}

TEST_F(RackTest, AProbeThatWasNeededIsASignOfCongestion) {  // RFC8985-7.4.2: case 1
  send_flight(2);
  const std::uint32_t before = script.info().cwnd;
  script.in({.ack = at(1)});
  script.out_within(1s, {.seq = at(1), .length = kMss});
  script.after(100ms);
  script.in({.ack = at(2)});  // no report of a duplicate: the probe repaired the loss
  script.write(kMss);
  script.take_all();
  script.after(100ms);
  script.in({.ack = at(3)});
  EXPECT_LT(script.info().cwnd, before);
}

TEST_F(RackTest, AProbeThatWasNotNeededIsNone) {  // RFC8985-7.4.2: case 2
  send_flight(2);
  script.in({.ack = at(1)});
  const std::uint32_t before = script.info().cwnd;
  script.out_within(1s, {.seq = at(1), .length = kMss});
  sack({{at(1), at(2)}}, at(2));
  script.write(kMss);
  script.take_all();
  script.after(100ms);
  script.in({.ack = at(3)});
  EXPECT_GE(script.info().cwnd, before);
}

TEST_F(RackTest, TheProbeIsNewDataWhereThereIsSome) {  // RFC8985-7.3
  send_flight();
  script.write(2 * kMss);
  script.quiet();  // the window is full
  script.out_within(300ms, {.seq = at(10), .length = kMss});
  EXPECT_EQ(script.info().retransmits, 0U);
}

TEST_F(RackTest, ThereIsOneProbeAtATime) {  // RFC8985-7.3
  send_flight(2);
  script.out_within(1s, {.seq = at(1)});
  script.out_within(1s, {.seq = at(0)});
  EXPECT_EQ(script.info().timeouts, 1U);
}

TEST_F(RackTest, ARetransmissionLeavesOutSackRatherThanBreakTheMtu) {
  send_flight();
  script.in({.seq = 101, .ack = 1, .length = 50, .sack = {{at(1), at(4)}}});
  const Sent again = script.out({.seq = at(0), .length = kMss});
  EXPECT_TRUE(again.sack.empty());
}

}  // namespace
}  // namespace hawser::tcp
