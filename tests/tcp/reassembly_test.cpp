// Checks Reassembly against a byte-by-byte model of a window that wraps, and its SACK blocks.
#include "tcp/reassembly.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/tcp/payload.hpp"

namespace hawser::tcp {
namespace {

using test::packet_of;
using test::random_packet;
using test::stream_bytes;

constexpr std::uint32_t kNoLimit = 1U << 30;
/// A little before the sequence space wraps.
constexpr SeqNum kOrigin{0xffffff00};

SackBlock block(std::uint32_t begin, std::uint32_t end) { return {kOrigin + begin, kOrigin + end}; }

class ReassemblyTest : public ::testing::Test {
 protected:
  Reassembly::Inserted insert(std::uint32_t position, std::uint32_t length,
                              std::uint32_t limit = kNoLimit) {
    Packet packet = packet_of(pool, stream_bytes(position, length));
    return reassembly.insert(pool, kOrigin + position, packet, limit);
  }
  std::vector<SackBlock> sack(std::size_t most = 4) const {
    std::vector<SackBlock> blocks(most);
    blocks.resize(reassembly.sack_blocks(blocks));
    return blocks;
  }

  BufferPool pool;
  Reassembly reassembly;
};

TEST_F(ReassemblyTest, HoldsNothingAtFirst) {
  EXPECT_TRUE(reassembly.empty());
  EXPECT_EQ(reassembly.bytes(), 0U);
  EXPECT_TRUE(sack().empty());
  ReceiveQueue queue;
  EXPECT_EQ(reassembly.take(pool, kOrigin, queue), 0U);
}

// RFC9293-SHLD-31: what came out of order is not thrown away.
TEST_F(ReassemblyTest, GivesASegmentWhenTheHoleBeforeItIsFilled) {
  EXPECT_EQ(insert(100, 50).new_bytes, 50U);
  ReceiveQueue queue;
  EXPECT_EQ(reassembly.take(pool, kOrigin + 99, queue), 0U);
  EXPECT_EQ(reassembly.take(pool, kOrigin + 100, queue), 50U);
  EXPECT_EQ(queue.size(), 50U);
  EXPECT_TRUE(reassembly.empty());
}

TEST_F(ReassemblyTest, SkipsWhatTheFillingSegmentCarriedToo) {
  insert(100, 50);
  insert(200, 50);
  ReceiveQueue queue;
  EXPECT_EQ(reassembly.take(pool, kOrigin + 120, queue), 30U);
  std::vector<std::byte> bytes(30);
  queue.read(bytes);
  EXPECT_EQ(bytes, stream_bytes(120, 30));
  EXPECT_EQ(reassembly.take(pool, kOrigin + 250, queue), 0U) << "all of it came again";
  EXPECT_TRUE(reassembly.empty());
}

// RFC2018-4: the newest segment's range first, then the most recently reported others.
TEST_F(ReassemblyTest, ReportsTheNewestRangeFirst) {
  insert(100, 10);
  insert(300, 10);
  insert(500, 10);
  EXPECT_EQ(sack(), (std::vector{block(500, 510), block(300, 310), block(100, 110)}));
  insert(110, 10);
  EXPECT_EQ(sack(), (std::vector{block(100, 120), block(500, 510), block(300, 310)}));
  insert(310, 190);
  EXPECT_EQ(sack(), (std::vector{block(300, 510), block(100, 120)}));
  insert(105, 5);
  EXPECT_EQ(sack(), (std::vector{block(100, 120), block(300, 510)})) << "a duplicate reports too";
  EXPECT_EQ(sack(1), (std::vector{block(100, 120)}));
}

TEST_F(ReassemblyTest, ReportsNoMoreThanFourBlocks) {
  for (std::uint32_t i = 1; i <= 6; ++i) insert(100 * i, 10);
  EXPECT_EQ(sack(4),
            (std::vector{block(600, 610), block(500, 510), block(400, 410), block(300, 310)}));
  EXPECT_EQ(sack(3).size(), 3U);
}

// RFC2883-4: the first duplicate run of a segment.
TEST_F(ReassemblyTest, TellsTheDuplicatePart) {
  EXPECT_EQ(insert(100, 50).duplicate, std::nullopt);
  EXPECT_EQ(insert(150, 50).duplicate, std::nullopt) << "touching is not overlapping";
  EXPECT_EQ(insert(120, 20).duplicate, block(120, 140));
  EXPECT_EQ(insert(90, 20).duplicate, block(100, 110));
  insert(300, 50);
  const auto both = insert(180, 200);
  EXPECT_EQ(both.duplicate, block(180, 200));
  EXPECT_EQ(both.new_bytes, 130U);
  EXPECT_EQ(sack(), (std::vector{block(90, 380)}));
}

// Fault: what lay behind 128 holes was thrown away, so that a long path lost most of a window.
TEST_F(ReassemblyTest, HoldsAsManyRangesAsTheirMemoryAllows) {
  constexpr std::uint32_t kRanges = 2000;
  constexpr std::uint32_t kLimit = kRanges * (BufferPool::kSmallBlock + 100);
  for (std::uint32_t i = 0; i < kRanges; ++i) {
    ASSERT_EQ(insert(100 + 10 * i, 5, kLimit).new_bytes, 5U);
  }
  std::uint32_t more = 0;
  while (insert(107 + 10 * more, 1, kLimit).new_bytes != 0) ++more;  // in the middle
  EXPECT_LT(more, 20U) << "a range is paid for beside its block";
  EXPECT_EQ(insert(100 + 10 * (more + 2) - 1, 1, kLimit).new_bytes, 0U) << "no block to spare";
  EXPECT_EQ(insert(105, 1, kLimit).new_bytes, 1U) << "what fits a block that is there";
  EXPECT_EQ(reassembly.bytes(), 5 * kRanges + more + 1);
}

TEST_F(ReassemblyTest, HoldsABoundedAmountOfMemory) {
  // Segments of one byte, each in a block of its own and with a hole behind it.
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < 50; ++i) kept += insert(100 + 2 * i, 1, 20000).new_bytes;
  EXPECT_EQ(kept, 20000 / BufferPool::kSmallBlock);
  EXPECT_LT(pool.bytes_in_use(), 22000U);
  EXPECT_EQ(insert(1000, 1400, 1000).new_bytes, 0U) << "alone more than the limit";
}

TEST_F(ReassemblyTest, StaysAsItWasWhenThePoolIsExhausted) {
  BufferPool exhausted(0);
  insert(100, 10);
  Packet packet = packet_of(pool, stream_bytes(200, 10));
  EXPECT_EQ(reassembly.insert(exhausted, kOrigin + 200, packet, kNoLimit).new_bytes, 0U);
  EXPECT_EQ(sack(), (std::vector{block(100, 110)}));
  Reassembly empty;
  EXPECT_EQ(empty.insert(exhausted, kOrigin + 200, packet, kNoLimit).new_bytes, 0U);
  EXPECT_TRUE(empty.empty());
}

/// What a receiver holds, byte by byte: for each the number of the segment that last touched its
/// range.
class Model {
 public:
  explicit Model(SeqNum origin) : origin_(origin) {}

