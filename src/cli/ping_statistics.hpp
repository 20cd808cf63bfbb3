// The round trips of a ping, as it sums them up at the end.
#pragma once

#include <cstdint>
#include <string>

#include "hawser/time.hpp"

namespace hawser::cli {

class PingStatistics {
 public:
  void on_sent() { ++sent_; }
  void on_reply(Duration round_trip, bool duplicate);
  void on_error() { ++errors_; }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }

  /// The lines that ping(8) prints at the end, `elapsed` after the first request.
  std::string render(const std::string& host, Duration elapsed) const;

 private:
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t errors_ = 0;
  Duration least_ = Duration::max();
  Duration most_{};
  double sum_ms_ = 0;
  double sum_of_squares_ms_ = 0;
};

/// "0.045", "12.3", "1234": milliseconds with as many digits as ping(8) shows.
std::string round_trip_text(Duration round_trip);

}  // namespace hawser::cli
