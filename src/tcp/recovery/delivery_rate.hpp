// How fast what was sent arrives, measured with every acknowledgment (draft-ietf-ccwg-bbr 4.1). The
// rate is that of sending or that of arriving, whichever is lower.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "hawser/congestion.hpp"
#include "tcp/recovery/rack.hpp"
#include "tcp/recovery/segment_ring.hpp"

namespace hawser::tcp {

/// Moments are in microseconds modulo 2^32, totals in bytes modulo 2^32.
class DeliveryRate {
 public:
  /// `delivered` has arrived before.
  explicit DeliveryRate(std::uint32_t delivered) : delivered_(delivered) {}

  std::uint32_t delivered() const { return delivered_; }
  std::uint32_t lost() const { return lost_; }

  /// `pipe`: what is in flight without the segment.
  void on_sent(SentSegment& segment, std::uint32_t length, std::uint32_t pipe) {
    if (pipe == 0) first_sent_us_ = delivered_us_ = segment.sent_us;
    segment.first_sent_us = first_sent_us_;
    segment.delivered_us = delivered_us_;
    segment.delivered = delivered_;
    segment.in_flight = pipe + length;
    segment.lost_before = lost_;
    segment.app_limited = app_limited_;
  }
  /// Until `pipe`, what is in flight now, has arrived, samples say nothing about the path: there
  /// was no more to send.
  void on_nothing_to_send(std::uint32_t pipe) {
    app_limited_ = true;
    limited_until_ = delivered_ + pipe;
  }
  void on_lost(std::uint32_t bytes) { lost_ += bytes; }

  // ---- an acknowledgment: begin, then each segment that it is news of, then sample

  void begin() { has_newest_ = false; }
  void on_arrived(const SentSegment& segment, std::uint32_t now_us) {
    delivered_us_ = now_us;
    const bool newer = !has_newest_ ||
                       Rack::sent_after(segment.sent_us, segment.end, newest_.sent_us, newest_.end);
    if (!newer) return;
    has_newest_ = true;
    newest_ = segment;
    first_sent_us_ = segment.sent_us;
  }
  void on_bytes(std::uint32_t bytes) {
    delivered_ += bytes;
    if (static_cast<std::int32_t>(delivered_ - limited_until_) > 0) app_limited_ = false;
  }
  /// None of less than the least round-trip time: that is an ACK which stands for others.
  RateSample sample(std::uint32_t min_rtt_us) const {
    RateSample sample;
    if (!has_newest_) return sample;
    const std::uint32_t sending = newest_.sent_us - newest_.first_sent_us;
    const std::uint32_t arriving = delivered_us_ - newest_.delivered_us;
    sample.prior_delivered = newest_.delivered;
    sample.in_flight = newest_.in_flight;
    sample.lost = lost_ - newest_.lost_before;
    sample.app_limited = newest_.app_limited;
    sample.delivered = delivered_ - newest_.delivered;
    const std::uint32_t interval = std::max(sending, arriving);
    if (interval >= min_rtt_us) sample.interval = std::chrono::microseconds(interval);
    return sample;
  }

 private:
  std::uint32_t delivered_;
  std::uint32_t delivered_us_ = 0;
  std::uint32_t first_sent_us_ = 0;
  std::uint32_t lost_ = 0;
  std::uint32_t limited_until_ = 0;
  bool app_limited_ = false;
  bool has_newest_ = false;
  SentSegment newest_;  ///< of those that the acknowledgment is news of the one sent last
};

}  // namespace hawser::tcp
