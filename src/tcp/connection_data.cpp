// What urgent pointers, payload and FIN do, and when an ACK answers them (RFC 9293 3.10.7.4 steps
// six to eight, 3.8.5, 3.8.6.3; RFC 5681 4.2; RFC 2883).
#include <algorithm>

#include "tcp/connection.hpp"

namespace hawser::tcp {

namespace {

/// Bytes received from one look to the next whether a receive buffer is to be tuned. Connections
/// on which less arrives need no more than they have, and are to stay small.
constexpr std::uint64_t kBulk = TcpSettings::kInitialBuffer / 2;

}  // namespace

void Connection::on_urgent(const Segment& segment) {
  // RFC9293-MUST-31, RFC9293-MUST-32, RFC9293-U-2: told when the pointer appears or advances.
  const SeqNum up = segment.header.seq + segment.header.urgent;
  const bool known = flags_.rcv_urgent && up <= extra_->rcv_up;
  if (known || up <= rcv_.nxt - receive_queue_.size()) return;
  extra().rcv_up = up;
  flags_.rcv_urgent = true;
  ready_ |= Ready::urgent;
}

void Connection::on_payload(const Context& context, SeqNum seq, Packet& payload) {
  if (seq == rcv_.nxt) {
    take_in_order(context, payload);
  } else {
    keep_out_of_order(context, seq, payload);
  }
}

void Connection::take_in_order(const Context& context, Packet& payload) {
  const std::uint32_t length = payload.size();
  if (!receive_queue_.append(context.pool, payload)) {
    return drop(context, DropReason::no_memory, length);  // the peer sends it again
  }
  std::uint32_t advanced = length;
  if (extra_ != nullptr && !extra_->reassembly.empty()) {
    advanced += extra_->reassembly.take(context.pool, rcv_.nxt + length, receive_queue_);
    flags_.ack_now = true;  // it filled a gap, or part of one (RFC 5681 4.2)
    extra_->acks_owed = 0;  // they would repeat an ACK that is not the last any more
  }
  rcv_.nxt += advanced;
  const std::uint64_t stretch = count_.bytes_received / kBulk;
  count_.bytes_received += advanced;
  if (count_.bytes_received / kBulk != stretch) tune_receive_buffer(context.now);
  ready_ |= Ready::readable;
  schedule_ack(context);
}

/// From now on it is watched how much the program takes in a round trip.
void Connection::tune_receive_buffer(Instant now) {
  if (settings_->receive_buffer || (extra_ != nullptr && extra_->tuning.is_on())) return;
  extra().tuning.begin(now, read_to(), receive_buffer());
}

void Connection::keep_out_of_order(const Context& context, SeqNum seq, Packet& payload) {
  // RFC9293-SHLD-31, RFC9293-MAY-13
  const std::uint32_t length = payload.size();
  Extra& extra = this->extra();
  // What was advertised is to fit, though the buffer may have become smaller since.
  const std::uint32_t room = 2 * std::max(receive_buffer(), advertised());
  const auto kept = extra.reassembly.insert(context.pool, seq, payload, room);
  if (kept.duplicate) report_duplicate(kept.duplicate->begin, kept.duplicate->end);
  if (kept.new_bytes == 0 && !kept.duplicate) drop(context, DropReason::no_memory, length);
  if (flags_.sack) {
    flags_.ack_now = true;
  } else if (extra.acks_owed < 255) {
    ++extra.acks_owed;  // without SACK each duplicate ACK counts for the sender (RFC 5681 4.2)
  }
}

void Connection::schedule_ack(const Context& context) {
  if (flags_.ack_now) return;
  // RFC9293-SHLD-19: every second full-sized segment; RFC9293-SHLD-18, RFC9293-MUST-40: or soon.
  if (distance(rcv_.acked, rcv_.nxt) >= 2 * effective_mss()) {
    flags_.ack_now = true;
  } else if (!timers_.is_set(TimerSlot::delayed_ack)) {
    timers_.set(TimerSlot::delayed_ack, context.now + context.config.delayed_ack);
  }
}

void Connection::on_fin(const Context& context) {
  rcv_.nxt += 1;
  flags_.fin_received = true;
  flags_.ack_now = true;
  ready_ |= Ready::readable;
  switch (state_) {
    case TcpState::established:
      return set_state(context, TcpState::close_wait);
    case TcpState::fin_wait_1:
      return set_state(context, TcpState::closing);  // our FIN is not acknowledged yet
    case TcpState::fin_wait_2:
      return enter_time_wait(context);
    default:
      return;
  }
}

void Connection::enter_time_wait(const Context& context) {
  set_state(context, TcpState::time_wait);
  close_reason_ = CloseReason::finished;
  context.emit(tuple_.local, tuple_.remote, Closed{close_reason_});
  ready_ |= Ready::closed;
  timers_.clear_all();
  if (extra_ != nullptr) extra_->idle_at = kNever;
}

void Connection::report_duplicate(SeqNum begin, SeqNum end) {
  if (!flags_.sack) return;
  extra().duplicate = {begin, end};
  flags_.duplicate_pending = true;
}

}  // namespace hawser::tcp
