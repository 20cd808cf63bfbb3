#include "cli/http_range.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

void expect_part(std::string_view field, std::uint64_t size, std::uint64_t first,
                 std::uint64_t length) {
  const RangeRequest got = parse_range(field, size);
  EXPECT_EQ(got.kind, RangeKind::part) << field;
  EXPECT_EQ(got.range.first, first) << field;
  EXPECT_EQ(got.range.length, length) << field;
}

TEST(HttpRange, ReadsTheThreeForms) {
  expect_part("bytes=0-499", 10000, 0, 500);
  expect_part("bytes=9500-", 10000, 9500, 500);
  expect_part("bytes=-500", 10000, 9500, 500);
  expect_part(" Bytes=1-1 ", 10000, 1, 1);
}

TEST(HttpRange, CutsAtTheEndOfTheFile) {
  expect_part("bytes=9999-99999999", 10000, 9999, 1);
  expect_part("bytes=-99999", 10000, 0, 10000);
  expect_part("bytes=0-18446744073709551615", 10000, 0, 10000);
  expect_part("bytes=0-18446744073709551616", 10000, 0, 10000);
  expect_part("bytes=-99999999999999999999999", 10000, 0, 10000);
}

TEST(HttpRange, BeyondTheEndIsUnsatisfiable) {
  for (const auto& [field, size] : {std::pair{"bytes=10000-", 10000U},
                                    {"bytes=10000-10001", 10000U},
                                    {"bytes=18446744073709551616-", 10000U},
                                    {"bytes=-0", 10000U},
                                    {"bytes=0-", 0U},
                                    {"bytes=-5", 0U}}) {
    EXPECT_EQ(parse_range(field, size).kind, RangeKind::unsatisfiable) << field;
  }
}

TEST(HttpRange, WhatIsNotServedGivesTheWhole) {
  for (const std::string_view field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,4-5", "lines=1-2",
        "bytes=1", "bytes=--5", "bytes=1-2-3", "bytes=18446744073709551616-1"}) {
    EXPECT_EQ(parse_range(field, 100).kind, RangeKind::whole) << field;
  }
}

}  // namespace
}  // namespace hawser::cli
