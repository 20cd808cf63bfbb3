// The repair of losses: found by time where the peer reports what arrives (RFC 8985), by duplicate
// ACKs where it does not (RFC 5681 3.2, RFC 6582), by a probe of the tail (RFC 8985 7), or by a
// timeout; and how much may be sent meanwhile (RFC 9937).
#include <algorithm>

#include "tcp/connection.hpp"

namespace hawser::tcp {

namespace {

/// How long a peer may hold back its ACK of a single segment (RFC 8985 7.2).
constexpr Duration kMaxAckDelay = std::chrono::milliseconds(200);
/// What a timer may be late, here and at the peer.
constexpr Duration kTailProbeMargin = std::chrono::milliseconds(2);

}  // namespace

// ---- a single segment in flight

/// Most exchanges are so small that nothing happens to a segment but that it is acknowledged. A
/// record would cost more than all else that is done for it.
bool Connection::may_be_single(const Range& range) const {
  return in_flight() == 0 && flight_ == nullptr && extra_ == nullptr && snd_.wnd > 0 &&
         range.reason == SendReason::data && rtt_.srtt() && !congestion_.models_path() &&
         !congestion_.may_pace();
}

/// When it is to be probed: what arm_loss_timer would have set when it left.
Instant Connection::single_probe_at() const {
  if (!flags_.sack || rtt_.backoff() != 0) return kNever;
  return std::min(sent_at_ + tail_probe_timeout(*rtt_.srtt()), timers_.at(TimerSlot::retransmit));
}

/// Before anything else is done about it.
void Connection::record_single() {
  if (!has_single()) return;
  const Instant probe_at = single_probe_at();
  flight_ = std::make_unique<Flight>(snd_.una, static_cast<std::uint32_t>(count_.bytes_acked));
  flight_->on_sent(sent_at_, snd_.nxt, effective_mss());
  if (flags_.single_is_all && pipe() + effective_mss() <= cwnd()) flight_->on_nothing_to_send();
  flight_->set_timer(probe_at);
}

Flight::Path Connection::path_now() const {
  return {.in_recovery = recovery() != TcpRecovery::none,
          .min_rtt = std::chrono::microseconds(min_rtt_us_),
          .srtt = rtt_.srtt().value_or(Duration::zero())};
}

/// `duplicate`: without SACK, a duplicate ACK.
void Connection::repair_losses(const Context& context, const Segment& segment,
                               const Flight::Delivery& delivery, std::uint32_t acked,
                               bool duplicate) {
  if (extra_ != nullptr && extra_->tail_probe) {
    judge_tail_probe(context, segment, delivery, acked > 0);
  }
  if (extra_ != nullptr && extra_->undo) judge_recovery(context, segment, delivery, acked);
  const std::uint32_t lost_before = flight_->lost_bytes();
  std::uint32_t delivered = delivery.bytes;
  if (flags_.sack) {
    flight_->detect_losses(context.now, path_now());
  } else if (acked > 0) {
    delivered = on_partial_ack(acked);
  } else if (duplicate && in_flight() > 0) {
    delivered = effective_mss();
    on_duplicate_ack();
  }
  const bool lost_more = flight_->lost_bytes() > lost_before;
  const bool began = begin_recovery_if_lost(context, delivered);
  if (recovery() == TcpRecovery::fast && (delivered > 0 || began || lost_more)) {
    advance_window(delivered, acked > 0 && !lost_more);
  }
}

// ---- without SACK

void Connection::on_duplicate_ack() {
  Extra& extra = this->extra();
  if (extra.recovery == TcpRecovery::timeout) return;
  extra.dup_bytes = std::min(extra.dup_bytes + effective_mss(), in_flight());
  if (extra.recovery == TcpRecovery::fast) return;
  if (extra.dup_acks < 255) ++extra.dup_acks;
  // RFC 6582 3.2 step 2: duplicates of what a timeout sent again prove nothing.
  if (extra.dup_acks < Rack::kDupThresh || snd_.una <= extra.recover) return;
  flight_->lose_oldest(SendReason::retransmit_fast);
}

/// RFC 6582 3.2 step 3: one that does not end fast recovery says that the next segment is lost too.
/// What it covers beyond the retransmission was counted by duplicate ACKs before. Gives what it is
/// news of (RFC 9937 6).
std::uint32_t Connection::on_partial_ack(std::uint32_t acked) {
  if (recovery() != TcpRecovery::fast) return acked;
  const std::uint32_t known = std::min(extra_->dup_bytes, acked - std::min(acked, effective_mss()));
  extra_->dup_bytes -= known;
  flight_->lose_oldest(SendReason::retransmit_fast);
  flags_.force_retransmit = true;
  return acked - known;
}

// ---- fast recovery

bool Connection::begin_recovery_if_lost(const Context& context, std::uint32_t delivered) {
  if (flight_->lost_bytes() == 0 || recovery() != TcpRecovery::none) return false;
  Extra& extra = this->extra();
  ++extra.count.fast_recoveries;
  if (lost_probe_alone()) {
    arm_retransmission(context);  // what followed it had to wait for acknowledgments
    extra.undo.reset();
  } else if (has_reduced_for(flight_->next_lost(effective_mss())->end)) {
    extra.undo.reset();
  } else {
    begin_undo(Undo::Frto::off);
    congestion_.on_congestion(CongestionSignal::loss, congestion_state(context));
    note_reduction();
  }
  cut_lost_probe();
  const auto lost = flight_->next_lost(effective_mss());
  extra.recovery = TcpRecovery::fast;
  extra.window_after_recovery.reset();
  extra.tail_probe.reset();
  extra.recover = snd_.nxt;
  extra.prr.start(flight_->bytes() - flight_->sacked_bytes() + delivered);
  advance_window(0, false);
  flags_.force_retransmit = true;
  flags_.tail_probe_pending = false;
  context.emit(tuple_.local, tuple_.remote, LossDetected{lost->begin, lost->end, lost->why});
  tell_window(context);
  return true;
}

void Connection::tell_window(const Context& context) const {
  context.emit(tuple_.local, tuple_.remote, CongestionChanged{cwnd(), congestion_.ssthresh()});
}

/// A probe of the path's MTU is larger than what is sent again.
void Connection::cut_lost_probe() {
  const PathSearch* path = known_path();
  if (path != nullptr && path->is_probing()) flight_->cut(effective_mss());
}

/// `safe`: nothing speaks against sending a little faster (RFC 9937 5, SafeACK).
void Connection::advance_window(std::uint32_t delivered, bool safe) {
  const std::uint32_t target = std::min(congestion_.ssthresh(), congestion_.cwnd());
  extra_->recovery_window = extra_->prr.on_ack(delivered, pipe(), target, effective_mss(), safe);
}

void Connection::advance_recovery(const Context& context, std::uint32_t acked) {
  if (extra_ == nullptr) return;
  if (extra_->undo && extra_->undo->watched_until && snd_.una > *extra_->undo->watched_until) {
    extra_->undo.reset();
  }
  const bool over = snd_.una >= extra_->recover;
  if (recovery() != TcpRecovery::none) {
    if (over) leave_recovery(context);
    return;
  }
  extra_->dup_bytes = 0;
  widen_after_recovery(acked);
  // So that it never lies 2^31 behind.
  if (snd_.una > extra_->recover) extra_->recover = snd_.una - 1U;
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
    extra_->window_after_recovery = std::max(pipe(), mss) + mss;
  }
  extra_->recovery = TcpRecovery::none;
  extra_->dup_bytes = 0;
  flags_.force_retransmit = false;
  if (flight_ != nullptr) flight_->on_recovered();
  if (extra_->undo) extra_->undo->watched_until = snd_.nxt;
  congestion_.on_recovered(congestion_state(context));
  tell_window(context);
}

