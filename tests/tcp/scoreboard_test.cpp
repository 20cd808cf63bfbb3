// Checks Scoreboard against a model which knows of each byte whether it was SACKed, and asks
// RFC 6675 4 byte by byte.
#include "tcp/scoreboard.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "core/random.hpp"

namespace hawser::tcp {
namespace {

constexpr std::uint32_t kMss = 10;
constexpr SeqNum kUna{0xfffffff0};

SackBlock block(std::uint32_t begin, std::uint32_t end) { return {kUna + begin, kUna + end}; }

Scoreboard::Update on_sack(Scoreboard& board, std::vector<SackBlock> blocks) {
  return board.on_sack(kUna, kUna + 1000, blocks);
}

TEST(Scoreboard, KnowsNothingAtFirst) {
  const Scoreboard board;
  EXPECT_TRUE(board.empty());
  EXPECT_EQ(board.sacked_bytes(), 0U);
  EXPECT_FALSE(board.is_sacked(kUna));
  EXPECT_FALSE(board.is_lost(kUna, kMss));
  EXPECT_EQ(board.lost_below(kUna, kMss), kUna);
  EXPECT_EQ(board.next_hole(kUna, kUna + 10), block(0, 10));
  EXPECT_EQ(board.pipe(kUna, kUna + 100, kUna, kMss), 100U);
  EXPECT_EQ(board.pipe(kUna, kUna + 100, kUna + 30, kMss), 130U) << "30 were sent twice";
}

TEST(Scoreboard, IgnoresHostileBlocks) {
  Scoreboard board;
  const auto ignored = [&](SackBlock hostile) {
    return on_sack(board, {hostile}).newly_sacked == 0 && board.empty();
  };
  EXPECT_TRUE(ignored(block(990, 1001))) << "beyond SND.NXT";
  EXPECT_TRUE(ignored(block(2000, 3000)));
  EXPECT_TRUE(ignored(block(0, 10))) << "the peer would have acknowledged it";
  EXPECT_TRUE(ignored({kUna - 10, kUna + 10}));
  EXPECT_TRUE(ignored(block(20, 10)));
  EXPECT_TRUE(ignored(block(20, 20)));
  EXPECT_TRUE(ignored({kUna + 10, kUna + 0x80000100}));
  EXPECT_FALSE(ignored(block(990, 1000)));
}

TEST(Scoreboard, CountsEachByteOnce) {
  Scoreboard board;
  EXPECT_EQ(on_sack(board, {block(100, 200), block(300, 400)}).newly_sacked, 200U);
  EXPECT_EQ(on_sack(board, {block(150, 350)}).newly_sacked, 100U);
  EXPECT_EQ(on_sack(board, {block(100, 400)}).newly_sacked, 0U);
  EXPECT_EQ(board.sacked_bytes(), 300U);
  EXPECT_EQ(board.highest(), kUna + 400);
}

// RFC2883-5
TEST(Scoreboard, RecognisesReportsOfDuplicates) {
  Scoreboard board;
  EXPECT_EQ(on_sack(board, {{kUna - 20, kUna - 10}}).dsack, (SackBlock{kUna - 20, kUna - 10}));
  EXPECT_EQ(on_sack(board, {{kUna - 10, kUna}}).dsack, (SackBlock{kUna - 10, kUna}));
  EXPECT_TRUE(board.empty());
  const auto inside = on_sack(board, {block(120, 140), block(100, 200)});
  EXPECT_EQ(inside.dsack, block(120, 140));
  EXPECT_EQ(inside.newly_sacked, 100U);
  EXPECT_EQ(on_sack(board, {block(300, 400), block(100, 200)}).dsack, std::nullopt);
  EXPECT_EQ(on_sack(board, {block(100, 200), block(120, 140)}).dsack, std::nullopt);
  EXPECT_EQ(on_sack(board, {{kUna - 0x50000000, kUna - 0x4fffff00}}).dsack, std::nullopt)
      << "farther back than any window";
}

// RFC6675-4: three discontiguous ranges, or more than two segments of bytes.
TEST(Scoreboard, JudgesLossByRangesAndByBytes) {
  Scoreboard board;
  on_sack(board, {block(10, 15), block(30, 35)});
  EXPECT_FALSE(board.is_lost(kUna, kMss));
  on_sack(board, {block(50, 55)});
  EXPECT_TRUE(board.is_lost(kUna, kMss)) << "three ranges above";
  EXPECT_FALSE(board.is_lost(kUna + 20, kMss)) << "two ranges above";
  EXPECT_EQ(board.lost_below(kUna, kMss), kUna + 10);
  on_sack(board, {block(50, 66)});
  EXPECT_TRUE(board.is_lost(kUna + 20, kMss)) << "21 bytes above";
  EXPECT_FALSE(board.is_lost(kUna + 40, kMss));
  EXPECT_FALSE(board.is_lost(kUna + 12, kMss)) << "SACKed";
  on_sack(board, {block(50, 70)});
  EXPECT_FALSE(board.is_lost(kUna + 40, kMss)) << "two segments are not more than two";
}

TEST(Scoreboard, ForgetsAllOnATimeout) {
  Scoreboard board;
  on_sack(board, {block(100, 200)});
  board.clear();
  EXPECT_TRUE(board.empty());
  EXPECT_FALSE(board.is_sacked(kUna + 150));
}

TEST(Scoreboard, HoldsABoundedNumberOfRanges) {
  Scoreboard board;
  const auto send_ranges = [&](std::uint32_t count) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      const SackBlock sacked{kUna + 4 * i, kUna + 4 * i + 1};
      board.on_sack(kUna, kUna + 100000, std::span(&sacked, 1));
    }
  };
  send_ranges(10000);
  EXPECT_EQ(board.sacked_bytes(), Scoreboard::kMaxRanges);
}

