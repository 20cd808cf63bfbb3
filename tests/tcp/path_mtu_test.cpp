// What a connection does when its segments are too large for the path: routers that say so
// (RFC 1191 6.4, RFC 8201 5.4), forgers who do (RFC 5927 7.2), routers that say nothing (RFC 4821).
#include <algorithm>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp::test {
namespace {

class PathMtu : public ConnectionScript, public ::testing::Test {
 protected:
  /// A peer at the end of a path that carries segments of at most `path`, and answers each.
  void answer(std::uint32_t path) {
    auto segments = take_all();
    after(50ms);
    std::vector<In> acks;
    for (const Sent& segment : segments) {
      if (segment.length == 0 || segment.length > path) continue;
      if (segment.length > 1240) largest_ = std::max(largest_, segment.length);
      received_.push_back({segment.seq, segment.end()});
      acks.push_back(ack());
    }
    after(50ms);
    for (In& each : acks) in(std::move(each));
  }
  /// What the peer says now: how far all has arrived, and the block that arrived last.
  In ack() {
    const Block last = received_.back();
    std::ranges::sort(received_);
    for (const Block& block : received_) {
      if (block.first <= next_) next_ = std::max(next_, block.second);
    }
    In result{.ack = next_};
    if (last.first > next_) result.sack.push_back(last);
    return result;
  }
  /// Writes as it can and lets the peer answer until `bytes` more have arrived; counts timeouts.
  void transfer(std::uint32_t bytes, std::uint32_t path) {
    const std::uint32_t goal = next_ + bytes;
    int rounds = 0;
    while (next_ < goal && ++rounds < 5000) {
      if (wanted_ < goal + 50000) wanted_ += static_cast<std::uint32_t>(write(50000));
      if (waiting() == 0) {
        after(connection().next_deadline() - now());
      } else {
        answer(path);
      }
    }
    EXPECT_GE(next_, goal) << "it stalls";
  }