/// All that is in flight counts as lost.
void Connection::resend_all() {
  flight_->lose_all(SendReason::retransmit_rto);
  flight_->cut(effective_mss());
  extra().undo.reset();
  enter_timeout_recovery();
}

void Connection::enter_timeout_recovery() {
  Extra& extra = this->extra();
  extra.recovery = TcpRecovery::timeout;
  extra.window_after_recovery.reset();
  extra.tail_probe.reset();
  extra.recover = snd_.nxt;
  extra.dup_bytes = 0;
  extra.dup_acks = 0;
  flags_.force_retransmit = true;
  flags_.tail_probe_pending = false;
  flight_->set_timer(kNever);
}

// ---- the reordering window, and probes of the tail

/// After an acknowledgment, and after something new was sent.
void Connection::arm_loss_timer(const Context& context) {
  if (flight_ == nullptr) return;
  Instant due = flight_->detect_at();
  if (due == kNever && may_probe_tail()) {
    const auto srtt = rtt_.srtt();
    const Duration wait = srtt ? tail_probe_timeout(*srtt) : context.config.initial_rto;
    due = std::min(context.now + wait, timers_.at(TimerSlot::retransmit));
  }
  flight_->set_timer(due);
}

/// RFC 8985 7.2 and 7.3: one at a time, and not while anything is known to be missing.
bool Connection::may_probe_tail() const {
  if (!flags_.sack || flight_->empty() || peer_window_closed()) return false;
  const bool missing = flight_->sacked_segments() > 0 || flight_->lost_bytes() > 0;
  const bool probed = extra_ != nullptr && extra_->tail_probe.has_value();
  return !missing && !probed && recovery() == TcpRecovery::none && rtt_.backoff() == 0;
}

Duration Connection::tail_probe_timeout(Duration srtt) const {
  const bool single = in_flight() <= effective_mss();
  return 2 * srtt + (single ? kMaxAckDelay : kTailProbeMargin);
}

void Connection::on_loss_timer(const Context& context) {
  flight_->set_timer(kNever);
  if (flight_->detect_at() <= context.now) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::reordering});
    flight_->detect_losses(context.now, path_now());
    const bool began = begin_recovery_if_lost(context, 0);
    if (!began && recovery() == TcpRecovery::fast) advance_window(0, false);
    arm_loss_timer(context);
  } else if (may_probe_tail()) {
    context.emit(tuple_.local, tuple_.remote, TimerFired{TcpTimer::tail_loss_probe});
    cut_lost_probe();
    flags_.tail_probe_pending = true;
    arm_retransmission(context);
  }
}

/// RFC 8985 7.4.2. `is_new`: it acknowledges something.
void Connection::judge_tail_probe(const Context& context, const Segment& segment,
                                  const Flight::Delivery& delivery, bool is_new) {
  const TailProbe probe = *extra_->tail_probe;
  const SeqNum ack = segment.header.ack;
  if (ack < probe.end) return;
  const bool twice = delivery.dsack && delivery.dsack->end == probe.end;
  const bool plain = segment.length == 0 && segment.header.options.sack_count == 0;
  const bool tells = !probe.again || twice || ack > probe.end || (!is_new && plain);
  if (!tells) return;
  const bool repaired = probe.again && !twice && ack > probe.end;
  extra_->tail_probe.reset();
  // It repaired a loss, which is a sign of congestion like any other.
  if (repaired && recovery() == TcpRecovery::none) {
    extra_->undo.reset();
    congestion_.on_congestion(CongestionSignal::loss, congestion_state(context));
    congestion_.on_recovered(congestion_state(context));
    note_reduction();
    tell_window(context);
  }
}

}  // namespace hawser::tcp
