#include "tcp/congestion/new_reno.hpp"

#include <algorithm>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

void NewReno::on_start(const CongestionStart& start) {
  cwnd_ = start.cwnd;
  ssthresh_ = start.ssthresh;
}

void NewReno::on_ack(const AckSample& ack) {
  if (!ack.window_limited || ack.recovery == TcpRecovery::fast) return;
  if (cwnd_ < ssthresh_) {
    cwnd_ = std::min(cwnd_ + slow_start_growth(ack.acked, ack.mss, after_timeout_), kMaxWindow);
    return;
  }
  after_timeout_ = false;
  bytes_acked_ += std::min(ack.acked, cwnd_);
  if (bytes_acked_ < cwnd_) return;
  bytes_acked_ -= cwnd_;
  cwnd_ = std::min(cwnd_ + ack.mss, kMaxWindow);
}

void NewReno::on_congestion(CongestionSignal signal, const CongestionState& state) {
  // Segments that limited transmit let out do not count as flight (RFC 5681 3.2 step 2).
  const std::uint32_t flight = std::min(state.outstanding, cwnd_);
  if (signal == CongestionSignal::mark) {  // RFC8511-3, RFC3168-6.1.2
    const std::uint32_t rest = flight - flight / 5;
    ssthresh_ = std::max(rest, 2 * state.mss);
    cwnd_ = std::max(rest, state.mss);
    bytes_acked_ = 0;
    return;
  }
  const bool timeout =
      signal == CongestionSignal::timeout || signal == CongestionSignal::timeout_again;
  if (signal != CongestionSignal::timeout_again) ssthresh_ = std::max(flight / 2, 2 * state.mss);
  cwnd_ = timeout ? state.mss : ssthresh_;
  after_timeout_ = timeout;
  bytes_acked_ = 0;
}

void NewReno::on_idle(const CongestionState& state) {
  cwnd_ = std::min(cwnd_, state.initial_window);
  bytes_acked_ = 0;
}

}  // namespace hawser::tcp
