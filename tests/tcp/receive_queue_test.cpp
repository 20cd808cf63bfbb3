// Checks ReceiveQueue against the stream that it must give back, and what it keeps in memory.
#include "tcp/receive_queue.hpp"

#include <gtest/gtest.h>

#include "tests/tcp/payload.hpp"

namespace hawser::tcp {
namespace {

using test::packet_of;
using test::random_packet;
using test::slice_of;
using test::stream_bytes;

std::vector<std::byte> read(ReceiveQueue& queue, std::size_t most) {
  std::vector<std::byte> bytes(most);
  bytes.resize(queue.read(bytes));
  return bytes;
}

TEST(ReceiveQueue, GivesBackTheStream) {
  BufferPool pool;
  Random random(3);
  {
    ReceiveQueue queue;
    std::uint64_t appended = 0;
    std::uint64_t taken = 0;
    for (int step = 0; step < 20000; ++step) {
      const bool grows = (step / 500) % 2 == 0;
      if (random.below(3) < (grows ? 2U : 1U)) {
        const auto length = static_cast<std::uint32_t>(random.below(2) == 0 ? random.below(100)
                                                                            : random.below(6000));
        Packet packet = random_packet(pool, random, appended, length);
        ASSERT_TRUE(queue.append(pool, packet));
        ASSERT_EQ(packet.size(), 0U);
        appended += length;
      } else {
        const auto bytes = read(queue, random.below(8000));
        ASSERT_EQ(bytes, stream_bytes(taken, bytes.size())) << step;
        taken += bytes.size();
      }
      ASSERT_EQ(queue.size(), appended - taken);
    }
    ASSERT_GT(taken, 1000000U);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(ReceiveQueue, TakesAllOrNothingWhenThePoolIsExhausted) {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    BufferPool outside;
    BufferPool pool(4096 + random.below(60000));
    ReceiveQueue queue;
    std::uint64_t appended = 0;
    bool refused = false;
    while (!refused) {
      const auto length = static_cast<std::uint32_t>(1 + random.below(5000));
      Packet packet = random_packet(outside, random, appended, length);
      const bool taken = queue.append(pool, packet);
      ASSERT_EQ(packet.size(), taken ? 0 : length);
      if (taken) appended += length;
      refused = !taken || appended > 10'000'000;
      ASSERT_EQ(queue.size(), appended);
    }
    const auto bytes = read(queue, appended + 1);
    ASSERT_EQ(bytes, stream_bytes(0, appended));
    ASSERT_EQ(pool.bytes_in_use(), 0U);
    ASSERT_EQ(outside.bytes_in_use(), 0U);
  }
}

TEST(ReceiveQueue, SharesLargeSlices) {
  BufferPool pool;
  ReceiveQueue queue;
  Packet packet = packet_of(pool, stream_bytes(0, 1448));
  const std::size_t before = pool.bytes_in_use();
  ASSERT_TRUE(queue.append(pool, packet));
  EXPECT_EQ(pool.bytes_in_use(), before);
  packet.reset();
  EXPECT_EQ(read(queue, 1448), stream_bytes(0, 1448));
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(ReceiveQueue, CopiesSmallPiecesIntoOneBlock) {
  BufferPool pool;
  ReceiveQueue queue;
  for (std::uint64_t i = 0; i < 20; ++i) {
    Packet packet = packet_of(pool, stream_bytes(100 * i, 100));
    ASSERT_TRUE(queue.append(pool, packet));
  }
  EXPECT_EQ(queue.memory_cost(), BufferPool::kSmallBlock);
  EXPECT_EQ(read(queue, 5000), stream_bytes(0, 2000));
}

TEST(ReceiveQueue, CopiesASliceThatWouldPinAFarLargerBlock) {
  BufferPool pool;
  ReceiveQueue queue;
  Packet packet = packet_of(pool, stream_bytes(0, 1448), BufferPool::kFrameBlock);
  ASSERT_TRUE(queue.append(pool, packet));
  EXPECT_EQ(queue.memory_cost(), BufferPool::kSmallBlock);
}

TEST(ReceiveQueue, MergesSlicesThatTouchInOneBlock) {
  BufferPool pool;
  ReceiveQueue queue;
  const Slice block = slice_of(pool, stream_bytes(0, 14480));
  for (std::uint32_t i = 0; i < 10; ++i) {
    Packet packet = pool.take_packet();
    packet.append(block.part(1448 * i, 1448));
    ASSERT_TRUE(queue.append(pool, packet));
  }
  EXPECT_EQ(queue.memory_cost(), BufferPool::kLargeBlock) << "the block counts once";
  EXPECT_EQ(read(queue, 20000), stream_bytes(0, 14480));
}

// The bytes behind a slice that came in a packet belong to whoever took its block.
TEST(ReceiveQueue, NeverWritesBehindASliceOfOthers) {
  BufferPool pool;
  ReceiveQueue queue;
  Slice others = slice_of(pool, stream_bytes(0, 1500));
  Packet packet = pool.take_packet();
  packet.append(others);
  ASSERT_TRUE(queue.append(pool, packet));
  std::ranges::fill(others.spare(), std::byte{0xee});
  Packet small = packet_of(pool, stream_bytes(1500, 50));
  ASSERT_TRUE(queue.append(pool, small));
  EXPECT_TRUE(
      std::ranges::all_of(others.spare(), [](std::byte b) { return b == std::byte{0xee}; }));
  EXPECT_EQ(read(queue, 2000), stream_bytes(0, 1550));
}

// Joins queues of random sizes at random places; whoever owned the last block may write on into it.
TEST(ReceiveQueue, JoinsAnotherQueue) {
  BufferPool pool;
  Random random(5);
  for (int round = 0; round < 3000; ++round) {
    ReceiveQueue all;
    std::uint64_t appended = 0;
    for (std::uint64_t part = 0; part < 5; ++part) {
      ReceiveQueue queue;
      const std::uint64_t packets = random.below(part == 2 ? 20 : 4);
      for (std::uint64_t i = 0; i < packets; ++i) {
        const auto length = static_cast<std::uint32_t>(1 + random.below(2500));
        Packet packet = random_packet(pool, random, appended, length);
        ASSERT_TRUE(queue.append(pool, packet));
        appended += length;
      }
      if (random.below(2) == 0) {
        all.join(std::move(queue));
      } else {
        all.append_all(pool, std::move(queue));
      }
      Packet packet = random_packet(pool, random, appended, 10);
      ASSERT_TRUE(all.append(pool, packet));
      appended += 10;
    }
    ASSERT_EQ(all.size(), appended);
    ASSERT_EQ(read(all, appended), stream_bytes(0, appended)) << round;
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(ReceiveQueue, AppendsAllEvenWhenThePoolIsExhausted) {
  BufferPool pool;
  BufferPool exhausted(0);
  ReceiveQueue queue;
  Packet first = packet_of(pool, stream_bytes(0, 1500));
  ASSERT_TRUE(queue.append(pool, first));
  ReceiveQueue other;
  Packet second = packet_of(pool, stream_bytes(1500, 20));
  ASSERT_TRUE(other.append(pool, second));
  queue.append_all(exhausted, std::move(other));
  EXPECT_EQ(read(queue, 3000), stream_bytes(0, 1520));
}

}  // namespace
}  // namespace hawser::tcp
