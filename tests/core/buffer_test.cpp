#include "hawser/buffer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "hawser/packet.hpp"

namespace hawser {
namespace {

/// A slice of bytes 0, 1, 2, … below `size`.
Slice counting(BufferPool& pool, std::uint32_t size) {
  Slice slice = pool.take(size);
  for (std::uint32_t i = 0; i < size; ++i) slice.spare()[i] = static_cast<std::byte>(i);
  slice.extend(size);
  return slice;
}

TEST(BufferPool, GivesBlocksOfThreeSizes) {
  BufferPool pool;
  EXPECT_EQ(pool.take(0).block_capacity(), BufferPool::kSmallBlock);
  EXPECT_EQ(pool.take(2048).block_capacity(), BufferPool::kSmallBlock);
  EXPECT_EQ(pool.take(2049).block_capacity(), BufferPool::kLargeBlock);
  EXPECT_EQ(pool.take(16385).block_capacity(), BufferPool::kFrameBlock);
  EXPECT_EQ(pool.take(BufferPool::kFrameBlock).block_capacity(), BufferPool::kFrameBlock);
  EXPECT_FALSE(pool.take(BufferPool::kFrameBlock + 1));
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(BufferPool, HoldsToItsBound) {
  BufferPool pool(10000);
  std::vector<Slice> slices;
  while (Slice slice = pool.take(2048)) slices.push_back(std::move(slice));
  EXPECT_EQ(slices.size(), 4U);
  EXPECT_LE(pool.bytes_in_use(), 10000U);
  EXPECT_FALSE(pool.take(1));
  slices.pop_back();
  EXPECT_TRUE(pool.take(1));
  slices.clear();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  std::vector<Packet> packets;
  while (Packet packet = pool.take_packet()) packets.push_back(std::move(packet));
  EXPECT_LE(pool.bytes_in_use(), 10000U);
  EXPECT_GT(packets.size(), 5U);
}

TEST(BufferPool, IsOutlivedByWhatItGave) {
  auto pool = std::make_unique<BufferPool>();
  Slice slice = counting(*pool, 100);
  Packet packet = pool->take_packet();
  ASSERT_TRUE(packet.append(slice));
  pool.reset();
  EXPECT_EQ(slice.bytes()[99], std::byte{99});
  slice = Slice{};
  EXPECT_EQ(packet.size(), 100U);
}

TEST(BufferPool, TakesAFreedBlockAgain) {
  BufferPool pool;
  const std::byte* first = pool.take(100).spare().data();
  EXPECT_EQ(pool.take(100).spare().data(), first);
  pool.trim();
  EXPECT_TRUE(pool.take(100));
}

TEST(Slice, SharesItsBlockUntilTheLastIsGone) {
  BufferPool pool;
  Slice whole = counting(pool, 100);
  const std::size_t one_block = pool.bytes_in_use();
  Slice part = whole.part(10, 20);
  const Slice copy = part;
  EXPECT_EQ(pool.bytes_in_use(), one_block);
  whole = Slice{};
  part = Slice{};
  EXPECT_EQ(pool.bytes_in_use(), one_block);
  EXPECT_EQ(copy.size(), 20U);
  EXPECT_EQ(copy.bytes()[0], std::byte{10});
}

TEST(Slice, IsTrimmedAndTruncated) {
  BufferPool pool;
  Slice slice = counting(pool, 100);
  slice.trim_front(30);
  slice.truncate(50);
  ASSERT_EQ(slice.size(), 50U);
  EXPECT_EQ(slice.bytes().front(), std::byte{30});
  EXPECT_EQ(slice.bytes().back(), std::byte{79});
}

TEST(Slice, SurvivesAssignmentFromItselfAndMoves) {
  BufferPool pool;
  Slice slice = counting(pool, 10);
  const Slice& alias = slice;
  slice = alias;
  EXPECT_EQ(slice.size(), 10U);
  Slice moved = std::move(slice);
  EXPECT_EQ(moved.size(), 10U);
  moved = Slice{};
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  EXPECT_FALSE(moved);
  EXPECT_TRUE(moved.bytes().empty());
}

TEST(Slice, GrowsIntoTheSpareOfItsBlock) {
  BufferPool pool;
  Slice slice = counting(pool, 10);
  EXPECT_EQ(slice.spare().size(), BufferPool::kSmallBlock - 10U);
  slice.spare()[0] = std::byte{77};
  slice.extend(1);
  EXPECT_EQ(slice.bytes()[10], std::byte{77});
}

}  // namespace
}  // namespace hawser
