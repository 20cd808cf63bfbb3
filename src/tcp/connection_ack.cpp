// What an acknowledgment does: windows and round-trip times (RFC 9293 3.10.7.4 fifth step, RFC
// 6298, RFC 7323 4).
#include <algorithm>

#include "tcp/connection.hpp"
#include "tcp/paws.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

void Connection::on_ack(const Context& context, const Segment& segment) {
  const SeqNum ack = segment.header.ack;
  if (ack < snd_.una) return;  // an older one, overtaken
  const std::uint32_t flight = in_flight();
  const std::uint32_t acked = distance(snd_.una, ack);
  // With SACK, news of what arrived out of order counts; without, an ACK that repeats the last one.
  const bool duplicate = !flags_.sack && acked == 0 && is_duplicate_ack(segment);
  const Flight::Delivery delivery = tell_flight(context, segment);
  std::optional<Duration> rtt;
  if (acked > 0 || delivery.sacked > 0) rtt = sample_round_trip(context, segment, delivery);
  if (acked > 0) release_acknowledged(acked);
  update_send_window(context, segment);
  // RFC9293-MUST-37: it answers, so it lives. But when nobody holds the connection any more, data
  // that the peer never takes is not kept for ever (RFC 6429 3).
  if (snd_.wnd == 0 && !flags_.released) progress_at_ = context.now;
  const bool models_path = congestion_.models_path();
  const bool echo = segment.has(TcpFlag::ece) && on_echo(context, flight);
  // What tells of a mark lets the window not grow (RFC3168-6.1.2).
  const bool limited = !echo && (recovery() == TcpRecovery::timeout || window_was_full(flight));
  if (acked > 0) {
    if (!models_path) tell_congestion_control(context, delivery, acked, rtt, limited);
    on_new_ack(context, acked);
  }
  if (flight_ == nullptr) return;
  repair_losses(context, segment, delivery, acked, duplicate);
  if (models_path && (acked > 0 || delivery.bytes > 0)) {
    tell_congestion_control(context, delivery, acked, rtt, limited);
  }
  if (flight_->empty() && !flight_->is_worth_keeping()) flight_.reset();
  const bool news = acked > 0 || delivery.bytes > 0;
  if (news || flight_ == nullptr || flight_->detect_at() != kNever) arm_loss_timer(context);
}

Flight::Delivery Connection::tell_flight(const Context& context, const Segment& segment) {
  if (has_single()) {
    const bool plain = segment.header.options.sack_count == 0;
    if (plain && segment.header.ack == snd_.nxt) return single_delivered(context.now);
    record_single();
  }
  if (flight_ == nullptr) return {};
  Flight::Ack ack{.now = context.now, .una = segment.header.ack, .nxt = snd_.nxt};
  ack.min_rtt = std::chrono::microseconds(min_rtt_us_);
  if (flags_.sack) ack.blocks = segment.header.options.sack();
  const auto age = echoed_ticks(context, segment);
  if (age && extra_ != nullptr && extra_->has_sent_again()) {  // else it tells nothing
    const auto now = std::chrono::floor<std::chrono::milliseconds>(context.now);
    ack.echo_before = now - *age + std::chrono::milliseconds(1);
  }
  return flight_->on_ack(ack);
}

/// What the acknowledgment of a segment without a record tells.
Flight::Delivery Connection::single_delivered(Instant now) const {
  using std::chrono::floor;
  using std::chrono::microseconds;
  Flight::Delivery delivery;
  delivery.bytes = in_flight();
  delivery.first_original = snd_.nxt;
  delivery.rtt = delivery.least_rtt = floor<microseconds>(now) - floor<microseconds>(sent_at_);
  return delivery;
}

/// Whether more would have been sent, had the congestion window been larger.
bool Connection::window_was_full(std::uint32_t flight) const {
  const std::uint32_t cwnd = this->cwnd();
  return flight + 2 * effective_mss() > cwnd ||
         (cwnd < congestion_.ssthresh() && cwnd < 2 * flight);
}

/// RFC 5681 2: nothing in it is new but that something has arrived. What answers a probe of a
/// closed window tells of no loss.
bool Connection::is_duplicate_ack(const Segment& segment) const {
  return segment.seq_length() == 0 && snd_.wnd != 0 &&
         unscaled_window(segment.header.window, snd_wscale_) == snd_.wnd;
}

void Connection::release_acknowledged(std::uint32_t acked) {
  const std::uint32_t data = std::min(acked, send_queue_.size());
  if (acked > data) flags_.fin_acked = true;
  send_queue_.release(data);
  snd_.una += acked;
  count_.bytes_acked += data;
  if (flags_.snd_urgent && snd_.una >= extra_->snd_up) flags_.snd_urgent = false;
  if (flags_.sender_blocked && send_queue_.size() <= send_buffer() / 3 * 2) {
    flags_.sender_blocked = false;
    ready_ |= Ready::writable;
  }
}

