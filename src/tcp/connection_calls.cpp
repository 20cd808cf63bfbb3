// SEND, RECEIVE and STATUS, and what the application sees (RFC 9293 3.10.2, 3.10.3, 3.10.6).
#include <algorithm>

#include "tcp/connection.hpp"

namespace hawser::tcp {

Result<std::size_t> Connection::send(const Context& context, std::span<const std::byte> data,
                                     bool urgent) {
  if (error_ != 0) return std::unexpected(take_failure());
  if (state_ == TcpState::closed) return std::unexpected(Error::broken_pipe);
  if (flags_.fin_queued) return std::unexpected(Error::broken_pipe);
  if (data.empty()) return 0;
  const bool idle = send_queue_.empty();
  const std::uint32_t buffer = send_buffer();
  const std::uint32_t taken = send_queue_.append(context.pool, data, buffer);
  if (taken == 0) {
    if (idle) return std::unexpected(Error::no_buffer_space);  // no ACK would ever make room
    flags_.sender_blocked = true;
    return std::unexpected(Error::would_block);
  }
  // Also when it fits exactly: who asks for readiness first sees no room without having been
  // refused.
  if (send_queue_.size() >= buffer || taken < data.size()) {
    flags_.sender_blocked = true;
  }
  if (idle && in_flight() == 0) progress_at_ = context.now;
  if (urgent && taken == data.size()) {  // RFC9293-MUST-30, RFC9293-MUST-62
    extra().snd_up = data_end();
    flags_.snd_urgent = true;
  }
  restart_after_idle(context);
  return taken;
}

void Connection::restart_after_idle(const Context& context) {
  // RFC 5681 4.1: after an idle time of more than one RTO the window is no longer trusted.
  if (!synchronized() || in_flight() != 0) return;
  if (context.now - sent_at_ > rtt_.rto(context.config)) {
    congestion_.on_idle(congestion_state(context));
    flags_.waits_for_timer = false;
  }
}

Result<std::size_t> Connection::receive(const Context& context, std::span<std::byte> out) {
  if (!receive_queue_.empty()) {
    const auto mark = urgent_mark();
    if (mark && *mark > 0) out = out.first(std::min<std::size_t>(out.size(), *mark));
    const std::uint32_t taken = receive_queue_.read(out);
    if (extra_ != nullptr && !settings_->receive_buffer) {
      extra_->tuning.on_read(context.now, read_to(),
                             rtt_.srtt().value_or(context.config.initial_rto), effective_mss(),
                             settings_->max_receive_buffer);
    }
    // Forgotten once it is passed, lest it lie ahead again 2^31 octets later.
    if (flags_.rcv_urgent && !urgent_mark()) flags_.rcv_urgent = false;
    if (state_ != TcpState::closed && !flags_.fin_received) consider_window_update();
    return taken;
  }
  if (error_ != 0) return std::unexpected(take_failure());
  if (flags_.fin_received || state_ == TcpState::closed) return 0;  // RFC9293-MUST-12
  return std::unexpected(Error::would_block);
}

Ready Connection::ready() const {
  Ready level = Ready::none;
  const bool over = state_ == TcpState::closed;
  if (!receive_queue_.empty() || flags_.fin_received || error_ != 0 || over) {
    level |= Ready::readable;
  }
  // A buffer that tunes itself may become smaller, and nobody is told of room who was never
  // refused.
  const bool full = settings_->send_buffer && send_queue_.size() >= *settings_->send_buffer;
  const bool room = !flags_.sender_blocked && !full;
  if (error_ != 0 || over || (synchronized() && (room || flags_.fin_queued))) {
    level |= Ready::writable;
  }
  if (urgent_mark()) level |= Ready::urgent;
  if (error_ != 0) level |= Ready::error;
  if (over || state_ == TcpState::time_wait) level |= Ready::closed;
  return level;
}

Error Connection::take_failure() {
  return static_cast<Error>(std::exchange(error_, std::uint8_t{0}));
}

std::optional<Error> Connection::take_error() {
  if (error_ != 0) return take_failure();
  if (soft_error_ == 0) return std::nullopt;
  return static_cast<Error>(std::exchange(soft_error_, std::uint8_t{0}));
}

std::optional<std::uint32_t> Connection::urgent_mark() const {
  // RFC9293-MUST-33. The mark stands before the last urgent octet, as SIOCATMARK has it.
  if (!flags_.rcv_urgent) return std::nullopt;
  const SeqNum mark = extra_->rcv_up - 1U;
  if (mark < read_to()) return std::nullopt;
  return distance(read_to(), mark);
}

TcpInfo Connection::info(const Context& context) const {
  TcpInfo info;
  info.state = state_;
  info.local = tuple_.local;
  info.remote = tuple_.remote;
  info.close_reason = close_reason_;
  info.send_blocked = send_blocked(context.now);
  info.mss = static_cast<std::uint16_t>(effective_mss());
  info.snd_wscale = snd_wscale_;
  info.rcv_wscale = rcv_wscale_;
  info.timestamps = flags_.timestamps;
  info.sack = flags_.sack;
  info.ecn_echoes = flags_.ecn_echoes && synchronized();
  info.ecn_capable = flags_.ecn_capable && synchronized() && congestion_.heeds_marks();
  info.srtt = rtt_.srtt();
  if (min_rtt_us_ != 0) info.min_rtt = std::chrono::microseconds(min_rtt_us_);
  info.rttvar = rtt_.rttvar();
  info.rto = rtt_.rto(context.config);
  info.backoff = rtt_.backoff();
  info.recovery = recovery();
  info.congestion_control = congestion_.algorithm().name;
  info.cwnd = cwnd();
  info.ssthresh = congestion_.ssthresh();
  info.pacing_rate = congestion_.pacing_rate();
  if (flight_ != nullptr && info.min_rtt) {
    info.delivery_rate = flight_->rate_sample(*info.min_rtt).rate();
  }
  info.snd_wnd = snd_.wnd;
  info.rcv_wnd = advertised();
  info.in_flight = state_ == TcpState::closed ? 0 : in_flight();
  info.send_queue = send_queue_.size();
  info.receive_queue = receive_queue_.size();
  info.send_buffer = send_buffer();
  info.receive_buffer = receive_buffer();
  info.bytes_sent = count_.bytes_acked + sent_payload();
  info.bytes_acked = count_.bytes_acked;
  info.bytes_received = count_.bytes_received;
  info.segments_sent = count_.segments_sent;
  info.segments_received = count_.segments_received;
  if (extra_ == nullptr) return info;
  info.out_of_order = extra_->reassembly.bytes();
  info.bytes_sent += extra_->count.bytes_in_vain;
  info.retransmits = extra_->count.retransmits;
  info.timeouts = extra_->count.timeouts;
  info.fast_recoveries = extra_->count.fast_recoveries;
  info.spurious_recoveries = extra_->count.spurious_recoveries;
  info.duplicate_segments = extra_->count.duplicate_segments;
  info.marks_received = extra_->count.marks_received;
  info.echoes_received = extra_->count.echoes_received;
  info.mark_reductions = extra_->count.mark_reductions;
  return info;
}

}  // namespace hawser::tcp
