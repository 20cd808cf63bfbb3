// The timestamps option (RFC 7323 3 to 5).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Timestamps : public ::testing::Test {
 protected:
  Timestamps() { script.establish({.timestamps = true}); }
  static TcpOptions stamp(std::uint32_t value, std::uint32_t echo = 0) {
    TcpOptions options;
    options.timestamps = TcpTimestamps{value, echo};
    return options;
  }
  std::uint32_t echo_of(const Sent& sent) {
    EXPECT_TRUE(sent.header.options.timestamps);
    return sent.header.options.timestamps->echo;
  }
  /// A value of the peer's clock, which runs with ours in milliseconds.
  std::uint32_t peer_clock() const {
    return static_cast<std::uint32_t>(script.now().time_since_epoch() / 1ms);
  }

  ConnectionScript script;
};

TEST_F(Timestamps, AreOnEverySegment) {  // RFC7323-3.2
  script.write(100);
  EXPECT_TRUE(script.out({}).header.options.timestamps);
  script.in({.seq = 1, .ack = 101, .length = 10});
  script.after(1s);
  EXPECT_TRUE(script.out({.ack = 11}).header.options.timestamps);
  script.shutdown();
  EXPECT_TRUE(script.out({.flags = kFinAck}).header.options.timestamps);
}

TEST_F(Timestamps, AreNotOnWhatThePeerDidNotAgreeTo) {  // RFC7323-3.2
  ConnectionScript other;
  other.config.timestamps = true;
  other.open();
  EXPECT_TRUE(other.out({.flags = kSyn}).header.options.timestamps);
  other.config.timestamps = false;
  other.in(ConnectionScript::syn_of({}, kSynAck));
  EXPECT_FALSE(other.out({}).header.options.timestamps);
}

TEST_F(Timestamps, OldOneIsRejected) {  // RFC7323-5.3
  const std::uint32_t clock = peer_clock();
  script.in({.seq = 1, .length = 10, .options = stamp(clock)});
  script.after(1s);
  script.take_all();
  script.in({.seq = 11, .length = 10, .options = stamp(clock - 1)});
  script.out({.flags = kAck, .ack = 11});
  EXPECT_EQ(script.dropped(DropReason::paws), 1U);
  EXPECT_EQ(script.read(100), 10U);
}

TEST_F(Timestamps, OldOneDoesNotHinderAReset) {  // RFC7323-5.2
  const std::uint32_t clock = peer_clock();
  script.in({.seq = 1, .length = 10, .options = stamp(clock)});
  script.in({.flags = kRst, .seq = 11, .options = stamp(clock - 100)});
  EXPECT_EQ(script.state(), TcpState::closed);
  script.take_all();
}

TEST_F(Timestamps, ResetNeedsNone) {  // RFC7323-3.2
  script.in({.flags = kRst, .seq = 1, .bare = true});
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST_F(Timestamps, MissingOneIsDroppedSilently) {  // RFC7323-3.2
  script.in({.seq = 1, .length = 10, .bare = true});
  script.quiet_for(1s);
  EXPECT_EQ(script.dropped(DropReason::no_timestamp), 1U);
  EXPECT_EQ(script.state(), TcpState::established);
}

TEST_F(Timestamps, OldOneIsTakenAfter24Days) {  // RFC7323-5.5
  const std::uint32_t clock = peer_clock();
  script.in({.seq = 1, .length = 10, .options = stamp(clock)});
  script.after(std::chrono::days(25));
  script.take_all();
  script.in({.seq = 11, .length = 10, .options = stamp(clock - 1)});
  EXPECT_EQ(script.read(100), 20U);
}

TEST_F(Timestamps, EarliestOfDelayedIsEchoed) {  // RFC7323-4.3 (A)
  const std::uint32_t clock = peer_clock();
  script.in({.seq = 1, .length = 10, .options = stamp(clock + 1)});
  script.in({.seq = 11, .length = 10, .options = stamp(clock + 2)});
  EXPECT_EQ(echo_of(script.out_within(1s, {.ack = 21})), clock + 1);
  script.in({.seq = 21, .length = 10, .options = stamp(clock + 3)});
  EXPECT_EQ(echo_of(script.out_within(1s, {.ack = 31})), clock + 3);
}

TEST_F(Timestamps, ThatOfTheGapIsEchoed) {  // RFC7323-4.3 (B), (C)
  const std::uint32_t clock = peer_clock();
  script.in({.seq = 1, .length = 10, .options = stamp(clock + 1)});
  EXPECT_EQ(echo_of(script.out_within(1s, {.ack = 11})), clock + 1);
  script.in({.seq = 21, .length = 10, .options = stamp(clock + 2)});
  EXPECT_EQ(echo_of(script.out({.ack = 11})), clock + 1) << "one out of order is not echoed";
  script.in({.seq = 11, .length = 10, .options = stamp(clock + 3)});
  EXPECT_EQ(echo_of(script.out({.ack = 31})), clock + 3) << "the one that fills the gap is";
}

TEST_F(Timestamps, GiveSamplesOfWhatWasSentTwice) {  // RFC7323-4.1
  script.write(100);
  script.out({.seq = 1});
  const Sent again = script.out_within(1s, {.seq = 1});
  script.after(100ms);
  script.in({.ack = 101, .options = stamp(peer_clock(), again.header.options.timestamps->value)});
  EXPECT_EQ(script.info().backoff, 0U);
  EXPECT_LE(*script.info().srtt, 101ms);
}

TEST_F(Timestamps, ClockTicksEveryMillisecond) {  // RFC7323-5.4: 1 ms to 1 s
  script.write(10);
  const auto first = script.out({}).header.options.timestamps->value;
  script.in({.ack = 11});
  script.after(5s);
  script.write(10);
  EXPECT_EQ(script.out({}).header.options.timestamps->value - first, 5000U);
}

}  // namespace
}  // namespace hawser::tcp
