// Checks the protection against wrapped sequence numbers.
#include "tcp/paws.hpp"

#include <gtest/gtest.h>

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1000s};

TEST(Paws, ComparesTimestampsModulo) {
  EXPECT_TRUE(timestamp_before(1, 2));
  EXPECT_FALSE(timestamp_before(2, 2));
  EXPECT_FALSE(timestamp_before(2, 1));
  EXPECT_TRUE(timestamp_before(0xffffffff, 0));
  EXPECT_FALSE(timestamp_before(0, 0xffffffff));
  EXPECT_TRUE(timestamp_before(0x80000001, 0));
}

TEST(Paws, RejectsOlderTimestampsOnly) {  // RFC7323-5.3
  EXPECT_TRUE(paws_rejects(99, 100, kStart, kStart + 1s));
  EXPECT_FALSE(paws_rejects(100, 100, kStart, kStart + 1s));
  EXPECT_FALSE(paws_rejects(101, 100, kStart, kStart + 1s));
  EXPECT_TRUE(paws_rejects(0xfffffff0, 5, kStart, kStart + 1s)) << "across the wrap";
  EXPECT_FALSE(paws_rejects(5, 0xfffffff0, kStart, kStart + 1s));
}

TEST(Paws, ForgetsAnOldTimestamp) {  // RFC7323-5.5
  EXPECT_TRUE(paws_rejects(99, 100, kStart, kStart + std::chrono::days(24)));
  EXPECT_FALSE(paws_rejects(99, 100, kStart, kStart + std::chrono::days(24) + 1s));
}

}  // namespace
}  // namespace hawser::tcp
