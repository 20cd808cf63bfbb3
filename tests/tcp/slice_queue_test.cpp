// Checks SliceQueue against a plain sequence of bytes.
#include "tcp/slice_queue.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tests/tcp/payload.hpp"

namespace hawser::tcp {
namespace {

using test::slice_of;
using test::stream_bytes;

std::vector<std::byte> bytes_of(const SliceQueue& queue, std::uint32_t offset,
                                std::uint32_t length) {
  std::vector<std::byte> bytes;
  queue.visit(offset, length, [&](const Slice& slice, std::uint32_t begin, std::uint32_t part) {
    const auto piece = slice.bytes().subspan(begin, part);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return true;
  });
  return bytes;
}

TEST(SliceQueue, IsEmptyAtFirst) {
  const SliceQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.count(), 0U);
  EXPECT_EQ(queue.memory_cost(), 0U);
}

TEST(SliceQueue, BehavesAsASequenceOfBytes) {
  BufferPool pool;
  Random random(1);
  {
    SliceQueue queue;
    std::deque<std::byte> model;
    std::uint64_t next = 0;
    for (int step = 0; step < 40000; ++step) {
      // Phases in which the queue grows to many slices and phases in which it empties.
      const bool grows = (step / 1000) % 2 == 0;
      switch (random.below(grows ? 6 : 12)) {
        case 0:
        case 1:
        case 2: {
          const auto bytes = stream_bytes(next, 1 + random.below(40));
          next += bytes.size();
          queue.push_back(slice_of(pool, bytes));
          model.insert(model.end(), bytes.begin(), bytes.end());
          break;
        }
        case 3: {
          const auto bytes = stream_bytes(next, 1 + random.below(40));
          next += bytes.size();
          queue.push_front(slice_of(pool, bytes));
          model.insert(model.begin(), bytes.begin(), bytes.end());
          break;
        }
        case 4:
          if (!queue.empty()) {
            const auto spare = queue.back_spare();
            const auto bytes = stream_bytes(next, std::min<std::size_t>(spare.size(), 7));
            next += bytes.size();
            std::ranges::copy(bytes, spare.begin());
            queue.extend_back(static_cast<std::uint32_t>(bytes.size()));
            model.insert(model.end(), bytes.begin(), bytes.end());
          }
          break;
        case 5:
          if (!queue.empty()) {
            const bool front = random.below(2) == 0;
            const auto size =
                static_cast<std::ptrdiff_t>((front ? queue.pop_front() : queue.pop_back()).size());
            if (front) {
              model.erase(model.begin(), model.begin() + size);
            } else {
              model.erase(model.end() - size, model.end());
            }
          }
          break;
        default: {
          const auto bytes = static_cast<std::uint32_t>(
              random.below(std::min<std::size_t>(model.size(), 100) + 1));
          if (random.below(2) == 0) {
            queue.drop_front(bytes);
            model.erase(model.begin(), model.begin() + bytes);
          } else {
            queue.drop_back(bytes);
            model.erase(model.end() - bytes, model.end());
          }
        }
      }
      ASSERT_EQ(queue.size(), model.size()) << step;
      const auto offset = static_cast<std::uint32_t>(random.below(model.size() + 1));
      const auto length = static_cast<std::uint32_t>(
          random.below(std::min<std::size_t>(model.size() - offset, 90) + 1));
      const auto begin = model.begin() + offset;
      ASSERT_EQ(bytes_of(queue, offset, length), std::vector(begin, begin + length)) << step;
    }
    ASSERT_GT(next, 10000U);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SliceQueue, CountsBlocksWhole) {
  BufferPool pool;
  SliceQueue queue;
  queue.push_back(slice_of(pool, stream_bytes(0, 10)));
  queue.push_back(slice_of(pool, stream_bytes(10, 10), BufferPool::kLargeBlock));
  EXPECT_EQ(queue.memory_cost(), BufferPool::kSmallBlock + BufferPool::kLargeBlock);
  queue.drop_front(5);
  EXPECT_EQ(queue.memory_cost(), BufferPool::kSmallBlock + BufferPool::kLargeBlock);
  queue.drop_front(5);
  EXPECT_EQ(queue.memory_cost(), BufferPool::kLargeBlock);
  queue.drop_back(10);
  EXPECT_EQ(queue.memory_cost(), 0U);
}

TEST(SliceQueue, MovesWithItsSlices) {
  BufferPool pool;
  SliceQueue queue;
  for (std::uint64_t i = 0; i < 20; ++i) queue.push_back(slice_of(pool, stream_bytes(10 * i, 10)));
  SliceQueue moved(std::move(queue));
  EXPECT_EQ(bytes_of(moved, 0, 200), stream_bytes(0, 200));
  SliceQueue assigned;
  assigned = std::move(moved);
  EXPECT_EQ(bytes_of(assigned, 0, 200), stream_bytes(0, 200));
  assigned.clear();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SliceQueue, StopsAVisitWhenAsked) {
  BufferPool pool;
  SliceQueue queue;
  for (std::uint64_t i = 0; i < 5; ++i) queue.push_back(slice_of(pool, stream_bytes(10 * i, 10)));
  int visits = 0;
  queue.visit(5, 40, [&](const Slice&, std::uint32_t, std::uint32_t) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
}

}  // namespace
}  // namespace hawser::tcp