/// Which bytes from SND.UNA on were SACKed.
struct Model {
  std::deque<bool> sacked;

  /// RFC 6675 4 IsLost of every byte.
  std::vector<bool> lost() const {
    std::vector<bool> result(sacked.size());
    std::uint32_t ranges = 0;
    std::uint32_t bytes = 0;
    for (std::size_t i = sacked.size(); i-- > 0;) {
      if (!sacked[i]) {
        result[i] = ranges >= 3 || bytes > 2 * kMss;
        continue;
      }
      ++bytes;
      if (i == 0 || !sacked[i - 1]) ++ranges;
    }
    return result;
  }
};

void expect_agreement(const Scoreboard& board, const Model& model, SeqNum una, Random& random) {
  const auto size = static_cast<std::uint32_t>(model.sacked.size());
  std::uint32_t sacked = 0;
  std::uint32_t lost_end = 0;
  std::uint32_t not_lost = 0;
  const auto rexmitted = static_cast<std::uint32_t>(random.below(size + 1));
  std::uint32_t repeated = 0;
  const std::vector<bool> lost = model.lost();
  for (std::uint32_t i = 0; i < size; ++i) {
    ASSERT_EQ(board.is_sacked(una + i), model.sacked[i]) << i;
    ASSERT_EQ(board.is_lost(una + i, kMss), lost[i]) << i;
    if (model.sacked[i]) {
      ++sacked;
    } else {
      if (i < rexmitted) ++repeated;
      if (lost[i]) {
        lost_end = i + 1;
      } else {
        ++not_lost;
      }
    }
  }
  ASSERT_EQ(board.sacked_bytes(), sacked);
  ASSERT_EQ(board.empty(), sacked == 0);
  ASSERT_EQ(distance(una, board.lost_below(una, kMss)), lost_end);
  ASSERT_EQ(board.pipe(una, una + size, una + rexmitted, kMss), not_lost + repeated);

  auto from = static_cast<std::uint32_t>(random.below(size + 1));
  const auto end = static_cast<std::uint32_t>(random.below(size + 1));
  const auto hole = board.next_hole(una + from, una + end);
  while (from < end && model.sacked[from]) ++from;
  std::uint32_t hole_end = from;
  while (hole_end < end && !model.sacked[hole_end]) ++hole_end;
  if (from >= end) {
    ASSERT_EQ(hole, std::nullopt);
  } else {
    ASSERT_EQ(hole, (SackBlock{una + from, una + hole_end}));
  }
  if (sacked != 0) {
    std::uint32_t highest = size;
    while (!model.sacked[highest - 1]) --highest;
    ASSERT_EQ(distance(una, board.highest()), highest);
  }
}

TEST(ScoreboardModel, AgreesOverManyRandomAcks) {
  Random random(8);
  for (int round = 0; round < 40; ++round) {
    Scoreboard board;
    Model model;
    SeqNum una{static_cast<std::uint32_t>(0) - static_cast<std::uint32_t>(random.below(3000))};
    for (int step = 0; step < 250; ++step) {
      model.sacked.resize(model.sacked.size() + random.below(60), false);
      const auto size = static_cast<std::uint32_t>(model.sacked.size());
      if (random.below(3) == 0) {
        auto acked = static_cast<std::uint32_t>(random.below(std::min(size, 90U) + 1));
        while (acked < size && model.sacked[acked]) ++acked;
        model.sacked.erase(model.sacked.begin(), model.sacked.begin() + acked);
        una += acked;
        board.on_ack(una);
      } else if (size > 2) {
        std::vector<SackBlock> blocks(1 + random.below(3));
        std::uint32_t fresh = 0;
        for (SackBlock& sacked : blocks) {
          const auto begin = static_cast<std::uint32_t>(1 + random.below(size - 1));
          const auto end = static_cast<std::uint32_t>(
              std::min<std::uint64_t>(size, begin + 1 + random.below(25)));
          sacked = {una + begin, una + end};
          for (std::uint32_t i = begin; i < end; ++i) {
            if (!model.sacked[i]) ++fresh;
            model.sacked[i] = true;
          }
        }
        ASSERT_EQ(board.on_sack(una, una + size, blocks).newly_sacked, fresh);
      }
      ASSERT_NO_FATAL_FAILURE(expect_agreement(board, model, una, random)) << round << ' ' << step;
    }
  }
}

}  // namespace
}  // namespace hawser::tcp
