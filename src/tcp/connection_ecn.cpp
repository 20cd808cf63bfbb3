// Marks of routers in place of losses (RFC9293-SHLD-8, RFC 3168 6.1): what two ends agree upon, how
// the receiver of marked data tells its sender, and what that one does about it. How far a mark
// reduces the window is congestion control's (RFC 8511).
#include "tcp/connection.hpp"

namespace hawser::tcp {

/// RFC3168-6.1.1. Our SYNs have set the flags to what we would agree to. That marks are heeded
/// stays promised when the SYN went again without asking, but then our data must not be marked.
void Connection::agree_on_ecn(const TcpHeader& syn) {
  if (is_ecn_setup(syn)) return;
  flags_.ecn_echoes = flags_.ecn_capable = false;
}

// ---- as the receiver of data

/// RFC3168-6.1.3: of new data in the window alone (RFC3168-6.1.5). The news goes at once, as does
/// the ACK of CWR: its sender may have a window of one segment.
void Connection::note_marks(const Context& context, const Segment& segment) {
  if (segment.has(TcpFlag::cwr)) {
    flags_.mark_seen = false;
    flags_.ack_now = true;
  }
  if (segment.ecn != Ecn::ce) return;
  ++extra().count.marks_received;
  ++context.counters.marks_received;
  if (!flags_.mark_seen) flags_.ack_now = true;
  flags_.mark_seen = true;
}

// ---- as the sender of data

/// An acknowledgment tells of a mark (ECE), `flight` bytes having been in flight before it. Whether
/// it can be true: who never agreed to be marked is not slowed down.
bool Connection::on_echo(const Context& context, std::uint32_t flight) {
  if (!flags_.ecn_capable || !congestion_.heeds_marks()) {
    ++context.counters.echoes_ignored;
    return false;
  }
  Extra& extra = this->extra();
  ++extra.count.echoes_received;
  // RFC3168-6.1.2: once for a window, and for all that is lost or marked in it.
  if (flight == 0 || recovery() != TcpRecovery::none || has_reduced_for(snd_.una)) return true;
  const bool at_least = congestion_.cwnd() <= effective_mss();
  CongestionState state = congestion_state(context);
  state.outstanding = flight;
  extra.undo.reset();
  congestion_.on_congestion(CongestionSignal::mark, state);
  note_reduction();
  if (at_least) {  // less than one segment in a round trip is one in a timeout
    flags_.waits_for_timer = true;
    arm_retransmission(context);
  }
  ++extra.count.mark_reductions;
  ++context.counters.mark_reductions;
  context.emit(tuple_.local, tuple_.remote, MarkHeeded{snd_.una, snd_.nxt});
  tell_window(context);
  return true;
}

/// Whether the window was reduced after all before `end` had been sent.
bool Connection::has_reduced_for(SeqNum end) const {
  if (flags_.cwr_pending) return true;
  return extra_ != nullptr && extra_->cwr_at && end <= *extra_->cwr_at;
}

/// For whatever reason: the peer is told by the next segment with new data.
void Connection::note_reduction() {
  if (!flags_.ecn_capable) return;
  flags_.cwr_pending = true;
  extra().cwr_at.reset();
}

/// A segment with data leaves. Only new data may be marked: the loss of a marked retransmission or
/// probe might never be seen (RFC3168-6.1.5, RFC3168-6.1.6).
void Connection::declare_capable(TcpHeader& header, const Range& range) {
  if (range.begin != snd_.nxt || range.reason == SendReason::window_probe) return;
  flags_.sent_capable = congestion_.heeds_marks();
  if (!flags_.cwr_pending) return;
  flags_.cwr_pending = false;
  header.flags |= TcpFlag::cwr;
  extra().cwr_at = range.begin;
}

/// `range` goes again, without CWR. That the segment with it was lost is a sign of congestion of
/// its own in a recovery that began for what had been sent before.
void Connection::note_cwr_lost(const Context& context, const Range& range) {
  const std::optional<SeqNum> at = extra_->cwr_at;
  if (recovery() != TcpRecovery::fast || !at || *at < range.begin || *at >= range.end) return;
  congestion_.on_congestion(CongestionSignal::loss, congestion_state(context));
  note_reduction();
  tell_window(context);
}

}  // namespace hawser::tcp
