#include "hawser/impaired.hpp"

#include <gtest/gtest.h>

#include "tests/link/support.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using link::testing::Bytes;
using link::testing::contents;
using link::testing::FakeDevice;
using link::testing::packet_of;
using link::testing::pattern;

Instant at(Duration since_begin) { return Instant{} + since_begin; }

/// An impaired device and the one below it.
struct Rig {
  explicit Rig(const ImpairedConfig& config) {
    auto owned = std::make_unique<FakeDevice>();
    below = owned.get();
    device = std::make_unique<ImpairedDevice>(std::move(owned), config);
  }
  std::size_t write(Instant now, std::size_t count, std::size_t first = 0) {
    std::vector<Packet> frames;
    for (std::size_t i = 0; i < count; ++i) {
      frames.push_back(packet_of(pool, pattern(100, first + i)));
    }
    return device->write(now, frames);
  }
  std::vector<Bytes> read(Instant now, std::size_t limit = 100) {
    std::vector<Packet> frames;
    const std::size_t count = device->read(now, pool, frames, limit);
    EXPECT_EQ(count, frames.size());
    std::vector<Bytes> result;
    for (const Packet& frame : frames) result.push_back(contents(frame));
    return result;
  }

  BufferPool pool;
  FakeDevice* below;
  std::unique_ptr<ImpairedDevice> device;
};

TEST(Impaired, WithoutImpairmentLetsAllThrough) {
  Rig rig({});
  EXPECT_EQ(rig.write(at(1s), 100), 100U);
  EXPECT_EQ(rig.below->written.size(), 100U);
  rig.below->arriving = {pattern(10), pattern(20)};
  EXPECT_EQ(rig.read(at(1s)), (std::vector<Bytes>{pattern(10), pattern(20)}));
  EXPECT_EQ(rig.device->next_deadline(), kNever);
  EXPECT_EQ(rig.device->mtu(), 1400U);
  EXPECT_EQ(rig.device->descriptor(), 77);
  EXPECT_FALSE(rig.device->wants_writable());
}

TEST(Impaired, DelaysEachDirectionByItsOwn) {
  Rig rig({.outbound = {.delay = 10ms}, .inbound = {.delay = 30ms}});
  rig.write(at(1s), 1);
  EXPECT_TRUE(rig.below->written.empty());
  EXPECT_EQ(rig.device->next_deadline(), at(1010ms));
  rig.below->arriving = {pattern(10)};
  EXPECT_TRUE(rig.read(at(1s)).empty());
  rig.device->write(at(1009ms), {});
  EXPECT_TRUE(rig.below->written.empty());
  rig.device->write(at(1010ms), {});
  EXPECT_EQ(rig.below->written.size(), 1U);
  EXPECT_EQ(rig.device->next_deadline(), at(1030ms));
  EXPECT_TRUE(rig.read(at(1029ms)).empty());
  EXPECT_EQ(rig.read(at(1030ms)).size(), 1U);
  EXPECT_EQ(rig.device->next_deadline(), kNever);
}

TEST(Impaired, CountsWhatIsLostAsTaken) {
  Rig rig({.outbound = {.loss = 0.5}, .inbound = {.loss = 1.0}});
  EXPECT_EQ(rig.write(at(1s), 1000), 1000U);
  EXPECT_NEAR(static_cast<double>(rig.below->written.size()), 500, 80);
  EXPECT_EQ(rig.device->outbound().of(FrameFate::lost), 1000 - rig.below->written.size());
  rig.below->arriving = {pattern(10), pattern(20)};
  EXPECT_TRUE(rig.read(at(1s)).empty());
  EXPECT_EQ(rig.device->inbound().of(FrameFate::lost), 2U);
}

TEST(Impaired, RepeatsForASeed) {
  const auto run = [](std::uint64_t seed) {
    Rig rig({.outbound = {.loss = 0.3, .duplicate = 0.2, .corrupt = 0.1}, .seed = seed});
    rig.write(at(1s), 300);
    return rig.below->written;
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST(Impaired, CorruptsACopy) {
  Rig rig({.outbound = {.corrupt = 1.0}});
  Packet frame = packet_of(rig.pool, pattern(100));
  const Packet kept = frame.share();
  EXPECT_EQ(rig.device->write(at(1s), std::span(&frame, 1)), 1U);
  ASSERT_EQ(rig.below->written.size(), 1U);
  EXPECT_NE(rig.below->written[0], pattern(100));
  EXPECT_EQ(contents(kept), pattern(100)) << "the sender keeps it for retransmission";
}

TEST(Impaired, WaitsForABlockedDeviceAndTakesNoMore) {
  Rig rig({.outbound = {.delay = 10ms}});
  rig.below->room = 2;
  EXPECT_EQ(rig.write(at(0ms), 5), 5U);
  rig.device->write(at(10ms), {});
  EXPECT_EQ(rig.below->written.size(), 2U);
  EXPECT_TRUE(rig.device->wants_writable());
  EXPECT_EQ(rig.device->next_deadline(), kNever) << "the descriptor tells, not the clock";
  EXPECT_EQ(rig.write(at(20ms), 1, 5), 0U);
  rig.below->room = 100;
  EXPECT_EQ(rig.write(at(30ms), 1, 5), 1U);
  EXPECT_EQ(rig.below->written.size(), 5U);
  EXPECT_FALSE(rig.device->wants_writable());
  EXPECT_EQ(rig.device->next_deadline(), at(40ms));
  rig.device->write(at(40ms), {});
  ASSERT_EQ(rig.below->written.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(rig.below->written[i], pattern(100, i));
}

TEST(Impaired, MovesMoreThanOneBatchAtATime) {
  Rig rig({.outbound = {.delay = 10ms}});
  rig.write(at(0ms), 500);
  rig.device->write(at(10ms), {});
  EXPECT_EQ(rig.below->written.size(), 500U);
}

TEST(Impaired, LeavesTheRestForTheNextRead) {
  Rig rig({.inbound = {.delay = 10ms}});
  for (std::size_t i = 0; i < 10; ++i) rig.below->arriving.push_back(pattern(50, i));
  EXPECT_TRUE(rig.read(at(0ms)).empty());
  EXPECT_EQ(rig.read(at(10ms), 4).size(), 4U);
  EXPECT_LE(rig.device->next_deadline(), at(10ms));
  EXPECT_EQ(rig.read(at(10ms)).size(), 6U);
}

TEST(Impaired, GivesAllMemoryBack) {
  Rig rig({.outbound = {.delay = 1h, .duplicate = 0.5, .corrupt = 0.5}});
  rig.write(at(0ms), 50);
  EXPECT_GT(rig.pool.bytes_in_use(), 0U);
  rig.device.reset();
  EXPECT_EQ(rig.pool.bytes_in_use(), 0U);
}

}  // namespace
}  // namespace hawser
