// OPEN, CLOSE and ABORT, and the change of states (RFC 9293 3.9.1, 3.10.1, 3.10.4, 3.10.5).
#include "tcp/connection.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "tcp/transitions.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

Connection::Connection(const Context& context, const Tuple& tuple, SeqNum iss, std::uint16_t mss,
                       std::uint32_t ts_offset, const TcpSettings& settings)
    : tuple_(tuple),
      state_(TcpState::syn_sent),
      local_mss_(mss),
      progress_at_(context.now),
      settings_(&context.config.defaults),
      congestion_(algorithm(context, settings)),
      mss_(mss),
      ts_offset_(ts_offset) {
  adopt_settings(context, settings);
  snd_.una = iss;
  snd_.nxt = iss + 1;
  rcv_wscale_ = window_scale_for(settings_->largest_receive_buffer()) & 15U;
  flags_.syn_pending = true;
  context.emit(tuple_.local, tuple_.remote, StateChanged{TcpState::closed, state_});
}

Connection::Connection(const Context& context, const Tuple& tuple, const Handshake& handshake,
                       std::uint16_t mss, const TcpSettings& settings)
    : tuple_(tuple),
      state_(TcpState::syn_received),
      snd_wscale_(handshake.snd_wscale & 15U),
      rcv_wscale_(handshake.rcv_wscale & 15U),
      local_mss_(mss),
      progress_at_(context.now),
      settings_(&context.config.defaults),
      congestion_(algorithm(context, settings)),
      mss_(std::min(mss, handshake.peer_mss)),
      ts_recent_(handshake.ts_recent),
      ts_recent_at_(seconds(context.now)),
      ts_offset_(handshake.ts_offset) {
  adopt_settings(context, settings);
  flags_.passive = true;
  flags_.timestamps = handshake.timestamps;
  flags_.sack = handshake.sack;
  flags_.ecn_echoes = handshake.ecn_echoes;
  flags_.ecn_capable = handshake.ecn_capable;
  flags_.syn_retransmitted = handshake.retransmitted;
  flags_.syn_lost_twice = handshake.lost_twice;
  snd_.nxt = handshake.iss + 1;
  snd_.wnd = snd_.max_wnd = handshake.syn_window;
  rcv_.nxt = rcv_.acked = handshake.irs + 1;
  rcv_.edge = rcv_.nxt + std::min(settings_->initial_receive_buffer(), 65535U);
  snd_.wl1 = handshake.irs;
  snd_.wl2 = handshake.iss;
  snd_.una = handshake.iss + 1;
  if (!handshake.retransmitted && handshake.syn_sent_at != Instant{}) {
    rtt_.on_sample(context.now - handshake.syn_sent_at, context.config);
  }
  become_established(context);
}

Connection::~Connection() {
  if (flags_.own_settings) delete settings_;
}

void Connection::adopt_settings(const Context& context, const TcpSettings& settings) {
  const TcpSettings* adopted = &context.config.defaults;
  const bool own = settings != *adopted;
  if (own) adopted = new TcpSettings(settings);
  if (flags_.own_settings) delete settings_;
  settings_ = adopted;
  flags_.own_settings = own;
}

void Connection::set_settings(const Context& context, const TcpSettings& settings) {
  record_single();
  adopt_settings(context, settings);
  const CongestionAlgorithm& wanted = algorithm(context, settings);
  const bool other = &wanted != &congestion_.algorithm();
  const std::uint32_t cwnd = congestion_.cwnd();
  const std::uint32_t ssthresh = congestion_.ssthresh();
  if (other) congestion_.change_to(wanted);
  if (other && extra_ != nullptr) extra_->undo.reset();
  if (!synchronized()) return;
  if (other) start_congestion_control(context, cwnd, ssthresh);
  arm_keep_alive(context);
  if (timers_.is_set(TimerSlot::retransmit)) arm_retransmission(context);
}

/// Whoever lets settings in has seen that there is such an algorithm.
const CongestionAlgorithm& Connection::algorithm(const Context& context,
                                                 const TcpSettings& settings) {
  const CongestionAlgorithm* found = find_congestion(context.config, settings.congestion_control);
  assert(found != nullptr);
  return *found;
}

CongestionState Connection::congestion_state(const Context& context) const {
  CongestionState state;
  state.now = context.now;
  state.mss = effective_mss();
  state.initial_window = initial_window(effective_mss(), context.config.initial_window);
  state.outstanding = in_flight();
  state.recovery = recovery();
  return state;
}

void Connection::start_congestion_control(const Context& context, std::uint32_t cwnd,
                                          std::uint32_t ssthresh) {
  CongestionStart start{congestion_state(context), cwnd, ssthresh};
  congestion_.on_start(start);
}

void Connection::set_state(const Context& context, TcpState to) {
  assert(is_legal(state_, to));
  context.emit(tuple_.local, tuple_.remote, StateChanged{state_, to});
  state_ = to;
}

void Connection::become_established(const Context& context) {
  set_state(context, TcpState::established);
  timers_.clear(TimerSlot::retransmit);
  if (flags_.syn_retransmitted) rtt_.assume_syn_loss();
  rtt_.reset_backoff();
  const std::uint32_t window = initial_window(effective_mss(), context.config.initial_window);
  start_congestion_control(context, flags_.syn_lost_twice ? effective_mss() : window,  // RFC 6928 2
                           std::numeric_limits<std::uint32_t>::max());
  sent_at_ = context.now;
  progress_at_ = context.now;
  ready_ |= Ready::writable;
  arm_keep_alive(context);
  if (flags_.fin_queued) set_state(context, TcpState::fin_wait_1);
}

