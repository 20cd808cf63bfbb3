// Which segment leaves next, and why: what was lost before what is new, and an acknowledgment when
// nothing carries it (RFC 9293 3.7.4, 3.8.1, 3.8.6; RFC 5681 3; RFC 6675 4 NextSeg).
#include <algorithm>

#include "tcp/connection.hpp"
#include "tcp/window.hpp"
#include "wire/tcp.hpp"

namespace hawser::tcp {

namespace {

/// After which an ACK is tried again for which there was no memory, if it may not be delayed.
constexpr Duration kTryAgain = std::chrono::milliseconds(10);

}  // namespace

Packet Connection::poll_segment(const Context& context) {
  flags_.sent_capable = false;
  if (has_nothing_to_send()) {
    note_nothing_to_send();
    return {};
  }
  if (flags_.reset_pending) return emit_reset(context);
  if (state_ == TcpState::closed) return {};
  if (flags_.syn_pending) return emit_syn(context);
  if (synchronized() && state_ != TcpState::time_wait) {
    if (const auto range = next_range(context.now)) return emit_range(context, *range);
    note_nothing_to_send();
    arm_persist_if_stuck(context);
  }
  if (flags_.keep_alive_pending) {
    flags_.keep_alive_pending = false;
    return emit_ack(context, snd_.nxt - 1U, SendReason::keep_alive);  // RFC9293-SHLD-12
  }
  if (flags_.ack_now) {
    const SendReason reason = flags_.challenge       ? SendReason::challenge_ack
                              : flags_.update_window ? SendReason::window_update
                                                     : SendReason::ack;
    return emit_ack(context, acceptable_seq(), reason);
  }
  if (extra_ == nullptr) return {};
  if (extra_->acks_owed > 0) {
    --extra_->acks_owed;
    return emit_ack(context, acceptable_seq(), SendReason::ack);
  }
  extra_->tuning.forget_if_idle(context.now);
  if (!needs_extra(context.now)) extra_.reset();
  return {};
}

// ---- what to send

/// Each time that a connection is polled it is asked once more than it has segments, so that the
/// usual end is told at once: all that there is has been sent, and nothing else is due.
bool Connection::has_nothing_to_send() const {
  const bool due = flags_.reset_pending || flags_.syn_pending || flags_.ack_now ||
                   flags_.probe_pending || flags_.keep_alive_pending || flags_.tail_probe_pending;
  const std::uint32_t fin = flags_.fin_queued && !flags_.fin_acked ? 1 : 0;
  return !due && extra_ == nullptr && synchronized() && in_flight() == send_queue_.size() + fin;
}

/// What arrives until more is written says nothing about how fast the path could be.
void Connection::note_nothing_to_send() {
  if (in_flight() == 0 || fin_sent() || distance(snd_.nxt, data_end()) != 0) return;
  if (flight_ == nullptr) {
    flags_.single_is_all = true;
  } else if (flight_->lost_bytes() == 0 && pipe() + effective_mss() <= cwnd()) {
    flight_->on_nothing_to_send();
  }
}

bool Connection::is_paced(Instant now) const {
  return flight_ != nullptr && !flight_->pacer().allows(now);
}

std::optional<Connection::Range> Connection::next_range(Instant now) const {
  const bool paced = is_paced(now);
  if (!paced) {
    if (auto range = next_retransmission()) return range;
  }
  if (flags_.probe_pending) return next_probe();
  if (flags_.tail_probe_pending) return next_tail_probe();
  if (paced) return std::nullopt;
  if (known_path() != nullptr) {
    if (auto range = next_path_probe(now)) return range;
  }
  return next_new_data();
}

std::optional<Connection::Range> Connection::next_retransmission() const {
  if (flight_ == nullptr || flight_->lost_bytes() == 0) return std::nullopt;
  if (extra_->undo && extra_->undo->frto == Undo::Frto::sent_new) return std::nullopt;
  const auto lost = flight_->next_lost(effective_mss());
  // RFC9293-SHLD-16: only what lies inside the window, but for the oldest octet.
  if (lost->begin != snd_.una && room_in_window(lost->begin) == 0) return std::nullopt;
  const std::uint32_t outstanding = pipe();
  const bool fits = outstanding == 0 || outstanding + distance(lost->begin, lost->end) <= cwnd();
  if (!fits && !flags_.force_retransmit) return std::nullopt;
  return Range{lost->begin, lost->end, lost->why};
}

/// RFC 8985 7.3: new data if the peer takes any, else the last segment again.
std::optional<Connection::Range> Connection::next_tail_probe() const {
  const std::uint32_t unsent = fin_sent() ? 0 : distance(snd_.nxt, data_end());
  const std::uint32_t length = std::min({unsent, room_in_window(snd_.nxt), max_payload()});
  const bool fin = flags_.fin_queued && !fin_sent() && length == unsent;
  if (length > 0 || fin) {
    return Range{snd_.nxt, snd_.nxt + length + (fin ? 1U : 0U), SendReason::tail_loss_probe};
  }
  const auto tail = flight_->tail();
  if (!tail) return std::nullopt;
  return Range{tail->begin, tail->end, SendReason::tail_loss_probe};
}

std::optional<Connection::Range> Connection::next_probe() const {
  // One octet, new if nothing is in flight, else the oldest (RFC9293-MUST-35, RFC9293-MUST-36).
  const SeqNum begin = in_flight() == 0 ? snd_.nxt : snd_.una;
  return Range{begin, begin + 1, SendReason::window_probe};
}

std::optional<Connection::Range> Connection::next_new_data() const {
  if (flags_.fin_acked || fin_sent()) return std::nullopt;
  const SeqNum end = data_end();
  const std::uint32_t unsent = distance(snd_.nxt, end);
  if (unsent == 0) {
    if (!flags_.fin_queued) return std::nullopt;
    return Range{snd_.nxt, snd_.nxt + 1, SendReason::data};
  }
  const std::uint32_t length = std::min({unsent, room_in_window(snd_.nxt), max_payload()});
  if (length == 0 || !worth_sending(length, unsent) || flags_.waits_for_timer) return std::nullopt;
  const std::uint32_t outstanding = pipe();
  if (outstanding != 0 && outstanding + length > cwnd()) return std::nullopt;
  const bool fin = flags_.fin_queued && length == unsent;
  return Range{snd_.nxt, snd_.nxt + length + (fin ? 1U : 0U), SendReason::data};
}

/// RFC 9293 3.8.6.2.1 and 3.7.4: full segments (RFC9293-SHLD-27, RFC9293-SHLD-28), or all that
/// there is unless Nagle makes it wait for an ACK, which is all that it can wait for
/// (RFC9293-MUST-60), or half of the largest window (RFC9293-MUST-38, RFC9293-SHLD-7,
/// RFC9293-MUST-17).
bool Connection::worth_sending(std::uint32_t length, std::uint32_t unsent) const {
  if (length >= max_payload() || flags_.override_silly) return true;
  const bool waits = !settings_->no_delay && !flags_.fin_queued && in_flight() > 0;
  if (waits) return false;
  return length == unsent || length >= snd_.max_wnd / 2;
}

/// Bytes thought to be in the network (RFC 6675 4), whatever told us so.
std::uint32_t Connection::pipe() const {
  if (flight_ == nullptr) return in_flight();
  const std::uint32_t pipe = flight_->pipe();
  if (flags_.sack || extra_ == nullptr) return pipe;
  std::uint32_t left = std::min(extra_->dup_bytes, pipe);
  // Limited transmit: each of the first two duplicate ACKs lets one segment out (RFC 3042).
  if (extra_->recovery == TcpRecovery::none) left = std::min(left, 2 * effective_mss());
  return pipe - left;
}

std::uint32_t Connection::room_in_window(SeqNum seq) const {
  // The edge may lie left of SND.NXT (RFC9293-MUST-34, RFC9293-SHLD-15).
  const SeqNum edge = snd_.una + snd_.wnd;
  return seq < edge ? distance(seq, edge) : 0;
}

SendBlocked Connection::send_blocked(Instant now) const {
  if (state_ == TcpState::closed || state_ == TcpState::time_wait) return SendBlocked::closed;
  if (!synchronized()) return SendBlocked::handshake;
  if (fin_sent() || distance(snd_.nxt, data_end()) == 0) return SendBlocked::nothing_to_send;
  const std::uint32_t unsent = distance(snd_.nxt, data_end());
  const std::uint32_t length = std::min({unsent, room_in_window(snd_.nxt), max_payload()});
  if (length == 0) return SendBlocked::peer_window;
  if (!worth_sending(length, unsent)) {
    return in_flight() > 0 && !settings_->no_delay ? SendBlocked::nagle : SendBlocked::silly_window;
  }
  return is_paced(now) ? SendBlocked::pacing : SendBlocked::congestion_window;
}

// ---- how it is sent

Packet Connection::emit_syn(const Context& context) {
  const bool answer = state_ == TcpState::syn_received;
  TcpHeader header;
  header.seq = snd_.una;
  header.flags = answer ? TcpFlag::syn | TcpFlag::ack : TcpFlags(TcpFlag::syn);
  TcpOptions& options = header.options;
  options.mss = local_mss_;  // RFC9293-MUST-14, RFC9293-SHLD-5, RFC9293-MAY-3
  if (answer ? flags_.window_scale : context.config.window_scaling) {
    options.window_scale = std::uint8_t{rcv_wscale_};
  }
  options.sack_permitted = answer ? flags_.sack : context.config.sack;
  if (answer ? flags_.timestamps : context.config.timestamps) {
    options.timestamps = TcpTimestamps{ts_now(context), answer ? ts_recent_ : 0};
  }
  header.window =  // never scaled on a SYN (RFC 7323 2.2)
      static_cast<std::uint16_t>(std::min(settings_->initial_receive_buffer(), 65535U));
  Packet packet = context.pool.take_packet();
  arm_retransmission(context);
  if (!packet) return packet;
  if (!answer && settings_->ecn == TcpEcn::on && !flags_.syn_retransmitted) {
    flags_.ecn_echoes = flags_.ecn_capable = true;  // if the answer says so too
    header.flags |= TcpFlag::ece | TcpFlag::cwr;
  } else if (!answer) {
    flags_.ecn_capable = false;  // RFC3168-6.1.1.1
  } else if (flags_.ecn_capable) {
    header.flags |= TcpFlag::ece;
  }
  flags_.syn_pending = false;
  if (!answer) sent_at_ = context.now;
  return finish_segment(context, packet, header, 0, SendReason::handshake);
}

Packet Connection::emit_range(const Context& context, const Range& range) {
  const std::uint32_t offset = distance(snd_.una, range.begin);
  const bool fin = range.end > data_end();
  const std::uint32_t length = distance(range.begin, range.end) - (fin ? 1U : 0U);
  Packet packet = context.pool.take_packet();
  if (!packet) {  // as if the network had lost it
    arm_retransmission(context);
    return packet;
  }
  const std::uint32_t attached = send_queue_.attach(offset, length, packet);
  const bool whole = attached == length;
  Range sent{range.begin, whole ? range.end : range.begin + attached, range.reason};
  TcpHeader header;
  header.seq = range.begin;
  header.flags = TcpFlag::ack;
  if (fin && whole) header.flags |= TcpFlag::fin;
  // RFC9293-MUST-61: the segment that empties the queue pushes
  if (attached > 0 && range.begin + attached == data_end()) header.flags |= TcpFlag::psh;
  if (flags_.snd_urgent && range.begin < extra_->snd_up) {
    header.flags |= TcpFlag::urg;
    header.urgent = static_cast<std::uint16_t>(
        std::min<std::uint32_t>(distance(range.begin, extra_->snd_up), 65535));
  }
  if (flags_.ecn_capable && attached > 0) declare_capable(header, sent);
  on_range_sent(context, sent, attached);
  add_ack_fields(context, header, attached);
  return finish_segment(context, packet, header, attached, range.reason);
}

void Connection::on_range_sent(const Context& context, const Range& range, std::uint32_t length) {
  const bool again = range.begin < snd_.nxt;
  const bool probe = range.reason == SendReason::window_probe;
  const bool was_idle = in_flight() == 0;
  record_single();
  flags_.probe_pending = false;
  sent_at_ = context.now;
  if (again) {
    on_sent_again(context, range, length);
  } else {
    on_new_data_sent(context, range, length);
  }
  if (recovery() == TcpRecovery::fast) extra_->prr.on_sent(length);
  if (const std::uint64_t rate = congestion_.pacing_rate(); rate != 0) {
    flight_->pacer().on_sent(context.now, length, rate);
  }
  if (range.reason == SendReason::tail_loss_probe) {
    flags_.tail_probe_pending = false;
    extra().tail_probe = TailProbe{snd_.nxt, again};
    arm_retransmission(context);
  }
  // RFC6298-5.1. What runs while nothing is in flight is the persist timer.
  if (was_idle || !timers_.is_set(TimerSlot::retransmit)) {
    if (was_idle && !probe) progress_at_ = context.now;
    arm_retransmission(context);
  }
  if (!again) arm_loss_timer(context);
}

void Connection::on_sent_again(const Context& context, const Range& range, std::uint32_t length) {
  flags_.force_retransmit = false;
  Extra& extra = this->extra();
  note_cwr_lost(context, range);
  extra.retransmitted_ts = ts_now(context);
  extra.count.bytes_in_vain += length;
  if (extra.path) extra.path->on_retransmission(context.now, range.begin, mss_);
  if (range.reason == SendReason::window_probe) return flight_->on_oldest_repeated();
  flight_->on_resent(context.now, range.begin, range.end);
  note_sent_again(context);
  if (range.begin == snd_.una) arm_retransmission(context);  // it is what the timer waits for
  ++extra.count.retransmits;
  ++context.counters.retransmits;
}

void Connection::on_new_data_sent(const Context& context, const Range& range,
                                  std::uint32_t length) {
  flags_.override_silly = false;
  if (PathSearch* path = known_path(); path != nullptr && length > max_payload()) {
    const std::uint32_t size = mss_ + (length - max_payload());
    path->on_probe_sent(range.begin, range.end, static_cast<std::uint16_t>(size));
    ++context.counters.path_probes;
  }
  const bool single = may_be_single(range);
  snd_.nxt = range.end;
  if (single) {
    flags_.single_is_all = false;
    return;
  }
  if (flight_ == nullptr) {
    flight_ = std::make_unique<Flight>(snd_.una, static_cast<std::uint32_t>(count_.bytes_acked));
  }
  flight_->on_sent(context.now, range.end, effective_mss());
}

void Connection::arm_persist_if_stuck(const Context& context) {
  if (in_flight() != 0 || timers_.is_set(TimerSlot::retransmit)) return;
  if (fin_sent() || distance(snd_.nxt, data_end()) == 0) return;
  // RFC9293-SHLD-29 for a zero window; the override time of 3.8.6.2.1 is 0.1 to 1 s
  const Duration rto = rtt_.rto(context.config);
  const bool whole = snd_.wnd == 0 || flags_.waits_for_timer;
  const Duration wait = whole ? rto : std::min<Duration>(rto, std::chrono::seconds(1));
  timers_.set(TimerSlot::retransmit, context.now + wait);
}

Packet Connection::emit_ack(const Context& context, SeqNum seq, SendReason reason) {
  Packet packet = context.pool.take_packet();
  if (!packet) {  // nothing but a timer may come by again, and not at once
    const Duration wait = std::max<Duration>(context.config.delayed_ack, kTryAgain);
    timers_.set(TimerSlot::delayed_ack, context.now + wait);
    return packet;
  }
  TcpHeader header;
  header.seq = seq;
  header.flags = TcpFlag::ack;
  add_ack_fields(context, header, 0);
  return finish_segment(context, packet, header, 0, reason);
}

Packet Connection::emit_reset(const Context& context) {
  flags_.reset_pending = false;
  Packet packet = context.pool.take_packet();
  if (!packet) return packet;
  TcpHeader header;
  header.seq = extra_->reset_seq;
  // One that answers a wrong ACK stands where that ACK points (RFC 9293 3.10.7.4).
  header.flags = flags_.reset_answers ? TcpFlags(TcpFlag::rst) : TcpFlag::rst | TcpFlag::ack;
  if (!flags_.reset_answers) header.ack = rcv_.nxt;
  ++context.counters.resets_sent;
  return finish_segment(context, packet, header, 0, SendReason::reset);
}

/// ACK, window, timestamp and SACK: what every segment of a synchronised connection says. What is
/// sent again may leave no room for SACK beside its `length`.
void Connection::add_ack_fields(const Context& context, TcpHeader& header, std::uint32_t length) {
  header.ack = rcv_.nxt;
  header.window = advertise_window();
  if (flags_.mark_seen) header.flags |= TcpFlag::ece;
  TcpOptions& options = header.options;
  if (flags_.timestamps) options.timestamps = TcpTimestamps{ts_now(context), ts_recent_};
  const std::size_t blocks = room_for_sack(length);
  if (flags_.sack && extra_ != nullptr && blocks > 0) {
    std::span<SackBlock> room = std::span(options.sack_blocks).first(blocks);
    if (flags_.duplicate_pending) {  // RFC 2883 4: reported once, as the first block
      room.front() = extra_->duplicate;
      room = room.subspan(1);
      ++options.sack_count;
    }
    options.sack_count =
        static_cast<std::uint8_t>(options.sack_count + extra_->reassembly.sack_blocks(room));
  }
  flags_.duplicate_pending = false;
  flags_.ack_now = flags_.challenge = flags_.update_window = false;
  rcv_.acked = rcv_.nxt;
  timers_.clear(TimerSlot::delayed_ack);
}

Packet Connection::finish_segment(const Context& context, Packet& packet, TcpHeader& header,
                                  std::uint32_t length, SendReason reason) {
  header.source = tuple_.local.port;
  header.destination = tuple_.remote.port;
  if (state_ == TcpState::syn_received && header.flags.has(TcpFlag::syn)) header.ack = rcv_.nxt;
  wire::push_tcp(packet, header, tuple_.local.address, tuple_.remote.address);
  ++count_.segments_sent;
  if (context.events != nullptr) {
    context.emit(tuple_.local, tuple_.remote, SegmentSent{header, length, reason, ecn()});
  }
  return std::move(packet);
}

/// Blocks that fit a segment of `length`.
std::size_t Connection::room_for_sack(std::uint32_t length) const {
  const std::uint32_t most = flags_.timestamps ? 3 : 4;
  const std::uint32_t room = effective_mss() - std::min(length, effective_mss());
  return room < 12 ? 0 : std::min(most, (room - 4) / 8);
}

std::uint32_t Connection::max_payload() const {
  if (extra_ == nullptr) return effective_mss();
  std::uint32_t blocks = flags_.duplicate_pending ? 1 : 0;
  if (flags_.sack && !extra_->reassembly.empty()) {
    std::array<SackBlock, 4> scratch;
    blocks += extra_->reassembly.sack_blocks(scratch);
  }
  if (blocks == 0) return effective_mss();
  blocks = std::min<std::uint32_t>(blocks, flags_.timestamps ? 3 : 4);
  return effective_mss() - std::min(4 + 8 * blocks, effective_mss() - 1);
}

// ---- the receive window

std::uint32_t Connection::receive_buffer() const {
  const bool tuned = extra_ != nullptr && extra_->tuning.is_on() && !settings_->receive_buffer;
  return tuned ? extra_->tuning.size() : settings_->initial_receive_buffer();
}

/// So much that a congestion window is never empty for want of data, and that after a loss there is
/// as much again to send.
std::uint32_t Connection::send_buffer() const {
  if (settings_->send_buffer) return *settings_->send_buffer;
  const std::uint32_t most = settings_->max_send_buffer;
  const std::uint64_t wanted = 2 * std::uint64_t{congestion_.cwnd()};
  const std::uint32_t least = std::min(TcpSettings::kInitialBuffer, most);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, least, most));
}

