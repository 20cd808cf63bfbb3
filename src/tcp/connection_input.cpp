// SEGMENT ARRIVES in SYN-SENT and in the states behind it: the checks of RFC 9293 3.10.7.3 and
// 3.10.7.4 in their order, hardened by RFC 5961 and, for timestamps, RFC 7323.
#include <algorithm>
#include <limits>

#include "tcp/connection.hpp"
#include "tcp/paws.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

void Connection::on_segment(const Context& context, const Segment& segment, Packet& payload) {
  if (context.events != nullptr) {
    context.emit(tuple_.local, tuple_.remote,
                 SegmentReceived{segment.header, segment.length, segment.ecn});
  }
  ++count_.segments_received;
  if (is_as_predicted(segment)) {
    note_heard(context.now);
    remember_timestamp(context, segment);
    on_ack(context, segment);
    if (segment.length > 0) take_in_order(context, payload);
    return;
  }
  if (state_ == TcpState::closed || state_ == TcpState::time_wait) {
    return drop(context, DropReason::after_close, segment.length);
  }
  if (state_ == TcpState::syn_sent) return on_segment_in_syn_sent(context, segment, payload);
  if (complete_simultaneous_open(context, segment)) return;
  if (!check_timestamps(context, segment)) return;
  if (!check_sequence(context, segment)) return;
  if (!check_reset(context, segment)) return;
  if (!check_syn(context, segment)) return;
  if (!check_ack(context, segment)) return;
  note_heard(context.now);
  remember_timestamp(context, segment);
  on_ack(context, segment);
  if (state_ == TcpState::closed) return;
  take_content(context, segment, payload);
}

void Connection::note_heard(Instant now) {
  if (extra_ == nullptr) return;
  extra_->heard_at = now;
  extra_->keep_alive_probes = 0;
}

/// Header prediction (Van Jacobson): whether this is the next segment of an established connection
/// with nothing in it but payload and ACK. All the checks below would let it pass,
/// and all of its content is in order and in the window.
bool Connection::is_as_predicted(const Segment& segment) const {
  const TcpHeader& header = segment.header;
  const TcpFlags flags = header.flags;
  if (state_ != TcpState::established || flags_.fin_seen) return false;
  if (segment.ecn == Ecn::ce) return false;
  if (flags != TcpFlag::ack && flags != (TcpFlag::ack | TcpFlag::psh)) return false;
  if (header.seq != rcv_.nxt || segment.length > advertised()) return false;
  if (segment.length > 0 && flags_.released) return false;
  if (header.ack < snd_.una || header.ack > snd_.nxt) return false;
  const TcpOptions& options = header.options;
  if (options.sack_count != 0 || options.timestamps.has_value() != flags_.timestamps) return false;
  return !flags_.timestamps || !timestamp_before(options.timestamps->value, ts_recent_);
}

void Connection::drop(const Context& context, DropReason why, std::uint32_t length) {
  context.drop(why);
  context.emit(tuple_.local, tuple_.remote, Dropped{why, length});
}

// ---- SYN-SENT (RFC 9293 3.10.7.3)

void Connection::on_segment_in_syn_sent(const Context& context, const Segment& segment,
                                        Packet& payload) {
  const TcpHeader& header = segment.header;
  const bool acks = segment.has(TcpFlag::ack);
  if (acks && (header.ack <= snd_.una || header.ack > snd_.nxt)) {
    if (!segment.has(TcpFlag::rst)) answer_with_reset(header.ack);
    return drop(context, DropReason::bad_ack, segment.length);
  }
  if (segment.has(TcpFlag::rst)) {
    // RFC9293-U-4: only a reset that acknowledges our SYN is the peer's.
    if (!acks) return drop(context, DropReason::bad_rst, segment.length);
    return fail(context, Error::connection_refused, CloseReason::refused);
  }
  if (!segment.has(TcpFlag::syn)) return drop(context, DropReason::no_ack, segment.length);

  rcv_.nxt = rcv_.acked = header.seq + 1;
  rcv_.edge = rcv_.nxt + std::min(settings_->initial_receive_buffer(), 65535U);
  adopt_syn_options(context, header);
  agree_on_ecn(header);
  snd_.wl1 = header.seq;
  snd_.wl2 = acks ? header.ack : snd_.una;
  snd_.wnd = snd_.max_wnd = header.window;  // never scaled on a SYN (RFC 7323 2.2)
  if (!acks) {                              // RFC9293-MUST-10: both sides open at once
    set_state(context, TcpState::syn_received);
    flags_.syn_pending = true;
    return;
  }
  sample_handshake(context, segment);
  snd_.una = header.ack;
  flags_.syn_pending = false;
  become_established(context);
  flags_.ack_now = true;    // on its own, or on what was written before (RFC9293-U-3)
  TcpHeader rest = header;  // data and FIN may ride on a SYN-ACK
  rest.seq += 1;
  take_content(context, Segment{rest, segment.length, segment.ecn}, payload);
}

