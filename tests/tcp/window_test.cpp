// Checks the arithmetic of windows.
#include "tcp/window.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace hawser::tcp {
namespace {

TEST(Window, ScaleFitsTheBuffer) {
  EXPECT_EQ(window_scale_for(0), 0);
  EXPECT_EQ(window_scale_for(65535), 0);
  EXPECT_EQ(window_scale_for(65536), 1);
  EXPECT_EQ(window_scale_for(1U << 20), 5);
  EXPECT_EQ(window_scale_for(0x3fffc000), 14);
  EXPECT_EQ(window_scale_for(0xffffffff), 14);
  for (std::uint64_t size = 1; size < (1U << 30); size = size * 5 / 4 + 1) {
    const std::uint8_t shift = window_scale_for(static_cast<std::uint32_t>(size));
    EXPECT_LE(size >> shift, 65535U) << size;
    EXPECT_TRUE(shift == 0 || size >> (shift - 1) > 65535) << size;
  }
}

// RFC9293-MUST-1, RFC9293-REC-1, RFC7323-2.3
TEST(Window, FieldIsUnsignedAndScales) {
  EXPECT_EQ(unscaled_window(0xffff, 0), 65535U);
  EXPECT_EQ(unscaled_window(0x8000, 1), 65536U);
  EXPECT_EQ(unscaled_window(0xffff, 14), 0x3fffc000U);
  EXPECT_EQ(unscaled_window(0xffff, 15), 0x3fffc000U) << "a larger shift counts as 14";
}

// RFC9293-MUST-39
TEST(Window, RightEdgeMovesInSteps) {
  EXPECT_EQ(receive_window(1459, 0, 10000, 1460), 0U);
  EXPECT_EQ(receive_window(1460, 0, 10000, 1460), 1460U);
  EXPECT_EQ(receive_window(499, 0, 1000, 1460), 0U);
  EXPECT_EQ(receive_window(500, 0, 1000, 1460), 500U) << "half the buffer is less than a segment";
  EXPECT_EQ(receive_window(6000, 5000, 10000, 1460), 5000U);
  EXPECT_EQ(receive_window(6460, 5000, 10000, 1460), 6460U);
}

// RFC9293-SHLD-14
TEST(Window, RightEdgeNeverMovesLeft) {
  EXPECT_EQ(receive_window(100, 5000, 10000, 1460), 5000U);
  EXPECT_EQ(receive_window(0, 5000, 0, 0), 5000U);
}

// RFC9293-SHLD-14: what the shift cuts off must not move the edge to the left.
TEST(Window, FieldIsRoundedUpWithinALimit) {
  EXPECT_EQ(scaled_window(1000, 1000, 0), 1000);
  EXPECT_EQ(scaled_window(100000, 100000, 0), 65535);
  EXPECT_EQ(scaled_window(1000, 2000, 3), 125);
  EXPECT_EQ(scaled_window(1001, 2000, 3), 126);
  EXPECT_EQ(scaled_window(1001, 1001, 3), 125) << "no more than the limit";
  EXPECT_EQ(scaled_window(1001, 0, 3), 125) << "nor much less than was promised";
  EXPECT_EQ(scaled_window(0, 1000, 3), 0) << "zero stays zero";
  Random random(10);
  for (int i = 0; i < 10000; ++i) {
    const auto shift = static_cast<std::uint8_t>(random.below(15));
    const auto limit = static_cast<std::uint32_t>(random.below(std::uint64_t{0xffff} << shift));
    const auto window = static_cast<std::uint32_t>(random.below(limit + 1));
    const std::uint32_t told = unscaled_window(scaled_window(window, limit, shift), shift);
    EXPECT_LE(told, limit);
    EXPECT_LT(told, window + (1U << shift));
    EXPECT_TRUE(told >= window || limit - told < (1U << shift)) << window << ' ' << limit;
  }
}

}  // namespace
}  // namespace hawser::tcp
