// The MTU of paths: what routers say of packets that were too large (RFC 1191, RFC 8201), as far as
// it is not forged (RFC 5927 7), and what becomes of it.
#include <algorithm>

#include "stack/impl.hpp"
#include "tcp/syn_received.hpp"

namespace hawser {

/// RFC1191-6.1, RFC8201-5.2: to whom it may concern. False if it cannot be true: then nobody is to
/// hear of it (RFC8201-4).
bool Stack::Impl::on_packet_too_big(const Context& context, const wire::IcmpError& error,
                                    InterfaceId interface) {
  ++counters_.packets_too_big;
  const auto mtu = ip::claimed_mtu(error.source.family(), error.mtu, error.packet_bytes);
  if (!mtu || !interfaces_.is_ours(error.source)) {
    drop(context, DropReason::bad_icmp, 0);
    return false;
  }
  switch (static_cast<wire::IpProtocol>(error.protocol)) {
    case wire::IpProtocol::tcp:
      on_segment_too_big(context, error, *mtu);
      break;
    case wire::IpProtocol::udp:
      on_datagram_too_big(context, error, *mtu, interface);
      break;
    case wire::IpProtocol::icmp:
    case wire::IpProtocol::icmpv6:
      on_echo_too_big(context, error, *mtu);
      break;
    default:
      drop(context, DropReason::bad_icmp, 0);
  }
  return true;
}

void Stack::Impl::on_segment_too_big(const Context& context, const wire::IcmpError& error,
                                     std::uint32_t mtu) {
  const Tuple tuple{{error.source, error.source_port}, {error.destination, error.destination_port}};
  const Flow flow = error.later_fragment ? Flow{} : demux_.find(tuple);
  if (flow.kind() != FlowKind::connection) return drop(context, DropReason::bad_icmp, 0, tuple);
  const Family family = error.source.family();
  const std::uint32_t least = family == Family::ipv4 ? ip::kMinPathMtuV4 : ip::kMinPathMtuV6;
  ConnectionSlot& slot = connections_[flow.slot()];
  const bool believed = slot.connection.on_packet_too_big(
      context, error.seq, tcp::mss_for(error.packet_bytes, family),
      tcp::mss_for(std::max(mtu, least), family));
  if (believed) {
    const auto entry = path_mtu_.lower(context.now, error.destination, mtu);
    slot.may_fragment = entry.cut;
  }
  settle(context, flow.slot());
}

/// A datagram has no sequence number that an outsider would have to guess: that we have a socket
/// which may have sent it is all that can be asked.
void Stack::Impl::on_datagram_too_big(const Context& context, const wire::IcmpError& error,
                                      std::uint32_t mtu, InterfaceId interface) {
  const Tuple ends{end_on(interface, error.source, error.source_port),
                   end_on(interface, error.destination, error.destination_port)};
  // With no such socket it is counted where errors of UDP are.
  if (error.later_fragment || udp_.find(ends, interface) == udp::Table::kNone) return;
  ++counters_.path_mtu_lowered;
  path_mtu_.lower(context.now, error.destination, mtu);
}

/// Of an echo request whose identifier is ours: whoever asked learns it as well, but what may be
/// cut is cut from now on, without which no large echo would ever get through a narrow path of
/// IPv6. Of our replies nothing is kept by which to tell a lie; in IPv6 it could not lower the MTU
/// by much.
void Stack::Impl::on_echo_too_big(const Context& context, const wire::IcmpError& error,
                                  std::uint32_t mtu) {
  constexpr unsigned kEchoReply6 = 129;
  const auto identifier = static_cast<std::uint16_t>(error.seq.value() >> 16);
  const bool reply = to_number(error.source_port) >> 8 == kEchoReply6 && !error.source.is_v4();
  const bool ours = reply || echo_.find(identifier) != udp::EchoTable::kNone;
  if (error.later_fragment || !ours) return;
  ++counters_.path_mtu_lowered;
  path_mtu_.lower(context.now, error.destination, mtu);
}

/// RFC4821-5.2, RFC8201-5.2: what a connection has learnt by probes, where routers are silent, is
/// for all to come. Two probes of a size must have been lost while everything else arrived, so that
/// neither an outage nor a stranger makes anybody believe it; the peer could, of the path to
/// itself. Nothing is shown by segments that routers may cut.
void Stack::Impl::note_path_found(std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  const auto found = slot.connection.take_path_found();
  if (!found || slot.may_fragment) return;
  const IpAddress& peer = slot.connection.tuple().remote.address;
  path_mtu_.on_found(now_, peer, tcp::mtu_for(found->mss, peer.family()), found->larger_is_lost);
}

/// What is known of the path bounds the segments of a new connection from its beginning. The MSS
/// that we advertise does not follow it: the way back may be another.
void Stack::Impl::adopt_path_mtu(const Context& context, std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  const IpAddress& peer = slot.connection.tuple().remote.address;
  const auto known = path_mtu_.find(context.now, peer);
  if (!known) return;
  slot.may_fragment = known->cut;
  slot.connection.set_path_mss(context, tcp::mss_for(known->mtu, peer.family()));
}

}  // namespace hawser
