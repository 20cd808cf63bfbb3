// Round trips as acknowledgments tell them.
#pragma once

#include <cstdint>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

/// Tells round trips apart by what they acknowledge: one ends when all is acknowledged that was in
/// flight when it began.
class RoundTrips {
 public:
  /// Whether this acknowledgment ends one.
  bool on_ack(const AckSample& ack) {
    if (left_ == 0) left_ = ack.acked + ack.outstanding;  // it began with nothing in flight
    const bool ends = ack.acked >= left_;
    left_ = ends ? ack.outstanding : left_ - ack.acked;
    return ends;
  }

 private:
  std::uint32_t left_ = 0;  ///< bytes to be acknowledged before it ends
};

}  // namespace hawser::tcp
