#include "core/token_bucket.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, LetsABurstThroughAndThenTheRate) {
  TokenBucket bucket(10, 3);
  const Instant start{1h};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(start));
  EXPECT_FALSE(bucket.take(start));
  EXPECT_FALSE(bucket.take(start + 99ms));
  EXPECT_TRUE(bucket.take(start + 100ms));
  EXPECT_FALSE(bucket.take(start + 100ms));
  int taken = 0;
  for (int i = 1; i <= 100; ++i) taken += bucket.take(start + 100ms + i * 10ms) ? 1 : 0;
  EXPECT_EQ(taken, 10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(start + 24h));  // no more than the burst
  EXPECT_FALSE(bucket.take(start + 24h));
}

TEST(TokenBucket, ARateOfZeroLetsNothingThrough) {
  TokenBucket bucket(0, 5);
  EXPECT_FALSE(bucket.take(Instant(1h)));
  EXPECT_FALSE(bucket.take(Instant(1000h)));
}

}  // namespace
}  // namespace hawser
