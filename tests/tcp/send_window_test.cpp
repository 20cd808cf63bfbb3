// The sender and the peer's window: closed, shrinking, silly (RFC 9293 3.8.6).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class SendWindow : public ::testing::Test {
 protected:
  SendWindow() {
    script.config.initial_window = 200;
    script.settings.no_delay = true;
  }
  /// All that waits, as one run of bytes without a gap; returns its end.
  std::uint32_t take_run(std::uint32_t begin) {
    for (const Sent& sent : script.take_all()) {
      EXPECT_EQ(sent.seq, begin);
      begin = sent.end();
    }
    return begin;
  }

  ConnectionScript script;
};

TEST_F(SendWindow, IsUnsigned) {  // RFC9293-MUST-1
  script.establish({.window = 64240});
  script.write(200000);
  EXPECT_EQ(take_run(1), 64241U) << "all of a window whose highest bit is set, and no more";
  EXPECT_EQ(script.info().send_blocked, SendBlocked::peer_window);
}

TEST_F(SendWindow, IsScaledTo32Bits) {  // RFC9293-REC-1, RFC7323-2.3
  script.establish({.window_scale = 14, .window = 64240});
  script.write(300000);
  EXPECT_EQ(take_run(1), 64241U) << "the window of a SYN is not scaled";
  script.in({.ack = 1, .window = 12});
  const std::uint32_t end = take_run(64241);
  EXPECT_LE(end, 1 + 12 * 16384U);
  EXPECT_GT(end, 1 + 12 * 16384U - 1460);
}

TEST_F(SendWindow, ShiftAbove14CountsAs14) {  // RFC7323-2.3
  script.establish({.window_scale = 15});
  EXPECT_EQ(script.info().snd_wscale, 14);
}

TEST_F(SendWindow, ShrinksBehindWhatWasSent) {  // RFC9293-MUST-34, RFC9293-SHLD-15
  script.establish({.window = 14600});
  script.write(40000);
  EXPECT_EQ(take_run(1), 14601U);
  script.in({.ack = 1461, .window = 5000});
  script.quiet();
  script.in({.ack = 7301, .window = 5000});
  script.quiet();
  EXPECT_EQ(script.info().in_flight, 7300U) << "more than the window";
  script.in({.ack = 8761, .window = 14600});
  EXPECT_EQ(take_run(14601), 23361U);
}

TEST_F(SendWindow, RepeatsOnlyWhatLiesInside) {  // RFC9293-SHLD-16
  script.establish({.window = 14600});
  script.write(14600);
  EXPECT_EQ(take_run(1), 14601U);
  script.in({.ack = 1461, .window = 4380});
  // Nothing more arrives: what is repeated, with ACKs that open no further window.
  std::uint32_t highest = 0;
  for (int i = 0; i < 8; ++i) {
    const Sent again = script.out_within(60s, {});
    highest = std::max(highest, again.end());
    EXPECT_GE(again.seq, 1461U);
    if (again.seq == 1461) script.in({.ack = 1461, .window = 4380});
  }
  EXPECT_LE(highest, 1461U + 4380U);
}

TEST_F(SendWindow, DoesNotTimeOutForWhatLiesOutside) {  // RFC9293-SHLD-17
  script.establish({.window = 14600});
  script.write(14600);
  take_run(1);
  // The peer takes one segment, closes its window, and answers whatever comes.
  script.in({.ack = 1461, .window = 0});
  for (int i = 0; i < 400 && script.state() == TcpState::established; ++i) {
    script.out_within(10min, {.seq = 1461});
    script.take_all();
    script.in({.ack = 1461, .window = 0});
  }
  EXPECT_EQ(script.state(), TcpState::established);
  EXPECT_GT(script.now() - Instant(1000s), 10h);
  script.in({.ack = 1461, .window = 14600});
  EXPECT_EQ(script.out({.seq = 1461}).length, 1460U) << "and goes on when the window opens";
}

TEST_F(SendWindow, ProbesAZeroWindowAfterOneTimeout) {  // RFC9293-MUST-36, RFC9293-SHLD-29
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  script.quiet();
  ASSERT_EQ(script.info().rto, 300ms);
  script.quiet_for(299ms);
  script.out_within(1ms, {.seq = 1, .length = 1});
  // The probe is taken and the window opens.
  script.in({.ack = 2, .window = 65535});
  script.out({.seq = 2, .length = 999});
}

