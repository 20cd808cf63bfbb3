// Keep-alive (RFC 9293 3.8.4).
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class KeepAlive : public ::testing::Test {
 protected:
  ConnectionScript script;
};

TEST_F(KeepAlive, IsOffAtFirst) {  // RFC9293-MUST-25
  script.establish();
  script.quiet_for(24h);
  EXPECT_EQ(script.state(), TcpState::established);
}

TEST_F(KeepAlive, ProbesAfterTwoHours) {  // RFC9293-MUST-28, RFC9293-SHLD-12, RFC9293-MAY-5
  script.settings.keep_alive = true;
  script.establish();
  const Instant heard = script.now();
  script.quiet_for(7199s);
  const Sent probe = script.out_within(2s, {.flags = kAck, .seq = 0, .ack = 1, .length = 0});
  EXPECT_EQ(probe.at - heard, 2h);
}

/// All that a pool has to give.
struct AllMemory {
  explicit AllMemory(BufferPool& pool) {
    while (Slice block = pool.take(BufferPool::kLargeBlock)) blocks.push_back(std::move(block));
    while (Slice block = pool.take(1)) blocks.push_back(std::move(block));
    while (Packet packet = pool.take_packet()) packets.push_back(std::move(packet));
  }
  std::vector<Slice> blocks;
  std::vector<Packet> packets;
};

// Where ACKs are not delayed, the deadline was the present, again and again.
TEST_F(KeepAlive, WaitsForMemory) {
  script.config.delayed_ack = 0ms;
  script.settings.keep_alive = true;
  script.establish();
  {
    const AllMemory all(script.pool);
    script.quiet_for(2h);
  }
  script.out_within(100ms, {.flags = kAck, .length = 0});
}

TEST_F(KeepAlive, IsTurnedOnAndOffForOneConnection) {  // RFC9293-MUST-24
  ConnectionScript other;
  script.establish();
  other.establish();
  TcpSettings changed = script.settings;
  changed.keep_alive = true;
  script.change_settings(changed);
  script.after(2h);
  other.after(2h);
  script.out({.seq = 0, .length = 0});
  other.quiet();
  script.in({.ack = 1});
  changed.keep_alive = false;
  script.change_settings(changed);
  script.quiet_for(24h);
}

TEST_F(KeepAlive, WaitsAsLongAsItIsTold) {  // RFC9293-MUST-27
  script.settings.keep_alive = true;
  script.settings.keep_alive_idle = 30s;
  script.establish();
  script.quiet_for(29999ms);
  script.out_within(1ms, {.seq = 0});
}

TEST_F(KeepAlive, BeginsAnewWithWhateverArrives) {  // RFC9293-MUST-26
  script.settings.keep_alive = true;
  script.settings.keep_alive_idle = 30s;
  script.establish();
  script.after(20s);
  script.in({.ack = 1});
  script.quiet_for(29s);
  script.in({.seq = 1, .length = 10});
  script.out_within(1s, {.ack = 11});
  script.quiet_for(28s);
  script.out_within(3s, {.seq = 0, .ack = 11});
}

TEST_F(KeepAlive, DoesNotProbeWhileDataIsOutstanding) {  // RFC9293-MUST-26
  script.settings.keep_alive = true;
  script.settings.keep_alive_idle = 1s;
  script.settings.keep_alive_interval = 1s;
  script.establish();
  script.write(100);
  script.after(60s);
  for (const Sent& sent : script.take_all()) EXPECT_EQ(sent.seq, 1U) << "retransmissions only";
  EXPECT_EQ(script.state(), TcpState::established);
}

TEST_F(KeepAlive, OneProbeWithoutAnswerIsNoDeath) {  // RFC9293-MUST-29
  script.settings.keep_alive = true;
  script.settings.keep_alive_idle = 30s;
  script.settings.keep_alive_interval = 10s;
  script.settings.keep_alive_count = 3;
  script.establish();
  script.out_within(30s, {.seq = 0});
  script.out_within(10s, {.seq = 0});
  script.in({.ack = 1});
  EXPECT_EQ(script.state(), TcpState::established);
  script.quiet_for(29s);
  // Now it is dead indeed: as many probes as were asked for.
  script.out_within(1s, {.seq = 0});
  script.out_within(10s, {.seq = 0});
  script.out_within(10s, {.seq = 0});
  EXPECT_EQ(script.state(), TcpState::established);
  script.after(10s);
  EXPECT_EQ(script.state(), TcpState::closed);
  EXPECT_EQ(script.info().close_reason, CloseReason::keep_alive);
  EXPECT_EQ(script.receive(1).error(), Error::timed_out);
}

TEST_F(KeepAlive, AnswersAProbe) {  // RFC 9293 3.8.4
  script.establish();
  script.in({.seq = 1, .length = 10});
  script.after(1s);
  script.take_all();
  script.in({.seq = 10, .length = 0});
  script.out({.flags = kAck, .seq = 1, .ack = 11, .length = 0});
  script.in({.seq = 10, .length = 1});
  script.out({.flags = kAck, .seq = 1, .ack = 11, .length = 0});
  EXPECT_EQ(script.read(100), 10U) << "the octet of garbage is not delivered";
}

}  // namespace
}  // namespace hawser::tcp
