// The text forms of impairments.
#include "hawser/impairment.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(ParseProbability, TakesPercentAndFraction) {
  EXPECT_DOUBLE_EQ(parse_probability("2%").value(), 0.02);
  EXPECT_DOUBLE_EQ(parse_probability("0.5").value(), 0.5);
  EXPECT_DOUBLE_EQ(parse_probability("0").value(), 0);
  EXPECT_DOUBLE_EQ(parse_probability("100%").value(), 1);
}

TEST(ParseProbability, RefusesWhatIsNone) {
  for (const char* text : {"", "%", "2", "101%", "-1%", "nan", "inf", "2 %", "2%%", "x"}) {
    EXPECT_FALSE(parse_probability(text).has_value()) << text;
  }
}

TEST(ParseDuration, TakesUnits) {
  EXPECT_EQ(parse_duration("20ms").value(), 20ms);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("250us").value(), 250us);
  EXPECT_EQ(parse_duration("10ns").value(), 10ns);
  EXPECT_EQ(parse_duration("2m").value(), 2min);
  EXPECT_EQ(parse_duration("1h").value(), 1h);
  EXPECT_EQ(parse_duration("0").value(), 0ms);
}

TEST(ParseDuration, NeedsAUnit) {
  for (const char* text : {"", "20", "20.", "ms", "-1ms", "20 ms", "1e300s", "20mss"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(ParseRate, CountsBitsInDecimalUnits) {
  EXPECT_EQ(parse_rate("10mbit").value(), 10'000'000U);
  EXPECT_EQ(parse_rate("1Gbit/s").value(), 1'000'000'000U);
  EXPECT_EQ(parse_rate("1.5kbit").value(), 1500U);
  EXPECT_EQ(parse_rate("0").value(), 0U);
}

TEST(ParseRate, RefusesBytesAndBareNumbers) {
  for (const char* text : {"", "10", "10mb", "mbit", "-1mbit", "10m"}) {
    EXPECT_FALSE(parse_rate(text).has_value()) << text;
  }
}

TEST(ParseBytes, CountsInBinaryUnits) {
  EXPECT_EQ(parse_bytes("1500").value(), 1500U);
  EXPECT_EQ(parse_bytes("64k").value(), 65536U);
  EXPECT_EQ(parse_bytes("64KiB").value(), 65536U);
  EXPECT_EQ(parse_bytes("1.5m").value(), 1572864U);
  EXPECT_EQ(parse_bytes("2g").value(), std::uint64_t{2} << 30);
}

TEST(ParseBytes, RefusesPartsOfBytesAndTooMany) {
  for (const char* text : {"", "1.5", "-1", "64q", "k", "99999999999g"}) {
    EXPECT_FALSE(parse_bytes(text).has_value()) << text;
  }
}

TEST(ParseErrors, QuoteTheTextAndShowARightOne) {
  EXPECT_EQ(parse_duration("20").error(), "'20' is not a duration: write 20ms, 1.5s, 250us or 2m");
  EXPECT_EQ(parse_probability("7").error(),
            "'7' is not a probability: write 2% or 0.02, up to 100%");
}

}  // namespace
}  // namespace hawser
