// When the next segment may leave, so that segments are spaced at the rate which congestion control
// asks for instead of leaving in bursts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "hawser/time.hpp"

namespace hawser::tcp {

class Pacer {
 public:
  /// What may leave together, as time at the rate: timers are no finer.
  static constexpr Duration kBurst = std::chrono::milliseconds(1);

  /// `bytes` have left, at `rate` bytes a second.
  void on_sent(Instant now, std::uint32_t bytes, std::uint64_t rate) {
    const std::uint64_t ns =
        std::uint64_t{bytes} * 1'000'000'000 / std::max<std::uint64_t>(rate, 1);
    next_ = std::max(next_, now) + Duration(static_cast<std::int64_t>(ns));
    waits_ = next_ > now + kBurst;
  }
  /// Nothing may leave before; kNever when it may at once.
  Instant waits_until() const { return waits_ ? next_ : kNever; }
  bool allows(Instant now) const { return !waits_ || now >= next_; }
  void on_time(Instant now) {
    if (allows(now)) waits_ = false;
  }

 private:
  Instant next_{};
  bool waits_ = false;
};

}  // namespace hawser::tcp
