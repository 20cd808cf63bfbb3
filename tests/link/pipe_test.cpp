#include "hawser/pipe.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "tests/link/support.hpp"

namespace hawser {
namespace {

using link::testing::Bytes;
using link::testing::contents;
using link::testing::packet_of;
using link::testing::pattern;
using link::testing::polls;

constexpr Instant kNow{};

std::vector<Bytes> read_all(Device& device, BufferPool& pool, std::size_t limit = 1000) {
  std::vector<Packet> frames;
  const std::size_t count = device.read(kNow, pool, frames, limit);
  EXPECT_EQ(count, frames.size());
  std::vector<Bytes> result;
  for (const Packet& frame : frames) result.push_back(contents(frame));
  return result;
}

std::size_t write_one(Device& device, BufferPool& pool, const Bytes& bytes) {
  Packet frame = packet_of(pool, bytes);
  const std::size_t taken = device.write(kNow, std::span(&frame, 1));
  EXPECT_EQ(static_cast<bool>(frame), taken == 0) << "what is taken is left empty";
  return taken;
}

TEST(Pipe, CarriesFramesBothWaysInOrder) {
  BufferPool near_pool;
  BufferPool far_pool;
  const auto [near, far] = make_pipe();
  EXPECT_EQ(near->mtu(), 1500U);
  for (std::size_t i = 0; i < 50; ++i) {
    ASSERT_EQ(write_one(*near, near_pool, pattern(1 + i * 30, i)), 1U);
    ASSERT_EQ(write_one(*far, far_pool, pattern(20 + i, i + 1)), 1U);
  }
  const auto there = read_all(*far, far_pool);
  const auto back = read_all(*near, near_pool);
  ASSERT_EQ(there.size(), 50U);
  ASSERT_EQ(back.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(there[i], pattern(1 + i * 30, i));
    EXPECT_EQ(back[i], pattern(20 + i, i + 1));
  }
}

TEST(Pipe, PollsReadableWhileThereAreFramesAndNeverWritable) {
  BufferPool pool;
  const auto [near, far] = make_pipe();
  EXPECT_FALSE(polls(far->descriptor(), POLLIN | POLLOUT));
  write_one(*near, pool, pattern(100));
  write_one(*near, pool, pattern(100));
  EXPECT_TRUE(polls(far->descriptor(), POLLIN));
  EXPECT_FALSE(polls(near->descriptor(), POLLIN | POLLOUT));
  EXPECT_EQ(read_all(*far, pool, 1).size(), 1U);
  EXPECT_TRUE(polls(far->descriptor(), POLLIN)) << "one is left";
  EXPECT_EQ(read_all(*far, pool).size(), 1U);
  EXPECT_FALSE(polls(far->descriptor(), POLLIN | POLLOUT));
  EXPECT_EQ(far->next_deadline(), kNever);
}

TEST(Pipe, BlocksAWriterUntilThereIsRoomAgain) {
  BufferPool pool;
  const auto [near, far] = make_pipe({.mtu = 1000, .queue = 10000});
  std::vector<Packet> frames;
  for (std::size_t i = 0; i < 12; ++i) frames.push_back(packet_of(pool, pattern(1000, i)));
  const std::size_t taken = near->write(kNow, frames);
  EXPECT_EQ(taken, 9U);
  EXPECT_FALSE(frames[8]);
  EXPECT_TRUE(frames[9]);
  EXPECT_TRUE(near->wants_writable());
  EXPECT_FALSE(polls(near->descriptor(), POLLIN | POLLOUT));
  EXPECT_EQ(near->write(kNow, std::span(frames).subspan(taken)), 0U);
  EXPECT_EQ(read_all(*far, pool, 2).size(), 2U);
  EXPECT_FALSE(polls(near->descriptor(), POLLIN)) << "half of the room makes waking worth it";
  EXPECT_EQ(read_all(*far, pool, 4).size(), 4U);
  EXPECT_TRUE(polls(near->descriptor(), POLLIN));
  EXPECT_TRUE(read_all(*near, pool).empty());
  EXPECT_FALSE(polls(near->descriptor(), POLLIN));
  EXPECT_EQ(near->write(kNow, std::span(frames).subspan(taken)), 3U);
  EXPECT_FALSE(near->wants_writable());
  const auto rest = read_all(*far, pool);
  ASSERT_EQ(rest.size(), 6U);
  EXPECT_EQ(rest.back(), pattern(1000, 11));
}

TEST(Pipe, LosesWhatIsLargerThanItsMtuOrHasNoReader) {
  BufferPool pool;
  auto [near, far] = make_pipe({.mtu = 500});
  EXPECT_EQ(write_one(*near, pool, pattern(501)), 1U);
  EXPECT_EQ(write_one(*near, pool, pattern(500)), 1U);
  EXPECT_EQ(read_all(*far, pool).size(), 1U);
  far.reset();
  for (int i = 0; i < 10000; ++i) ASSERT_EQ(write_one(*near, pool, pattern(500)), 1U);
  EXPECT_FALSE(near->wants_writable());
}

TEST(Pipe, WakesAWriterWhoseReaderGoesAway) {
  BufferPool pool;
  auto [near, far] = make_pipe({.mtu = 1000, .queue = 1004});
  EXPECT_EQ(write_one(*near, pool, pattern(1000)), 1U);
  EXPECT_EQ(write_one(*near, pool, pattern(1000)), 0U);
  far.reset();
  EXPECT_TRUE(polls(near->descriptor(), POLLIN));
  EXPECT_EQ(write_one(*near, pool, pattern(1000)), 1U);
}

TEST(Pipe, KeepsFramesForWhichTheReaderHasNoMemory) {
  BufferPool pool;
  BufferPool small(4000);
  const auto [near, far] = make_pipe();
  for (std::size_t i = 0; i < 3; ++i) write_one(*near, pool, pattern(100, i));
  std::vector<Packet> held;
  EXPECT_EQ(far->read(kNow, small, held, 10), 1U);
  EXPECT_TRUE(polls(far->descriptor(), POLLIN));
  held.clear();
  EXPECT_EQ(read_all(*far, pool), (std::vector<Bytes>{pattern(100, 1), pattern(100, 2)}));
}

TEST(Pipe, RefusesAQueueWithoutRoomForOneFrame) {
  EXPECT_THROW(make_pipe({.mtu = 1500, .queue = 1503}), std::invalid_argument);
  EXPECT_NO_THROW(make_pipe({.mtu = 1500, .queue = 1504}));
}

/// Sends `count` frames of growing sizes as their driver would.
void send_all(Device& device, std::size_t count) {
  BufferPool pool;
  std::vector<Packet> queue;
  for (std::size_t sent = 0; sent < count || !queue.empty();) {
    while (queue.size() < 32 && sent < count) {
      queue.push_back(packet_of(pool, pattern(1 + sent % 1400, sent)));
      ++sent;
    }
    const std::size_t taken = device.write(kNow, queue);
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(taken));
    if (!queue.empty()) {
      ASSERT_TRUE(polls(device.descriptor(), POLLIN, 30000));
      read_all(device, pool);
    }
  }
}

void receive_all(Device& device, std::size_t count) {
  BufferPool pool;
  for (std::size_t got = 0; got < count;) {
    ASSERT_TRUE(polls(device.descriptor(), POLLIN, 30000));
    for (const Bytes& frame : read_all(device, pool, 16)) {
      ASSERT_EQ(frame, pattern(1 + got % 1400, got));
      ++got;
    }
  }
}

TEST(Pipe, JoinsTwoThreads) {
  constexpr std::size_t kFrames = 20000;
  const auto [near, far] = make_pipe({.mtu = 1500, .queue = 20000});
  std::thread sender([&near = near] { send_all(*near, kFrames); });
  receive_all(*far, kFrames);
  sender.join();
}

TEST(Pipe, CarriesFramesOfAnEthernetBetweenTwoAddresses) {
  const MacAddress one({2, 0, 0, 0, 0, 1});
  const MacAddress two({2, 0, 0, 0, 0, 2});
  BufferPool pool;
  const auto [near, far] = make_pipe({.mtu = 100, .macs = std::array{one, two}});
  EXPECT_EQ(near->mac(), one);
  EXPECT_EQ(far->mac(), two);
  EXPECT_EQ(near->mtu(), 100U);
  write_one(*near, pool, pattern(118));  // the header, with a tag, is not part of the MTU
  write_one(*near, pool, pattern(119));
  EXPECT_EQ(read_all(*far, pool), std::vector<Bytes>{pattern(118)});
  EXPECT_FALSE(make_pipe().first->mac());
}

}  // namespace
}  // namespace hawser
