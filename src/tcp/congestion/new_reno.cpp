#include "tcp/congestion/new_reno.hpp"

#include <algorithm>

namespace hawser::tcp {

namespace {

/// No window field, however scaled, allows more (RFC 7323 2.3).
constexpr std::uint32_t kMaxWindow = std::uint32_t{1} << 30;

std::uint32_t after_loss(std::uint32_t flight, std::uint32_t mss) {
  return std::max(flight / 2, 2 * mss);
}

}  // namespace

void NewReno::on_established(std::uint32_t mss, std::uint16_t initial_segments, bool syn_lost) {
  cwnd_ = syn_lost ? mss : initial_window(mss, initial_segments);
}

void NewReno::on_ack(std::uint32_t acked, std::uint32_t mss, bool window_was_full) {
  if (!window_was_full) return;
  if (cwnd_ < ssthresh_) {
    // RFC 3465 2.2 and 2.3: at most two segments for an acknowledgment, one after a timeout.
    const std::uint32_t most = after_timeout_ ? mss : 2 * mss;
    cwnd_ = std::min(cwnd_ + std::min(acked, most), kMaxWindow);
    return;
  }
  after_timeout_ = false;
  bytes_acked_ += std::min(acked, cwnd_);
  if (bytes_acked_ < cwnd_) return;
  bytes_acked_ -= cwnd_;
  cwnd_ = std::min(cwnd_ + mss, kMaxWindow);
}

void NewReno::on_loss(std::uint32_t flight, std::uint32_t mss) {
  ssthresh_ = after_loss(flight, mss);
  cwnd_ = ssthresh_;
  bytes_acked_ = 0;
}

void NewReno::on_timeout(std::uint32_t flight, std::uint32_t mss, bool first) {
  if (first) ssthresh_ = after_loss(flight, mss);
  cwnd_ = mss;
  bytes_acked_ = 0;
  after_timeout_ = true;
}

void NewReno::on_idle(std::uint32_t mss, std::uint16_t initial_segments) {
  cwnd_ = std::min(cwnd_, initial_window(mss, initial_segments));
  bytes_acked_ = 0;
}

}  // namespace hawser::tcp
