#include "dhcp/client.hpp"

#include <algorithm>
#include <utility>

namespace hawser::dhcp {

namespace {

using std::chrono::seconds;
using wire::DhcpMessage;
using wire::DhcpType;

constexpr std::uint32_t kForEver = 0xffffffff;  // RFC 2131 3.3
const IpAddress kNobody = IpAddress::any(Family::ipv4);
const IpAddress kEverybody = IpAddress::v4(255, 255, 255, 255);

/// RFC 2132's options that make an interface work; 121 before 3 (RFC 3442).
std::vector<std::uint8_t> wanted_options() { return {1, 121, 3, 6, 15, 119, 26, 51, 54, 58, 59}; }

/// Without a mask that of its class, as hosts did before there were masks.
std::uint8_t class_prefix(const IpAddress& address) {
  const std::uint8_t first = address.v4_bytes()[0];
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/// Whether a host can have it: not the network itself, nor its broadcast address.
bool is_host_of_network(const IpAddress& address, std::uint8_t prefix_length) {
  const std::uint8_t first = address.v4_bytes()[0];
  if (first == 0 || first >= 224 || address.is_loopback()) return false;
  if (prefix_length >= 31) return true;
  std::uint32_t bits = 0;
  for (const std::uint8_t byte : address.v4_bytes()) bits = bits << 8U | byte;
  const std::uint32_t host_mask = ~std::uint32_t{0} >> prefix_length;
  return (bits & host_mask) != 0 && (bits & host_mask) != host_mask;
}

/// A lease may last longer than time does.
Instant after(Instant begin, Duration span) {
  return span < kNever - begin ? begin + span : kNever;
}

std::vector<wire::DhcpRoute> routes_of(const DhcpMessage& ack) {
  // RFC 3442: a client that knows this option takes no notice of that with the routers.
  if (!ack.routes.empty() || ack.routers.empty()) return ack.routes;
  return {{{kNobody, 0}, ack.routers.front()}};
}

}  // namespace

// ---- inputs

void Client::start(Instant now) {
  if (state_ == State::stopped) begin_selecting(now);
}

std::optional<DropReason> Client::on_datagram(Instant now, std::span<const std::byte> payload) {
  const auto message = wire::parse_dhcp(payload);
  if (!message) return message.error();
  if (!expects(*message)) return DropReason::unexpected_dhcp;
  if (message->type == DhcpType::nak) {
    on_nak(now);
    return std::nullopt;
  }
  if (!is_usable(*message)) return DropReason::bad_dhcp;
  if (message->type == DhcpType::offer) {
    on_offer(now, *message);
  } else {
    on_ack(now, *message);
  }
  return std::nullopt;
}

/// Whether it answers the question that we have asked last.
bool Client::expects(const DhcpMessage& message) const {
  if (message.transaction != transaction_ || message.mac != config_.mac) return false;
  const bool answers = message.type == DhcpType::ack || message.type == DhcpType::nak;
  switch (state_) {
    case State::selecting:
      return message.type == DhcpType::offer;
    case State::requesting:
      return answers && message.server == server_;
    case State::renewing:
      return answers && (!message.server || message.server == server_);
    case State::rebinding:
      return answers;
    case State::stopped:
    case State::resting:
    case State::bound:
      break;
  }
  return false;
}

/// Whether an offer or an ACK has what a lease needs (RFC 2131 table 3).
bool Client::is_usable(const DhcpMessage& message) const {
  const std::uint8_t length = message.prefix_length.value_or(class_prefix(message.yours));
  if (!message.server || !is_host_of_network(message.yours, length)) return false;
  if (message.type == DhcpType::offer) return true;
  // Of a renewal, time for another address is none for ours.
  if (lease_ && message.yours != lease_->address.address) return false;
  return message.lease_seconds && seconds(*message.lease_seconds) >= kShortestLease;
}

void Client::on_offer(Instant now, const DhcpMessage& offer) {
  offered_ = offer.yours;
  server_ = *offer.server;
  state_ = State::requesting;
  sent_ = 0;
  asked_at_ = now;
  send_request(now);
}

void Client::on_ack(Instant now, const DhcpMessage& ack) {
  Lease lease = lease_of(ack);
  if (lease.expires_at <= now) return;  // it took too long to come
  server_ = lease.server;
  state_ = State::bound;
  deadline_ = lease.renew_at;
  refused_ = 0;
  lease_ = lease;
  outputs_.emplace_back(LeaseGained{std::move(lease)});
}

void Client::on_nak(Instant now) {
  lose_lease();
  // A server that offers and then refuses must not keep us asking as fast as it answers.
  if (refused_++ == 0) {
    begin_selecting(now);
  } else {
    rest(now);
  }
}

void Client::on_conflict(Instant now) {
  if (!lease_) return;
  new_transaction(now);
  DhcpMessage decline = question(now, DhcpType::decline);
  decline.requested = lease_->address.address;
  decline.server = server_;
  decline.seconds = 0;  // RFC 2131 table 5
  lose_lease();
  send(decline, kNobody, kEverybody);
  rest(now);
}

void Client::release(Instant now) {
  if (lease_) {
    new_transaction(now);
    DhcpMessage release = question(now, DhcpType::release);
    release.client = lease_->address.address;
    release.server = server_;
    release.seconds = 0;  // RFC 2131 table 5
    send(release, release.client, server_);
    lose_lease();
  }
  state_ = State::stopped;
  deadline_ = kNever;
}

void Client::on_time(Instant now) {
  if (now < deadline_) return;
  if (lease_ && now >= lease_->expires_at) {
    lose_lease();
    begin_selecting(now);
    return;
  }
  switch (state_) {
    case State::selecting:
      send_discover(now);
      break;
    case State::requesting:
      if (sent_ < kRequests) {
        send_request(now);
      } else {
        begin_selecting(now);
      }
      break;
    case State::bound:
      began_at_ = now;
      [[fallthrough]];
    case State::renewing:
    case State::rebinding:
      state_ = now >= lease_->rebind_at ? State::rebinding : State::renewing;
      send_renewal(now);
      break;
    case State::resting:
      begin_selecting(now);
      break;
    case State::stopped:
      deadline_ = kNever;
      break;
  }
}

std::optional<Output> Client::poll_output() {
  if (outputs_.empty()) return std::nullopt;
  Output output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

// ---- states

void Client::begin_selecting(Instant now) {
  state_ = State::selecting;
  began_at_ = now;
  sent_ = 0;
  new_transaction(now);
  send_discover(now);
}

void Client::rest(Instant now) {
  state_ = State::resting;
  deadline_ = now + kRest;
}

void Client::lose_lease() {
  if (!lease_) return;
  outputs_.emplace_back(LeaseLost{lease_->address});
  lease_.reset();
}

Lease Client::lease_of(const DhcpMessage& ack) {
  Lease lease;
  lease.address = {ack.yours, ack.prefix_length.value_or(class_prefix(ack.yours))};
  lease.server = *ack.server;
  lease.routes = routes_of(ack);
  lease.dns = ack.dns;
  lease.search = ack.search;
  if (lease.search.empty() && !ack.domain.empty()) lease.search = {ack.domain};
  lease.mtu = ack.mtu;
  set_times(lease, ack);
  return lease;
}

/// RFC 2131 4.4.5: what the server says of T1 and T2, if it makes sense, else a half and seven
/// eighths, a little off so that hosts that began at one time do not ask at one time.
void Client::set_times(Lease& lease, const DhcpMessage& ack) {
  if (*ack.lease_seconds == kForEver) return;
  const Duration length = seconds(*ack.lease_seconds);
  const auto about = [&](double part) {
    const double fuzz = 1 + (random_.unit() - 0.5) / 32;
    return Duration(static_cast<Duration::rep>(static_cast<double>(length.count()) * part * fuzz));
  };
  Duration renew = about(0.5);
  Duration rebind = about(0.875);
  if (ack.rebind_seconds && seconds(*ack.rebind_seconds) < length) {
    rebind = seconds(*ack.rebind_seconds);
  }
  if (ack.renew_seconds && seconds(*ack.renew_seconds) < rebind) {
    renew = seconds(*ack.renew_seconds);
  }
  // Of no time at all a server would keep us asking as fast as it answers.
  rebind = std::max(rebind, kSoonestRenewal);
  if (renew >= rebind) renew = rebind / 2;  // RFC2131-4.4.5: its own server is asked first
  renew = std::clamp(renew, kSoonestRenewal, rebind);
  lease.renew_at = after(asked_at_, renew);
  lease.rebind_at = after(asked_at_, rebind);
  lease.expires_at = after(asked_at_, length);
}

// ---- questions (RFC 2131 table 5)

void Client::new_transaction(Instant now) {
  transaction_ = static_cast<std::uint32_t>(random_.next());
  asked_at_ = now;
}

DhcpMessage Client::question(Instant now, DhcpType type) const {
  DhcpMessage message;
  message.type = type;
  message.transaction = transaction_;
  const auto since = std::chrono::duration_cast<seconds>(now - began_at_).count();
  message.seconds = static_cast<std::uint16_t>(std::clamp<decltype(since)>(since, 0, 0xffff));
  message.mac = config_.mac;
  message.tell_client_id = true;
  if (type == DhcpType::discover || type == DhcpType::request) {
    message.host_name = config_.host_name;
    message.wanted = wanted_options();
    message.largest = config_.largest;
  }
  return message;
}

void Client::send_discover(Instant now) {
  DhcpMessage discover = question(now, DhcpType::discover);
  discover_seconds_ = discover.seconds;
  discover.broadcast = true;  // nothing is delivered to an address that we do not have yet
  send(discover, kNobody, kEverybody);
  deadline_ = answer_due(now);
}

void Client::send_request(Instant now) {
  DhcpMessage request = question(now, DhcpType::request);
  request.seconds = discover_seconds_;  // RFC2131-3.1: relays pass on both or neither
  request.broadcast = true;
  request.requested = offered_;
  request.server = server_;
  send(request, kNobody, kEverybody);
  deadline_ = answer_due(now);
}

/// Each question for more time is a transaction of its own, so that the time counts from the one
/// that was answered.
void Client::send_renewal(Instant now) {
  new_transaction(now);
  DhcpMessage request = question(now, DhcpType::request);
  request.client = lease_->address.address;
  send(request, request.client, state_ == State::renewing ? server_ : kEverybody);
  deadline_ = renewal_due(now);
}

void Client::send(const DhcpMessage& message, const IpAddress& source,
                  const IpAddress& destination) {
  ++sent_;
  outputs_.emplace_back(SendDatagram{source, destination, wire::emit_dhcp(message)});
}

/// RFC 2131 4.1
Instant Client::answer_due(Instant now) {
  Duration wait = kFirstWait;
  for (unsigned i = 1; i < sent_ && wait < kLongestWait; ++i) wait *= 2;
  const auto fuzz = static_cast<std::uint64_t>(2 * kWaitFuzz.count());
  return now + wait - kWaitFuzz + Duration(static_cast<Duration::rep>(random_.below(fuzz)));
}

/// RFC 2131 4.4.5: after half of the time that is left, but not sooner than in a minute.
Instant Client::renewal_due(Instant now) const {
  const Instant end = state_ == State::renewing ? lease_->rebind_at : lease_->expires_at;
  return std::min(end, now + std::max<Duration>((end - now) / 2, kLeastRenewalWait));
}

}  // namespace hawser::dhcp