TEST_F(SendWindow, ProbesAgainWithDoublingGaps) {  // RFC9293-SHLD-30
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  Duration gap = 300ms;
  Instant last = script.now();
  for (int i = 0; i < 20; ++i) {
    const Sent probe = script.out_within(3min, {.seq = 1, .length = 1});
    EXPECT_EQ(probe.at - last, gap) << i;
    last = probe.at;
    script.in({.ack = 1, .window = 0});
    script.quiet();
    gap = std::min<Duration>(2 * gap, script.config.max_rto);
  }
}

TEST_F(SendWindow, ProbesWhenTheWindowShrinksToZero) {  // RFC9293-MUST-35
  script.establish({.window = 5840});
  script.write(10000);
  EXPECT_EQ(take_run(1), 5841U);
  script.in({.ack = 1461, .window = 0});
  script.quiet();
  script.in({.ack = 5841, .window = 0});
  script.quiet();
  script.out_within(1s, {.seq = 5841, .length = 1});
}

// A peer with a zero window takes nothing behind RCV.NXT: an ACK that stood behind the octet of our
// probe was ignored, and the peer's keep-alive took us for dead.
TEST_F(SendWindow, AcknowledgesBeforeTheOctetOfAProbe) {
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  script.out_within(1s, {.seq = 1, .length = 1});
  script.in({.ack = 1, .window = 0});
  script.in({.seq = 0, .ack = 1, .length = 0, .window = 0});  // a keep-alive
  script.out({.flags = kAck, .seq = 1, .ack = 1, .length = 0});
  script.in({.ack = 1, .window = 65535});
  script.take_all();
}

TEST_F(SendWindow, ProbesForADayWhileItIsAnswered) {  // RFC9293-MUST-37
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  const Instant end = script.now() + 24h;
  while (script.now() < end && script.state() == TcpState::established) {
    script.out_within(3min, {.seq = 1, .length = 1});
    script.in({.ack = 1, .window = 0});
  }
  EXPECT_EQ(script.state(), TcpState::established);
  EXPECT_FALSE(any(script.take_ready() & Ready::error));
  script.in({.ack = 1, .window = 65535});
  EXPECT_GE(script.out({.seq = 1}).length, 1U) << "it goes on at once";
  script.take_all();
}

TEST_F(SendWindow, GivesUpWhenNoProbeIsAnswered) {  // RFC9293-MUST-20
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  script.after(15min);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::timed_out);
  script.take_all();
}

TEST_F(SendWindow, GoesOnWithoutAProbeWhenTheUpdateComes) {
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(1000);
  script.quiet_for(100ms);
  script.in({.ack = 1, .window = 4000});
  script.out({.seq = 1, .length = 1000});
}

TEST_F(SendWindow, FinWaitsForTheWindow) {
  script.establish();
  script.in({.ack = 1, .window = 0});
  script.write(100);
  script.shutdown();
  script.out_within(1s, {.seq = 1, .length = 1});
  script.in({.ack = 2, .window = 65535});
  script.out({.flags = kFinAckPush, .seq = 2, .length = 99});
}

TEST_F(SendWindow, SmallIncrementsAreNotTaken) {  // RFC9293-MUST-38
  script.establish({.window = 7300});
  script.write(30000);
  EXPECT_EQ(take_run(1), 7301U);
  // All is acknowledged, but the peer reads in sips.
  script.in({.ack = 7301, .window = 100});
  script.quiet();
  script.in({.ack = 7301, .window = 700});
  script.quiet();
  script.in({.ack = 7301, .window = 1460});
  script.out({.seq = 7301, .length = 1460});
  script.quiet();
}

TEST_F(SendWindow, HalfOfTheLargestWindowIsTaken) {  // RFC9293-MUST-38
  script.establish({.window = 1000});
  script.write(5000);
  EXPECT_EQ(take_run(1), 1001U);
  script.in({.ack = 1001, .window = 400});
  script.quiet();
  script.in({.ack = 1001, .window = 500});
  script.out({.seq = 1001, .length = 500});
}

TEST_F(SendWindow, SillyWindowIsUsedAfterAWhile) {  // RFC9293-MUST-38: the override
  script.establish({.window = 7300});
  script.write(30000);
  take_run(1);
  script.in({.ack = 7301, .window = 100});
  script.quiet_for(99ms);
  script.out_within(901ms, {.seq = 7301, .length = 100});
}

TEST_F(SendWindow, OldSegmentsDoNotMoveIt) {  // RFC 9293 3.10.7.4: SND.WL1, SND.WL2
  script.establish({.window = 7300});
  script.in({.seq = 1, .ack = 1, .length = 10, .window = 7300});
  script.in({.seq = 1, .ack = 1, .length = 10, .window = 20});
  script.take_all();
  EXPECT_EQ(script.info().snd_wnd, 7300U) << "the second came from before the first";
}

}  // namespace
}  // namespace hawser::tcp
