#include "hawser/seq_num.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(SeqNum, ComparesAcrossTheWrap) {
  const SeqNum last(0xffffffff);
  const SeqNum first(0);
  EXPECT_LT(last, first);
  EXPECT_GT(first, last);
  EXPECT_LE(last, first);
  EXPECT_LE(last, last);
  EXPECT_GE(first, last);
  EXPECT_NE(last, first);
  EXPECT_EQ(last + 1, first);
  EXPECT_EQ(first - 1, last);
  EXPECT_EQ(first - last, 1);
  EXPECT_EQ(last - first, -1);
}

TEST(SeqNum, ComparesUpToHalfTheSpace) {
  for (const std::uint32_t base : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xfffffff0U}) {
    const SeqNum a(base);
    EXPECT_LT(a, a + 0x7fffffff);
    EXPECT_GT(a, a - 0x7fffffff);
    EXPECT_FALSE(a < a);
    EXPECT_EQ(distance(a, a + 0x7fffffff), 0x7fffffffU);
  }
}

TEST(SeqNum, HasAnEarlierAndALater) {
  const SeqNum a(0xfffffff0);
  const SeqNum b = a + 0x20;
  EXPECT_EQ(max(a, b), b);
  EXPECT_EQ(max(b, a), b);
  EXPECT_EQ(min(a, b), a);
  EXPECT_EQ(min(b, a), a);
  EXPECT_EQ(distance(a, b), 0x20U);
}

}  // namespace
}  // namespace hawser