void Connection::adopt_syn_options(const Context& context, const TcpHeader& syn) {
  const TcpOptions& options = syn.options;
  const std::uint16_t fallback = tuple_.remote.address.is_v4() ? 536 : 1220;  // RFC9293-MUST-15
  adopt_mss_limit(
      std::min(local_mss_, std::max<std::uint16_t>(options.mss.value_or(fallback), kMinMss)));
  flags_.sack = context.config.sack && options.sack_permitted;
  flags_.timestamps = context.config.timestamps && options.timestamps.has_value();
  if (flags_.timestamps) {
    ts_recent_ = options.timestamps->value;
    ts_recent_at_ = seconds(context.now);
  }
  flags_.window_scale = context.config.window_scaling && options.window_scale.has_value();
  if (flags_.window_scale) {
    snd_wscale_ = std::min<std::uint8_t>(*options.window_scale, 14) & 15U;  // RFC 7323 2.3
  } else {
    snd_wscale_ = 0;
    rcv_wscale_ = 0;
  }
}

/// A SYN-ACK which crosses ours repeats the SYN that we have: what counts is its ACK.
bool Connection::complete_simultaneous_open(const Context& context, const Segment& segment) {
  if (state_ != TcpState::syn_received || !segment.has(TcpFlag::syn)) return false;
  const TcpHeader& header = segment.header;
  if (!segment.has(TcpFlag::ack) || segment.has(TcpFlag::rst) || header.seq + 1 != rcv_.nxt ||
      header.ack != snd_.nxt) {
    return false;
  }
  agree_on_ecn(header);
  sample_handshake(context, segment);
  snd_.una = header.ack;
  snd_.wnd = snd_.max_wnd = header.window;
  flags_.syn_pending = false;
  become_established(context);
  flags_.ack_now = true;
  return true;
}

// ---- synchronised states (RFC 9293 3.10.7.4); each step returns whether the next one follows

/// RFC 7323 3.2 and 5: no timestamp where one was agreed on, or one from the past.
bool Connection::check_timestamps(const Context& context, const Segment& segment) {
  if (!flags_.timestamps || segment.has(TcpFlag::rst)) return true;
  const auto& timestamps = segment.header.options.timestamps;
  if (!timestamps) {
    // A SYN may be of a peer that has forgotten us and knows no timestamps any more. Silence would
    // keep it out for ever; a challenge lets it reset us (RFC9293-U-8).
    if (segment.has(TcpFlag::syn)) return true;
    drop(context, DropReason::no_timestamp, segment.length);
    return false;
  }
  const Instant recent_at{std::chrono::seconds(ts_recent_at_)};
  if (!paws_rejects(timestamps->value, ts_recent_, recent_at, context.now)) {
    return true;
  }
  drop(context, DropReason::paws, segment.length);
  acknowledge_unacceptable(context, segment);
  return false;
}

bool Connection::check_sequence(const Context& context, const Segment& segment) {
  const SeqNum seq = segment.header.seq;
  const std::uint32_t length = segment.seq_length();
  // At a zero window the next segment is still looked at, for its ACK, RST and URG
  // (RFC9293-MUST-66); one without content may stand at the right edge, where a peer's SND.NXT is
  // when it has filled our window.
  const bool begins_within =
      rcv_.nxt <= seq && (seq < rcv_.edge || length == 0) && seq <= rcv_.edge;
  const bool reaches_in = seq < rcv_.nxt && rcv_.nxt < seq + length;
  if (seq == rcv_.nxt || begins_within || reaches_in) return true;
  const bool duplicate = segment.length > 0 && seq + segment.length <= rcv_.nxt;
  if (duplicate) {
    ++extra().count.duplicate_segments;
    report_duplicate(seq, seq + segment.length);
  }
  drop(context, duplicate ? DropReason::old_duplicate : DropReason::out_of_window, segment.length);
  if (!segment.has(TcpFlag::rst)) acknowledge_unacceptable(context, segment);
  return false;
}

/// What cannot be accepted is answered with an ACK; without payload only so often, lest two
/// confused ends answer each other for ever (RFC 5961 7).
void Connection::acknowledge_unacceptable(const Context& context, const Segment& segment) {
  if (segment.length > 0) {
    flags_.ack_now = true;
  } else {
    send_challenge(context);
  }
}

bool Connection::check_reset(const Context& context, const Segment& segment) {
  if (!segment.has(TcpFlag::rst)) return true;
  if (segment.header.seq != rcv_.nxt) {  // RFC9293-U-6, RFC9293-U-7
    drop(context, DropReason::challenge, segment.length);
    send_challenge(context);
    return false;
  }
  // RFC9293-U-5; payload of a reset is not looked at (RFC9293-SHLD-2)
  if (state_ == TcpState::syn_received && !flags_.passive) {  // RFC9293-MUST-11
    fail(context, Error::connection_refused, CloseReason::refused);
  } else {
    fail(context, Error::connection_reset, CloseReason::reset_by_peer);
  }
  return false;
}

