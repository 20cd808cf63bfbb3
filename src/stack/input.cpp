// Packets that arrive: IP is checked, then the segment goes to the flow it belongs to
// (RFC 9293 3.9.2.3, 3.10.7, 3.10.7.1; RFC 1122 3.2.1).
#include "stack/impl.hpp"
#include "tcp/reset.hpp"
#include "wire/tcp.hpp"

namespace hawser {

void Stack::Impl::drop(const Context& context, DropReason reason, std::uint32_t length,
                       const Tuple& tuple) {
  context.drop(reason);
  context.emit(tuple.local, tuple.remote, Dropped{reason, length});
}

void Stack::Impl::on_frames(Instant now, InterfaceId from, std::span<Packet> frames) {
  const Context at = context(now);
  const MacAddress* mac = mac_of(from);
  for (Packet& frame : frames) {
    ++counters_.frames_received;
    frame.set_interface(from);
    if (mac == nullptr) {
      on_packet(at, frame, from);
    } else {
      on_ethernet(at, frame, from, *mac);
    }
    frame.reset();
  }
}

void Stack::Impl::on_packet(const Context& context, Packet& packet, InterfaceId from,
                            bool to_group) {
  std::optional<wire::ParameterProblem> problem;
  const auto parsed = wire::parse_ip(packet.head(), packet.size(), &problem);
  if (!parsed) {
    // RFC1122-3.2.2, RFC4443-2.4: nobody is told about what was sent to all on the link.
    if (problem && (!to_group || problem->even_multicast)) {
      send_parameter_problem(context, *problem, packet, from);
    }
    return drop(context, parsed.error(), packet.size());
  }
  // RFC1122-3.3.6: what was sent to all on the link is for all in IP as well.
  if (to_group && interfaces_.is_unicast(parsed->header.destination)) {
    return drop(context, DropReason::not_unicast, packet.size());
  }
  if (parsed->fragment) [[unlikely]]
    return on_fragment(context, *parsed, packet, from);
  on_datagram(context, *parsed, packet, from);
}

void Stack::Impl::on_fragment(const Context& context, const wire::ParsedIp& fragment,
                              Packet& packet, InterfaceId from) {
  // What is not for us, or from nobody, would only take memory.
  const wire::IpHeader& ip = fragment.header;
  if (interfaces_.is_unicast(ip.destination)) {
    if (const auto bad = check_addresses(ip.source, ip.destination, from)) {
      return drop(context, *bad, packet.size());
    }
  }
  if (ip.destination.is_multicast() && !multicast_.is_member(packet.interface(), ip.destination)) {
    return drop(context, DropReason::not_ours, packet.size());
  }
  packet = reassembly_.on_fragment(context.now, fragment, std::move(packet));
  if (!packet) return;
  std::optional<wire::ParameterProblem> problem;
  const auto whole = wire::parse_ip(packet.head(), packet.size(), &problem);
  if (whole && !whole->fragment) return on_datagram(context, *whole, packet, from);
  if (problem) send_parameter_problem(context, *problem, packet, from);
  // Fragments of fragments: nobody makes them for a good reason.
  drop(context, whole ? DropReason::bad_fragment : whole.error(), packet.size());
}

void Stack::Impl::on_datagram(const Context& context, const wire::ParsedIp& parsed, Packet& packet,
                              InterfaceId from) {
  const wire::IpHeader& ip = parsed.header;
  packet.truncate(parsed.header_bytes + parsed.payload_bytes);
  switch (static_cast<wire::IpProtocol>(ip.protocol)) {
    case wire::IpProtocol::tcp:
      packet.trim_front(parsed.header_bytes);
      return on_tcp(context, ip, packet, from);
    case wire::IpProtocol::icmp:
    case wire::IpProtocol::icmpv6:
      packet.trim_front(parsed.header_bytes);
      return on_icmp(context, ip, packet, from);
    case wire::IpProtocol::igmp:
      packet.trim_front(parsed.header_bytes);
      return on_igmp(context, ip, packet, from);
    case wire::IpProtocol::udp:
      return on_udp(context, ip, parsed.header_bytes, packet, from);
    default:
      send_unreachable(context, ip, packet, wire::IcmpErrorKind::protocol_unreachable, from);
      break;
  }
  drop(context, DropReason::unknown_protocol, packet.size());
}

void Stack::Impl::on_tcp(const Context& context, const wire::IpHeader& ip, Packet& packet,
                         InterfaceId from) {
  ++counters_.segments_received;
  if (packet.head().size() < wire::kTcpMinHeader) {
    return drop(context, DropReason::truncated, packet.size());
  }
  // RFC9293-MUST-3
  if (packet.checksum() == ChecksumMark::in_frame &&
      !wire::tcp_checksum_ok(packet, ip.source, ip.destination)) {
    return drop(context, DropReason::bad_tcp_checksum, packet.size());
  }
  const auto parsed = wire::parse_tcp(packet.head());
  if (!parsed) return drop(context, parsed.error(), packet.size());
  packet.trim_front(parsed->header_bytes);
  const Segment segment{parsed->header, packet.size(), Ecn{ip.ecn}};
  const Arrival arrival{{end_on(from, ip.destination, parsed->header.destination),
                         end_on(from, ip.source, parsed->header.source)},
                        from};
  const Flow flow = demux_.find(arrival.tuple);
  switch (flow.kind()) {
    case FlowKind::none:
      return on_unmatched(context, arrival, segment, packet);
    case FlowKind::connection: {
      ConnectionSlot& slot = connections_[flow.slot()];
      if (from != ip::kLoopback && slot.interface == ip::kLoopback) {
        return drop(context, DropReason::bad_source, segment.length, arrival.tuple);
      }
      const std::uint32_t before = slot.connection.progress();
      slot.connection.on_segment(context, segment, packet);
      if (slot.neighbour && slot.connection.progress() != before) {
        neighbours_.confirm(context.now, slot.neighbour);
      }
      return settle(context, flow.slot());
    }
    case FlowKind::syn_received:
      return on_syn_received_segment(context, flow.slot(), arrival, segment, packet);
    case FlowKind::time_wait:
      return on_time_wait_segment(context, flow.slot(), segment);
  }
}

std::optional<DropReason> Stack::Impl::check_addresses(const IpAddress& source,
                                                       const IpAddress& destination,
                                                       InterfaceId from) const {
  const bool from_outside = from != ip::kLoopback;
  if (!is_ours(end_on(from, destination, Port{}))) {
    return interfaces_.is_unicast(destination) ? DropReason::not_ours : DropReason::not_unicast;
  }
  if (from_outside && destination.is_loopback()) return DropReason::not_ours;
  if (!interfaces_.is_unicast(source) || (from_outside && interfaces_.is_ours(source))) {
    return DropReason::bad_source;
  }
  return std::nullopt;
}

void Stack::Impl::on_unmatched(const Context& context, const Arrival& arrival,
                               const Segment& segment, Packet& payload) {
  const Tuple& tuple = arrival.tuple;
  // RFC9293-MUST-57, RFC9293-MUST-63: silence. A flow that we know has passed this at its start.
  if (const auto bad = check_addresses(tuple.remote.address, tuple.local.address, arrival.from)) {
    return drop(context, *bad, segment.length, tuple);
  }
  const std::uint32_t listener = listeners_.find(tuple.local);
  if (listener != stack::ListenerTable::kNone) {
    return on_listener_segment(context, listener, tuple, segment, payload);
  }
  context.emit(tuple.local, tuple.remote,
               SegmentReceived{segment.header, segment.length, segment.ecn});
  drop(context, DropReason::no_connection, segment.length, tuple);
  send_reset(context, tuple, segment);
}

}  // namespace hawser
