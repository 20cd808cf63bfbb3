// What an acknowledgment does: windows, round-trip times, and the recovery from loss by duplicate
// ACKs and SACK (RFC 9293 3.10.7.4 fifth step, RFC 5681 3.2, RFC 6582, RFC 6675).
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
  bool arrived = !flags_.sack && acked == 0 && is_duplicate_ack(segment);
  std::optional<Duration> rtt;
  if (acked > 0) {
    rtt = take_round_trip_sample(context, segment);
    release_acknowledged(acked);
  }
  if (flags_.sack && segment.header.options.sack_count > 0) {
    Scoreboard& scoreboard = extra().scoreboard;
    arrived =
        scoreboard.on_sack(snd_.una, snd_.nxt, segment.header.options.sack()).newly_sacked > 0;
    if (flags_.timing && scoreboard.is_sacked(timed_seq_ - 1U)) end_timing(context);
  }
  update_send_window(context, segment);
  // RFC9293-MUST-37: it answers, so it lives. But when nobody holds the connection any more, data
  // that the peer never takes is not kept for ever (RFC 6429 3).
  if (snd_.wnd == 0 && !flags_.released) progress_at_ = context.now;
  if (acked > 0) {
    tell_congestion_control(context, acked, flight, rtt);
    on_new_ack(context, acked);
  }
  if (arrived && in_flight() > 0) on_duplicate_ack(context);
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
  if (extra_ != nullptr) extra_->scoreboard.on_ack(snd_.una);
  if (flags_.snd_urgent && snd_.una >= extra_->snd_up) flags_.snd_urgent = false;
  if (flags_.sender_blocked && send_queue_.size() <= settings_->send_buffer / 3 * 2) {
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

/// RFC9293-MUST-18: one segment in flight is timed, never one that was sent twice (Karn), nor one
/// whose ACK had to wait for the repair of what was before it. While none is, the peer's echo of
/// our timestamp serves (RFC 7323 4).
std::optional<Duration> Connection::take_round_trip_sample(const Context& context,
                                                           const Segment& segment) {
  if (flags_.timing) {
    if (segment.header.ack < timed_seq_) return std::nullopt;
    if (recovery() == TcpRecovery::none) return end_timing(context);
    flags_.timing = false;
  }
  const auto& timestamps = segment.header.options.timestamps;
  if (!flags_.timestamps || !timestamps) return std::nullopt;
  if (extra_ != nullptr && extra_->has_sent_again() &&
      timestamp_before(timestamps->echo, extra_->retransmitted_ts)) {
    return std::nullopt;
  }
  const std::chrono::milliseconds age(ts_now(context) - timestamps->echo);
  if (age <= Duration::zero() || age > context.config.max_rto) return std::nullopt;
  rtt_.on_sample(age, context.config);
  return age;
}

Duration Connection::end_timing(const Context& context) {
  flags_.timing = false;
  // Modulo 2^32, which is 71 minutes: what waits longer was sent again, and is not timed any more.
  const std::chrono::microseconds taken(microseconds(context.now) - timed_at_);
  rtt_.on_sample(taken, context.config);
  return taken;
}

/// `flight`: what was in flight before.
void Connection::tell_congestion_control(const Context& context, std::uint32_t acked,
                                         std::uint32_t flight, std::optional<Duration> rtt) {
  const bool limited = recovery() == TcpRecovery::timeout || window_was_full(flight);
  congestion_.on_ack({congestion_state(context), acked, rtt, limited});
}

void Connection::on_new_ack(const Context& context, std::uint32_t acked) {
  progress_at_ = context.now;
  flags_.probe_pending = false;  // what it was to repeat may be gone
  if (extra_ != nullptr) extra_->dup_acks = 0;
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

void Connection::advance_recovery(const Context& context, std::uint32_t acked) {
  if (extra_ != nullptr) extra_->high_rxt = max(extra_->high_rxt, snd_.una);
  const bool over = extra_ == nullptr || snd_.una >= extra_->recover;
  switch (recovery()) {
    case TcpRecovery::none:
      if (extra_ == nullptr) return;
      extra_->dup_bytes = 0;
      widen_after_recovery(acked);
      // So that it never lies 2^31 behind.
      if (snd_.una > extra_->recover) extra_->recover = snd_.una - 1U;
      return;
    case TcpRecovery::fast:
      if (over) return leave_recovery(context);
      // RFC 6582 3.2 step 3: a partial ACK says that the next segment is lost too. What it covers
      // beyond the retransmission was counted by duplicate ACKs before.
      extra_->dup_bytes -= std::min(extra_->dup_bytes, acked - std::min(acked, effective_mss()));
      if (extra_->scoreboard.empty()) flags_.force_retransmit = true;
      return;
    case TcpRecovery::timeout:
      if (over) leave_recovery(context);
      return;
  }
}

void Connection::widen_after_recovery(std::uint32_t acked) {
  std::optional<std::uint32_t>& window = extra_->window_after_recovery;
  if (!window) return;
  *window += slow_start_growth(acked, effective_mss(), false);
  if (*window >= congestion_.cwnd()) window.reset();
}

void Connection::leave_recovery(const Context& context) {
  if (extra_->recovery == TcpRecovery::fast) {
    const std::uint32_t mss = effective_mss();
    extra_->window_after_recovery = std::max(in_flight(), mss) + mss;
  }
  extra_->recovery = TcpRecovery::none;
  flags_.force_retransmit = false;
  extra_->dup_bytes = 0;
  congestion_.on_recovered(congestion_state(context));
  context.emit(tuple_.local, tuple_.remote, CongestionChanged{cwnd(), congestion_.ssthresh()});
}

void Connection::on_duplicate_ack(const Context& context) {
  Extra& extra = this->extra();
  if (extra.recovery == TcpRecovery::timeout) return;
  if (!flags_.sack) extra.dup_bytes = std::min(extra.dup_bytes + effective_mss(), in_flight());
  if (extra.recovery == TcpRecovery::fast) return;
  if (extra.dup_acks < 255) ++extra.dup_acks;
  if (loss_is_certain()) enter_fast_recovery(context);
}

bool Connection::loss_is_certain() const {
  if (flags_.sack) {
    return extra_->dup_acks >= 3 || extra_->scoreboard.is_lost(snd_.una, effective_mss());
  }
  // RFC 6582 3.2 step 2: duplicates of what a timeout sent again prove nothing.
  return extra_->dup_acks >= 3 && snd_.una > extra_->recover;
}

void Connection::enter_fast_recovery(const Context& context) {
  Extra& extra = this->extra();
  ++extra.count.fast_recoveries;
  if (lost_probe_alone()) {
    arm_retransmission(context);  // what followed it had to wait for acknowledgments
  } else {
    congestion_.on_congestion(CongestionSignal::loss, congestion_state(context));
  }
  extra.recovery = TcpRecovery::fast;
  extra.window_after_recovery.reset();
  extra.recover = snd_.nxt;
  extra.high_rxt = snd_.una;
  flags_.force_retransmit = true;
  context.emit(tuple_.local, tuple_.remote,
               LossDetected{snd_.una, snd_.una + std::min(in_flight(), effective_mss()),
                            SendReason::retransmit_fast});
  context.emit(tuple_.local, tuple_.remote, CongestionChanged{cwnd(), congestion_.ssthresh()});
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
