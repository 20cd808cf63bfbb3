#include "tcp/congestion/window_validation.hpp"

#include <chrono>
#include <utility>

namespace hawser::tcp {

namespace {

constexpr Duration kNonValidatedPeriod = std::chrono::minutes(5);  ///< RFC 7661 4.4.3

/// Half of the pipeACK sampling period (RFC 7661 4.2): max(3 * RTT, 1 second).
Duration half_period(Duration rtt) {
  return std::max<Duration>(3 * rtt, std::chrono::seconds(1)) / 2;
}

}  // namespace

void WindowValidation::on_ack(const AckSample& ack, bool round_ends, Duration rtt,
                              std::uint32_t cwnd) {
  acked_ += ack.acked;
  if (!round_ends) return;
  half_period_ = half_period(rtt);
  forget_old(ack.now);
  peak_ = std::max(peak_, std::exchange(acked_, 0));
  // A round trip acknowledges what the window at its beginning let out, even in slow start.
  if (used() >= std::exchange(window_, cwnd) / 2) {
    since_.reset();
  } else if (!since_) {
    since_ = ack.now;
  }
}

void WindowValidation::on_idle(Instant now, Instant last_ack, std::uint32_t cwnd) {
  forget_old(now);
  acked_ = 0;
  window_ = cwnd;
  if (!since_ && used() < cwnd / 2) since_ = last_ack;
}

void WindowValidation::forget_old(Instant now) {
  const Duration age = now - peak_begins_;
  if (age < half_period_) return;
  peak_before_ = age < 2 * half_period_ ? peak_ : 0;
  peak_ = 0;
  peak_begins_ = now;
}

bool WindowValidation::take_expiry(Instant now) {
  if (!since_ || now - *since_ < kNonValidatedPeriod) return false;
  *since_ += kNonValidatedPeriod;
  return true;
}

}  // namespace hawser::tcp
