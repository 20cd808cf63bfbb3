// The states of BBR (draft-ietf-ccwg-bbr, "State Machine Operation").
#include <algorithm>
#include <chrono>

#include "tcp/congestion/bbr.hpp"

namespace hawser::tcp {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kDrainRounds = 3;
constexpr double kHeadroom = 0.15;
constexpr std::uint32_t kMostRenoRounds = 63;
constexpr Duration kProbeRttTime = 200ms;

}  // namespace

bool Bbr::is_probing_bandwidth() const {
  return state_ == State::startup || state_ == State::refill || state_ == State::up;
}

// ---- startup, drain

void Bbr::check_full_pipe(const Ack& ack) {
  if (!round_begins_ || ack.rate.app_limited || ack.rate.rate() == 0) return;
  full_pipe_.on_round(static_cast<Rate>(ack.rate.rate()));
  if (full_pipe_.is_full()) has_filled_pipe_ = true;
}

void Bbr::start_drain() {
  state_ = State::drain;
  drain_round_ = round_count_;
}

void Bbr::check_drain(const Ack& ack) {
  if (state_ == State::startup && has_filled_pipe_) start_drain();
  if (state_ != State::drain) return;
  const bool drained = ack.pipe <= with_budget(bdp(bandwidth_, 1));
  if (drained || round_count_ > drain_round_ + kDrainRounds) start_down(ack.now);
}

// ---- probing for bandwidth

void Bbr::update_probe_bw(const Ack& ack) {
  if (!has_filled_pipe_ || adapt_longterm_model(ack)) return;
  switch (state_) {
    case State::down:
      if (is_time_to_probe(ack.now)) return start_refill();
      if (is_time_to_cruise(ack)) state_ = State::cruise;
      return;
    case State::cruise:
      if (is_time_to_probe(ack.now)) start_refill();
      return;
    case State::refill:
      if (round_begins_) start_up(ack);
      return;
    case State::up:
      if (!is_time_to_go_down(ack)) return;
      last_probe_too_high_ = false;  // not as far as is known yet
      return start_down(ack.now);
    case State::startup:
    case State::drain:
    case State::probe_rtt:
      return;
  }
}

void Bbr::start_down(Instant now) {
  state_ = State::down;
  reset_congestion_signals();
  acked_per_raise_ = bbr::kInfinite;
  // When to probe again is drawn, so that flows do not probe together.
  const std::uint32_t drawn = draw(now);
  rounds_since_up_ = drawn % 2;
  probe_wait_ = 2s + std::chrono::microseconds((drawn >> 1) % 1'000'000);
  cycle_begins_ = now;
  feedback_ = Feedback::stopping;
  rounds_.begin(delivered_);
}

void Bbr::start_refill() {
  state_ = State::refill;
  reset_shortterm_model();
  up_rounds_ = 0;
  up_acked_ = 0;
  last_probe_cautious_ = false;
  feedback_ = Feedback::refilling;
  rounds_.begin(delivered_);
}

void Bbr::start_up(const Ack& ack) {
  state_ = State::up;
  samples_probe_ = true;
  feedback_ = Feedback::starting;
  rounds_.begin(delivered_);
  full_pipe_.restart(static_cast<Rate>(ack.rate.rate()));
  raise_longterm_slope();
}

/// After so much time, or when Reno would have lost a segment.
bool Bbr::is_time_to_probe(Instant now) const {
  if (now > cycle_begins_ + probe_wait_) return true;
  const Volume reno_rounds = target_inflight() / mss_;
  return rounds_since_up_ >= std::min<Volume>(reno_rounds, kMostRenoRounds);
}

bool Bbr::is_time_to_cruise(const Ack& ack) const {
  return ack.pipe <= inflight_with_headroom() && ack.pipe <= with_budget(bdp(max_bandwidth(), 1));
}

bool Bbr::is_time_to_go_down(const Ack& ack) {
  if (last_probe_too_high_ && ack.pipe >= inflight_longterm_) {
    last_probe_cautious_ = true;
    return true;
  }
  if (ack.window_limited && cwnd_ >= inflight_longterm_) {
    full_pipe_.restart(
        static_cast<Rate>(ack.rate.rate()));  // it is the bound that keeps the rate from growing
    return false;
  }
  return full_pipe_.is_full();
}