Result<void> Connection::shutdown_write(const Context& context) {
  switch (state_) {
    case TcpState::syn_sent:
    case TcpState::syn_received:
      flags_.fin_queued = true;  // follows what is queued, once established (RFC 9293 3.10.4)
      return {};
    case TcpState::established:
    case TcpState::close_wait:
      queue_fin(context);
      return {};
    case TcpState::closed:
      return std::unexpected(Error::not_connected);
    default:
      return {};  // it is on its way already
  }
}

void Connection::queue_fin(const Context& context) {
  if (flags_.fin_queued) return;
  flags_.fin_queued = true;
  set_state(context, state_ == TcpState::established ? TcpState::fin_wait_1 : TcpState::last_ack);
}

void Connection::close(const Context& context) {
  const bool unread = !receive_queue_.empty() || (extra_ != nullptr && !extra_->reassembly.empty());
  flags_.released = true;
  const bool hard = settings_->linger == Duration::zero();
  if (state_ == TcpState::closed) return;
  if (state_ == TcpState::time_wait) {
    receive_queue_.clear();
    return;
  }
  // RFC9293-SHLD-3: a reset tells the peer that its data was lost.
  if (unread || hard || state_ == TcpState::syn_sent) return abort(context);
  if (peer_window_closed()) progress_at_ = context.now;  // the last wait begins
  static_cast<void>(shutdown_write(context));
  if (state_ == TcpState::fin_wait_2) set_fin_wait_2_timer(context);
}

void Connection::abort(const Context& context) {
  flags_.released = true;
  if (state_ == TcpState::closed) return;
  const bool peer_knows = state_ != TcpState::syn_sent && state_ != TcpState::time_wait;
  if (peer_knows && !(fin_sent() && state_ == TcpState::last_ack)) {
    queue_reset();
  }
  fail(context, Error::connection_aborted, CloseReason::aborted);
}

void Connection::on_address_gone(const Context& context) {
  flags_.reset_pending = false;
  if (state_ != TcpState::closed) {
    fail(context, Error::address_not_available, CloseReason::address_gone);
  }
}

/// A reset that ends the connection at the peer too.
void Connection::queue_reset() {
  flags_.reset_pending = true;
  flags_.reset_answers = false;
  extra().reset_seq = acceptable_seq();
}

void Connection::fail(const Context& context, Error error, CloseReason reason) {
  error_ = static_cast<std::uint8_t>(error);
  ready_ |= Ready::error | Ready::readable | Ready::writable;
  finish(context, reason);
}

void Connection::finish(const Context& context, CloseReason reason) {
  if (const std::uint32_t unacknowledged = sent_payload(); unacknowledged > 0) {
    extra().count.bytes_in_vain += unacknowledged;
  }
  set_state(context, TcpState::closed);
  close_reason_ = reason;
  context.emit(tuple_.local, tuple_.remote, Closed{reason});
  ready_ |= Ready::closed | Ready::readable;
  timers_.clear_all();
  send_queue_.clear();
  flight_.reset();
  if (extra_ != nullptr) {
    extra_->idle_at = kNever;
    extra_->acks_owed = 0;
    extra_->reassembly.clear();
  }
  if (flags_.released) receive_queue_.clear();
  flags_.ack_now = flags_.syn_pending = flags_.probe_pending = flags_.keep_alive_pending = false;
  flags_.force_retransmit = flags_.tail_probe_pending = false;
}

// ---- what is needed only now and then

Extra& Connection::extra() {
  if (extra_ == nullptr) extra_ = std::make_unique<Extra>(snd_.una);
  return *extra_;
}

bool Connection::needs_extra(Instant now) const {
  const Extra& extra = *extra_;
  const bool repairs = in_flight() > 0 || extra.recovery != TcpRecovery::none ||
                       (!flags_.sack && snd_.una <= extra.recover);
  const bool waits_for_gap = !extra.reassembly.empty() || extra.acks_owed > 0 ||
                             flags_.duplicate_pending || (flags_.fin_seen && !flags_.fin_received);
  const bool challenged = extra.challenges > 0 && extra.challenge_second == seconds(now);
  return flags_.reset_pending || challenged || extra.count != Extra::Counters{} ||
         (state_ != TcpState::closed && repairs) || waits_for_gap || flags_.snd_urgent ||
         flags_.rcv_urgent || extra.idle_at != kNever || flags_.keep_alive_pending ||
         extra.path != nullptr || extra.tail_probe || extra.tuning.is_on();
}

Connection::TimeWaitFacts Connection::time_wait_facts() const {
  const auto window = advertised() >> rcv_wscale_;
  return {.snd_nxt = snd_.nxt,
          .rcv_nxt = rcv_.nxt,
          .window = static_cast<std::uint16_t>(std::min<std::uint32_t>(window, 65535)),
          .timestamps = flags_.timestamps,
          .ts_recent = ts_recent_,
          .ts_offset = ts_offset_};
}

}  // namespace hawser::tcp
