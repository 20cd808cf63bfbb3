// How writes become segments: Nagle, PSH, the largest segments (RFC 9293 3.7.4, 3.9.1.2).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Segments : public ::testing::Test {
 protected:
  ConnectionScript script;
};

TEST_F(Segments, SmallOnesAreCollected) {  // RFC9293-SHLD-7
  script.establish();
  for (int i = 0; i < 4; ++i) script.write(10);
  script.out({.seq = 1, .length = 10});
  script.quiet();
  EXPECT_EQ(script.info().send_blocked, SendBlocked::nagle);
  script.in({.ack = 11});
  script.out({.seq = 11, .length = 30});
}

TEST_F(Segments, SmallOnesLeaveWithNoDelay) {  // RFC9293-MUST-17
  script.settings.no_delay = true;
  script.establish();
  for (std::uint32_t i = 0; i < 3; ++i) {
    script.write(10);
    script.out({.seq = 1 + 10 * i, .length = 10});
  }
}

TEST_F(Segments, NoDelayIsSetOnOneConnection) {  // RFC9293-MUST-17
  ConnectionScript other;
  script.establish();
  other.establish();
  TcpSettings changed = script.settings;
  changed.no_delay = true;
  script.change_settings(changed);
  for (ConnectionScript* each : {&script, &other}) {
    for (int i = 0; i < 3; ++i) each->write(10);
  }
  EXPECT_EQ(script.waiting(), 3U);
  EXPECT_EQ(other.waiting(), 1U);
}

TEST_F(Segments, WaitingOnesLeaveWhenNagleIsTurnedOff) {  // RFC9293-MUST-17
  script.establish();
  script.write(10);
  script.write(10);
  script.out({.length = 10});
  script.quiet();
  TcpSettings changed = script.settings;
  changed.no_delay = true;
  script.change_settings(changed);
  script.out({.seq = 11, .length = 10});
}

TEST_F(Segments, OneByteLeavesAtOnce) {  // RFC9293-MUST-60
  script.establish();
  script.write(1);
  script.out({.flags = kAckPush, .seq = 1, .length = 1});
}

TEST_F(Segments, TheLastOfAWritePushes) {  // RFC9293-MUST-61
  script.settings.no_delay = true;
  script.establish();
  script.write(3000);
  script.out({.flags = kAck, .seq = 1, .length = 1460});
  script.out({.flags = kAck, .seq = 1461, .length = 1460});
  script.out({.flags = kAckPush, .seq = 2921, .length = 80});
}

TEST_F(Segments, AreAsLargeAsTheyCanBe) {  // RFC9293-SHLD-27, RFC9293-SHLD-28
  script.establish();
  script.in({.ack = 1, .window = 0});
  for (int i = 0; i < 100; ++i) script.write(77);
  script.in({.ack = 1, .window = 65535});
  for (std::uint32_t i = 0; i < 5; ++i) script.out({.seq = 1 + 1460 * i, .length = 1460});
  script.quiet();
  script.in({.ack = 7301});
  script.out({.seq = 7301, .length = 400});
}

TEST_F(Segments, AreFullWhileTheCongestionWindowBlocks) {  // RFC9293-SHLD-28
  script.config.initial_window = 2;
  script.establish();
  for (int i = 0; i < 30; ++i) script.write(333);
  std::uint32_t acked = 1;
  while (acked < 30 * 333 + 1) {
    ASSERT_GE(script.waiting(), 1U);
    for (const Sent& sent : script.take_all()) {
      EXPECT_TRUE(sent.length == 1460 || sent.end() == 30 * 333 + 1 || sent.seq == 1) << sent.seq;
      acked = sent.end();
    }
    script.in({.ack = acked});
  }
}

TEST_F(Segments, AreNotLargerThanThePeerTakes) {  // RFC9293-MUST-14
  script.establish({.mss = 500});
  script.write(5000);
  for (const Sent& sent : script.take_all()) EXPECT_EQ(sent.length, 500U);
}

TEST_F(Segments, AreSmallWhenThePeerSaysNothing) {  // RFC9293-MUST-15
  script.establish({.mss = std::nullopt});
  script.write(5000);
  for (const Sent& sent : script.take_all()) EXPECT_EQ(sent.length, 536U);
}

TEST_F(Segments, AreSmallWhenThePeerSaysNothingOverIpv6) {  // RFC9293-MUST-15
  script.tuple.local.address = *IpAddress::parse("fd00::1");
  script.tuple.remote.address = *IpAddress::parse("fd00::2");
  script.mss = 1440;
  script.establish({.mss = std::nullopt});
  script.write(12200);
  for (const Sent& sent : script.take_all()) EXPECT_EQ(sent.length, 1220U);
}

TEST_F(Segments, AreNotLargerThanThePathTakes) {  // RFC9293-MUST-16
  script.establish({.mss = 9000, .timestamps = true});
  script.write(14480);
  for (const Sent& sent : script.take_all()) EXPECT_EQ(sent.length, 1448U);
}

TEST_F(Segments, LeaveRoomForOptions) {  // RFC9293-MUST-16
  script.establish({.mss = 536, .timestamps = true});
  script.write(2000);
  for (const Sent& sent : script.take_all()) EXPECT_LE(sent.length, 524U);
}

TEST_F(Segments, LeaveRoomForBlocks) {  // RFC9293-MUST-16
  script.establish({.timestamps = true, .sack = true});
  script.in({.seq = 1001, .length = 100});
  script.in({.seq = 2001, .length = 100});
  script.take_all();
  script.write(3000);
  const Sent sent = script.out({.seq = 1});
  EXPECT_EQ(sent.sack.size(), 2U);
  EXPECT_EQ(sent.length + 12 + 20, 1460U);
}

}  // namespace
}  // namespace hawser::tcp
