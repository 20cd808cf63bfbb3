#include "tcp/congestion/bbr.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

struct Gains {
  double pacing;
  double cwnd;
};
/// Of each state, in their order.
constexpr std::array<Gains, 7> kGains = {{
    {2.77, 2},     // startup
    {0.5, 2},      // drain
    {0.9, 2},      // down
    {1, 2},        // cruise
    {1, 2},        // refill
    {1.25, 2.25},  // up
    {1, 0.5},      // probe_rtt
}};

constexpr Gains gains(bbr::State state) { return kGains.at(static_cast<std::size_t>(state)); }

constexpr double kPacingMargin = 0.01;
constexpr std::uint32_t kAggregationRounds = 10;

}  // namespace

void Bbr::on_start(const CongestionStart& start) {
  mss_ = start.mss;
  initial_window_ = start.initial_window;
  cwnd_ = start.cwnd;
  min_rtt_ = bbr::MinRtt(start.now);
  aggregation_.restart(start.now);
  pacing_rate_ = gains(State::startup).pacing * start.cwnd / Seconds(1ms).count();
}

void Bbr::on_ack(const AckSample& given) {
  AckSample ack = given;
  // What was sent while it held back for probe_rtt shows no bandwidth either.
  if (limited_until_) {
    if (static_cast<std::int32_t>(ack.rate.prior_delivered - *limited_until_) <= 0) {
      ack.rate.app_limited = true;
    } else {
      limited_until_.reset();
    }
  }
  mss_ = ack.mss;
  delivered_ = ack.total_delivered;
  if (ack.lost > 0) note_loss(ack);
  if (ack.delivered > 0) update_model(ack);
  update_pacing_rate(gains(state_).pacing);
  update_cwnd(ack);
}

void Bbr::update_model(const Ack& ack) {
  const auto rate = static_cast<Rate>(ack.rate.rate());
  acked_ += ack.delivered;
  take_latest_delivery(ack);
  round_begins_ = rounds_.on_delivery(ack.rate.prior_delivered, delivered_);
  if (round_begins_) {
    ++round_count_;
    ++rounds_since_up_;
  }
  if (rate >= max_bandwidth() || !ack.rate.app_limited) bandwidth_filter_.add(rate);
  if (loss_round_begins_) adapt_shortterm_model();
  aggregation_.on_ack(ack.now, bandwidth_, ack.delivered, cwnd_, round_count_,
                      has_filled_pipe_ ? kAggregationRounds : 1);
  check_full_pipe(ack);
  check_startup_loss(ack);
  check_drain(ack);
  update_probe_bw(ack);
  const bool first_rtt = !min_rtt_.value() && ack.rtt;
  min_rtt_.on_ack(ack.now, ack.rtt);
  if (first_rtt) {
    pacing_rate_ =
        gains(State::startup).pacing * initial_window_ / Seconds(*min_rtt_.value()).count();
  }
  check_probe_rtt(ack);
  if (loss_round_begins_) {
    rate_latest_ = rate;
    volume_latest_ = ack.rate.delivered;
    is_loss_in_round_ = false;
    loss_events_ = 0;
  }
  bandwidth_ = std::min(max_bandwidth(), bandwidth_shortterm_);
}

void Bbr::on_congestion(CongestionSignal signal, const CongestionState& state) {
  mss_ = state.mss;
  save_before_loss(state.recovery != TcpRecovery::none);
  recovery_round_ = round_count_;
  if (signal != CongestionSignal::loss) cwnd_ = state.mss;  // all that was in flight is lost
}

void Bbr::on_recovered(const CongestionState& state) {
  mss_ = state.mss;
  restore_cwnd();
  cwnd_ = std::min(cwnd_, bound_by_model());
}

/// Before data is sent again with nothing in flight.
void Bbr::on_idle(const CongestionState& state) {
  idle_restart_ = true;
  aggregation_.restart(state.now);
  if (is_in_probe_bw()) {
    update_pacing_rate(1);
  } else if (state_ == State::probe_rtt) {
    end_probe_rtt_if_done(state.now);
  }
}

std::uint32_t Bbr::cwnd() const {
  return static_cast<std::uint32_t>(std::min<Volume>(cwnd_, kMaxWindow));
}

// ---- rate and window

void Bbr::update_pacing_rate(double gain) {
  const Rate rate = gain * bandwidth_ * (1 - kPacingMargin);
  if (has_filled_pipe_ || rate > pacing_rate_) pacing_rate_ = rate;
}

void Bbr::update_cwnd(const Ack& ack) {
  const Volume most = with_budget(bdp(bandwidth_, gains(state_).cwnd) + aggregation_.extra());
  if (has_filled_pipe_) {
    cwnd_ = std::min(cwnd_ + ack.delivered, most);
  } else if (cwnd_ < most || acked_ < initial_window_) {
    cwnd_ += ack.delivered;
  }
  cwnd_ = std::max(cwnd_, min_pipe_cwnd());
  if (state_ == State::probe_rtt) cwnd_ = std::min(cwnd_, probe_rtt_cwnd());
  cwnd_ = std::min(cwnd_, bound_by_model());
}

/// What losses allow in flight.
bbr::Volume Bbr::bound_by_model() const {
  Volume bound = bbr::kInfinite;
  if (state_ == State::probe_rtt || state_ == State::cruise) {
    bound = inflight_with_headroom();
  } else if (is_in_probe_bw()) {
    bound = inflight_longterm_;
  }
  return std::max(std::min(bound, inflight_shortterm_), min_pipe_cwnd());
}

/// The bandwidth-delay product, times `gain`.
bbr::Volume Bbr::bdp(Rate rate, double gain) const {
  if (!min_rtt_.value()) return initial_window_;
  return gain * rate * Seconds(*min_rtt_.value()).count();
}

/// No less than keeps both ends busy that send and acknowledge in lumps.
bbr::Volume Bbr::with_budget(Volume inflight) const {
  const Volume quantum =
      std::max(std::min(pacing_rate_ * Seconds(1ms).count(), 65536.0), 2.0 * mss_);
  inflight = std::max({inflight, 3 * quantum, min_pipe_cwnd()});
  return state_ == State::up ? inflight + 2.0 * mss_ : inflight;
}

bbr::Volume Bbr::target_inflight() const { return std::min(bdp(bandwidth_, 1), cwnd_); }

bbr::Volume Bbr::probe_rtt_cwnd() const {
  return std::max(bdp(bandwidth_, gains(State::probe_rtt).cwnd), min_pipe_cwnd());
}

void Bbr::save_cwnd(bool in_recovery) {
  const bool narrowed = in_recovery || state_ == State::probe_rtt;
  prior_cwnd_ = narrowed ? std::max(prior_cwnd_, cwnd_) : cwnd_;
}

void Bbr::restore_cwnd() { cwnd_ = std::max(cwnd_, prior_cwnd_); }

}  // namespace hawser::tcp
