// CUBIC (RFC 9438): after a loss the window comes back along a cubic function of the time since
// then, whatever the round-trip time, and never slower than Reno's would. Its first slow start is
// that of HyStart++ (RFC 9406).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "hawser/congestion.hpp"
#include "tcp/congestion/hystart.hpp"
#include "tcp/congestion/round_trips.hpp"
#include "tcp/congestion/window_validation.hpp"

namespace hawser::tcp {

class Cubic {
 public:
  Cubic() = default;
  Cubic(const Cubic& other)
      : cwnd_(other.cwnd_),
        ssthresh_(other.ssthresh_),
        state_(other.state_ ? std::make_unique<State>(*other.state_) : nullptr) {}
  Cubic& operator=(const Cubic&) = delete;
  ~Cubic() = default;

  void on_start(const CongestionStart& start);
  /// Slow start below ssthresh, else congestion avoidance (RFC 9438 4.2 to 4.5); nothing in fast
  /// recovery. Time in which the window does not grow, for the sender needs no more, does not count
  /// (5.8).
  void on_ack(const AckSample& ack);
  /// RFC 9438 4.6, fast convergence (4.7), timeouts (4.8); marks leave more (RFC 8511 3.1).
  void on_congestion(CongestionSignal signal, const CongestionState& state);
  /// Slow start from the restart window (RFC 5681 4.1) back to where it was; after five minutes, to
  /// half of that (RFC 7661 4.4).
  void on_idle(const CongestionState& state);

  std::uint32_t cwnd() const { return cwnd_; }
  std::uint32_t ssthresh() const { return ssthresh_; }

 private:
  /// Windows are in bytes.
  struct State {
    RoundTrips round_trips;
    HyStart hystart;
    WindowValidation validation;
    double part = 0;                      ///< of a byte, by which the window is larger than cwnd_
    double w_max = 0;                     ///< where the function levels off
    double w_est = 0;                     ///< what Reno's window would be
    double cwnd_prior = 0;                ///< when ssthresh was last set
    Duration k{};                         ///< from the beginning of the stage until w_max
    std::optional<Instant> stage_begins;  ///< of congestion avoidance; unset outside
    Instant last_ack{};
    Duration rtt{};              ///< smoothed (RFC 6298 2)
    bool plateau_known = false;  ///< w_max is from a loss
    bool after_timeout = false;  ///< in the slow start that follows one
  };

  State& state(Instant now);
  bool in_first_slow_start() const { return ssthresh_ == kNoThreshold; }
  void slow_start(const AckSample& ack, bool may_grow, bool round_ends);
  void begin_stage(const AckSample& ack);
  void avoid_congestion(const AckSample& ack);
  void reduce_if_not_validated(const CongestionState& state);
  /// W_cubic: the window so long after the stage began.
  double window_at(Duration since, std::uint32_t mss) const;

  static constexpr std::uint32_t kNoThreshold = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t cwnd_ = 0;
  std::uint32_t ssthresh_ = kNoThreshold;
  /// Made when the window is first filled, or a segment lost: many a connection never does.
  std::unique_ptr<State> state_;
};

static_assert(CongestionControl<Cubic>);
static_assert(sizeof(Cubic) <= CongestionAlgorithm::kRoom, "an idle connection is to be small");

}  // namespace hawser::tcp
