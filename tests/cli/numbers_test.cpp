#include "cli/numbers.hpp"

#include <gtest/gtest.h>

#include "cli/help.hpp"

namespace hawser::cli {
namespace {

TEST(Numbers, APortIsOneOfThose) {
  EXPECT_EQ(parse_port("1"), 1);
  EXPECT_EQ(parse_port("65535"), 65535);
  EXPECT_EQ(parse_port_or_any("0"), 0);
  EXPECT_FALSE(parse_port_or_any("65536"));
  for (const std::string_view text : {"", "0", "65536", "-1", "+1", "80x", "http", "1e3"}) {
    EXPECT_EQ(parse_port(text).error(),
              "'" + std::string(text) + "' is not a port: write a number from 1 to 65535");
  }
}

TEST(Numbers, Counts) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_positive_count("10000"), 10000U);
  for (const std::string_view text : {"", "-1", "1.5", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text)) << text;
    EXPECT_FALSE(parse_positive_count(text)) << text;
  }
  EXPECT_FALSE(parse_positive_count("0"));
}

TEST(Numbers, PatienceIsMoreThanNone) {
  EXPECT_EQ(parse_patience("30s"), std::chrono::seconds(30));
  EXPECT_EQ(parse_patience("0s").error(), "'0s' leaves no time at all: write 30s or 2m");
  EXPECT_FALSE(parse_patience("soon"));
}

TEST(Help, WrapsAtWords) {
  EXPECT_EQ(wrap("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(wrap("immeasurable is", 4, 1), "immeasurable\n is");
  EXPECT_EQ(wrap("", 10, 1), "");
}

}  // namespace
}  // namespace hawser::cli
