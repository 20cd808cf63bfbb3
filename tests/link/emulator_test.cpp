#include "link/emulator.hpp"

#include <gtest/gtest.h>

#include "tests/link/support.hpp"

namespace hawser::link {
namespace {

using namespace std::chrono_literals;
using testing::Bytes;
using testing::FakeDevice;
using testing::pattern;

Instant at(Duration since_begin) { return Instant{1h} + since_begin; }

/// left == emulator == right
struct Rig {
  explicit Rig(const Impairment& there, const Impairment& back = {}, std::uint64_t seed = 1) {
    auto first = std::make_unique<FakeDevice>();
    auto second = std::make_unique<FakeDevice>();
    left = first.get();
    right = second.get();
    emulator = std::make_unique<Emulator>(
        EmulatorEnd{std::move(first), [this] { return std::span<const Instant>(arrivals); }},
        EmulatorEnd{std::move(second)}, EmulatorConfig{{there, back}, seed});
  }
  void arrive(FakeDevice& device, std::size_t count, std::size_t size = 1000) {
    for (std::size_t i = 0; i < count; ++i) device.arriving.push_back(pattern(size, i));
  }
  /// What a driver does that is never late.
  void run_until(Instant end) {
    while (emulator->next_deadline() <= end) emulator->turn(emulator->next_deadline());
  }

  std::vector<Instant> arrivals;  ///< of what the left end gives, if it is to know
  FakeDevice* left;
  FakeDevice* right;
  std::unique_ptr<Emulator> emulator;
};

TEST(Emulator, EachWayHasItsOwnDelay) {
  Rig rig({.delay = 10ms}, {.delay = 30ms});
  rig.arrive(*rig.left, 1);
  rig.arrive(*rig.right, 2);
  rig.emulator->turn(at(0ms));
  EXPECT_EQ(rig.emulator->next_deadline(), at(10ms));
  rig.emulator->turn(at(10ms));
  EXPECT_EQ(rig.right->written, std::vector<Bytes>{pattern(1000)});
  EXPECT_TRUE(rig.left->written.empty());
  EXPECT_EQ(rig.emulator->in_flight(Way::back), 2U);
  rig.emulator->turn(at(30ms));
  EXPECT_EQ(rig.left->written, (std::vector<Bytes>{pattern(1000, 0), pattern(1000, 1)}));
  EXPECT_EQ(rig.emulator->next_deadline(), kNever);
}

TEST(Emulator, LossIsCountedAndTheSeedDecidesIt) {
  const auto arrived = [](std::uint64_t seed) {
    Rig rig({.loss = 0.3}, {}, seed);
    rig.arrive(*rig.left, 200);
    rig.emulator->turn(at(0ms));
    const PathCounters& counters = rig.emulator->counters(Way::there);
    EXPECT_EQ(counters.frames, 200U);
    EXPECT_GT(counters.of(FrameFate::lost), 30U);
    EXPECT_EQ(counters.of(FrameFate::lost) + rig.right->written.size(), 200U);
    return rig.right->written;
  };
  EXPECT_EQ(arrived(5), arrived(5));
  EXPECT_NE(arrived(5), arrived(6));
}

TEST(Emulator, AChangeHoldsForWhatArrivesLater) {
  Rig rig({.delay = 10ms});
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(0ms));
  rig.emulator->set_impairment(Way::there, {.partitioned = true});
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(1ms));
  rig.run_until(at(1s));
  EXPECT_EQ(rig.right->written.size(), 1U);
  EXPECT_EQ(rig.emulator->counters(Way::there).of(FrameFate::partitioned), 1U);
}

TEST(Emulator, ABlockedDeviceHoldsUpTheOtherEnd) {
  Rig rig({});
  rig.right->room = 1;
  rig.arrive(*rig.left, 3);
  rig.emulator->turn(at(0ms));
  EXPECT_FALSE(rig.emulator->takes(Way::there));
  EXPECT_TRUE(rig.emulator->takes(Way::back));
  EXPECT_EQ(rig.emulator->next_deadline(), kNever);
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(1ms));
  EXPECT_EQ(rig.left->arriving.size(), 1U);
  rig.right->room = SIZE_MAX;
  rig.emulator->turn(at(2ms));
  rig.emulator->turn(at(3ms));
  EXPECT_EQ(rig.right->written.size(), 4U);
  EXPECT_TRUE(rig.emulator->takes(Way::there));
}