void Connection::update_send_window(const Context& context, const Segment& segment) {
  const TcpHeader& header = segment.header;
  const bool newer = snd_.wl1 < header.seq || (snd_.wl1 == header.seq && snd_.wl2 <= header.ack);
  if (!newer) return;
  const std::uint32_t window = unscaled_window(header.window, snd_wscale_);
  const bool opened = window > snd_.wnd;
  // What the user timeout counts begins with the open window.
  if (opened && snd_.wnd == 0 && !flags_.released) progress_at_ = context.now;
  snd_.wnd = window;
  snd_.max_wnd = std::max(snd_.max_wnd, window);
  snd_.wl1 = header.seq;
  snd_.wl2 = header.ack;
  if (!opened) return;
  flags_.probe_pending = false;
  if (state_ == TcpState::fin_wait_2) return;  // all is sent
  if (in_flight() == 0) {                      // what runs is the persist timer
    timers_.clear(TimerSlot::retransmit);
    rtt_.reset_backoff();
  } else if (flags_.probed) {  // what the closed window kept out goes again, at once
    resend_all();
    rtt_.reset_backoff();
    arm_retransmission(context);
  }
  flags_.probed = false;
}

/// How old the timestamp is that the peer echoes (RFC 7323 4), in ticks of our clock.
std::optional<std::chrono::milliseconds> Connection::echoed_ticks(const Context& context,
                                                                  const Segment& segment) const {
  const auto& timestamps = segment.header.options.timestamps;
  if (!flags_.timestamps || !timestamps) return std::nullopt;
  return std::chrono::milliseconds(ts_now(context) - timestamps->echo);
}

std::optional<Duration> Connection::echoed_age(const Context& context,
                                               const Segment& segment) const {
  const auto age = echoed_ticks(context, segment);
  if (!age || *age <= Duration::zero() || *age > context.config.max_rto) return std::nullopt;
  if (extra_ != nullptr && extra_->has_sent_again() &&
      timestamp_before(segment.header.options.timestamps->echo, extra_->retransmitted_ts)) {
    return std::nullopt;
  }
  return age;
}

/// Our SYN is acknowledged.
void Connection::sample_handshake(const Context& context, const Segment& segment) {
  if (!flags_.syn_retransmitted) {
    const Duration rtt = context.now - sent_at_;
    note_least_rtt(rtt);
    rtt_.on_sample(rtt, context.config);
  } else if (const auto age = echoed_age(context, segment)) {
    rtt_.on_sample(*age, context.config);
  }
}

void Connection::note_least_rtt(Duration rtt) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(rtt).count();
  const auto bounded = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, 1 << 30));
  min_rtt_us_ = min_rtt_us_ == 0 ? bounded : std::min(min_rtt_us_, bounded);
}

/// RFC9293-MUST-18: a sample of each acknowledgment, never of a segment that was sent twice (Karn).
/// Where there is no other, the peer's echo of our timestamp serves (RFC 7323 4).
std::optional<Duration> Connection::sample_round_trip(const Context& context,
                                                      const Segment& segment,
                                                      const Flight::Delivery& delivery) {
  if (delivery.least_rtt) note_least_rtt(*delivery.least_rtt);
  std::optional<Duration> rtt = delivery.rtt;
  if (!rtt && delivery.sacked > 0) rtt = delivery.least_rtt;
  if (!rtt && segment.header.ack > snd_.una) rtt = echoed_age(context, segment);
  if (!rtt) return std::nullopt;
  // RFC 7323 appendix G: the more samples a round trip gives, the less each weighs.
  const std::uint32_t two = 2 * effective_mss();
  const std::uint32_t expected = in_flight() <= two ? 1 : (in_flight() + two - 1) / two;
  rtt_.on_sample(*rtt, context.config, expected);
  return rtt;
}

void Connection::tell_congestion_control(const Context& context, const Flight::Delivery& delivery,
                                         std::uint32_t acked, std::optional<Duration> rtt,
                                         bool limited) {
  AckSample sample;
  static_cast<CongestionState&>(sample) = congestion_state(context);
  sample.acked = acked;
  sample.rtt = delivery.least_rtt ? delivery.least_rtt : rtt;
  sample.window_limited = limited;
  if (congestion_.models_path()) {
    sample.pipe = pipe();
    sample.delivered = delivery.bytes;
    sample.total_delivered = flight_->total_delivered();
    sample.lost = flight_->take_lost();
    sample.rate = flight_->rate_sample(std::chrono::microseconds(min_rtt_us_));
  }
  congestion_.on_ack(sample);
}

void Connection::on_new_ack(const Context& context, std::uint32_t acked) {
  progress_at_ = context.now;
  flags_.probe_pending = false;  // what they were to repeat may be gone
  flags_.tail_probe_pending = false;
  if (extra_ != nullptr) {
    extra_->dup_acks = 0;
    if (extra_->cwr_at && snd_.una > *extra_->cwr_at) extra_->cwr_at.reset();
  }
  if (acked >= effective_mss()) flags_.full_size_acked = true;
  if (known_path() != nullptr) on_path_ack(context);
  if (in_flight() == 0) {
    timers_.clear(TimerSlot::retransmit);
  } else {
    arm_retransmission(context);  // RFC6298-5.3
  }
  advance_recovery(context, acked);
  if (flags_.fin_acked) on_fin_acked(context);
}

void Connection::on_fin_acked(const Context& context) {
  switch (state_) {
    case TcpState::fin_wait_1:
      set_state(context, TcpState::fin_wait_2);
      if (flags_.released) set_fin_wait_2_timer(context);
      return;
    case TcpState::closing:
      return enter_time_wait(context);
    case TcpState::last_ack:
      return finish(context, CloseReason::finished);
    default:
      return;
  }
}

}  // namespace hawser::tcp
