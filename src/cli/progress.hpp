// A line in the terminal that shows how far a transfer is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace hawser::cli {

/// The line for `done` bytes of `total`, `rate` in bytes a second, at most `columns` wide. Without
/// a total there is neither bar nor time left.
std::string progress_line(std::uint64_t done, std::optional<std::uint64_t> total, double rate,
                          std::size_t columns);

/// Draws that line on stderr some times a second, when stderr is a terminal and nobody said quiet.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Progress(bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Leaves the cursor on a line of its own.
  ~Progress();

  /// `offset` bytes were there before.
  void begin(std::uint64_t offset, std::optional<std::uint64_t> total);
  void advance(std::uint64_t done);
  bool is_shown() const { return shown_; }

 private:
  void draw(Clock::time_point now);

  bool shown_;
  bool drawn_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t done_ = 0;
  std::optional<std::uint64_t> total_;
  Clock::time_point began_;
  Clock::time_point last_draw_;
  double rate_ = 0;  ///< smoothed
  std::uint64_t rate_from_ = 0;
};

}  // namespace hawser::cli
