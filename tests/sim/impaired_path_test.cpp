// What a path does to frames: each impairment alone, and that a seed decides all.
#include "sim/impaired_path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hawser::sim {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};

class ImpairedPathTest : public ::testing::Test {
 protected:
  ImpairedPath path(const Impairment& impairment, std::uint64_t seed = 7) {
    return ImpairedPath(impairment, Random(seed), pool_);
  }

  /// A frame of 20 own bytes and a slice, which carries its number in its first byte.
  Packet frame(std::uint8_t number, std::uint32_t size = 1000) {
    Packet packet = pool_.take_packet();
    std::ranges::fill(packet.prepend(20), std::byte{number});
    if (size > 20) {
      Slice slice = pool_.take(size - 20);
      std::ranges::fill(slice.spare().first(size - 20), std::byte{0xaa});
      slice.extend(size - 20);
      packet.append(std::move(slice));
    }
    return packet;
  }

  static std::uint8_t number_of(const Packet& packet) {
    return std::to_integer<std::uint8_t>(packet.head()[0]);
  }

  static std::vector<std::uint8_t> numbers(ImpairedPath& from) {
    std::vector<Packet> out;
    from.poll_frames(Instant(2h), out, 100000);
    std::vector<std::uint8_t> result;
    for (const Packet& packet : out) result.push_back(number_of(packet));
    return result;
  }

  BufferPool pool_;
};