/// What is free: nothing for as long as nobody reads (RFC9293-MAY-8).
std::uint32_t Connection::window_target() const {
  const std::uint32_t buffer = receive_buffer();
  const std::uint32_t free = buffer - std::min(buffer, receive_queue_.size());
  const std::uint32_t window = receive_window(free, advertised(), buffer, effective_mss());
  return std::min(window, std::uint32_t{65535} << rcv_wscale_);
}

std::uint16_t Connection::advertise_window() {
  // Rounding may exceed the buffer by one segment in all, until the application reads.
  const std::uint32_t most = receive_buffer() + effective_mss();
  const std::uint32_t limit = most - std::min(most, receive_queue_.size());
  const std::uint16_t field = scaled_window(window_target(), limit, rcv_wscale_);
  rcv_.edge = max(rcv_.edge, rcv_.nxt + unscaled_window(field, rcv_wscale_));
  return field;
}

/// After a read: worth an ACK of its own when the window at least doubles.
void Connection::consider_window_update() {
  const std::uint32_t before = advertised();
  const std::uint32_t target = window_target();
  if (target <= before || target - before < before) return;
  flags_.ack_now = true;
  flags_.update_window = true;
}

std::uint32_t Connection::ts_now(const Context& context) const {
  const auto ticks =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.now.time_since_epoch());
  return static_cast<std::uint32_t>(ticks.count()) + ts_offset_;
}

}  // namespace hawser::tcp