  Random random_{9};
  std::vector<Block> received_;
  std::uint32_t next_ = 1;
  std::uint32_t wanted_ = 0;
  std::uint32_t largest_ = 0;  ///< that has arrived and was larger than the guess
};

TEST_F(PathMtu, ARouterIsHeardAtOnceAndWithoutPenalty) {  // RFC1191-6.4, RFC8201-5.4
  settings.no_delay = true;
  establish();
  write(5000);
  out({.seq = 1, .length = 1460});
  out({.seq = 1461, .length = 1460});
  out({.seq = 2921, .length = 1460});
  out({.seq = 4381, .length = 620});
  const TcpInfo before = info();
  EXPECT_TRUE(packet_too_big(1, 1460, 1240));
  out({.seq = 1, .length = 1240});
  out({.seq = 1241, .length = 1240});
  out({.seq = 2481, .length = 1240});
  out({.seq = 3721, .length = 1240});
  out({.seq = 4961, .length = 40});
  quiet();
  EXPECT_EQ(info().cwnd, before.cwnd) << "it is no sign of congestion";
  EXPECT_EQ(info().ssthresh, before.ssthresh);
  EXPECT_EQ(info().mss, 1240);
  EXPECT_EQ(counters.path_mtu_lowered, 1U);
  // The messages about the others of the flight change nothing more.
  EXPECT_TRUE(packet_too_big(1461, 1460, 1240));
  EXPECT_TRUE(packet_too_big(2921, 1460, 1240));
  quiet();
  in({.ack = 5001});
  write(2000);
  out({.seq = 5001, .length = 1240});
  EXPECT_EQ(counters.path_mtu_lowered, 1U);
}

TEST_F(PathMtu, WhatIsNotInFlightIsNotBelieved) {  // RFC5927-4.1
  establish();
  write(2000);
  take_all();
  EXPECT_FALSE(packet_too_big(0, 1460, 1000));
  EXPECT_FALSE(packet_too_big(2001, 1460, 1000));
  EXPECT_EQ(dropped(DropReason::bad_icmp), 2U);
  EXPECT_FALSE(packet_too_big(1, 1461, 1000)) << "we have sent nothing so large";
  EXPECT_EQ(dropped(DropReason::bad_icmp), 3U);
  EXPECT_EQ(info().mss, 1460);
  quiet();
}

TEST_F(PathMtu, WhatHasArrivedBeforeIsNotTooLargeNow) {  // RFC5927-7.2
  establish();
  write(1460);
  take_all();
  in({.ack = 1461});
  write(2920);
  take_all();
  EXPECT_FALSE(packet_too_big(1461, 1460, 536));
  quiet();
  EXPECT_EQ(info().mss, 1460) << "somebody lies";
  in({.ack = 4381});
  write(1460);
  out({.length = 1460});
  EXPECT_EQ(counters.path_mtu_lowered, 0U);
}

TEST_F(PathMtu, UnlessItIsLost) {  // RFC5927-7.2
  establish();
  write(1460);
  take_all();
  in({.ack = 1461});
  write(2920);
  take_all();
  const TcpInfo before = info();
  EXPECT_FALSE(packet_too_big(1461, 1460, 1240));
  out_within(2s, {.seq = 1461, .length = 1240});
  EXPECT_EQ(info().mss, 1240);
  EXPECT_EQ(info().cwnd, before.cwnd) << "the router has said why";
  EXPECT_EQ(info().ssthresh, before.ssthresh);
  EXPECT_EQ(counters.path_mtu_lowered, 1U);
  EXPECT_EQ(counters.black_holes, 0U);
}

TEST_F(PathMtu, AMessageAfterATimeoutIsBelieved) {  // RFC5927-7.2
  establish();
  write(1460);
  take_all();
  in({.ack = 1461});
  write(2920);
  take_all();
  out_within(2s, {.seq = 1461, .length = 1460});
  EXPECT_TRUE(packet_too_big(1461, 1460, 1240));
  out({.seq = 1461, .length = 1240});
}

TEST_F(PathMtu, BlackHolesAreSuspected) {  // RFC4821-7.7
  establish();
  write(5000);
  take_all();
  out_within(2s, {.seq = 1, .length = 1460});
  out_within(4s, {.seq = 1, .length = 1240});
  EXPECT_EQ(counters.black_holes, 1U);
  out_within(8s, {.seq = 1, .length = 1240});
  out_within(16s, {.seq = 1, .length = 536});
  out_within(32s, {.seq = 1, .length = 536});
  out_within(64s, {.seq = 1, .length = 536});
  EXPECT_EQ(counters.black_holes, 2U);
}

TEST_F(PathMtu, OrNot) {
  config.path_mtu_search = false;
  establish();
  write(5000);
  take_all();
  for (int i = 0; i < 6; ++i) out_within(100s, {.seq = 1, .length = 1460});
  EXPECT_EQ(counters.black_holes, 0U);
}

TEST_F(PathMtu, SmallSegmentsAreNotLostForTheirSize) {
  establish();
  write(1240);
  take_all();
  for (int i = 0; i < 4; ++i) out_within(100s, {.seq = 1, .length = 1240});
  for (int i = 0; i < 2; ++i) out_within(100s, {.seq = 1});
  EXPECT_LE(counters.black_holes, 1U);
}

// They were sent for ever when the next size would not have made them smaller.
TEST_F(PathMtu, SmallSegmentsMayBeTooLargeToo) {
  establish();
  write(1000);
  take_all();
  for (int i = 0; i < 5; ++i) out_within(100s, {.seq = 1, .length = 1000});
  out_within(100s, {.seq = 1, .length = 536});
  EXPECT_EQ(counters.black_holes, 1U);
  for (int i = 0; i < 2; ++i) out_within(200s, {.seq = 1, .length = 536});
  EXPECT_EQ(counters.black_holes, 1U);
}

TEST_F(PathMtu, ATransferGoesThroughABlackHole) {  // RFC4821-7
  establish({.sack = true});
  transfer(3'000'000, 1340);
  EXPECT_EQ(counters.black_holes, 1U);
  EXPECT_LE(info().mss, 1340);
  EXPECT_GT(info().mss + PathSearch::kPrecision, 1340);
  EXPECT_EQ(info().mss, largest_);
  EXPECT_EQ(info().timeouts, 2U) << "the search costs none";
  EXPECT_LE(counters.path_probes, 12U);
}

TEST_F(PathMtu, AnOutageIsForgottenAtOnce) {
  establish({.sack = true});
  transfer(100'000, 0xffff);
  write(20000);
  take_all();          // lost, all of them
  out_within(2s, {});  // the probe of the tail as well (RFC 8985 7)
  out_within(2s, {.length = 1460});
  while (counters.black_holes == 0) {
    after(connection().next_deadline() - now());
    if (counters.black_holes == 0) take_all();
  }
  wanted_ += 20000;
  transfer(500'000, 0xffff);
  EXPECT_EQ(info().mss, 1460);
  EXPECT_EQ(counters.path_probes, 1U);
}

TEST_F(PathMtu, ProbesThatAreLostAreNoCongestion) {  // RFC4821-7.4
  establish({.sack = true});
  transfer(400'000, 1240);
  const TcpInfo after_search = info();
  EXPECT_EQ(counters.black_holes, 1U);
  EXPECT_GE(counters.path_probes, 4U);
  EXPECT_EQ(after_search.mss, 1240);
  EXPECT_EQ(after_search.timeouts, 2U);
  EXPECT_GE(after_search.cwnd, 10U * 1240) << "it has grown all the time";
}

TEST_F(PathMtu, APathKnownBeforeIsRespected) {
  open();
  take_all();
  connection().set_path_mss({now(), pool, random_, config, counters, nullptr}, 1300);
  in(syn_of({}, kSynAck));
  out({.flags = kAck});
  write(5000);
  out({.length = 1300});
}

TEST_F(PathMtu, AClosedWindowIsNoBlackHole) {
  establish();
  write(1460);
  take_all();
  in({.ack = 1461, .window = 0});
  write(5000);
  for (int i = 0; i < 6; ++i) out_within(100s, {.length = 1});
  EXPECT_EQ(counters.black_holes, 0U);
}

}  // namespace
}  // namespace hawser::tcp::test
