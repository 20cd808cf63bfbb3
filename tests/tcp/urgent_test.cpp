// The urgent pointer (RFC 9293 3.8.5, RFC 6093).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class Urgent : public ::testing::Test {
 protected:
  bool told() { return any(script.take_ready() & Ready::urgent); }

  ConnectionScript script;
};

TEST_F(Urgent, PointsBehindTheUrgentData) {  // RFC9293-MUST-30, RFC9293-MUST-62
  script.establish();
  script.write(1, true);
  const Sent sent = script.out({.seq = 1, .length = 1});
  EXPECT_TRUE(sent.header.flags.has(TcpFlag::urg));
  EXPECT_EQ(sent.seq + sent.header.urgent, 2U);
}

TEST_F(Urgent, IsSaidOfWhatComesBefore) {  // RFC9293-MUST-62
  script.establish();
  script.write(10);
  script.out({.seq = 1});
  script.write(5);
  script.write(1, true);
  script.quiet();
  script.in({.ack = 11});
  const Sent sent = script.out({.seq = 11, .length = 6});
  EXPECT_TRUE(sent.header.flags.has(TcpFlag::urg));
  EXPECT_EQ(sent.seq + sent.header.urgent, 17U);
  script.in({.ack = 17});
  script.write(5);
  EXPECT_FALSE(script.out({.seq = 17}).header.flags.has(TcpFlag::urg));
}

TEST_F(Urgent, IsNotSaidUnlessAsked) {
  script.establish();
  script.write(50000);
  for (const Sent& sent : script.take_all()) {
    EXPECT_FALSE(sent.header.flags.has(TcpFlag::urg));
    EXPECT_EQ(sent.header.urgent, 0);
  }
}

TEST_F(Urgent, IsToldOnceAndAgainWhenItAdvances) {  // RFC9293-MUST-32, RFC9293-U-2
  script.establish();
  script.take_ready();
  script.in({.flags = kUrgAck, .seq = 1, .length = 10, .urgent = 10});
  EXPECT_TRUE(told());
  script.in({.flags = kUrgAck, .seq = 1, .length = 10, .urgent = 10});
  EXPECT_FALSE(told()) << "the same pointer";
  script.in({.flags = kUrgAck, .seq = 11, .length = 10, .urgent = 5});
  EXPECT_TRUE(told()) << "a larger one";
  EXPECT_EQ(script.read(100) + script.read(100) + script.read(100), 20U);
}

TEST_F(Urgent, IsToldBeforeItsDataArrives) {  // RFC9293-MUST-32
  script.establish();
  script.take_ready();
  script.in({.flags = kUrgAck, .seq = 1, .urgent = 1000});
  EXPECT_TRUE(told());
}

TEST_F(Urgent, MarkSaysHowMuchIsBefore) {  // RFC9293-MUST-33
  script.establish();
  EXPECT_EQ(script.connection().urgent_mark(), std::nullopt);
  script.in({.flags = kUrgAck, .seq = 1, .length = 10, .urgent = 4});
  EXPECT_EQ(script.connection().urgent_mark(), 3U);
  EXPECT_EQ(script.read(2), 2U);
  EXPECT_EQ(script.connection().urgent_mark(), 1U);
  EXPECT_EQ(script.read(100), 1U) << "a read stops at the mark";
  EXPECT_EQ(script.connection().urgent_mark(), 0U);
  EXPECT_EQ(script.read(100), 7U);
  EXPECT_EQ(script.connection().urgent_mark(), std::nullopt);
}

TEST_F(Urgent, MayBeOfAnyLength) {  // RFC9293-MUST-31
  script.establish();
  script.take_ready();
  std::uint32_t seq = 1;
  std::size_t taken = 0;
  int notices = 0;
  while (seq <= 100000) {
    script.in({.flags = kUrgAck, .seq = seq, .length = 1000, .urgent = 60000});
    seq += 1000;
    if (told()) ++notices;
    taken += script.read(1000);
    EXPECT_TRUE(script.connection().urgent_mark()) << "the mark moves on";
  }
  EXPECT_EQ(notices, 100);
  EXPECT_EQ(taken, 100000U);
  script.in({.seq = seq, .length = 60000 - 1000});
  taken = script.read(100000);
  EXPECT_EQ(taken + script.read(100000), 59000U);
  EXPECT_EQ(script.connection().urgent_mark(), std::nullopt);
  script.take_all();
}

TEST_F(Urgent, LongUrgentDataIsSentWithAMovingPointer) {  // RFC9293-MUST-31
  script.config.initial_window = 100;
  script.establish();
  script.write(100000, true);
  for (const Sent& sent : script.take_all()) {
    EXPECT_TRUE(sent.header.flags.has(TcpFlag::urg));
    EXPECT_EQ(sent.header.urgent, std::min(100001U - sent.seq, 65535U));
  }
}

}  // namespace
}  // namespace hawser::tcp
