#include "cli/progress.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

TEST(Progress, ShowsBarShareRateAndTimeLeft) {
  const std::string line = progress_line(1 << 20, 4 << 20, 1 << 20, 80);
  EXPECT_TRUE(line.starts_with("[####")) << line;
  EXPECT_TRUE(line.contains(" 25%")) << line;
  EXPECT_TRUE(line.contains("1.0 MiB of 4.0 MiB")) << line;
  EXPECT_TRUE(line.contains("1.0 MiB/s")) << line;
  EXPECT_TRUE(line.contains("00:03 left")) << line;
}

TEST(Progress, NeverWrapsTheLine) {
  for (std::size_t columns = 0; columns < 200; ++columns) {
    EXPECT_LE(progress_line(5'000'000'000, 9'000'000'000, 123456, columns).size(), columns);
    EXPECT_LE(progress_line(5'000'000'000, std::nullopt, 123456, columns).size(), columns);
  }
}

TEST(Progress, WithoutATotalThereIsNoBar) {
  EXPECT_EQ(progress_line(2048, std::nullopt, 1024, 80), "2.0 KiB  1.0 KiB/s");
}

TEST(Progress, SaysNoTimeWithoutARate) {
  EXPECT_TRUE(progress_line(1, 100, 0, 80).contains("--:-- left"));
}

}  // namespace
}  // namespace hawser::cli
