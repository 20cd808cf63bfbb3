// The receiver's window: how far it opens and when it says so (RFC 9293 3.8.6.2.2).
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class ReceiveWindow : public ::testing::Test {
 protected:
  /// The peer fills the window with segments of `mss`; returns the sequence number that follows.
  std::uint32_t fill(std::uint32_t window, std::uint32_t mss = 1460) {
    std::uint32_t seq = 1;
    while (window > 0) {
      const std::uint32_t length = std::min(window, mss);
      script.in({.seq = seq, .length = length});
      seq += length;
      window -= length;
    }
    script.after(script.config.delayed_ack);
    last = script.take_all().back();
    return seq;
  }

  ConnectionScript script;
  Sent last;
};

TEST_F(ReceiveWindow, ClosesAsTheBufferFills) {
  script.settings.receive_buffer = 10000;
  script.establish();
  EXPECT_EQ(fill(10000), 10001U);
  EXPECT_EQ(last.ack, 10001U);
  EXPECT_EQ(last.header.window, 0);
}

TEST_F(ReceiveWindow, OpensInSteps) {  // RFC9293-MUST-39
  script.settings.receive_buffer = 10000;
  script.establish();
  fill(10000);
  for (int i = 0; i < 1459; ++i) {
    script.read(1);
    script.quiet();
  }
  script.read(1);
  script.out({.flags = kAck, .ack = 10001, .length = 0, .window = 1460});
}

TEST_F(ReceiveWindow, OpensByHalfOfASmallBuffer) {  // RFC9293-MUST-39
  script.settings.receive_buffer = 2000;
  script.establish();
  fill(2000);
  script.read(999);
  script.quiet();
  script.read(1);
  script.out({.flags = kAck, .ack = 2001, .window = 1000});
}

TEST_F(ReceiveWindow, KeepsItsRightEdgeWhenTheBufferShrinks) {  // RFC9293-SHLD-14
  script.settings.receive_buffer = 20000;
  script.establish();
  script.in({.seq = 1, .length = 1460});
  script.in({.seq = 1461, .length = 1460});
  EXPECT_EQ(script.out({.ack = 2921}).header.window, 20000 - 2920);
  TcpSettings smaller = script.settings;
  smaller.receive_buffer = 4000;
  script.change_settings(smaller);
  script.in({.seq = 2921, .length = 1460});
  script.in({.seq = 4381, .length = 1460});
  EXPECT_EQ(script.out({.ack = 5841}).header.window, 20000 - 5840);
  script.read(20000);
  script.in({.seq = 5841, .length = 1460});
  script.in({.seq = 7301, .length = 1460});
  EXPECT_EQ(script.take_all().back().ack, 8761U) << "all of what was promised is taken";
}

TEST_F(ReceiveWindow, TakesNothingBeyondItsEdge) {
  script.settings.receive_buffer = 3000;
  script.establish();
  script.in({.seq = 1, .length = 2000});
  script.in({.seq = 2001, .length = 2000});
  script.after(1s);
  EXPECT_EQ(script.take_all().back().ack, 3001U) << "what fits was taken";
  EXPECT_EQ(script.read(5000), 3000U);
}

TEST_F(ReceiveWindow, StaysClosedForHours) {  // RFC9293-MAY-8
  script.settings.receive_buffer = 2920;
  script.establish();
  fill(2920);
  for (int i = 0; i < 100; ++i) {
    script.after(2min);
    script.in({.seq = 2921, .length = 1});
    script.out({.flags = kAck, .ack = 2921, .window = 0});
    script.quiet();
  }
  EXPECT_EQ(script.read(5000), 2920U);
  script.out({.ack = 2921, .window = 2920});
}

TEST_F(ReceiveWindow, ResetCountsThoughItIsClosed) {  // RFC9293-MUST-66
  script.settings.receive_buffer = 2920;
  script.establish();
  fill(2920);
  script.in({.flags = kRst, .seq = 2921});
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST_F(ReceiveWindow, UrgentPointerCountsThoughItIsClosed) {  // RFC9293-MUST-66
  script.settings.receive_buffer = 2920;
  script.establish();
  fill(2920);
  script.take_ready();
  script.in({.flags = kUrgAck, .seq = 2921, .length = 1, .urgent = 1});
  EXPECT_TRUE(any(script.take_ready() & Ready::urgent));
}

TEST_F(ReceiveWindow, AckCountsThoughItIsClosed) {  // RFC9293-MUST-66
  script.settings.receive_buffer = 2920;
  script.establish();
  fill(2920);
  script.write(100);
  script.out({.seq = 1, .length = 100});
  script.in({.seq = 2921, .ack = 101});
  EXPECT_EQ(script.info().in_flight, 0U);
}

TEST_F(ReceiveWindow, IsScaled) {  // RFC9293-REC-1, RFC7323-2.2
  script.settings.receive_buffer = 1U << 20;
  script.establish({.window_scale = 2});
  script.in({.seq = 1, .length = 100});
  script.after(1s);
  const Sent ack = script.out({.ack = 101});
  const std::uint32_t window = std::uint32_t{ack.header.window} << script.info().rcv_wscale;
  EXPECT_GT(window, 1000000U);
  EXPECT_EQ(script.info().rcv_wnd, window);
}

// A peer that sends less than a unit of the scaled window at a time must not creep over the edge
// which rounding moves.
TEST_F(ReceiveWindow, RoundingDoesNotLetTheBufferOverflow) {
  script.settings.receive_buffer = 1U << 17;
  script.establish({.window_scale = 2});
  ASSERT_EQ(script.info().rcv_wscale, 2);
  std::uint32_t seq = 1;
  while (seq <= (1U << 17) + 10000) {
    const std::uint32_t length = seq + 1460 < (1U << 17) ? 1460 : 1;
    script.in({.seq = seq, .length = length});
    script.after(script.config.delayed_ack);
    const auto acks = script.take_all();
    if (!acks.empty() && acks.back().ack <= seq) break;
    seq += length;
  }
  EXPECT_LE(script.info().receive_queue, (1U << 17) + 1460 + 3);
}

TEST_F(ReceiveWindow, MemoryStaysInProportionWhenBytesComeOneByOne) {
  script.settings.receive_buffer = 20000;
  script.establish();
  for (std::uint32_t seq = 1; seq <= 20000; ++seq) script.in({.seq = seq, .length = 1});
  script.take_all();
  EXPECT_LT(script.pool.bytes_in_use(), 60000U);
  EXPECT_EQ(script.read(30000), 20000U);
}

}  // namespace
}  // namespace hawser::tcp
