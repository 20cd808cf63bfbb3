// Loss found by duplicate ACKs and by SACK, and its repair (RFC 5681 3.2, RFC 6582, RFC 6675,
// RFC 3042).
#include <gtest/gtest.h>

#include <set>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

constexpr std::uint32_t kMss = 1460;
/// The sequence number of segment `index`, counted from zero.
constexpr std::uint32_t at(std::uint32_t index) { return 1 + kMss * index; }

class Recovery : public ::testing::Test {
 protected:
  void send_flight(const Peer& peer) {
    script.establish(peer);
    script.write(40 * kMss);
    EXPECT_EQ(script.take_all().size(), 10U);
    script.after(50ms);
  }
  void duplicate_ack(std::vector<Block> sack = {}, std::uint32_t ack = 1) {
    script.in({.ack = ack, .sack = std::move(sack)});
  }

  ConnectionScript script;
};

TEST_F(Recovery, LetsTwoSegmentsOutBeforeIt) {  // RFC3042-2
  send_flight({});
  duplicate_ack();
  script.out({.seq = at(10)});
  script.quiet();
  duplicate_ack();
  script.out({.seq = at(11)});
  script.quiet();
  EXPECT_EQ(script.info().fast_recoveries, 0U);
}

TEST_F(Recovery, BeginsWithTheThirdDuplicate) {  // RFC5681-3.2
  send_flight({});
  for (int i = 0; i < 2; ++i) duplicate_ack();
  script.take_all();
  duplicate_ack();
  script.out({.seq = at(0), .length = kMss});
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  EXPECT_EQ(script.info().ssthresh, 5 * kMss) << "half of what was in flight";
}

TEST_F(Recovery, SendsNewSegmentsAsOldOnesLeave) {  // RFC5681-3.2
  send_flight({});
  for (int i = 0; i < 3; ++i) duplicate_ack();
  script.take_all();
  // 12 in flight; nine duplicates say that nine have left: three more than half have to go first.
  std::size_t fresh = 0;
  for (int i = 3; i < 11; ++i) {
    duplicate_ack();
    for (const Sent& sent : script.take_all()) {
      EXPECT_GE(sent.seq, at(12));
      ++fresh;
    }
  }
  EXPECT_GE(fresh, 3U);
  EXPECT_LE(fresh, 5U);
}

TEST_F(Recovery, RepairsOneHoleARoundTrip) {  // RFC6582-3.2
  send_flight({});
  for (int i = 0; i < 3; ++i) duplicate_ack();
  script.take_all();
  // A partial ACK: segment 3 was lost as well.
  script.in({.ack = at(3)});
  script.out({.seq = at(3), .length = kMss});
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  script.take_all();
  // All that was in flight: recovery ends, the window is half, and no burst follows.
  script.in({.ack = at(12)});
  EXPECT_LE(script.info().cwnd, 5 * kMss);
  EXPECT_EQ(script.info().ssthresh, 5 * kMss);
  for (const Sent& sent : script.take_all()) EXPECT_GE(sent.seq, at(12));
}

TEST_F(Recovery, IsNotFollowedByABurst) {  // RFC6582-3.2: step 3, full acknowledgment (1)
  send_flight({});
  for (int i = 0; i < 3; ++i) duplicate_ack();
  script.take_all();
  script.in({.ack = at(12)});  // nothing is in flight any more
  EXPECT_EQ(script.info().ssthresh, 5 * kMss);
  EXPECT_EQ(script.take_all().size(), 2U);
  script.in({.ack = at(14)});
  EXPECT_EQ(script.take_all().size(), 4U) << "as in slow start";
  script.in({.ack = at(18)});
  EXPECT_EQ(script.take_all().size(), 6U) << "and then the window of the algorithm, one wider";
  EXPECT_EQ(script.info().cwnd, 6 * kMss);
}

TEST_F(Recovery, IsNotBegunBySegmentsThatSayMore) {  // RFC5681-2: what a duplicate ACK is
  send_flight({});
  script.in({.seq = 1, .ack = 1, .length = 10});
  script.in({.seq = 11, .ack = 1, .length = 10});
  script.in({.seq = 21, .ack = 1, .length = 10});
  script.in({.seq = 31, .ack = 1, .window = 60000});
  script.in({.seq = 31, .ack = 1, .window = 61000});
  script.in({.seq = 31, .ack = 1, .window = 62000});
  EXPECT_EQ(script.info().fast_recoveries, 0U);
  EXPECT_EQ(script.info().retransmits, 0U);
}

TEST_F(Recovery, IsNotBegunTwiceForOneFlight) {  // RFC6582-3.2
  send_flight({});
  for (int i = 0; i < 20; ++i) duplicate_ack();
  EXPECT_EQ(script.info().fast_recoveries, 1U);
  EXPECT_EQ(script.info().retransmits, 1U);
}

TEST_F(Recovery, IsNotBegunByWhatATimeoutSentAgain) {  // RFC6582-3.2
  send_flight({});
  script.out_within(1s, {.seq = at(0)});
  const std::uint32_t ssthresh = script.info().ssthresh;
  for (int i = 0; i < 5; ++i) duplicate_ack();
  EXPECT_EQ(script.info().fast_recoveries, 0U);
  EXPECT_EQ(script.info().ssthresh, ssthresh);
}

