#include "tcp/congestion/cubic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kBeta = 0.7;       ///< RFC 9438 4.6
constexpr double kBetaMark = 0.85;  ///< RFC 8511 3.1
constexpr double kC = 0.4;          ///< segments per cubic second; RFC 9438 5
/// Segments a round trip by which Reno would grow that went down to kBeta (RFC 9438 4.3).
constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);
/// The window may grow by half in a round trip, not by more (RFC 9438 4.2).
constexpr double kSteepest = 1.5;

}  // namespace

Cubic::State& Cubic::state(Instant now) {
  if (!state_) {
    state_ = std::make_unique<State>();
    state_->last_ack = now;
  }
  return *state_;
}

void Cubic::on_start(const CongestionStart& start) {
  cwnd_ = start.cwnd;
  ssthresh_ = start.ssthresh;
}

void Cubic::on_ack(const AckSample& ack) {
  if (!state_ && !ack.window_limited) return;
  State& s = state(ack.now);
  if (ack.rtt) s.rtt = s.rtt == Duration{} ? *ack.rtt : s.rtt + (*ack.rtt - s.rtt) / 8;
  const Duration since_last = ack.now - std::exchange(s.last_ack, ack.now);
  const bool round_ends = s.round_trips.on_ack(ack);
  if (ack.recovery == TcpRecovery::fast) return;
  const bool may_grow = ack.window_limited && s.validation.is_validated();
  if (s.stage_begins && (!may_grow || cwnd_ < ssthresh_)) *s.stage_begins += since_last;
  if (cwnd_ < ssthresh_) {
    slow_start(ack, may_grow, round_ends);
  } else if (may_grow) {
    avoid_congestion(ack);
  }
  s.validation.on_ack(ack, round_ends, s.rtt, cwnd_);
  reduce_if_not_validated(ack);
}

/// RFC 9438 4.10.
void Cubic::slow_start(const AckSample& ack, bool may_grow, bool round_ends) {
  const std::uint32_t growth = in_first_slow_start()
                                   ? state_->hystart.on_ack(ack, round_ends)
                                   : slow_start_growth(ack.acked, ack.mss, state_->after_timeout);
  if (may_grow) cwnd_ = std::min(cwnd_ + growth, kMaxWindow);
  if (in_first_slow_start() && state_->hystart.is_over()) {
    ssthresh_ = cwnd_;
    state_->cwnd_prior = cwnd_;
  }
}

/// RFC 9438 4.2, and 4.8 after a timeout; 4.10 when there was no loss yet.
void Cubic::begin_stage(const AckSample& ack) {
  State& s = *state_;
  s.stage_begins = ack.now;
  s.after_timeout = false;
  s.part = 0;
  s.w_est = cwnd_;
  if (!s.plateau_known || s.w_max <= cwnd_) s.w_max = cwnd_;
  const Seconds k{std::cbrt((s.w_max - cwnd_) / ack.mss / kC)};
  // Rounded, so that no last bit of a library's cube root is seen.
  s.k = std::chrono::round<std::chrono::microseconds>(k);
}

double Cubic::window_at(Duration since, std::uint32_t mss) const {
  const double t = Seconds(since - state_->k).count();
  return kC * t * t * t * mss + state_->w_max;
}

void Cubic::avoid_congestion(const AckSample& ack) {
  State& s = *state_;
  if (!s.stage_begins) begin_stage(ack);
  double window = cwnd_ + s.part;
  const double acked = std::min<double>(ack.acked, window) / window;
  const Duration since = ack.now - *s.stage_begins;
  s.w_est += (s.w_est < s.cwnd_prior ? kAlpha : 1) * acked * ack.mss;
  if (window_at(since, ack.mss) < s.w_est) {
    window = std::max(window, s.w_est);
  } else {
    const double target = window_at(since + s.rtt, ack.mss);
    window += (std::clamp(target, window, kSteepest * window) - window) * acked;
  }
  window = std::min<double>(window, kMaxWindow);
  cwnd_ = static_cast<std::uint32_t>(window);
  s.part = window - cwnd_;
}

void Cubic::on_congestion(CongestionSignal signal, const CongestionState& state) {
  State& s = this->state(state.now);
  const bool timeout =
      signal == CongestionSignal::timeout || signal == CongestionSignal::timeout_again;
  std::uint32_t rest = state.mss;
  if (signal != CongestionSignal::timeout_again) {
    const double beta = signal == CongestionSignal::mark ? kBetaMark : kBeta;
    s.cwnd_prior = cwnd_;
    s.w_max = cwnd_ < s.w_max ? cwnd_ * (1 + beta) / 2 : cwnd_;
    // Segments that limited transmit let out do not count as flight (RFC 5681 3.2 step 2).
    const double flight = std::min(s.validation.loss_flight(state.outstanding), cwnd_);
    rest = static_cast<std::uint32_t>(flight * beta);
    ssthresh_ = std::max(rest, 2 * state.mss);
  }
  if (signal == CongestionSignal::mark) {
    cwnd_ = std::max(rest, state.mss);  // one segment is the least, and not two (RFC 9438 4.6)
  } else {
    cwnd_ = timeout ? state.mss : ssthresh_;
  }
  s.validation.reset();
  s.stage_begins.reset();
  s.plateau_known = !timeout;
  s.after_timeout = timeout;
}

void Cubic::on_idle(const CongestionState& state) {
  if (state_) {
    State& s = *state_;
    const Duration since_last = state.now - std::exchange(s.last_ack, state.now);
    if (s.stage_begins) *s.stage_begins += since_last;
    s.validation.on_idle(state.now, state.now - since_last, cwnd_);
    reduce_if_not_validated(state);
    s.validation.reset();
    // No burst is to follow: slow start leads back to the window that is kept.
    if (!in_first_slow_start()) ssthresh_ = std::max(ssthresh_, cwnd_);
  }
  cwnd_ = std::min(cwnd_, state.initial_window);
}

/// RFC 7661 4.4.3.
void Cubic::reduce_if_not_validated(const CongestionState& state) {
  while (cwnd_ > state.initial_window && state_->validation.take_expiry(state.now)) {
    ssthresh_ = std::max(ssthresh_, cwnd_ / 4 * 3);
    cwnd_ = std::max(cwnd_ / 2, state.initial_window);
    state_->stage_begins.reset();
  }
}

}  // namespace hawser::tcp
