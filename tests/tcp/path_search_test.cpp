#include "tcp/path_search.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(1)};

/// A connection that sends one segment after the other over a path which carries so much.
class PathSearchTest : public ::testing::Test {
 protected:
  /// Lets the search send what it wants, for at most `rounds`; returns how many probes were lost.
  int run(std::uint16_t path, int rounds = 100) {
    int lost = 0;
    while (rounds-- > 0) {
      now += 10ms;
      const auto size = search.due(now, mss);
      if (!size) break;
      EXPECT_GT(*size, mss);
      EXPECT_LE(*size, search.limit());
      search.on_probe_sent(seq, seq + *size, *size);
      EXPECT_FALSE(search.due(now, mss)) << "one at a time";
      if (*size <= path) {
        seq += *size;
        const auto found = search.on_ack(now, seq);
        EXPECT_EQ(found, *size);
        if (found) mss = *found;
      } else {
        ++lost;
        search.on_retransmission(now, seq, mss);
        seq += *size;
        EXPECT_FALSE(search.on_ack(now, seq)) << "what was sent again proves nothing";
      }
    }
    return lost;
  }

  PathSearch search{1460};
  Instant now = kStart;
  SeqNum seq{1000};
  std::uint16_t mss = 1240;
};

TEST_F(PathSearchTest, FindsWhatThePathCarries) {  // RFC4821-7
  for (std::uint16_t path = 1240; path <= 1460; ++path) {
    search = PathSearch(1460);
    mss = 1240;
    search.on_black_hole();
    EXPECT_FALSE(search.due(now, mss)) << "not before anything arrives";
    search.on_ack(now, seq);
    const int lost = run(path);
    EXPECT_LE(mss, path);
    EXPECT_GT(mss + PathSearch::kPrecision, path);
    EXPECT_LE(lost, 10) << "and it costs little";
    EXPECT_FALSE(search.due(now, mss));
  }
}

TEST_F(PathSearchTest, TriesTheLargestFirst) {
  search.on_black_hole();
  search.on_ack(now, seq);
  EXPECT_EQ(search.due(now, mss), 1460);
  EXPECT_EQ(run(1460), 0);
  EXPECT_EQ(mss, 1460) << "it was an outage, and no black hole";
}

TEST_F(PathSearchTest, BeginsAgainAfterAWhile) {  // RFC1191-6.3, RFC4821-7.4
  search.on_told(now);
  EXPECT_FALSE(search.due(now + 10min - 1ns, mss));
  EXPECT_EQ(search.due(now + 10min, mss), 1460);
  now += 10min;
  run(1300);
  const std::uint16_t found = mss;
  EXPECT_GT(found + PathSearch::kPrecision, 1300);
  EXPECT_FALSE(search.due(now + 9min, mss));
  now += 10min;
  EXPECT_EQ(search.due(now, mss), 1460);
  run(1460);
  EXPECT_EQ(mss, 1460);
}

TEST_F(PathSearchTest, OneLossMayBeChance) {
  search.on_black_hole();
  search.on_ack(now, seq);
  search.on_probe_sent(seq, seq + 1460, 1460);
  search.on_retransmission(now, seq + 1460, mss);
  EXPECT_TRUE(search.is_probing()) << "something else was lost";
  search.on_retransmission(now, seq, mss);
  EXPECT_FALSE(search.is_probing());
  EXPECT_EQ(search.due(now, mss), 1460) << "once more";
}

TEST_F(PathSearchTest, ARouterMayTellOfAProbe) {
  search.on_black_hole();
  search.on_ack(now, seq);
  search.on_probe_sent(seq, seq + 1460, 1460);
  search.on_probe_too_big(1360);
  search.on_retransmission(now, seq, mss);
  EXPECT_EQ(search.due(now, mss), 1300);
  run(1360);
  EXPECT_GT(mss + PathSearch::kPrecision, 1360);
}

TEST_F(PathSearchTest, HoldsBackWhatMayBeForged) {  // RFC5927-7.2
  search.hold(SeqNum{5000}, 1000);
  EXPECT_FALSE(search.take_held(SeqNum{6000})) << "another segment is lost";
  EXPECT_TRUE(search.is_needed(1460));
  EXPECT_EQ(search.take_held(SeqNum{4000}), 1000);
  EXPECT_FALSE(search.is_needed(1460));
  EXPECT_FALSE(search.take_held(SeqNum{5000})) << "once";
  search.hold(SeqNum{5000}, 1000);
  search.on_ack(now, SeqNum{5001});
  EXPECT_FALSE(search.take_held(SeqNum{5000})) << "it has arrived after all";
}

TEST(SmallerMss, GoesDownInFewSteps) {  // RFC4821-7.7
  EXPECT_EQ(smaller_mss(Family::ipv4, 8960), 1460);
  EXPECT_EQ(smaller_mss(Family::ipv4, 1460), 1240);
  EXPECT_EQ(smaller_mss(Family::ipv4, 1240), 536);
  EXPECT_FALSE(smaller_mss(Family::ipv4, 536));
  EXPECT_EQ(smaller_mss(Family::ipv6, 1440), 1220);
  EXPECT_FALSE(smaller_mss(Family::ipv6, 1220));
}

}  // namespace
}  // namespace hawser::tcp
