#include "core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <vector>

namespace hawser {
namespace {

// The first numbers of the authors' xoshiro256plusplus.c from a state that their splitmix64.c
// filled, computed with those programs' formulas by hand in another language.
TEST(Random, FollowsThePublishedGenerator) {
  Random zero(0);
  const std::array<std::uint64_t, 3> expected = {0x53175d61490b23df, 0x61da6f3dc380d507,
                                                 0x5c0fdf91ec9a7bfc};
  for (const std::uint64_t number : expected) EXPECT_EQ(zero.next(), number);
}

TEST(Random, RepeatsForASeedAndDiffersForAnother) {
  Random a(42);
  Random b(42);
  Random c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = a.next();
    EXPECT_EQ(number, b.next());
    differs = differs || number != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, ForksAGeneratorOfItsOwn) {
  Random a(42);
  Random b(42);
  Random fork = a.fork();
  b.next();
  for (int i = 0; i < 10; ++i) {
    fork.next();
    EXPECT_EQ(a.next(), b.next()) << "draws of the fork do not shift its parent's";
  }
}

TEST(Random, StaysBelowItsBoundAndReachesAllOfIt) {
  Random random(7);
  std::map<std::uint64_t, int> seen;
  for (int i = 0; i < 30000; ++i) ++seen[random.below(3)];
  ASSERT_EQ(seen.size(), 3U);
  for (const auto& [value, count] : seen) EXPECT_NEAR(count, 10000, 500) << value;
  EXPECT_EQ(random.below(1), 0U);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(0x8000000000000001), 0x8000000000000001);
}

TEST(Random, DrawsChancesFromTheUnitInterval) {
  Random random(8);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) {
    const double unit = random.unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    hits += random.chance(0.25) ? 1 : 0;
    ASSERT_FALSE(random.chance(0.0));
    ASSERT_TRUE(random.chance(1.0));
  }
  EXPECT_NEAR(hits, 2500, 250);
}

// The vectors of the SipHash paper and its reference code: key 00..0f, message 00..(n-1).
TEST(KeyedHash, IsSipHash24) {
  const KeyedHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  const std::array<std::uint64_t, 16> expected = {
      0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
      0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
      0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
      0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
  std::vector<std::byte> message;
  for (std::size_t length = 0; length < expected.size(); ++length) {
    EXPECT_EQ(hash(message), expected[length]) << length;
    message.push_back(static_cast<std::byte>(length));
  }
}

TEST(KeyedHash, DependsOnItsKeyAndMessage) {
  Random random(9);
  const KeyedHash a(random);
  const KeyedHash b(random);
  std::array<std::byte, 12> message{};
  EXPECT_NE(a(message), b(message));
  std::set<std::uint64_t> seen = {a(message)};
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    message[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_TRUE(seen.insert(a(message)).second) << bit;
    message[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

}  // namespace
}  // namespace hawser
