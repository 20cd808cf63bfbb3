#include "tcp/congestion/cubic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kBeta = 0.7;  ///< RFC 9438 4.6
constexpr double kC = 0.4;     ///< segments per cubic second; RFC 9438 5
/// Segments a round trip by which Reno would grow that went down to kBeta (RFC 9438 4.3).
constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);
/// The window may grow by half in a round trip, not by more (RFC 9438 4.2).
constexpr double kSteepest = 1.5;

}  // namespace

void Cubic::on_start(const CongestionStart& start) {
  cwnd_ = start.cwnd;
  ssthresh_ = start.ssthresh;
  last_ack_ = start.now;
}

void Cubic::on_ack(const AckSample& ack) {
  if (ack.rtt) rtt_ = *ack.rtt;
  const Duration since_last = ack.now - last_ack_;
  last_ack_ = ack.now;
  if (ack.recovery == TcpRecovery::fast) return;
  if (!ack.window_limited) {
    if (stage_begins_) *stage_begins_ += since_last;
  } else if (cwnd() < ssthresh_) {
    const double wider = cwnd_ + slow_start_growth(ack.acked, ack.mss, after_timeout_);
    cwnd_ = std::min<double>(wider, kMaxWindow);
  } else {
    avoid_congestion(ack);
  }
}

/// RFC 9438 4.2, and 4.8 after a timeout; 4.10 when there was no loss yet.
void Cubic::begin_stage(const AckSample& ack) {
  stage_begins_ = ack.now;
  after_timeout_ = false;
  w_est_ = cwnd_;
  if (!plateau_known_ || w_max_ <= cwnd_) w_max_ = cwnd_;
  const Seconds k{std::cbrt((w_max_ - cwnd_) / ack.mss / kC)};
  // Rounded, so that no last bit of a library's cube root is seen.
  k_ = std::chrono::round<std::chrono::microseconds>(k);
}

double Cubic::window_at(Duration since, std::uint32_t mss) const {
  const double t = Seconds(since - k_).count();
  return kC * t * t * t * mss + w_max_;
}

void Cubic::avoid_congestion(const AckSample& ack) {
  if (!stage_begins_) begin_stage(ack);
  const double acked = std::min<double>(ack.acked, cwnd_) / cwnd_;
  const Duration since = ack.now - *stage_begins_;
  w_est_ += (w_est_ < cwnd_prior_ ? kAlpha : 1) * acked * ack.mss;
  if (window_at(since, ack.mss) < w_est_) {
    cwnd_ = std::max(cwnd_, w_est_);
  } else {
    const double target = std::clamp(window_at(since + rtt_, ack.mss), cwnd_, kSteepest * cwnd_);
    cwnd_ += (target - cwnd_) * acked;
  }
  cwnd_ = std::min<double>(cwnd_, kMaxWindow);
}

void Cubic::on_congestion(CongestionSignal signal, const CongestionState& state) {
  const bool timeout =
      signal == CongestionSignal::timeout || signal == CongestionSignal::timeout_again;
  if (signal != CongestionSignal::timeout_again) {
    cwnd_prior_ = cwnd_;
    w_max_ = cwnd_ < w_max_ ? cwnd_ * (1 + kBeta) / 2 : cwnd_;
    // Segments that limited transmit let out do not count as flight (RFC 5681 3.2 step 2).
    const double flight = std::min<double>(state.outstanding, cwnd_);
    ssthresh_ = std::max(static_cast<std::uint32_t>(flight * kBeta), 2 * state.mss);
  }
  cwnd_ = timeout ? state.mss : ssthresh_;
  stage_begins_.reset();
  plateau_known_ = !timeout;
  after_timeout_ = timeout;
}

void Cubic::on_idle(const CongestionState& state) {
  cwnd_ = std::min<double>(cwnd_, state.initial_window);
  stage_begins_.reset();
}

}  // namespace hawser::tcp
