// A limit on how often something is done, in the time that the driver tells.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hawser/time.hpp"

namespace hawser {

/// Lets `burst` through at once and `per_second` in the long run.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_second, std::uint32_t burst)
      : cost_(per_second == 0 ? Duration::max() : Duration(std::chrono::seconds(1)) / per_second),
        capacity_(per_second == 0 ? Duration::zero() : cost_ * burst),
        credit_(capacity_) {}

  /// Whether it may be done now; a token is then gone.
  bool take(Instant now) {
    // Credit is kept as time, so that no fraction of a token is lost.
    if (now > last_) {
      const Duration passed = now - last_;
      credit_ = passed >= capacity_ - credit_ ? capacity_ : credit_ + passed;
      last_ = now;
    }
    if (credit_ < cost_) return false;
    credit_ -= cost_;
    return true;
  }

 private:
  Duration cost_;
  Duration capacity_;
  Duration credit_;
  Instant last_{};
};

}  // namespace hawser
