// CUBIC (RFC 9438): after a loss the window comes back along a cubic function of the time since
// then, whatever the round-trip time, and never slower than Reno's would.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

class Cubic {
 public:
  void on_start(const CongestionStart& start);
  /// Slow start below ssthresh, else congestion avoidance (RFC 9438 4.2 to 4.5); nothing in fast
  /// recovery. Time in which the window was not what held the sender back does not count (5.8).
  void on_ack(const AckSample& ack);
  /// RFC 9438 4.6, fast convergence (4.7), timeouts (4.8).
  void on_congestion(CongestionSignal signal, const CongestionState& state);
  /// The restart window (RFC 5681 4.1).
  void on_idle(const CongestionState& state);

  std::uint32_t cwnd() const { return static_cast<std::uint32_t>(cwnd_); }
  std::uint32_t ssthresh() const { return ssthresh_; }

 private:
  void begin_stage(const AckSample& ack);
  void avoid_congestion(const AckSample& ack);
  /// W_cubic: the window in bytes, so long after the stage began.
  double window_at(Duration since, std::uint32_t mss) const;

  // Windows are in bytes.
  double cwnd_ = 0;
  std::uint32_t ssthresh_ = std::numeric_limits<std::uint32_t>::max();
  double w_max_ = 0;                     ///< where the function levels off
  double w_est_ = 0;                     ///< what Reno's window would be
  double cwnd_prior_ = 0;                ///< when ssthresh was last set
  Duration k_{};                         ///< from the beginning of the stage until w_max_
  std::optional<Instant> stage_begins_;  ///< of congestion avoidance; unset outside
  Instant last_ack_{};
  Duration rtt_{};              ///< the last sample
  bool plateau_known_ = false;  ///< w_max_ is from a loss
  bool after_timeout_ = false;  ///< in the slow start that follows one
};

static_assert(CongestionControl<Cubic>);

}  // namespace hawser::tcp
