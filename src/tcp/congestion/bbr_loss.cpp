// What losses say of the path (draft-ietf-ccwg-bbr, "Updating the Model Upon Packet Loss"): while
// it probes, how much may be in flight for long; else, how much less is delivered for now.
#include <algorithm>

#include "tcp/congestion/bbr.hpp"

namespace hawser::tcp {

namespace {

constexpr double kLossThreshold = 0.02;  ///< of what was in flight
constexpr double kBeta = 0.7;
/// Losses apart from each other in a round trip of startup that say that the path is full.
constexpr std::uint8_t kStartupLosses = 6;

}  // namespace

void Bbr::note_loss(const Ack& ack) {
  if (!is_loss_in_round_) {
    loss_rounds_.begin(delivered_);
    save_before_loss(ack.recovery == TcpRecovery::fast);
  }
  is_loss_in_round_ = true;
  if (loss_events_ < 255) ++loss_events_;
  if (!samples_probe_ || !is_inflight_too_high(ack)) return;
  // How much of what was lost was too much: what was in flight before it, and as much of it as
  // makes the share of losses the threshold.
  const Volume lost = ack.lost;
  const Volume before = ack.rate.in_flight - lost;
  const Volume lost_before = ack.rate.lost - lost;
  const Volume part = (kLossThreshold * before - lost_before) / (1 - kLossThreshold);
  on_inflight_too_high(ack, before + part);
}

void Bbr::save_before_loss(bool in_recovery) {
  save_cwnd(in_recovery);
  undo_state_.reset();
  undo_bandwidth_shortterm_ = bandwidth_shortterm_;
  undo_inflight_shortterm_ = inflight_shortterm_;
  undo_inflight_longterm_ = inflight_longterm_;
}

bool Bbr::is_inflight_too_high(const Ack& ack) {
  return ack.rate.lost > ack.rate.in_flight * kLossThreshold;
}

void Bbr::on_inflight_too_high(const Ack& ack, Volume inflight) {
  last_probe_too_high_ = true;
  samples_probe_ = false;  // once for a probe
  if (!ack.rate.app_limited) inflight_longterm_ = std::max(inflight, target_inflight() * kBeta);
  if (state_ != State::up) return;
  undo_state_ = State::up;
  start_down(ack.now);
}

void Bbr::check_startup_loss(const Ack& ack) {
  if (state_ != State::startup || has_filled_pipe_ || ack.recovery != TcpRecovery::fast) return;
  const bool lasts = loss_round_begins_ && round_count_ > recovery_round_;
  const bool many = loss_events_ >= kStartupLosses && is_inflight_too_high(ack);
  if (!lasts || !many) return;
  undo_state_ = State::startup;
  has_filled_pipe_ = true;
  inflight_longterm_ = std::max(bdp(bandwidth_, 1), volume_latest_);
}

// ---- the short-term model

void Bbr::take_latest_delivery(const Ack& ack) {
  rate_latest_ = std::max(rate_latest_, static_cast<Rate>(ack.rate.rate()));
  volume_latest_ = std::max<Volume>(volume_latest_, ack.rate.delivered);
  loss_round_begins_ = loss_rounds_.on_delivery(ack.rate.prior_delivered, delivered_);
}

/// Once in a round trip with losses that were not sought.
void Bbr::adapt_shortterm_model() {
  if (is_probing_bandwidth() || !is_loss_in_round_) return;
  if (bandwidth_shortterm_ == bbr::kInfinite) bandwidth_shortterm_ = max_bandwidth();
  if (inflight_shortterm_ == bbr::kInfinite) inflight_shortterm_ = cwnd_;
  bandwidth_shortterm_ = std::max(rate_latest_, kBeta * bandwidth_shortterm_);
  inflight_shortterm_ = std::max(volume_latest_, kBeta * inflight_shortterm_);
}

void Bbr::reset_shortterm_model() {
  bandwidth_shortterm_ = bbr::kInfinite;
  inflight_shortterm_ = bbr::kInfinite;
}

void Bbr::reset_congestion_signals() {
  is_loss_in_round_ = false;
  loss_events_ = 0;
  rate_latest_ = 0;
  volume_latest_ = 0;
}

void Bbr::on_spurious(const CongestionState& state) {
  mss_ = state.mss;
  restore_cwnd();
  is_loss_in_round_ = false;
  full_pipe_.restart();
  bandwidth_shortterm_ = std::max(bandwidth_shortterm_, undo_bandwidth_shortterm_);
  inflight_shortterm_ = std::max(inflight_shortterm_, undo_inflight_shortterm_);
  inflight_longterm_ = std::max(inflight_longterm_, undo_inflight_longterm_);
  if (undo_state_ == State::startup && state_ != State::startup) {
    has_filled_pipe_ = false;
    if (state_ != State::probe_rtt) state_ = State::startup;
  } else if (undo_state_ == State::up && state_ != State::up && state_ != State::probe_rtt) {
    start_refill();
  }
  undo_state_.reset();
}

}  // namespace hawser::tcp
