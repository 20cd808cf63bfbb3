// Congestion-window validation (RFC 7661): what a program that sends less than it may, or pauses,
// says of a path. A window of which less than half was used lately is not validated: it is kept
// for five minutes, but does not grow, and a loss leaves only what was used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

class WindowValidation {
 public:
  /// Takes in an acknowledgment, by which the window has become `cwnd`; `round_ends`: it is the
  /// last of a round trip, which takes `rtt`.
  void on_ack(const AckSample& ack, bool round_ends, Duration rtt, std::uint32_t cwnd);
  /// Data is to be sent again, the last acknowledgment having come at `last_ack`.
  void on_idle(Instant now, Instant last_ack, std::uint32_t cwnd);
  /// After a loss nothing is known of the window that is left (RFC 7661 4.4.1).
  void reset() { *this = {}; }

  bool is_validated() const { return !since_; }
  /// pipeACK: the most bytes that a round trip acknowledged lately; nothing while it is undefined.
  std::uint32_t used() const { return std::max(peak_, peak_before_); }
  /// Flight, for the threshold after a loss (RFC 7661 4.4.1).
  std::uint32_t loss_flight(std::uint32_t flight) const {
    return is_validated() ? flight : std::max(flight, used());
  }
  /// Whether another five minutes have passed in which the window was not validated: it is to be
  /// halved (RFC 7661 4.4.3).
  bool take_expiry(Instant now);

 private:
  void forget_old(Instant now);

  std::uint32_t acked_ = 0;   ///< in this round trip
  std::uint32_t window_ = 0;  ///< when it began
  // pipeACK is the greater of two peaks, each of half a sampling period.
  std::uint32_t peak_ = 0;
  std::uint32_t peak_before_ = 0;
  Instant peak_begins_{};
  Duration half_period_{};
  std::optional<Instant> since_;  ///< when the window ceased to be validated
};

}  // namespace hawser::tcp
