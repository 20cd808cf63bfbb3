// How calls of sockets fail and how long they wait.
#pragma once

#include <chrono>
#include <expected>
#include <system_error>

#include "hawser/error.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// A value, or the std::error_code of why there is none: one of hawser::Error, or what the
/// operating system said.
template <typename T>
using IoResult = std::expected<T, std::error_code>;

/// Until when a call may wait, on std::chrono::steady_clock. Made from a time point, from a
/// duration that counts from now, or one of `never` and `at_once`.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  constexpr Deadline(Clock::time_point at) : at_(at) {}  // NOLINT(google-explicit-constructor)
  template <typename Rep, typename Period>
  Deadline(std::chrono::duration<Rep, Period> from_now)  // NOLINT(google-explicit-constructor)
      : at_(after(std::chrono::duration<double>(from_now), from_now)) {}

  /// Waits as long as it takes.
  static constexpr Deadline never() { return Deadline(Clock::time_point::max()); }
  /// Does not wait.
  static constexpr Deadline at_once() { return Deadline(Clock::time_point::min()); }

  constexpr Clock::time_point at() const { return at_; }
  bool has_passed() const { return at_ != Clock::time_point::max() && at_ <= Clock::now(); }

 private:
  template <typename Span>
  static Clock::time_point after(std::chrono::duration<double> rough, Span exact) {
    constexpr std::chrono::duration<double> kTooLong = std::chrono::hours(24 * 365 * 100);
    if (rough >= kTooLong) return Clock::time_point::max();
    if (rough <= -kTooLong) return Clock::time_point::min();
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(exact);
  }

  Clock::time_point at_;
};

}  // namespace hawser
