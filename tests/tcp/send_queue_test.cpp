// Checks SendQueue against a plain vector of bytes.
#include "tcp/send_queue.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/payload.hpp"

namespace hawser::tcp {
namespace {

using test::contents;
using test::stream_bytes;

constexpr std::uint32_t kNoLimit = 1U << 30;

TEST(SendQueue, GivesWhatWasWrittenAndNotReleased) {
  BufferPool pool;
  Random random(2);
  {
    SendQueue queue;
    std::uint64_t released = 0;
    std::uint64_t written = 0;
    for (int step = 0; step < 30000; ++step) {
      const bool large = (step / 500) % 3 == 0;
      switch (random.below(3)) {
        case 0: {
          const auto bytes = stream_bytes(written, random.below(large ? 40000 : 300));
          const std::uint32_t before = queue.size();
          const std::uint32_t taken = queue.append(pool, bytes, 100000);
          ASSERT_EQ(taken, std::min<std::size_t>(bytes.size(), 100000 - before));
          written += taken;
          break;
        }
        case 1: {
          const auto bytes = static_cast<std::uint32_t>(
              random.below(std::min<std::size_t>(queue.size(), large ? 40000 : 300) + 1));
          queue.release(bytes);
          released += bytes;
          break;
        }
        default: {
          const auto offset = static_cast<std::uint32_t>(random.below(queue.size() + 1));
          const auto length = static_cast<std::uint32_t>(
              random.below(std::min<std::uint32_t>(queue.size() - offset, 3000) + 1));
          Packet packet = pool.take_packet();
          const std::uint32_t attached = queue.attach(offset, length, packet);
          ASSERT_EQ(packet.size(), attached);
          ASSERT_TRUE(attached == length || packet.slices().size() == Packet::kMaxSlices);
          ASSERT_EQ(contents(packet), stream_bytes(released + offset, attached)) << step;
        }
      }
      ASSERT_EQ(queue.size(), written - released);
      ASSERT_EQ(queue.empty(), written == released);
    }
    ASSERT_GT(released, 1000000U);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SendQueue, TakesBlocksThatFitTheWrite) {
  BufferPool pool;
  SendQueue queue;
  queue.append(pool, stream_bytes(0, 100), kNoLimit);
  const std::size_t small = pool.bytes_in_use();
  EXPECT_LT(small, 2 * BufferPool::kSmallBlock);
  queue.append(pool, stream_bytes(100, 1900), kNoLimit);
  EXPECT_EQ(pool.bytes_in_use(), small) << "the tail block has room for this";
  queue.append(pool, stream_bytes(2000, 16000), kNoLimit);
  EXPECT_GT(pool.bytes_in_use(), small + BufferPool::kLargeBlock);
  EXPECT_LT(pool.bytes_in_use(), small + BufferPool::kLargeBlock + BufferPool::kSmallBlock)
      << "one large block, not many small ones";
  queue.release(18000);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SendQueue, TakesWhatThePoolAllows) {
  BufferPool pool(20000);
  SendQueue queue;
  const std::uint32_t taken = queue.append(pool, stream_bytes(0, 50000), kNoLimit);
  EXPECT_GT(taken, 16384U);
  EXPECT_LT(taken, 20000U);
  EXPECT_EQ(queue.append(pool, stream_bytes(taken, 10), kNoLimit), 0U);
  queue.clear();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SendQueue, TakesNothingAboveTheLimit) {
  BufferPool pool;
  SendQueue queue;
  EXPECT_EQ(queue.append(pool, stream_bytes(0, 1000), 600), 600U);
  EXPECT_EQ(queue.append(pool, stream_bytes(600, 1), 600), 0U);
  EXPECT_EQ(queue.append(pool, stream_bytes(600, 1), 500), 0U) << "the limit was lowered";
}

TEST(SendQueue, CopiesSmallPayloadsAndSharesLargeOnes) {
  BufferPool pool;
  SendQueue queue;
  queue.append(pool, stream_bytes(0, 2000), kNoLimit);
  const std::size_t before = pool.bytes_in_use();
  Packet small = pool.take_packet();
  EXPECT_EQ(queue.attach(10, Packet::kInlineRoom, small), Packet::kInlineRoom);
  EXPECT_TRUE(small.slices().empty());
  Packet large = pool.take_packet();
  EXPECT_EQ(queue.attach(10, 1000, large), 1000U);
  EXPECT_EQ(large.slices().size(), 1U);
  queue.release(2000);
  EXPECT_EQ(contents(small), stream_bytes(10, Packet::kInlineRoom));
  EXPECT_EQ(contents(large), stream_bytes(10, 1000)) << "the packet keeps the bytes alive";
  EXPECT_GE(pool.bytes_in_use(), before);
  small.reset();
  large.reset();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(SendQueue, LeavesSentBytesAloneWhileMoreAreWritten) {
  BufferPool pool;
  SendQueue queue;
  queue.append(pool, stream_bytes(0, 500), kNoLimit);
  Packet sent = pool.take_packet();
  queue.attach(0, 500, sent);
  queue.append(pool, stream_bytes(500, 500), kNoLimit);
  EXPECT_EQ(sent.size(), 500U);
  EXPECT_EQ(contents(sent), stream_bytes(0, 500));
}

TEST(SendQueue, AttachesNoMoreThanThePacketHolds) {
  BufferPool pool;
  SendQueue queue;
  queue.append(pool, stream_bytes(0, 200000), kNoLimit);
  Packet packet = pool.take_packet();
  const std::uint32_t attached = queue.attach(0, 200000, packet);
  EXPECT_EQ(attached, Packet::kMaxSlices * BufferPool::kLargeBlock);
  EXPECT_EQ(contents(packet), stream_bytes(0, attached));
}

}  // namespace
}  // namespace hawser::tcp
