// What a connection does about the MTU of its path: it hears routers (RFC 1191 6.4, RFC 8201 5.4)
// unless they may be forged (RFC 5927 7.2), suspects black holes, and probes (RFC 4821).
#include <algorithm>

#include "tcp/connection.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

namespace {

/// Full segments that must be there to follow a probe, so that its loss shows without a timeout
/// (RFC 4821 7.3).
constexpr std::uint32_t kBehindProbe = 4;
/// Timeouts in a row that make a black hole of one more try, and of the next smaller size.
constexpr std::uint32_t kSuspicious = 2;
/// The same when the segments are as small as the next size would make them.
constexpr std::uint32_t kVerySuspicious = 3 * kSuspicious;

}  // namespace

PathSearch& Connection::path_search() {
  Extra& extra = this->extra();
  if (!extra.path) extra.path = std::make_unique<PathSearch>(mss_);
  return *extra.path;
}

void Connection::set_path_mss(const Context& context, std::uint16_t mss) {
  if (mss >= mss_) return;
  path_search().on_told(context.now);
  lower_mss(mss);
}

/// The peer's SYN says what it takes.
void Connection::adopt_mss_limit(std::uint16_t limit) {
  mss_ = std::min(mss_, limit);
  if (PathSearch* path = known_path()) path->set_limit(limit);
}

void Connection::lower_mss(std::uint16_t mss) {
  mss_ = std::max(mss, kMinMss);
  flags_.full_size_acked = false;
}

bool Connection::on_packet_too_big(const Context& context, SeqNum quoted, std::uint16_t size,
                                   std::uint16_t mss) {
  const bool in_flight_now = quoted >= snd_.una && quoted < snd_.nxt;
  if (!synchronized() || state_ == TcpState::closed || !in_flight_now) {
    context.drop(DropReason::bad_icmp);
    return false;
  }
  record_single();
  PathSearch* known = known_path();
  const bool of_probe = known != nullptr && known->is_probing() && quoted >= known->probe_begin() &&
                        quoted < known->probe_end();
  if (mss >= mss_) {  // of a probe, or one of many about the segments of before
    if (of_probe) known->on_probe_too_big(mss);
    return true;
  }
  if (size > mss_ && !of_probe) {  // we have sent nothing so large
    context.drop(DropReason::bad_icmp);
    return false;
  }
  // RFC5927-7.2: what has arrived before may be too large now, or somebody lies. If it is true the
  // segment will not arrive, and its timer will expire.
  const bool lost = recovery() == TcpRecovery::timeout && rtt_.backoff() > 0;
  if (flags_.full_size_acked && !lost) {
    path_search().hold(quoted, mss);
    return false;
  }
  ++context.counters.path_mtu_lowered;
  path_search().on_told(context.now);
  lower_mss(mss);
  if (!peer_window_closed()) {  // else the probes of the persist timer are small enough
    resend_all();
    rtt_.reset_backoff();
    arm_retransmission(context);
  }
  return true;
}

bool Connection::believe_held_message(const Context& context) {
  PathSearch* path = known_path();
  if (path == nullptr) return false;
  const auto mss = path->take_held(snd_.una);
  if (!mss || *mss >= mss_) return false;
  ++context.counters.path_mtu_lowered;
  path->on_told(context.now);
  lower_mss(*mss);
  rtt_.reset_backoff();
  return true;
}

/// RFC4821-7.7: what is lost again and again may be too large for a path whose routers are silent.
void Connection::suspect_black_hole(const Context& context) {
  if (!context.config.path_mtu_search || rtt_.backoff() % kSuspicious != 0) return;
  const Family family = tuple_.remote.address.family();
  const auto lost = static_cast<std::uint16_t>(std::min(sent_payload(), effective_mss()) + mss_ -
                                               effective_mss());
  auto smaller = smaller_mss(family, mss_);
  // What the next size would not make smaller is seldom too large, but may be.
  if (smaller && lost <= *smaller && rtt_.backoff() >= kVerySuspicious) {
    smaller = smaller_mss(family, lost);
  }
  if (!smaller || lost <= *smaller) return;
  ++context.counters.black_holes;
  path_search().on_black_hole();
  lower_mss(*smaller);
}

void Connection::on_path_ack(const Context& context) {
  PathSearch& path = *extra_->path;
  if (const auto found = path.on_ack(context.now, snd_.una)) mss_ = *found;
  if (!path.is_needed(mss_)) extra_->path.reset();
}

std::optional<Connection::Range> Connection::next_path_probe(Instant now) const {
  const auto size = extra_->path->due(now, mss_);
  if (!size || recovery() != TcpRecovery::none || flags_.fin_acked || fin_sent())
    return std::nullopt;
  const std::uint32_t length = *size - (mss_ - max_payload());
  const std::uint32_t needed = length + kBehindProbe * max_payload();
  const bool enough = distance(snd_.nxt, data_end()) >= needed &&
                      room_in_window(snd_.nxt) >= needed && cwnd() >= needed;
  if (!enough || pipe() + length > cwnd()) return std::nullopt;
  return Range{snd_.nxt, snd_.nxt + length, SendReason::data};
}

/// Then it says nothing about congestion (RFC 4821 7.4).
bool Connection::lost_probe_alone() const {
  const PathSearch* path = known_path();
  if (path == nullptr || !path->is_probing() || path->probe_begin() != snd_.una) return false;
  return flight_->lost_bytes() == distance(path->probe_begin(), path->probe_end());
}

}  // namespace hawser::tcp
