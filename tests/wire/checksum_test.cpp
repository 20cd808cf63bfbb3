#include "wire/checksum.hpp"

#include <gtest/gtest.h>

#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::random_bytes;
using testing::reference_sum;

std::uint16_t sum_of(std::span<const std::byte> data) {
  Checksum checksum;
  checksum.add(data);
  return checksum.sum();
}

/// Zero has two forms in one's complement, which mean the same.
std::uint16_t normal(std::uint16_t sum) { return sum == 0xffff ? 0 : sum; }

TEST(Checksum, OfTheExampleInRfc1071) {
  EXPECT_EQ(sum_of(bytes({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})), 0xddf2);
}

TEST(Checksum, OfNothingIsZero) {
  EXPECT_EQ(sum_of({}), 0);
  EXPECT_EQ(Checksum().value(), 0xffff);
}

TEST(Checksum, OfEachLengthAndAlignmentMatchesTheReference) {
  Random random(1);
  const Bytes data = random_bytes(random, 700);
  for (std::size_t offset = 0; offset < 8; ++offset) {
    for (std::size_t length = 0; length + offset <= 600; ++length) {
      const auto run = std::span(data).subspan(offset, length);
      ASSERT_EQ(normal(sum_of(run)), normal(reference_sum(run))) << offset << '+' << length;
    }
  }
}

TEST(Checksum, OfPiecesIsThatOfTheWhole) {
  Random random(2);
  for (int round = 0; round < 5000; ++round) {
    const Bytes data = random_bytes(random, random.below(3000));
    Checksum checksum;
    for (std::span<const std::byte> left = data; !left.empty();) {
      const std::size_t piece = 1 + random.below(std::min<std::size_t>(left.size(), 400));
      checksum.add(left.first(piece));
      if (random.chance(0.1)) checksum.add(std::span<const std::byte>{});
      left = left.subspan(piece);
    }
    ASSERT_EQ(normal(checksum.sum()), normal(reference_sum(data))) << "round " << round;
  }
}

TEST(Checksum, LosesNoCarry) {
  // All ones in each word is the most that a lane can hold.
  const Bytes ones(3 * 1048576 + 7, std::byte{0xff});
  EXPECT_EQ(normal(sum_of(ones)), normal(reference_sum(ones)));
  const Bytes mixed(2 * 1048576 + 1, std::byte{0xfe});
  EXPECT_EQ(normal(sum_of(mixed)), normal(reference_sum(mixed)));
}

TEST(Checksum, OfThePseudoHeaders) {
  const auto v4a = IpAddress::v4(192, 0, 2, 1);
  const auto v4b = IpAddress::v4(198, 51, 100, 255);
  const auto v6a = *IpAddress::parse("2001:db8::dead:beef");
  const auto v6b = *IpAddress::parse("fe80::1:2:3:4");
  for (const std::uint32_t length : {0U, 20U, 1460U, 65515U, 65536U + 99U}) {
    if (length < 65536) {
      Checksum v4;
      v4.add_pseudo_header(v4a, v4b, 6, length);
      EXPECT_EQ(v4.sum(), reference_sum(testing::pseudo_header(v4a, v4b, 6, length)));
    }
    Checksum v6;
    v6.add_pseudo_header(v6a, v6b, 58, length);
    EXPECT_EQ(v6.sum(), reference_sum(testing::pseudo_header(v6a, v6b, 58, length)));
  }
}

TEST(Checksum, OverAPacketTakesAllItsPieces) {
  Random random(3);
  BufferPool pool;
  for (int round = 0; round < 500; ++round) {
    Packet packet = pool.take_packet();
    const Bytes inside = random_bytes(random, random.below(90));
    ASSERT_TRUE(packet.append_copy(inside));
    const std::size_t slices = random.below(Packet::kMaxSlices + 1);
    for (std::size_t i = 0; i < slices; ++i) {
      Slice slice = pool.take(2048);
      const Bytes part = random_bytes(random, random.below(1500));
      std::ranges::copy(part, slice.spare().begin());
      slice.extend(static_cast<std::uint32_t>(part.size()));
      ASSERT_TRUE(packet.append(std::move(slice)));
    }
    Checksum checksum;
    checksum.add(packet);
    ASSERT_EQ(normal(checksum.sum()), normal(reference_sum(testing::contents(packet))));
  }
}

}  // namespace
}  // namespace hawser::wire
