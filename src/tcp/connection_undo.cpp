// Recoveries for nothing: how they are seen (RFC 3522, RFC 3708, RFC 5682), and what is done then
// (RFC 4015).
#include <algorithm>
#include <utility>

#include "tcp/connection.hpp"
#include "tcp/paws.hpp"

namespace hawser::tcp {

/// The congestion window is about to be reduced.
void Connection::begin_undo(Undo::Frto frto) {
  Extra& extra = this->extra();
  extra.undo = std::make_unique<Undo>();
  extra.undo->before = congestion_.copy();
  extra.undo->begin = snd_.una;
  extra.undo->end = snd_.nxt;
  extra.undo->frto = frto;
  extra.undo->cwr_pending = flags_.cwr_pending;
  extra.undo->cwr_at = extra.cwr_at;
}

void Connection::note_sent_again(const Context& context) {
  if (extra_->undo == nullptr || recovery() == TcpRecovery::none) return;
  Undo& undo = *extra_->undo;
  if (!undo.first_again_ts) undo.first_again_ts = ts_now(context);
  ++undo.unreported;
}

/// Whether this acknowledgment says that recovery was for nothing.
void Connection::judge_recovery(const Context& context, const Segment& segment,
                                const Flight::Delivery& delivery, std::uint32_t acked) {
  if (acked > 0 && eifel_says_spurious(segment)) {
    if (const auto age = echoed_ticks(context, segment)) {  // RFC 4015 3.3: the RTO was too short
      const bool usable = *age > Duration::zero() && *age < context.config.max_rto;
      if (usable) rtt_.on_sample(*age, context.config);
    }
    return take_back(context, SpuriousSign::timestamps, acked);
  }
  if (duplicates_say_spurious(delivery)) {
    return take_back(context, SpuriousSign::duplicates, acked);
  }
  if (frto_says_spurious(delivery, acked)) {
    return take_back(context, SpuriousSign::later_data, acked);
  }
}

/// RFC 3522 3.2: the first ACK that moves on answers what was sent first or what was sent again.
bool Connection::eifel_says_spurious(const Segment& segment) {
  Undo& undo = *extra_->undo;
  const auto& timestamps = segment.header.options.timestamps;
  if (!flags_.timestamps || !timestamps || !undo.first_again_ts) return false;
  return std::exchange(undo.eifel_open, false) &&
         timestamp_before(timestamps->echo, *undo.first_again_ts);
}

/// RFC 3708 2: the peer has received everything twice.
bool Connection::duplicates_say_spurious(const Flight::Delivery& delivery) {
  Undo& undo = *extra_->undo;
  if (!delivery.dsack || undo.unreported == 0) return false;
  if (delivery.dsack->begin < undo.begin || delivery.dsack->end > undo.end) return false;
  return --undo.unreported == 0 && flight_->lost_bytes() == 0;
}

/// RFC 5682 3.1. What was sent before the timeout, and not again, can arrive only if it was late.
bool Connection::frto_says_spurious(const Flight::Delivery& delivery, std::uint32_t acked) {
  Undo& undo = *extra_->undo;
  if (recovery() != TcpRecovery::timeout || undo.frto == Undo::Frto::off) return false;
  if (acked == 0 && delivery.bytes == 0) return false;  // no news
  if (undo.frto == Undo::Frto::sent_again) {
    const bool goes_on = acked > 0 && next_new_data().has_value();
    undo.frto = goes_on ? Undo::Frto::sent_new : Undo::Frto::off;
    return false;
  }
  undo.frto = Undo::Frto::off;
  return delivery.first_original && *delivery.first_original <= undo.end;
}

/// RFC 4015 3.2: as before, but without a burst.
void Connection::take_back(const Context& context, SpuriousSign how, std::uint32_t acked) {
  Extra& extra = *extra_;
  const std::unique_ptr<Undo> undo = std::move(extra.undo);
  if (undo->before != nullptr) congestion_.restore(*undo->before);
  flight_->find_again(extra.recovery == TcpRecovery::fast);
  extra.recovery = TcpRecovery::none;
  extra.dup_bytes = 0;
  flags_.force_retransmit = false;
  if (flags_.cwr_pending) {  // the peer has not been told: it goes on if it knows of a mark
    flags_.cwr_pending = undo->cwr_pending;
    if (undo->cwr_at && snd_.una <= *undo->cwr_at) extra.cwr_at = undo->cwr_at;
  }
  congestion_.on_spurious(congestion_state(context));
  const std::uint32_t mss = effective_mss();
  const std::uint32_t more = std::min(acked, initial_window(mss, context.config.initial_window));
  extra.window_after_recovery = std::max(pipe(), mss) + std::max(more, mss);
  ++extra.count.spurious_recoveries;
  rtt_.reset_backoff();
  if (in_flight() > 0) arm_retransmission(context);
  context.emit(tuple_.local, tuple_.remote, SpuriousRecovery{how});
  tell_window(context);
}

}  // namespace hawser::tcp
