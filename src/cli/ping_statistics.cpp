#include "cli/ping_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hawser::cli {

namespace {

double milliseconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

}  // namespace

void PingStatistics::on_reply(Duration round_trip, bool duplicate) {
  if (duplicate) {
    ++duplicates_;
  } else {
    ++received_;
  }
  least_ = std::min(least_, round_trip);
  most_ = std::max(most_, round_trip);
  sum_ms_ += milliseconds(round_trip);
  sum_of_squares_ms_ += milliseconds(round_trip) * milliseconds(round_trip);
}

std::string PingStatistics::render(const std::string& host, Duration elapsed) const {
  std::string text = fmt::format(
      "\n--- {} ping statistics ---\n{} packets transmitted, {} received", host, sent_, received_);
  if (duplicates_ != 0) text += fmt::format(", +{} duplicates", duplicates_);
  if (errors_ != 0) text += fmt::format(", +{} errors", errors_);
  if (sent_ != 0) {
    const double lost = static_cast<double>(sent_ - std::min(received_, sent_));
    text += fmt::format(", {:.6g}% packet loss", 100 * lost / static_cast<double>(sent_));
  }
  text += fmt::format(", time {:.0f}ms\n", milliseconds(elapsed));
  const std::uint64_t count = received_ + duplicates_;
  if (count == 0) return text;
  const double mean = sum_ms_ / static_cast<double>(count);
  const double variance = sum_of_squares_ms_ / static_cast<double>(count) - mean * mean;
  return text + fmt::format("rtt min/avg/max/mdev = {:.3f}/{:.3f}/{:.3f}/{:.3f} ms\n",
                            milliseconds(least_), mean, milliseconds(most_),
                            std::sqrt(std::max(variance, 0.0)));
}

std::string round_trip_text(Duration round_trip) {
  const double ms = milliseconds(round_trip);
  if (ms < 1) return fmt::format("{:.3f}", ms);
  if (ms < 10) return fmt::format("{:.2f}", ms);
  if (ms < 100) return fmt::format("{:.1f}", ms);
  return fmt::format("{:.0f}", ms);
}

}  // namespace hawser::cli