bool Connection::check_syn(const Context& context, const Segment& segment) {
  if (!segment.has(TcpFlag::syn)) return true;
  drop(context, DropReason::challenge, segment.length);  // RFC9293-U-8, RFC9293-U-9
  send_challenge(context);
  return false;
}

bool Connection::check_ack(const Context& context, const Segment& segment) {
  if (!segment.has(TcpFlag::ack)) {
    drop(context, DropReason::no_ack, segment.length);
    return false;
  }
  const SeqNum ack = segment.header.ack;
  if (state_ == TcpState::syn_received) {
    if (ack <= snd_.una || ack > snd_.nxt) {
      answer_with_reset(ack);
      drop(context, DropReason::bad_ack, segment.length);
      return false;
    }
    sample_handshake(context, segment);
    snd_.una = ack;
    flags_.syn_pending = false;
    snd_.wnd = snd_.max_wnd = std::uint32_t{segment.header.window} << snd_wscale_;
    become_established(context);
    return true;
  }
  if (ack > snd_.nxt || ack < snd_.una - snd_.max_wnd) {  // RFC9293-U-10, RFC9293-MAY-12
    drop(context, DropReason::bad_ack, segment.length);
    send_challenge(context);  // RFC9293-U-11
    return false;
  }
  return true;
}

/// URG, payload and FIN, trimmed to what is new and inside the window.
void Connection::take_content(const Context& context, const Segment& segment, Packet& payload) {
  if (flags_.fin_received) return;
  if (segment.has(TcpFlag::urg)) on_urgent(segment);
  SeqNum seq = segment.header.seq;
  std::uint32_t length = segment.length;
  bool fin = segment.has(TcpFlag::fin);
  if (seq < rcv_.nxt) {
    const std::uint32_t old = std::min(distance(seq, rcv_.nxt), length);
    if (old > 0) {
      report_duplicate(seq, seq + old);
      payload.trim_front(old);
      flags_.ack_now = true;
    }
    seq += old;
    length -= old;
  }
  if (seq + length > rcv_.edge) {
    length = seq < rcv_.edge ? std::min(length, distance(seq, rcv_.edge)) : 0;
    payload.truncate(length);
    fin = false;
    flags_.ack_now = true;
  }
  if (length > 0) {
    if (flags_.released) {  // RFC9293-SHLD-3, RFC9293-MAY-1
      queue_reset();
      drop(context, DropReason::after_close, length);
      return fail(context, Error::connection_aborted, CloseReason::aborted);
    }
    if (flags_.ecn_echoes) note_marks(context, segment);
    on_payload(context, seq, payload);
  }
  if (fin && seq + length != rcv_.nxt) {
    extra().fin_at = seq + length;
    flags_.fin_seen = true;
  }
  const bool fin_is_next =
      fin ? seq + length == rcv_.nxt : flags_.fin_seen && extra_->fin_at == rcv_.nxt;
  if (fin_is_next) {
    on_fin(context);
  } else if (fin && length == 0) {  // with payload it is answered already
    flags_.ack_now = true;
  }
}

void Connection::remember_timestamp(const Context& context, const Segment& segment) {
  // RFC 7323 4.3: the timestamp of the segment that the next ACK answers.
  const auto& timestamps = segment.header.options.timestamps;
  if (!flags_.timestamps || !timestamps || segment.header.seq > rcv_.acked) return;
  ts_recent_ = timestamps->value;
  ts_recent_at_ = seconds(context.now);
}

void Connection::send_challenge(const Context& context) {
  const std::uint32_t second = seconds(context.now);
  Extra& extra = this->extra();
  if (second != extra.challenge_second) {
    extra.challenge_second = second;
    extra.challenges = 0;
  }
  constexpr std::uint16_t kMost = std::numeric_limits<decltype(extra.challenges)>::max();
  if (extra.challenges >= std::min(context.config.challenge_acks_per_second, kMost)) return;
  ++extra.challenges;
  flags_.ack_now = true;
  flags_.challenge = true;
}

/// <SEQ=SEG.ACK><CTL=RST>: a handshake that is not ours is none.
void Connection::answer_with_reset(SeqNum seq) {
  flags_.reset_pending = true;
  flags_.reset_answers = true;
  extra().reset_seq = seq;
}

bool Connection::on_icmp_error(const Context& context, SeqNum quoted, Error error, bool hard) {
  if (state_ == TcpState::closed) return false;
  if (quoted < snd_.una || quoted >= snd_.nxt) {  // RFC5927-4.1
    context.drop(DropReason::bad_icmp);
    return false;
  }
  if (state_ == TcpState::syn_sent && hard) {  // RFC9293-SHLD-26
    fail(context, error,
         error == Error::connection_refused ? CloseReason::refused : CloseReason::unreachable);
    return true;
  }
  if (!settings_->report_soft_errors) return true;  // RFC9293-SHLD-20
  soft_error_ = static_cast<std::uint8_t>(error);   // RFC9293-MUST-47, RFC9293-SHLD-25, RFC9293-U-2
  ready_ |= Ready::error;
  return true;
}

std::uint32_t Connection::seconds(Instant at) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

}  // namespace hawser::tcp
