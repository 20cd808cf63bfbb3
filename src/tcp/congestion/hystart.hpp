// HyStart++ (RFC 9406): a slow start that sees the queue of the bottleneck grow by the round-trip
// time, and goes on more slowly before it overflows. For the first slow start of a connection, in
// which nothing is known of the path yet.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

class HyStart {
 public:
  /// Takes in an acknowledgment, whether or not the window may grow; `round_ends`: it is the last
  /// of a round trip. Bytes by which the window may grow.
  std::uint32_t on_ack(const AckSample& ack, bool round_ends);
  /// The window is as large as it should get without a loss: congestion avoidance begins.
  bool is_over() const { return css_rounds_ >= kCssRounds; }
  /// In the conservative phase (CSS), as long as no round-trip time says that it began too early.
  bool is_conservative() const { return css_baseline_.has_value(); }

 private:
  static constexpr std::uint8_t kCssRounds = 5;
  using Microseconds = std::uint32_t;
  static constexpr Microseconds kNone = std::numeric_limits<Microseconds>::max();

  void judge();

  Microseconds last_min_ = kNone;     ///< of the round trip before
  Microseconds current_min_ = kNone;  ///< of this one
  /// The least of the round trip that began the conservative phase; unset outside of it.
  std::optional<Microseconds> css_baseline_;
  std::uint8_t samples_ = 0;  ///< of this round trip, as far as they are counted
  std::uint8_t css_rounds_ = 0;
};

}  // namespace hawser::tcp