/// Less than losses allow, so that others find room.
bbr::Volume Bbr::inflight_with_headroom() const {
  if (inflight_longterm_ == bbr::kInfinite) return bbr::kInfinite;
  const Volume headroom = std::max<Volume>(mss_, kHeadroom * inflight_longterm_);
  return std::max(inflight_longterm_ - headroom, min_pipe_cwnd());
}

/// What a probe tells of the bandwidth and of what may be in flight. Whether another state began.
bool Bbr::adapt_longterm_model(const Ack& ack) {
  if (round_begins_ && feedback_ == Feedback::starting) feedback_ = Feedback::probing;
  if (round_begins_ && feedback_ == Feedback::stopping) {
    samples_probe_ = false;
    feedback_ = Feedback::none;
    if (is_in_probe_bw()) {
      if (!ack.rate.app_limited) bandwidth_filter_.begin_cycle();
      if (last_probe_cautious_ && !last_probe_too_high_) {
        start_refill();
        return true;
      }
    }
  }
  if (is_inflight_too_high(ack) || inflight_longterm_ == bbr::kInfinite) return false;
  inflight_longterm_ = std::max<Volume>(inflight_longterm_, ack.rate.in_flight);
  if (state_ == State::up) raise_longterm_inflight(ack);
  return false;
}

/// By a segment for so many that are acknowledged, faster in each round trip.
void Bbr::raise_longterm_inflight(const Ack& ack) {
  if (!ack.window_limited || cwnd_ < inflight_longterm_) return;
  up_acked_ += ack.delivered;
  if (up_acked_ >= acked_per_raise_) {
    const auto raises = static_cast<std::uint32_t>(up_acked_ / acked_per_raise_);
    up_acked_ -= raises * acked_per_raise_;
    inflight_longterm_ += static_cast<Volume>(raises) * mss_;
  }
  if (round_begins_) raise_longterm_slope();
}

void Bbr::raise_longterm_slope() {
  acked_per_raise_ = std::max<Volume>(cwnd_ / (1U << up_rounds_), mss_);
  up_rounds_ = std::min<std::uint8_t>(up_rounds_ + 1, 30);
}

/// Any number, another for each flow.
std::uint32_t Bbr::draw(Instant now) {
  std::uint64_t x =
      drawn_ + delivered_ + static_cast<std::uint64_t>(now.time_since_epoch().count());
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return drawn_ = static_cast<std::uint32_t>(x >> 32);
}

// ---- looking for the shortest round trip

void Bbr::check_probe_rtt(const Ack& ack) {
  if (state_ != State::probe_rtt && min_rtt_.is_probe_due() && !idle_restart_) {
    state_ = State::probe_rtt;
    save_cwnd(ack.recovery == TcpRecovery::fast);
    probe_rtt_ends_.reset();
    feedback_ = Feedback::stopping;
    rounds_.begin(delivered_);
  }
  if (state_ == State::probe_rtt) hold_probe_rtt(ack);
  if (ack.delivered > 0) idle_restart_ = false;
}

void Bbr::hold_probe_rtt(const Ack& ack) {
  limited_until_ = delivered_ + ack.pipe;
  if (!probe_rtt_ends_) {
    if (ack.pipe > probe_rtt_cwnd()) return;
    probe_rtt_ends_ = ack.now + kProbeRttTime;
    probe_rtt_round_done_ = false;
    rounds_.begin(delivered_);
    return;
  }
  if (round_begins_) probe_rtt_round_done_ = true;
  if (probe_rtt_round_done_) end_probe_rtt_if_done(ack.now);
}

void Bbr::end_probe_rtt_if_done(Instant now) {
  if (!probe_rtt_ends_ || now <= *probe_rtt_ends_) return;
  min_rtt_.on_probed(now);
  restore_cwnd();
  reset_shortterm_model();
  if (!has_filled_pipe_) {
    state_ = State::startup;
    return;
  }
  start_down(now);
  state_ = State::cruise;  // little is in flight already
}

}  // namespace hawser::tcp
