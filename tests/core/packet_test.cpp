#include "hawser/packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/random.hpp"

namespace hawser {
namespace {

using Bytes = std::vector<std::byte>;

Bytes counting(std::size_t size, std::size_t first = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i);
  return bytes;
}

Slice slice_of(BufferPool& pool, const Bytes& bytes) {
  Slice slice = pool.take(static_cast<std::uint32_t>(bytes.size()));
  std::ranges::copy(bytes, slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(bytes.size()));
  return slice;
}

Bytes contents(const Packet& packet) {
  Bytes bytes(packet.size());
  packet.copy_to(0, bytes);
  return bytes;
}

TEST(Packet, PutsHeadersBeforePayload) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  ASSERT_TRUE(packet.append(slice_of(pool, counting(10, 20))));
  EXPECT_EQ(packet.head().size(), 10U) << "without own bytes the first slice leads";
  std::ranges::copy(counting(12, 8), packet.prepend(12).begin());
  std::ranges::copy(counting(8, 0), packet.prepend(8).begin());
  EXPECT_EQ(packet.head().size(), 20U);
  EXPECT_EQ(contents(packet), counting(30));
  packet.own_bytes()[0] = std::byte{99};
  EXPECT_EQ(contents(packet)[0], std::byte{99});
}

TEST(Packet, CopiesSmallPayloadsIntoItself) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  EXPECT_FALSE(packet.append_copy(Bytes(Packet::kInlineRoom + 1)));
  EXPECT_TRUE(packet.append_copy(Bytes(Packet::kInlineRoom)));
  EXPECT_FALSE(packet.append_copy(Bytes(1)));
  EXPECT_EQ(packet.prepend(Packet::kHeadroom).size(), Packet::kHeadroom);
  EXPECT_EQ(packet.size(), Packet::kInlineRoom + Packet::kHeadroom);
  Packet sliced = pool.take_packet();
  ASSERT_TRUE(sliced.append(slice_of(pool, counting(1))));
  EXPECT_FALSE(sliced.append_copy(Bytes(1))) << "own bytes come first";
}

TEST(Packet, TakesEightSlices) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  for (std::size_t i = 0; i < Packet::kMaxSlices; ++i) {
    EXPECT_TRUE(packet.append(slice_of(pool, counting(3, 3 * i))));
  }
  EXPECT_FALSE(packet.append(slice_of(pool, counting(3))));
  EXPECT_EQ(contents(packet), counting(24));
  EXPECT_EQ(packet.slices().size(), 8U);
}

/// Own bytes and slices in random sizes, against a plain vector.
struct Model {
  Packet packet;
  Bytes bytes;
};

Model random_packet(BufferPool& pool, Random& random) {
  Model model{pool.take_packet(), counting(random.below(50))};
  EXPECT_TRUE(model.packet.append_copy(model.bytes));
  for (std::uint64_t left = random.below(Packet::kMaxSlices + 1); left > 0; --left) {
    const Bytes part = counting(1 + random.below(40), random.below(256));
    EXPECT_TRUE(model.packet.append(slice_of(pool, part)));
    model.bytes.insert(model.bytes.end(), part.begin(), part.end());
  }
  return model;
}

TEST(Packet, IsTrimmedTruncatedAndReadLikeAVector) {
  BufferPool pool;
  Random random(10);
  for (int round = 0; round < 3000; ++round) {
    Model model = random_packet(pool, random);
    const std::size_t front = random.below(model.bytes.size() + 1);
    model.packet.trim_front(static_cast<std::uint32_t>(front));
    model.bytes.erase(model.bytes.begin(),
                      model.bytes.begin() + static_cast<std::ptrdiff_t>(front));
    ASSERT_EQ(contents(model.packet), model.bytes);
    const std::size_t kept = random.below(model.bytes.size() + 1);
    model.packet.truncate(static_cast<std::uint32_t>(kept));
    model.bytes.resize(kept);
    ASSERT_EQ(model.packet.size(), kept);
    ASSERT_EQ(contents(model.packet), model.bytes);
    const std::size_t from = random.below(kept + 1);
    Bytes part(random.below(kept - from + 1));
    model.packet.copy_to(static_cast<std::uint32_t>(from), part);
    ASSERT_TRUE(std::equal(part.begin(), part.end(),
                           model.bytes.begin() + static_cast<std::ptrdiff_t>(from)));
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(Packet, MakesRoomForMoreHeaders) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  ASSERT_TRUE(packet.append_copy(counting(20, 100)));
  std::ranges::copy(counting(100, 0), packet.prepend(100).begin());
  const Bytes before = contents(packet);
  EXPECT_TRUE(packet.reserve_headroom(28)) << "there already";
  EXPECT_TRUE(packet.reserve_headroom(104));
  EXPECT_EQ(contents(packet), before);
  std::ranges::fill(packet.prepend(104), std::byte{7});
  EXPECT_EQ(packet.size(), 224U);
  EXPECT_FALSE(packet.reserve_headroom(1)) << "full";
}

TEST(Packet, SharesItsSlicesButNotItsHeaders) {
  BufferPool pool;
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    Model model = random_packet(pool, random);
    model.packet.set_checksum(ChecksumMark::verified);
    model.packet.set_interface(InterfaceId{3});
    Packet copy = model.packet.share();
    EXPECT_EQ(contents(copy), model.bytes);
    EXPECT_EQ(copy.checksum(), ChecksumMark::verified);
    EXPECT_EQ(copy.interface(), InterfaceId{3});
    std::ranges::fill(copy.prepend(20), std::byte{1});
    copy.truncate(20);
    EXPECT_EQ(contents(model.packet), model.bytes);
    model.packet.reset();
    EXPECT_EQ(copy.size(), 20U);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(Packet, ComesBackClean) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  packet.prepend(10);
  packet.set_checksum(ChecksumMark::to_fill);
  packet.set_interface(InterfaceId{9});
  ASSERT_TRUE(packet.append(slice_of(pool, counting(4))));
  packet.reset();
  EXPECT_FALSE(packet);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  packet = pool.take_packet();
  EXPECT_EQ(packet.size(), 0U);
  EXPECT_EQ(packet.checksum(), ChecksumMark::in_frame);
  EXPECT_EQ(packet.interface(), InterfaceId{});
}

}  // namespace
}  // namespace hawser
