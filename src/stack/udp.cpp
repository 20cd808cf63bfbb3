// UDP between IP and the sockets: datagrams that arrive, ICMP errors about those that left, and the
// queue of those that leave (RFC 768, RFC 1122 4.1.3).
#include "wire/udp.hpp"

#include <algorithm>
#include <array>

#include "stack/impl.hpp"

namespace hawser {

namespace {

/// Datagrams that leave before connections have their turn.
constexpr std::size_t kQuantum = 64;

}  // namespace

udp::Socket* Stack::Impl::udp_of(SocketHandle socket) {
  if (stack::kind_of(socket) != SocketKind::udp) return nullptr;
  return udp_.find(stack::index_of(socket), socket.generation);
}

void Stack::Impl::tell_udp(std::uint32_t index, Ready what) {
  udp::Socket& socket = udp_[index];
  if (!any(socket.pending)) readiness_.push_back(udp_handle_of(index));
  socket.pending |= what;
}

// ---- that arrive

/// Unlike TCP, UDP may be said to many; and who has no address yet may speak to all (RFC 1122
/// 3.2.1.3 (a), RFC1122-4.1.3.6).
std::optional<DropReason> Stack::Impl::check_udp_addresses(const wire::IpHeader& ip,
                                                           InterfaceId interface,
                                                           InterfaceId from) const {
  const bool multicast = ip.destination.is_multicast();
  if (multicast && !multicast_.is_member(interface, ip.destination)) return DropReason::not_ours;
  if (!multicast && !interfaces_.is_broadcast(ip.destination)) {
    return check_addresses(ip.source, ip.destination, from);
  }
  const bool nameless = ip.source.is_unspecified() && ip.source.is_v4();
  if ((!nameless && !interfaces_.is_unicast(ip.source)) ||
      (from != ip::kLoopback && interfaces_.is_ours(ip.source))) {
    return DropReason::bad_source;
  }
  return std::nullopt;
}

void Stack::Impl::on_udp(const Context& context, const wire::IpHeader& ip,
                         std::uint32_t header_bytes, Packet& packet, InterfaceId from) {
  ++counters_.datagrams_received;
  if (const auto bad = check_udp_addresses(ip, packet.interface(), from)) {
    return drop(context, *bad, packet.size());
  }
  std::array<std::byte, wire::kUdpHeader> header{};
  const std::uint32_t ip_payload = packet.size() - header_bytes;
  if (ip_payload < header.size()) return drop(context, DropReason::truncated, packet.size());
  packet.copy_to(header_bytes, header);
  const auto parsed = wire::parse_udp(header, ip_payload, ip.source.family());
  if (!parsed) return drop(context, parsed.error(), packet.size());
  packet.truncate(header_bytes + parsed->length);
  // RFC1122-4.1.3.4: what is wrong is dropped without a word.
  if (parsed->has_checksum && packet.checksum() == ChecksumMark::in_frame &&
      !wire::udp_checksum_ok(packet, header_bytes, ip.source, ip.destination)) {
    return drop(context, DropReason::bad_udp_checksum, packet.size());
  }
  const Tuple ends{end_on(packet.interface(), ip.destination, parsed->header.destination),
                   end_on(packet.interface(), ip.source, parsed->header.source)};
  const std::uint32_t all_headers = header_bytes + static_cast<std::uint32_t>(wire::kUdpHeader);
  if (parsed->header.destination == wire::kDhcpClientPort) {
    if (DhcpInterface* asking = dhcp_of(packet.interface())) {
      packet.trim_front(all_headers);
      return on_dhcp(context, *asking, packet);
    }
  }
  if (!interfaces_.is_ours(ip.destination)) {
    packet.trim_front(all_headers);
    return deliver_to_many(context, ip, ends, packet);
  }
  const std::uint32_t index = udp_.find(ends, packet.interface());
  if (index == udp::Table::kNone) {
    // RFC1122-4.1.3.1
    send_unreachable(context, ip, packet, wire::IcmpErrorKind::port_unreachable, from);
    return drop(context, DropReason::no_port, parsed->length, ends);
  }
  packet.trim_front(all_headers);
  deliver_udp(context, index, ip, ends, std::move(packet));
}

/// A copy to each socket that wants it; nobody is told when there is none (RFC1122-4.1.3.1).
void Stack::Impl::deliver_to_many(const Context& context, const wire::IpHeader& ip,
                                  const Tuple& ends, Packet& payload) {
  std::vector<std::uint32_t> receivers;
  udp_.find_all(ends, payload.interface(), receivers);
  if (ip.destination.is_multicast() && !ip::is_all_hosts(ip.destination)) {
    const udp::Membership membership{payload.interface(), ip.destination};
    std::erase_if(receivers,
                  [&](std::uint32_t index) { return !udp_[index].has_joined(membership); });
  }
  if (receivers.empty()) return drop(context, DropReason::no_port, payload.size(), ends);
  const std::uint32_t last = receivers.back();
  receivers.pop_back();
  for (const std::uint32_t index : receivers) {
    Packet copy = payload.share();
    if (!copy) {
      drop(context, DropReason::no_memory, 0, ends);
      continue;
    }
    deliver_udp(context, index, ip, ends, std::move(copy));
  }
  deliver_udp(context, last, ip, ends, std::move(payload));
}

void Stack::Impl::deliver_udp(const Context& context, std::uint32_t index, const wire::IpHeader& ip,
                              const Tuple& ends, Packet payload) {
  const std::uint32_t length = payload.size();
  const InterfaceId interface = payload.interface();
  const bool taken = udp_.push(index, {.payload = std::move(payload),
                                       .source = ends.remote,
                                       .destination = ends.local.address,
                                       .interface = interface,
                                       .hop_limit = ip.hop_limit,
                                       .dscp = ip.dscp,
                                       .ecn = ip.ecn});
  if (!taken) return drop(context, DropReason::receive_queue_full, length, ends);
  tell_udp(index, Ready::readable);
}

/// RFC1122-4.1.3.3: to the socket that sent what is quoted.
void Stack::Impl::on_udp_error(const Context& context, const wire::IcmpError& error,
                               const IcmpSender& sender) {
  if (error.kind == wire::IcmpErrorKind::source_quench) return;  // RFC 6633
  // What was sent to ourselves is answered by ourselves.
  const InterfaceId way = interfaces_.is_ours(error.destination) ? ip::kLoopback : sender.interface;
  const Tuple ends{end_on(way, error.source, error.source_port),
                   end_on(way, error.destination, error.destination_port)};
  std::uint32_t index = udp::Table::kNone;
  if (interfaces_.is_ours(error.source)) index = udp_.find(ends, way);
  if (index == udp::Table::kNone) return drop(context, DropReason::bad_icmp, 0, ends);
  IcmpErrorReport report = report_of(context, error, sender);
  report.destination = ends.remote;
  if (udp_[index].on_error(report)) {
    tell_udp(index, Ready::readable | Ready::writable | Ready::error);
  }
}

// ---- that leave

void Stack::Impl::put_outgoing(Outgoing outgoing) {
  outgoing_bytes_ += outgoing.bytes;
  outgoing_.push_back(std::move(outgoing));
}

void Stack::Impl::drain_udp(const Context& context, std::vector<Packet>& out, std::size_t room) {
  for (std::size_t sent = 0; sent < std::min(kQuantum, room) && !outgoing_.empty(); ++sent) {
    Outgoing outgoing = std::move(outgoing_.front());
    outgoing_.pop_front();
    outgoing_bytes_ -= outgoing.bytes;
    if (udp::Socket* socket = udp_of(outgoing.socket); socket && socket->on_left(outgoing.bytes)) {
      tell_udp(stack::index_of(outgoing.socket), Ready::writable);
    } else if (udp::EchoSocket* echo = echo_of(outgoing.socket)) {
      echo->on_left(outgoing.bytes);
    }
    if (outgoing.to_ourselves) {
      Packet copy = outgoing.packet.share();
      if (copy) {
        copy.set_checksum(ChecksumMark::verified);
        loopback_.push_back(std::move(copy));
      }
    }
    if (!outgoing.to_link) continue;
    // Straight out where nothing can keep it back.
    if (mac_of(outgoing.packet.interface()) == nullptr &&
        fits_path(context.now, outgoing.packet, outgoing.destination)) {
      transmit(std::move(outgoing.packet), out);
    } else {
      send_on_link(context, std::move(outgoing.packet), outgoing.source, outgoing.destination);
    }
  }
}

}  // namespace hawser