  Reassembly::Inserted insert(std::uint64_t position, std::uint32_t length) {
    Reassembly::Inserted result;
    for (std::uint64_t at = position; at < position + length; ++at) {
      if (held_.emplace(at, 0).second) {
        ++result.new_bytes;
      } else if (!result.duplicate) {
        result.duplicate = SackBlock{seq(at), seq(at)};
        while (result.duplicate->end < seq(position + length) && held_before_.contains(at)) {
          result.duplicate->end = seq(++at);
        }
        --at;
      }
    }
    ++segments_;
    // The whole range around the segment was touched.
    for (std::uint64_t at = position; held_.contains(at); ++at) held_[at] = segments_;
    for (std::uint64_t at = position; held_.contains(at); --at) held_[at] = segments_;
    for (std::uint64_t at = position; at < position + length; ++at) held_before_[at] = 0;
    return result;
  }
  std::uint32_t take(std::uint64_t next) {
    std::uint64_t end = next;
    while (held_.contains(end)) ++end;
    held_.erase(held_.begin(), held_.lower_bound(end));
    held_before_.erase(held_before_.begin(), held_before_.lower_bound(end));
    return static_cast<std::uint32_t>(end - next);
  }
  std::vector<SackBlock> sack() const {
    std::vector<std::pair<int, SackBlock>> ranges;
    for (auto it = held_.begin(); it != held_.end();) {
      std::uint64_t end = it->first;
      const auto begin = it;
      while (it != held_.end() && it->first == end) {
        ++it;
        ++end;
      }
      ranges.push_back({begin->second, SackBlock{seq(begin->first), seq(end)}});
    }
    std::ranges::sort(ranges, [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<SackBlock> blocks;
    for (std::size_t i = 0; i < std::min<std::size_t>(ranges.size(), 4); ++i) {
      blocks.push_back(ranges[i].second);
    }
    return blocks;
  }
  std::size_t bytes() const { return held_.size(); }
  SeqNum seq(std::uint64_t position) const {
    return origin_ + static_cast<std::uint32_t>(position);
  }

 private:
  SeqNum origin_;
  std::map<std::uint64_t, int> held_;
  std::map<std::uint64_t, int> held_before_;  ///< before the segment that is being inserted
  int segments_ = 0;
};

TEST(ReassemblyModel, AgreesOverManyRandomSegments) {
  BufferPool pool;
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    // Every round passes the place where the sequence space wraps, each at another.
    Model model(SeqNum(static_cast<std::uint32_t>(0) - static_cast<std::uint32_t>(round * 400)));
    Reassembly reassembly;
    ReceiveQueue queue;
    std::uint64_t next = 0;
    for (int step = 0; step < 1500; ++step) {
      const std::uint64_t position = next + 1 + random.below(1500);
      const auto length =
          static_cast<std::uint32_t>(1 + random.below(random.below(4) == 0 ? 400 : 60));
      Packet packet = random_packet(pool, random, position, length);
      const auto inserted = reassembly.insert(pool, model.seq(position), packet, kNoLimit);
      const auto expected = model.insert(position, length);
      ASSERT_EQ(inserted.new_bytes, expected.new_bytes) << round << ' ' << step;
      ASSERT_EQ(inserted.duplicate, expected.duplicate) << round << ' ' << step;

      std::vector<SackBlock> blocks(4);
      blocks.resize(reassembly.sack_blocks(blocks));
      ASSERT_EQ(blocks, model.sack()) << round << ' ' << step;

      if (random.below(3) == 0) {  // RCV.NXT moves on, by a segment in order
        const auto fill = static_cast<std::uint32_t>(1 + random.below(200));
        Packet in_order = random_packet(pool, random, next, fill);
        ASSERT_TRUE(queue.append(pool, in_order));
        next += fill;
        const std::uint32_t advance = reassembly.take(pool, model.seq(next), queue);
        ASSERT_EQ(advance, model.take(next)) << round << ' ' << step;
        next += advance;
        std::vector<std::byte> bytes(queue.size());
        queue.read(bytes);
        ASSERT_EQ(bytes, stream_bytes(next - bytes.size(), bytes.size())) << round << ' ' << step;
      }
      ASSERT_EQ(reassembly.bytes(), model.bytes());
      ASSERT_EQ(reassembly.empty(), model.bytes() == 0);
    }
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

// With bounds that are reached, what is kept must still be the stream.
TEST(ReassemblyModel, KeepsTheStreamWhenBoundsAreReached) {
  Random random(7);
  BufferPool outside;
  for (int round = 0; round < 50; ++round) {
    BufferPool pool(10000 + random.below(50000));
    const auto limit = static_cast<std::uint32_t>(random.below(100000));
    Reassembly reassembly;
    ReceiveQueue queue;
    std::uint64_t next = 0;
    const auto seq = [](std::uint64_t position) {
      return kOrigin + static_cast<std::uint32_t>(position);
    };
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t position = next + 1 + random.below(20000);
      const auto length = static_cast<std::uint32_t>(1 + random.below(3000));
      Packet packet = random_packet(outside, random, position, length);
      const std::uint32_t before = reassembly.bytes();
      const auto inserted = reassembly.insert(pool, seq(position), packet, limit);
      ASSERT_EQ(reassembly.bytes(), before + inserted.new_bytes);
      if (random.below(5) == 0) {
        const std::uint64_t begin = next;
        next += random.below(3000);
        const std::uint64_t skipped = next - begin;
        next += reassembly.take(pool, seq(next), queue);
        std::vector<std::byte> bytes(queue.size());
        queue.read(bytes);
        ASSERT_EQ(bytes, stream_bytes(begin + skipped, bytes.size())) << round << ' ' << step;
      }
    }
  }
  EXPECT_EQ(outside.bytes_in_use(), 0U);
}

}  // namespace
}  // namespace hawser::tcp
