// Frames of an Ethernet, in and out (RFC 894, RFC 2464; RFC 1122 2.3, 2.4).
#include "wire/ethernet.hpp"

#include "stack/impl.hpp"
#include "wire/bytes.hpp"

namespace hawser {

namespace {

/// What an IP packet is called in a frame.
wire::EtherType ether_type_of(const Packet& packet) {
  const auto version = std::to_integer<unsigned>(packet.head().front()) >> 4;
  return version == 4 ? wire::EtherType::ipv4 : wire::EtherType::ipv6;
}

}  // namespace

void Stack::Impl::on_ethernet(const Context& context, Packet& frame, InterfaceId from,
                              const MacAddress& ours) {
  const auto parsed = wire::parse_ethernet(frame.head());
  if (!parsed) return drop(context, parsed.error(), frame.size());
  const wire::EthernetHeader& header = parsed->header;
  const bool to_group = header.destination.is_multicast();
  if (header.destination != ours && !to_group) {
    return drop(context, DropReason::other_mac, frame.size());
  }
  frame.trim_front(parsed->header_bytes);
  switch (header.type) {
    case wire::EtherType::arp:
      return on_arp(context, frame, from, ours);
    case wire::EtherType::ipv4:
    case wire::EtherType::ipv6:
      if (frame.size() == 0) return drop(context, DropReason::truncated, 0);
      if (ether_type_of(frame) != header.type) {
        return drop(context, DropReason::bad_ip_version, frame.size());
      }
      return on_packet(context, frame, from, to_group);
    default:
      return drop(context, DropReason::unknown_ether_type, frame.size());
  }
}

/// To whom on the link a packet goes that is for many; nothing for one that is for one host.
std::optional<MacAddress> Stack::Impl::group_mac(const IpAddress& destination) const {
  if (destination.is_multicast()) return wire::multicast_mac(destination);
  if (interfaces_.is_broadcast(destination)) return MacAddress::broadcast();
  return std::nullopt;
}

/// Puts the header of a frame for a neighbour before a packet, which has its IP header and its
/// interface. False when the neighbour is not known yet: the packet then waits for it.
bool Stack::Impl::put_in_frame(const Context& context, Packet& packet,
                               ip::NeighbourReference neighbour, const MacAddress& ours) {
  const MacAddress* to = neighbours_.use(context.now, neighbour);
  if (to == nullptr) {
    neighbours_.hold(neighbour, std::move(packet));
    return false;
  }
  wire::push_ethernet(packet, {*to, ours, ether_type_of(packet)});
  return true;
}

/// The same for a packet to a group.
void Stack::Impl::put_in_frame(Packet& packet, const MacAddress& group, const MacAddress& ours) {
  wire::push_ethernet(packet, {group, ours, ether_type_of(packet)});
}

/// The same for a segment of a connection, which remembers its neighbour.
bool Stack::Impl::put_in_frame(const Context& context, Packet& segment, ConnectionSlot& slot,
                               const MacAddress& ours) {
  if (!neighbours_.is_current(slot.neighbour)) {
    const Tuple& tuple = slot.connection.tuple();
    const auto hop = next_hop(slot.interface, tuple.remote.address);
    if (!hop) {
      hold_unroutable(context, std::move(segment));
      return false;
    }
    slot.neighbour = neighbours_.resolve(context.now, slot.interface, *hop, tuple.local.address);
  }
  return put_in_frame(context, segment, slot.neighbour, ours);
}

/// Does what the neighbours ask for. A gateway that does not answer gives way to another
/// (RFC 1122 3.3.1.4, RFC 4861 6.3.6).
void Stack::Impl::settle_neighbours(const Context& context) {
  while (auto output = neighbours_.poll_output()) {
    on_neighbour_change(*output);
    if (const auto* asked = std::get_if<ip::Solicit>(&*output)) {
      solicit(context, *asked);
    } else if (auto* ready = std::get_if<ip::Deliver>(&*output)) {
      Packet& packet = ready->packet;
      wire::push_ethernet(packet, {ready->to, *mac_of(packet.interface()), ether_type_of(packet)});
      enqueue(context, std::move(packet));
    } else if (const auto* failed = std::get_if<ip::Undeliverable>(&*output)) {
      on_undeliverable(context, failed->packet, failed->reason);
    } else if (const auto* lost = std::get_if<ip::NeighbourLost>(&*output)) {
      interfaces_.set_reachable(lost->interface, lost->address, false);
    } else if (const auto* found = std::get_if<ip::NeighbourFound>(&*output)) {
      interfaces_.set_reachable(found->interface, found->address, true);
    }
  }
  for (; !unroutable_.empty(); unroutable_.pop_front()) {
    on_undeliverable(context, unroutable_.front(), DropReason::no_route);
  }
  follow_routes();
}

/// To the socket that a packet is of, as if a router had said that its host or network is
/// unreachable: an error that ends an open, and is told to who is connected (RFC 1122 2.4,
/// 3.3.1.1; RFC 4861 5.2, 7.2.2).
void Stack::Impl::on_undeliverable(const Context& context, const Packet& packet,
                                   DropReason reason) {
  constexpr std::size_t kPortsAndSequence = 8;
  const auto head = packet.head();
  const auto parsed = wire::parse_quoted_ip(head);
  const bool has_ports = parsed && (!parsed->fragment || parsed->fragment->offset == 0) &&
                         head.size() >= parsed->header_bytes + kPortsAndSequence;
  if (!has_ports) return drop(context, reason, packet.size());
  const wire::IpHeader& ip = parsed->header;
  const std::byte* transport = head.data() + parsed->header_bytes;
  const Port source{wire::read16(transport)};
  const Port destination{wire::read16(transport + 2)};
  const SeqNum seq(wire::read32(transport + 4));
  const Tuple ends{end_on(packet.interface(), ip.source, source),
                   end_on(packet.interface(), ip.destination, destination)};
  drop(context, reason, packet.size(), ends);
  const bool no_route = reason == DropReason::no_route;
  if (reason != DropReason::no_neighbour && !no_route) return;
  if (ip.protocol == static_cast<std::uint8_t>(wire::IpProtocol::tcp)) {
    const Flow flow = demux_.find(ends);
    if (flow.kind() != FlowKind::connection) return;
    connections_[flow.slot()].connection.on_icmp_error(
        context, seq, no_route ? Error::network_unreachable : Error::host_unreachable, true);
    return settle(context, flow.slot());
  }
  wire::IcmpError error;
  error.kind =
      no_route ? wire::IcmpErrorKind::network_unreachable : wire::IcmpErrorKind::host_unreachable;
  error.type = ip.source.is_v4() ? 3 : 1;  // as the error would be on the wire
  error.code = no_route ? 0 : ip.source.is_v4() ? 1 : 3;
  error.source = ip.source;
  error.destination = ip.destination;
  error.protocol = ip.protocol;
  error.source_port = source;
  error.destination_port = destination;
  error.seq = seq;
  on_icmp_error(context, error, {ip.source, packet.interface(), 0});
}

}  // namespace hawser
