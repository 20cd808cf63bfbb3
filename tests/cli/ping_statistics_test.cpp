#include "cli/ping_statistics.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

TEST(PingStatistics, SumsUpAsPingDoes) {
  PingStatistics statistics;
  for (int i = 0; i < 4; ++i) statistics.on_sent();
  statistics.on_reply(1ms, false);
  statistics.on_reply(2ms, false);
  statistics.on_reply(6ms, false);
  EXPECT_EQ(statistics.render("host", 3004ms),
            "\n--- host ping statistics ---\n"
            "4 packets transmitted, 3 received, 25% packet loss, time 3004ms\n"
            "rtt min/avg/max/mdev = 1.000/3.000/6.000/2.160 ms\n");
}

TEST(PingStatistics, WithoutAnswersThereIsNoRoundTrip) {
  PingStatistics statistics;
  statistics.on_sent();
  statistics.on_sent();
  statistics.on_error();
  EXPECT_EQ(statistics.render("host", 1ms),
            "\n--- host ping statistics ---\n"
            "2 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1ms\n");
}

TEST(PingStatistics, DuplicatesAreNoAnswersMore) {
  PingStatistics statistics;
  statistics.on_sent();
  statistics.on_reply(1ms, false);
  statistics.on_reply(1ms, true);
  EXPECT_EQ(statistics.received(), 1U);
  EXPECT_TRUE(statistics.render("h", 1ms).contains("1 received, +1 duplicates, 0% packet loss"));
}

TEST(PingStatistics, NothingSentIsNoDivisionByZero) {
  EXPECT_EQ(PingStatistics().render("h", 0ms),
            "\n--- h ping statistics ---\n0 packets transmitted, 0 received, time 0ms\n");
}

TEST(PingStatistics, RoundTripsHaveThreeDigits) {
  EXPECT_EQ(round_trip_text(45us), "0.045");
  EXPECT_EQ(round_trip_text(1234us), "1.23");
  EXPECT_EQ(round_trip_text(12345us), "12.3");
  EXPECT_EQ(round_trip_text(1234ms), "1234");
}

}  // namespace
}  // namespace hawser::cli