TEST_F(Recovery, SkipsWhatArrived) {  // RFC8985-6.2, RFC2018-5
  send_flight({.sack = true});
  // Segments 0, 2 and 4 are lost.
  duplicate_ack({{at(1), at(2)}});
  duplicate_ack({{at(3), at(4)}, {at(1), at(2)}});
  script.take_all();
  script.after(1ms);
  duplicate_ack({{at(5), at(6)}, {at(3), at(4)}, {at(1), at(2)}});
  script.out({.seq = at(0), .length = kMss});
  std::multiset<std::uint32_t> again{at(0)};
  for (std::uint32_t i = 6; i < 12; ++i) {
    duplicate_ack({{at(5), at(i + 1)}, {at(3), at(4)}, {at(1), at(2)}});
    for (const Sent& sent : script.take_all()) {
      if (sent.seq < at(10)) again.insert(sent.seq);
    }
  }
  EXPECT_EQ(again, (std::multiset<std::uint32_t>{at(0), at(2), at(4)}));
  EXPECT_EQ(script.info().fast_recoveries, 1U);
}

TEST_F(Recovery, BeginsAtOnceWhenThreeSegmentsArrivedAbove) {  // RFC8985-6.2: step 4
  send_flight({.sack = true});
  duplicate_ack({{at(1), at(4)}});
  script.out({.seq = at(0), .length = kMss});
  EXPECT_EQ(script.info().fast_recoveries, 1U);
}

TEST_F(Recovery, DoesNotBelieveBlocksOfWhatWasNotSent) {  // RFC2018-5
  send_flight({.sack = true});
  for (std::uint32_t i = 0; i < 5; ++i) duplicate_ack({{at(20), at(21 + i)}});
  EXPECT_EQ(script.info().fast_recoveries, 0U);
  EXPECT_EQ(script.info().retransmits, 0U);
}

TEST_F(Recovery, RepeatsAfterATimeoutWhatThePeerForgot) {  // RFC2018-8: reneging
  send_flight({.sack = true});
  duplicate_ack({{at(1), at(10)}});
  script.take_all();
  // The retransmission arrives, but the peer has thrown away what it had reported.
  script.in({.ack = at(1)});
  script.take_all();
  std::set<std::uint32_t> again;
  std::uint32_t acked = at(1);
  for (int i = 0; i < 60 && acked < at(10); ++i) {
    const Sent sent = script.out_within(2min, {});
    again.insert(sent.seq);
    if (sent.seq == acked) {
      acked = sent.end();
      script.in({.ack = acked});
    }
  }
  EXPECT_GE(acked, at(10)) << "a forgotten report must not stall the stream";
  EXPECT_TRUE(again.contains(at(1)));
  script.take_all();
}

// Random losses on a fixed delay, with every make of peer: all must arrive in the end.
class RandomLoss : public ::testing::TestWithParam<bool> {};

TEST_P(RandomLoss, EverythingArrives) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    ConnectionScript script;
    constexpr std::uint32_t kTotal = 150000;
    script.settings.send_buffer = kTotal;
    script.establish({.sack = GetParam()});
    std::size_t written = script.write(kTotal);
    ASSERT_EQ(written, kTotal);
    Reassembly reassembly;
    ReceiveQueue queue;
    SeqNum rcv_nxt = ConnectionScript::kIss + 1;
    const SeqNum end = rcv_nxt + kTotal;
    for (int round = 0; rcv_nxt < end && round < 3000; ++round) {
      auto sent = script.take_all();
      if (sent.empty()) {
        sent.push_back(script.out_within(5min, {}));
      } else {
        script.after(20ms);
      }
      for (const Sent& each : sent) {
        if (each.length == 0 || random.below(10) == 0) continue;  // lost
        const SeqNum seq = ConnectionScript::kIss + each.seq;
        const SeqNum stop = seq + each.length;
        if (stop > rcv_nxt) {
          Packet packet = packet_of(script.pool, stream_bytes(0, each.length));
          if (seq <= rcv_nxt) {
            rcv_nxt = stop;
            rcv_nxt += reassembly.take(script.pool, rcv_nxt, queue);
          } else {
            reassembly.insert(script.pool, seq, packet, 1U << 30);
          }
        }
        In ack{.ack = distance(ConnectionScript::kIss, rcv_nxt)};
        if (GetParam()) {
          std::array<SackBlock, 4> blocks;
          const std::uint8_t count = reassembly.sack_blocks(blocks);
          for (std::uint8_t i = 0; i < count; ++i) {
            ack.sack.emplace_back(distance(ConnectionScript::kIss, blocks[i].begin),
                                  distance(ConnectionScript::kIss, blocks[i].end));
          }
        }
        if (random.below(10) != 0) script.in(ack);
      }
      queue.clear();
    }
    ASSERT_EQ(rcv_nxt, end) << "seed " << seed;
    script.in({.ack = kTotal + 1});
    ASSERT_EQ(script.info().in_flight, 0U);
    script.take_all();
    script.quiet_for(1h);
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutSack, RandomLoss, ::testing::Bool());

}  // namespace
}  // namespace hawser::tcp
