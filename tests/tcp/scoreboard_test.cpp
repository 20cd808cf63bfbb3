// What the peer has SACKed, by a few examples and beside a model of one flag a byte.
#include "tcp/recovery/scoreboard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "core/random.hpp"

namespace hawser::tcp {
namespace {

constexpr SeqNum kUna{0xffffff00};

SackBlock block(std::uint32_t begin, std::uint32_t end) { return {kUna + begin, kUna + end}; }

TEST(Scoreboard, KnowsNothingAtFirst) {
  const Scoreboard board;
  EXPECT_TRUE(board.empty());
  EXPECT_FALSE(board.is_sacked(kUna));
  EXPECT_EQ(board.next_hole(kUna, kUna + 100), block(0, 100));
}

TEST(Scoreboard, JoinsWhatTouches) {
  Scoreboard board;
  for (const SackBlock& range : {block(100, 200), block(300, 400), block(200, 300)}) {
    EXPECT_TRUE(board.mark(range));
  }
  EXPECT_EQ(board.next_hole(kUna + 100, kUna + 400), std::nullopt);
  EXPECT_EQ(board.next_hole(kUna + 100, kUna + 500), block(400, 500));
}

TEST(Scoreboard, ForgetsWhatWasThrownAway) {  // RFC2018-8
  Scoreboard board;
  board.mark(block(100, 200));
  board.clear();
  EXPECT_TRUE(board.empty());
  EXPECT_FALSE(board.is_sacked(kUna + 150));
}

TEST(Scoreboard, HoldsABoundedNumberOfRanges) {
  Scoreboard board;
  std::size_t noted = 0;
  for (std::uint32_t i = 1; i <= 10000; ++i) noted += board.mark(block(4 * i, 4 * i + 1)) ? 1 : 0;
  EXPECT_EQ(noted, Scoreboard::kMaxRanges);
  EXPECT_FALSE(board.is_sacked(kUna + 4 * 5000));
}

/// Which bytes from SND.UNA on were SACKed.
using Model = std::deque<bool>;

void expect_agreement(const Scoreboard& board, const Model& model, SeqNum una, Random& random) {
  const auto size = static_cast<std::uint32_t>(model.size());
  for (std::uint32_t i = 0; i < size; ++i) ASSERT_EQ(board.is_sacked(una + i), model[i]) << i;
  ASSERT_EQ(board.empty(), std::ranges::find(model, true) == model.end());
  auto from = static_cast<std::uint32_t>(random.below(size + 1));
  const auto end = static_cast<std::uint32_t>(random.below(size + 1));
  const auto hole = board.next_hole(una + from, una + end);
  while (from < end && model[from]) ++from;
  std::uint32_t hole_end = from;
  while (hole_end < end && !model[hole_end]) ++hole_end;
  if (from >= end) {
    ASSERT_EQ(hole, std::nullopt);
  } else {
    ASSERT_EQ(hole, (SackBlock{una + from, una + hole_end}));
  }
}

TEST(Scoreboard, AgreesWithAModel) {
  Random random(8);
  for (int round = 0; round < 40; ++round) {
    Scoreboard board;
    Model model;
    SeqNum una{static_cast<std::uint32_t>(0) - static_cast<std::uint32_t>(random.below(3000))};
    for (int step = 0; step < 250; ++step) {
      model.resize(model.size() + random.below(60), false);
      const auto size = static_cast<std::uint32_t>(model.size());
      if (random.below(3) == 0) {
        const auto acked = static_cast<std::uint32_t>(random.below(std::min(size, 90U) + 1));
        model.erase(model.begin(), model.begin() + acked);
        una += acked;
        board.on_ack(una);
      } else if (size > 2) {
        const auto begin = static_cast<std::uint32_t>(1 + random.below(size - 1));
        const auto end =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(size, begin + 1 + random.below(25)));
        std::fill(model.begin() + begin, model.begin() + end, true);
        ASSERT_TRUE(board.mark({una + begin, una + end}));
      }
      ASSERT_NO_FATAL_FAILURE(expect_agreement(board, model, una, random)) << round << ' ' << step;
    }
  }
}

}  // namespace
}  // namespace hawser::tcp
