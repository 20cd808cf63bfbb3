#include "sim/bottleneck.hpp"

#include <optional>
#include <utility>

#include "ip/fragmentation.hpp"
#include "wire/ethernet.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"

namespace hawser::sim {

namespace {

IpAddress router_address(Family family) {
  if (family == Family::ipv4) return IpAddress::v4(192, 0, 2, 1);
  return IpAddress::v6({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

Packet error_about(const Packet& packet, const wire::IpHeader& ip, std::uint32_t mtu) {
  if (wire::forbids_icmp_error(packet.head())) return {};
  const IpAddress us = router_address(ip.source.family());
  Packet error =
      wire::make_icmp_error(packet, {wire::IcmpErrorKind::packet_too_big, 0, mtu}, us, ip.source);
  if (!error) return error;
  const auto protocol = ip.source.is_v4() ? wire::IpProtocol::icmp : wire::IpProtocol::icmpv6;
  wire::push_ip(
      error,
      {.source = us, .destination = ip.source, .protocol = static_cast<std::uint8_t>(protocol)});
  return error;
}

}  // namespace

AtBottleneck meet_bottleneck(const Packet& frame, bool ethernet, std::uint32_t mtu,
                             BufferPool& pool) {
  AtBottleneck result;
  Packet packet = frame.share();
  if (!packet) return result;
  std::optional<wire::EthernetHeader> link;
  if (ethernet) {
    const auto parsed = wire::parse_ethernet(frame.head());
    if (!parsed || mtu <= parsed->header_bytes) return result;
    link = parsed->header;
    packet.trim_front(parsed->header_bytes);
    mtu -= parsed->header_bytes;
  }
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  if (!ip) return result;
  if (ip->header.source.is_v4() && !ip->header.dont_fragment) {
    ip::fragment(packet, mtu, ip->header.identification, pool, result.fragments);
  } else {
    result.error = error_about(packet, ip->header, mtu);
  }
  if (!link) return result;
  for (Packet& fragment : result.fragments) wire::push_ethernet(fragment, *link);
  if (result.error) {
    std::swap(link->source, link->destination);
    wire::push_ethernet(result.error, *link);
  }
  return result;
}

}  // namespace hawser::sim