// At 80 Mbit/s a frame of 1000 bytes takes 0.1 ms, and the queue holds 20 of them.
constexpr Impairment kSlow{.rate = 80'000'000, .queue = 20'000};

TEST(Emulator, WhoIsLateFindsManyFramesAndLosesNone) {
  Rig rig(kSlow);
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(0ms));
  rig.arrive(*rig.left, 100);  // due at 0.1 ms, and woken 10 ms later
  rig.emulator->turn(at(10100us));
  rig.run_until(at(1s));
  EXPECT_EQ(rig.right->written.size(), 101U);
}

TEST(Emulator, WhoIsInTimeFindsABurstAndItsQueueOverflows) {
  Rig rig(kSlow);
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(0ms));
  rig.emulator->turn(at(100us));
  rig.arrive(*rig.left, 100);  // nothing was due: all of them came at once
  rig.emulator->turn(at(10100us));
  rig.run_until(at(1s));
  EXPECT_EQ(rig.emulator->counters(Way::there).of(FrameFate::queue_overflow), 80U);
}

TEST(Emulator, ALateFrameIsNeverEarly) {
  Rig rig({.rate = 80'000'000, .delay = 5ms});
  rig.arrive(*rig.left, 1);
  rig.emulator->turn(at(0ms));
  rig.emulator->turn(at(5100us));
  rig.arrive(*rig.right, 1);
  rig.arrive(*rig.left, 2);
  rig.emulator->turn(at(20ms));
  EXPECT_EQ(rig.right->written.size(), 1U);
  EXPECT_GE(rig.emulator->next_deadline(), at(20ms));
  rig.emulator->turn(at(24999us));
  EXPECT_EQ(rig.right->written.size(), 1U);
}

TEST(Emulator, WhenFramesArrivedIsBelieved) {
  Rig rig({.rate = 80'000'000, .delay = 5ms, .queue = 2000});
  rig.arrive(*rig.left, 3);
  rig.arrivals = {at(1ms), at(2ms), at(3ms)};
  rig.emulator->turn(at(4ms));
  for (const Duration arrival : {6100us, 7100us, 8100us}) {
    EXPECT_EQ(rig.emulator->next_deadline(), at(arrival));
    rig.emulator->turn(at(arrival));
  }
  EXPECT_EQ(rig.right->written.size(), 3U);
}

/// An IPv4 packet of that size that must not be fragmented.
Bytes unfragmentable(std::size_t size) {
  Bytes packet = pattern(size);
  const std::array<int, 20> header = {0x45,
                                      0,
                                      static_cast<int>(size >> 8),
                                      static_cast<int>(size & 0xff),
                                      0,
                                      1,
                                      0x40,
                                      0,
                                      64,
                                      17,
                                      0,
                                      0,
                                      10,
                                      0,
                                      0,
                                      1,
                                      10,
                                      0,
                                      0,
                                      2};
  std::ranges::transform(header, packet.begin(), [](int b) { return static_cast<std::byte>(b); });
  unsigned sum = 0;
  for (std::size_t i = 0; i < 20; i += 2) {
    sum += static_cast<unsigned>(header.at(i)) << 8 | static_cast<unsigned>(header.at(i + 1));
  }
  sum = ~((sum & 0xffff) + (sum >> 16));
  packet[10] = static_cast<std::byte>(sum >> 8);
  packet[11] = static_cast<std::byte>(sum);
  return packet;
}

TEST(Emulator, ARouterTellsTheSenderOfANarrowLink) {
  for (const bool silent : {false, true}) {
    Rig rig({.mtu = 1000, .mtu_silent = silent});
    rig.left->arriving.push_back(unfragmentable(1200));
    rig.emulator->turn(at(0ms));
    EXPECT_EQ(rig.emulator->counters(Way::there).of(FrameFate::too_big), 1U);
    EXPECT_TRUE(rig.right->written.empty());
    ASSERT_EQ(rig.left->written.size(), silent ? 0U : 1U);
    if (silent) continue;
    const Bytes& error = rig.left->written.front();
    EXPECT_EQ(std::to_integer<int>(error[9]), 1);   // ICMP
    EXPECT_EQ(std::to_integer<int>(error[20]), 3);  // unreachable
    EXPECT_EQ(std::to_integer<int>(error[21]), 4);  // too big
    EXPECT_EQ(std::to_integer<int>(error[26]) * 256 + std::to_integer<int>(error[27]), 1000);
  }
}

}  // namespace
}  // namespace hawser::link