TEST_F(ImpairedPathTest, PerfectWireDeliversAtOnceAndInOrder) {
  ImpairedPath wire = path({});
  for (std::uint8_t i = 0; i < 5; ++i) wire.on_frame(kStart, frame(i));
  EXPECT_EQ(wire.next_deadline(), kStart);
  EXPECT_EQ(numbers(wire), (std::vector<std::uint8_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(wire.next_deadline(), kNever);
  EXPECT_EQ(wire.counters().of(FrameFate::delivered), 5U);
  EXPECT_EQ(wire.counters().bytes, 5000U);
}

TEST_F(ImpairedPathTest, WhatIsLargerThanTheMtuVanishes) {
  ImpairedPath narrow = path({.mtu = 1280});
  EXPECT_EQ(narrow.on_frame(kStart, frame(1, 1280)).fate, FrameFate::delivered);
  EXPECT_EQ(narrow.on_frame(kStart, frame(2, 1281)).fate, FrameFate::too_big);
  EXPECT_EQ(narrow.counters().of(FrameFate::too_big), 1U);
  EXPECT_EQ(numbers(narrow), std::vector<std::uint8_t>{1});
}

TEST_F(ImpairedPathTest, RateSerialisesAndDelayAdds) {
  ImpairedPath link = path({.rate = 8'000'000, .delay = 20ms});  // 1000 bytes take 1 ms
  EXPECT_EQ(link.on_frame(kStart, frame(0)).arrives, kStart + 21ms);
  EXPECT_EQ(link.on_frame(kStart, frame(1)).arrives, kStart + 22ms);
  EXPECT_EQ(link.on_frame(kStart + 10ms, frame(2)).arrives, kStart + 31ms);
  EXPECT_FALSE(link.poll(kStart + 21ms - 1ns).frame);
  EXPECT_EQ(number_of(link.poll(kStart + 21ms).frame), 0);
  EXPECT_FALSE(link.poll(kStart + 21ms).frame);
  EXPECT_EQ(link.next_deadline(), kStart + 22ms);
}

TEST_F(ImpairedPathTest, QueueIsBoundedInBytesButAnIdleLinkTakesAnyFrame) {
  ImpairedPath link = path({.rate = 8'000'000, .queue = 2500});
  EXPECT_EQ(link.on_frame(kStart, frame(0, 9000)).fate, FrameFate::delivered);
  EXPECT_EQ(link.on_frame(kStart, frame(1)).fate, FrameFate::queue_overflow);
  const Instant drained = kStart + 9ms;
  EXPECT_EQ(link.on_frame(drained, frame(2)).fate, FrameFate::delivered);
  EXPECT_EQ(link.on_frame(drained, frame(3)).fate, FrameFate::delivered);
  EXPECT_EQ(link.on_frame(drained, frame(4)).fate, FrameFate::queue_overflow);
  EXPECT_EQ(link.counters().of(FrameFate::queue_overflow), 2U);
}

TEST_F(ImpairedPathTest, JitterNeverReorders) {
  ImpairedPath link = path({.delay = 1ms, .jitter = 50ms});
  std::vector<std::uint8_t> expected;
  for (std::uint8_t i = 0; i < 200; ++i) {
    link.on_frame(kStart + i * 1ms, frame(i));
    expected.push_back(i);
  }
  EXPECT_EQ(numbers(link), expected);
}

TEST_F(ImpairedPathTest, ShorterDelayWhileItRunsDoesNotReorder) {
  ImpairedPath link = path({.delay = 100ms});
  link.on_frame(kStart, frame(0));
  link.set_impairment({.delay = 1ms});
  EXPECT_EQ(link.on_frame(kStart, frame(1)).arrives, kStart + 100ms);
  EXPECT_EQ(numbers(link), (std::vector<std::uint8_t>{0, 1}));
}

TEST_F(ImpairedPathTest, ReorderedFramesAreOvertaken) {
  ImpairedPath link = path({.delay = 1ms, .reorder = 0.2, .reorder_delay = 5ms});
  for (std::uint8_t i = 0; i < 100; ++i) link.on_frame(kStart + i * 1ms, frame(i));
  const std::uint64_t reordered = link.counters().reordered;
  const auto order = numbers(link);
  EXPECT_EQ(order.size(), 100U);
  EXPECT_FALSE(std::ranges::is_sorted(order));
  EXPECT_GT(reordered, 5U);
  EXPECT_LT(reordered, 40U);
}

TEST_F(ImpairedPathTest, LossComesNearItsProbability) {
  ImpairedPath link = path({.loss = 0.3});
  for (int i = 0; i < 10000; ++i) link.on_frame(kStart, frame(0, 20));
  EXPECT_NEAR(static_cast<double>(link.counters().of(FrameFate::lost)), 3000, 150);
}

TEST_F(ImpairedPathTest, BurstsHaveTheirLength) {
  ImpairedPath link = path({.burst = {.enter = 0.01, .leave = 0.25}});
  int bursts = 0;
  bool last = false;
  for (int i = 0; i < 20000; ++i) {
    const bool lost = link.on_frame(kStart, frame(0, 20)).fate == FrameFate::lost;
    bursts += lost && !last ? 1 : 0;
    last = lost;
  }
  const auto losses = static_cast<double>(link.counters().of(FrameFate::lost));
  EXPECT_NEAR(losses / bursts, 4, 1);
}

// A sender that backs off met the same burst for minutes.
TEST_F(ImpairedPathTest, ABurstEndsWithItsTimeEvenIfNoFrameEndsIt) {
  ImpairedPath link = path({.burst = {.enter = 1, .leave = 0, .longest = 100ms}});
  const auto fate = [&](Instant when) { return link.on_frame(when, frame(0)).fate; };
  EXPECT_EQ(fate(kStart), FrameFate::lost);
  link.set_impairment({.burst = {.enter = 0, .leave = 0, .longest = 100ms}});
  EXPECT_EQ(fate(kStart + 99ms), FrameFate::lost);
  EXPECT_EQ(fate(kStart + 100ms), FrameFate::delivered);
  EXPECT_EQ(fate(kStart + 101ms), FrameFate::delivered);
}

TEST_F(ImpairedPathTest, DuplicatesFollowTheirOriginal) {
  ImpairedPath link = path({.duplicate = 1});
  EXPECT_TRUE(link.on_frame(kStart, frame(1)).duplicated);
  link.on_frame(kStart, frame(2));
  EXPECT_EQ(numbers(link), (std::vector<std::uint8_t>{1, 1, 2, 2}));
  EXPECT_EQ(link.counters().duplicated, 2U);
}

TEST_F(ImpairedPathTest, CorruptionChangesOneByteOfACopy) {
  ImpairedPath link = path({.corrupt = 1});
  for (int round = 0; round < 50; ++round) {
    Packet original = frame(3);
    original.set_checksum(ChecksumMark::verified);
    EXPECT_TRUE(link.on_frame(kStart, original.share()).corrupted);
    const Arrival arrival = link.poll(kStart);
    ASSERT_EQ(arrival.frame.size(), original.size());
    EXPECT_EQ(arrival.frame.checksum(), ChecksumMark::in_frame);
    std::vector<std::byte> before(original.size());
    std::vector<std::byte> after(original.size());
    original.copy_to(0, before);
    arrival.frame.copy_to(0, after);
    int changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
    EXPECT_EQ(changed, 1);
    EXPECT_TRUE(std::ranges::all_of(std::span(before).subspan(20),
                                    [](std::byte b) { return b == std::byte{0xaa}; }));
  }
}

TEST_F(ImpairedPathTest, PartitionStopsWhatEntersAndHeals) {
  ImpairedPath link = path({.delay = 10ms});
  link.on_frame(kStart, frame(0));
  link.set_impairment({.delay = 10ms, .partitioned = true});
  EXPECT_EQ(link.on_frame(kStart, frame(1)).fate, FrameFate::partitioned);
  link.set_impairment({.delay = 10ms});
  link.on_frame(kStart, frame(2));
  EXPECT_EQ(numbers(link), (std::vector<std::uint8_t>{0, 2}));
  EXPECT_EQ(link.counters().of(FrameFate::partitioned), 1U);
}

TEST_F(ImpairedPathTest, FatesAddUpAndMemoryComesBack) {
  ImpairedPath link = path({.rate = 1'000'000,
                            .jitter = 3ms,
                            .queue = 20000,
                            .loss = 0.1,
                            .burst = {.enter = 0.02, .leave = 0.5},
                            .reorder = 0.1,
                            .duplicate = 0.1,
                            .corrupt = 0.1});
  for (std::uint8_t i = 0; i < 250; ++i) link.on_frame(kStart + i * 2ms, frame(i));
  std::uint64_t sum = 0;
  for (const std::uint64_t fate : link.counters().fates) sum += fate;
  EXPECT_EQ(sum, link.counters().frames);
  EXPECT_EQ(numbers(link).size(),
            link.counters().of(FrameFate::delivered) + link.counters().duplicated);
  EXPECT_EQ(link.in_flight(), 0U);
  EXPECT_EQ(pool_.bytes_in_use(), 0U);
}

TEST_F(ImpairedPathTest, SameSeedSameFates) {
  const Impairment impairment{
      .jitter = 3ms, .loss = 0.2, .reorder = 0.2, .duplicate = 0.2, .corrupt = 0.2};
  const auto fates = [&](std::uint64_t seed) {
    ImpairedPath link = path(impairment, seed);
    std::vector<std::int64_t> trace;
    for (int i = 0; i < 200; ++i) {
      const FrameVerdict verdict = link.on_frame(kStart + i * 1ms, frame(0));
      trace.push_back(verdict.arrives.time_since_epoch().count());
      trace.push_back(static_cast<std::int64_t>(verdict.fate));
    }
    return trace;
  };
  EXPECT_EQ(fates(1), fates(1));
  EXPECT_NE(fates(1), fates(2));
}

TEST_F(ImpairedPathTest, ChangingOneProbabilityKeepsTheFatesOfTheOthers) {
  ImpairedPath a = path({.loss = 0.2});
  ImpairedPath b = path({.loss = 0.2, .duplicate = 0.5, .corrupt = 0.5});
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(a.on_frame(kStart, frame(0)).fate, b.on_frame(kStart, frame(0)).fate);
  }
}

}  // namespace
}  // namespace hawser::sim
