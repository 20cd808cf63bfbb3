// Segments of a peer that is confused, forgetful or unlucky, and a host without memory.
#include <gtest/gtest.h>

#include <vector>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

TEST(ConfusedPeer, SynWithoutTimestampsIsChallenged) {  // RFC9293-U-8
  // A peer that has restarted without timestamps gets an answer to reset, not silence.
  ConnectionScript script;
  script.establish({.timestamps = true});
  script.in({.flags = kSyn, .seq = 500000, .ack = 0, .bare = true});
  script.out({.flags = kAck, .seq = 1, .ack = 1});
  script.in({.flags = kRst, .seq = 1, .bare = true});
  EXPECT_EQ(script.state(), TcpState::closed);
}

TEST(ConfusedPeer, AFloodIsAnsweredInMeasureHoweverLargeTheMeasure) {  // RFC5961-7
  ConnectionScript script;
  script.config.challenge_acks_per_second = 1000;
  script.establish();
  for (int i = 0; i < 2000; ++i) script.in({.flags = kSyn, .seq = 100});
  EXPECT_LE(script.take_all().size(), 1000U);
}

TEST(ConfusedPeer, DuplicateAcksEndWhenTheGapIsFilled) {  // RFC5681-4.2
  // Late segments in one batch must not look like the loss of what we are yet to receive.
  ConnectionScript script;
  script.establish();
  script.in_batch({{.seq = 1461, .length = 1460},
                   {.seq = 2921, .length = 1460},
                   {.seq = 4381, .length = 1460},
                   {.seq = 5841, .length = 1460},
                   {.seq = 1, .length = 1460}});
  script.out({.flags = kAck, .ack = 7301});
  script.quiet_for(1s);
}

TEST(ConfusedPeer, UrgentPointerBehindTheFinIsIgnored) {  // RFC 9293 3.10.7.4, sixth
  ConnectionScript script;
  script.establish();
  script.in({.flags = kFinAck, .seq = 1});
  script.out({.flags = kAck, .ack = 2});
  script.take_ready();
  script.in({.flags = kUrgAck, .seq = 2, .urgent = 10});
  EXPECT_FALSE(any(script.take_ready() & Ready::urgent));
  EXPECT_FALSE(script.connection().urgent_mark());
  script.take_all();
}

TEST(ConfusedPeer, AckThatFoundNoMemoryLeavesLater) {
  ConnectionScript script;
  script.establish();
  script.in({.seq = 1, .length = 10});
  {
    std::vector<Packet> hoard;
    std::vector<Slice> blocks;
    for (const std::uint32_t size : {BufferPool::kFrameBlock, BufferPool::kSmallBlock}) {
      while (Slice block = script.pool.take(size)) blocks.push_back(std::move(block));
    }
    while (Packet packet = script.pool.take_packet()) hoard.push_back(std::move(packet));
    script.quiet_for(100ms);
  }
  script.out_within(500ms, {.flags = kAck, .ack = 11});
}

}  // namespace
}  // namespace hawser::tcp
