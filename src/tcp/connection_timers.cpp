// TIMEOUTS: retransmission, persist, delayed ACK, keep-alive, and the bounds R1 and R2
// (RFC 9293 3.8.1, 3.8.3, 3.8.4, 3.8.6.1, 3.10.8; RFC 6298 5).
#include <algorithm>

#include "tcp/connection.hpp"

namespace hawser::tcp {

void Connection::on_time(const Context& context) {
  if (timers_.take_expired(TimerSlot::delayed_ack, context.now)) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::delayed_ack});
    flags_.ack_now = true;
  }
  if (has_single() &&
      std::min(single_probe_at(), timers_.at(TimerSlot::retransmit)) <= context.now) {
    record_single();
  }
  if (flight_ != nullptr) flight_->pacer().on_time(context.now);
  if (flight_ != nullptr && flight_->timer() <= context.now) on_loss_timer(context);
  if (timers_.take_expired(TimerSlot::retransmit, context.now)) on_retransmission_timer(context);
  if (extra_ != nullptr && extra_->idle_at <= context.now) {
    extra_->idle_at = kNever;
    on_idle_timer(context);
  }
}

void Connection::on_retransmission_timer(const Context& context) {
  if (state_ == TcpState::fin_wait_2) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::fin_wait_2});
    return finish(context, CloseReason::finished);
  }
  // RFC9293-MUST-20, RFC9293-MUST-21, RFC9293-MUST-22, RFC9293-U-1
  if (past_user_timeout(context)) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::user_timeout});
    return fail(context, Error::timed_out, CloseReason::timed_out);
  }
  // Nothing was lost when a silly window is overridden.
  const bool overrides = synchronized() && in_flight() == 0 && snd_.wnd > 0;
  if (!overrides) rtt_.on_timeout();  // RFC6298-5.5; probes too: RFC9293-SHLD-30
  if (!synchronized()) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::retransmit});
    ++extra().count.timeouts;
    flags_.syn_lost_twice = flags_.syn_retransmitted;
    flags_.syn_retransmitted = true;
    flags_.syn_pending = true;
  } else if (in_flight() == 0 || snd_.wnd == 0) {
    on_persist_timer(context);
  } else {
    on_retransmission_timeout(context);
  }
  arm_retransmission(context);
}

void Connection::on_persist_timer(const Context& context) {
  context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::persist});
  flags_.waits_for_timer = false;
  if (in_flight() == 0 && snd_.wnd > 0) {
    flags_.override_silly = true;
  } else {
    flags_.probe_pending = true;
    flags_.probed = true;
  }
}

void Connection::on_retransmission_timeout(const Context& context) {
  context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::retransmit});
  flags_.waits_for_timer = false;
  Extra& extra = this->extra();
  ++extra.count.timeouts;
  if (rtt_.backoff() == context.config.r1 && settings_->report_soft_errors) {
    soft_error_ = static_cast<std::uint8_t>(Error::timed_out);  // RFC9293-SHLD-9, RFC9293-U-2
    ready_ |= Ready::error;
  }
  // A peer that SACKed the octet which its ACK still asks for has dropped it again (RFC 2018 8).
  if (flight_->has_reneged()) flight_->lose_sacked();
  const std::uint16_t mss = mss_;
  const bool again = extra.recovery == TcpRecovery::timeout;
  const bool believed = believe_held_message(context);
  if (!believed) suspect_black_hole(context);
  if (mss != mss_ || extra.recovery == TcpRecovery::fast) {
    extra.undo.reset();
  } else if (again && extra.undo) {
    extra.undo->frto = Undo::Frto::off;
  } else if (!again) {
    begin_undo(flags_.sack ? Undo::Frto::sent_again : Undo::Frto::off);
  }
  if (!believed) {
    congestion_.on_congestion(again ? CongestionSignal::timeout_again : CongestionSignal::timeout,
                              congestion_state(context));
    note_reduction();
  }
  if (flags_.sack) {
    flight_->on_timeout(context.now, path_now());
  } else {
    flight_->lose_all(SendReason::retransmit_rto);
  }
  flight_->cut(effective_mss());  // the segments of now may be smaller than those of then
  enter_timeout_recovery();
  context.emit(tuple_.local, tuple_.remote,
               LossDetected{snd_.una, snd_.nxt, SendReason::retransmit_rto});
  tell_window(context);
}

void Connection::arm_retransmission(const Context& context) {
  Instant expiry = context.now + rtt_.rto(context.config);
  if (!peer_window_closed()) {
    const Instant give_up = progress_at_ + user_timeout(context);
    expiry = std::max(context.now, std::min(expiry, give_up));
  }
  timers_.set(TimerSlot::retransmit, expiry);
}

Duration Connection::user_timeout(const Context& context) const {
  if (!synchronized()) return context.config.syn_timeout;  // RFC9293-MUST-23
  return settings_->user_timeout.value_or(context.config.user_timeout);
}

bool Connection::past_user_timeout(const Context& context) const {
  // With a closed window only a probe that nobody answered counts (RFC9293-MUST-37,
  // RFC9293-SHLD-17), as long as somebody holds the connection.
  if (peer_window_closed() && !flags_.released && sent_at_ <= progress_at_) return false;
  return context.now - progress_at_ >= user_timeout(context);
}

/// Nobody holds the connection, and all that was to be sent is acknowledged. The slot is free: no
/// more retransmissions.
void Connection::set_fin_wait_2_timer(const Context& context) {
  timers_.set(TimerSlot::retransmit, context.now + context.config.fin_wait_2_timeout);
  if (extra_ != nullptr) extra_->idle_at = kNever;
}

/// RFC9293-MAY-5. When it is switched on the time counts from now.
void Connection::arm_keep_alive(const Context& context) {
  if (flags_.released && state_ == TcpState::fin_wait_2) return;  // it has a timer of its own
  if (!settings_->keep_alive) {
    if (extra_ != nullptr) extra_->idle_at = kNever;
    return;
  }
  Extra& extra = this->extra();
  if (extra.idle_at == kNever) {
    extra.heard_at = context.now;
    extra.keep_alive_probes = 0;
  }
  extra.idle_at = std::max(context.now, extra.heard_at + settings_->keep_alive_idle);
}

void Connection::on_idle_timer(const Context& context) {
  Extra& extra = *extra_;
  const Instant due = extra.heard_at + settings_->keep_alive_idle;
  const bool outstanding = in_flight() > 0 || !send_queue_.empty();
  if (outstanding || (extra.keep_alive_probes == 0 && context.now < due)) {  // RFC9293-MUST-26
    extra.idle_at = outstanding ? context.now + settings_->keep_alive_idle : due;
    return;
  }
  if (extra.keep_alive_probes >= settings_->keep_alive_count) {  // RFC9293-MUST-29
    return fail(context, Error::timed_out, CloseReason::keep_alive);
  }
  context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::keep_alive});
  ++extra.keep_alive_probes;
  flags_.keep_alive_pending = true;
  extra.idle_at = context.now + settings_->keep_alive_interval;
}

}  // namespace hawser::tcp
