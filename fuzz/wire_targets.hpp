// What must hold for any bytes that a parser of src/wire/ is given. The fuzzers here and the test
// of random mutations in tests/wire/ both call it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "hawser/packet.hpp"
#include "wire/arp.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/dhcp.hpp"
#include "wire/ethernet.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"
#include "wire/membership.hpp"
#include "wire/neighbour_discovery.hpp"
#include "wire/tcp.hpp"
#include "wire/udp.hpp"

namespace hawser::fuzz {

/// Null, or what did not hold.
using Violation = const char*;

inline Packet packet_of(BufferPool& pool, std::span<const std::byte> bytes) {
  Packet packet = pool.take_packet();
  if (bytes.empty()) return packet;
  Slice slice = pool.take(static_cast<std::uint32_t>(bytes.size()));
  std::ranges::copy(bytes, slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(bytes.size()));
  packet.append(std::move(slice));
  return packet;
}

/// Emits what was read and reads it again: the same must come out.
inline Violation check_ip(BufferPool& pool, std::span<const std::byte> input) {
  const auto size = static_cast<std::uint32_t>(input.size());
  const auto parsed = wire::parse_ip(input, size);
  const auto quoted = wire::parse_quoted_ip(input);
  if (quoted && quoted->header_bytes > size) return "the quoted header ends behind the bytes";
  if (!parsed) return nullptr;
  if (!quoted) return "what is a packet is the beginning of one";
  if (parsed->header_bytes + parsed->payload_bytes > size)
    return "the payload ends behind the bytes";
  const wire::IpHeader& header = parsed->header;
  // Hop-by-hop options out of their place, which would be in it without what stood before them.
  if (!header.source.is_v4() && header.protocol == 0) return nullptr;
  if (header.source.family() != header.destination.family()) return "two families in one header";
  Packet again = packet_of(pool, input.subspan(parsed->header_bytes, parsed->payload_bytes));
  if (parsed->fragment) {
    wire::push_fragment(again, header, *parsed->fragment);
  } else {
    wire::push_ip(again, header);
  }
  const auto reparsed = wire::parse_ip(again.head(), again.size());
  if (!reparsed) return "what was emitted is refused";
  if (reparsed->header.source != header.source) return "another source";
  if (reparsed->header.destination != header.destination) return "another destination";
  if (reparsed->header.protocol != header.protocol) return "another protocol";
  if (reparsed->fragment.has_value() != parsed->fragment.has_value()) return "no longer a fragment";
  if (parsed->fragment && (reparsed->fragment->offset != parsed->fragment->offset ||
                           reparsed->fragment->more != parsed->fragment->more)) {
    return "another fragment";
  }
  return nullptr;
}

inline Violation check_tcp(BufferPool& pool, std::span<const std::byte> input) {
  const auto parsed = wire::parse_tcp(input);
  if (!parsed) return nullptr;
  if (parsed->header_bytes > input.size()) return "the header ends behind the bytes";
  if (parsed->header.options.sack_count > 4) return "more SACK blocks than there is room for";
  const IpAddress address = IpAddress::v4(10, 0, 0, 1);
  Packet again = packet_of(pool, input.subspan(parsed->header_bytes));
  wire::push_tcp(again, parsed->header, address, address);
  if (!wire::tcp_checksum_ok(again, address, address)) return "a wrong checksum was emitted";
  const auto reparsed = wire::parse_tcp(again.head());
  if (!reparsed) return "what was emitted is refused";
  if (reparsed->header.seq != parsed->header.seq) return "another sequence number";
  if (reparsed->header.flags != parsed->header.flags) return "other flags";
  if (reparsed->header.options.timestamps != parsed->header.options.timestamps) {
    return "other timestamps";
  }
  return nullptr;
}

inline Violation check_ethernet(BufferPool& pool, std::span<const std::byte> input) {
  const auto parsed = wire::parse_ethernet(input);
  if (!parsed) return nullptr;
  if (parsed->header_bytes > input.size()) return "the header ends behind the bytes";
  if (parsed->header.source.is_multicast()) return "a group as source";
  Packet again = packet_of(pool, input.subspan(parsed->header_bytes));
  wire::push_ethernet(again, parsed->header);
  const auto reparsed = wire::parse_ethernet(again.head());
  if (!reparsed) return "what was emitted is refused";
  if (reparsed->header.destination != parsed->header.destination) return "another destination";
  if (reparsed->header.type != parsed->header.type) return "another type";
  return nullptr;
}

inline Violation check_arp(BufferPool& pool, std::span<const std::byte> input) {
  const auto parsed = wire::parse_arp(input);
  if (!parsed) return nullptr;
  Packet again = pool.take_packet();
  wire::push_arp(again, *parsed);
  if (!std::ranges::equal(again.head(), input.first(wire::kArpMessage))) {
    return "other bytes were emitted";
  }
  return nullptr;
}

/// With the checksum repaired first, as below; from a router and from nobody.
inline Violation check_neighbour_message(BufferPool& pool, std::span<const std::byte> input) {
  if (input.size() < wire::kIcmpHeader) return nullptr;
  wire::IpHeader ip;
  ip.hop_limit = wire::kNeighbourHopLimit;
  ip.destination = wire::kAllNodes;
  for (const IpAddress& source : {*IpAddress::parse("fe80::1"), IpAddress{}}) {
    ip.source = source;
    std::vector<std::byte> message(input.begin(), input.end());
    wire::write16(&message[2], 0);
    wire::Checksum checksum;
    checksum.add_pseudo_header(ip.source, ip.destination,
                               static_cast<std::uint8_t>(wire::IpProtocol::icmpv6),
                               static_cast<std::uint32_t>(message.size()));
    checksum.add(message);
    wire::write16(&message[2], checksum.value());
    const auto parsed = wire::parse_neighbour_message(packet_of(pool, message), ip);
    if (!parsed) continue;
    const Packet again = wire::make_neighbour_message(pool, *parsed, ip.source, ip.destination);
    const auto reparsed = wire::parse_neighbour_message(again, ip);
    if (!reparsed) return "what was emitted is refused";
    if (*reparsed != *parsed) return "another message";
  }
  return nullptr;
}

/// The datagram is all that an IP packet holds; its checksum, if it has one, is emitted anew.
inline Violation check_udp(BufferPool& pool, std::span<const std::byte> input, bool v6) {
  const IpAddress address = v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  const auto size = static_cast<std::uint32_t>(input.size());
  const auto parsed = wire::parse_udp(input, size, address.family());
  if (!parsed) return nullptr;
  if (parsed->length > size) return "the datagram ends behind the bytes";
  if (v6 && !parsed->has_checksum) return "a datagram without a checksum in IPv6";
  Packet again = packet_of(pool, input.first(parsed->length).subspan(wire::kUdpHeader));
  wire::push_udp(again, parsed->header, address, address);
  if (!wire::udp_checksum_ok(again, 0, address, address)) return "a wrong checksum was emitted";
  const auto reparsed = wire::parse_udp(again.head(), again.size(), address.family());
  if (!reparsed || !reparsed->has_checksum) return "what was emitted is refused";
  if (reparsed->length != parsed->length) return "another length";
  if (reparsed->header.destination != parsed->header.destination) return "another port";
  return nullptr;
}

/// The payload of a datagram to a client or a server.
inline Violation check_dhcp(std::span<const std::byte> input) {
  const auto parsed = wire::parse_dhcp(input);
  if (!parsed) return nullptr;
  const auto reparsed = wire::parse_dhcp(wire::emit_dhcp(*parsed));
  if (!reparsed) return "what was emitted is refused";
  return *reparsed == *parsed ? nullptr : "another message";
}

/// IGMP or MLD, with the checksum repaired first.
inline Violation check_membership(BufferPool& pool, std::span<const std::byte> input, bool v6) {
  if (input.size() < 4) return nullptr;
  wire::IpHeader ip;
  ip.source = v6 ? *IpAddress::parse("fe80::1") : IpAddress::v4(10, 0, 0, 1);
  ip.destination = v6 ? *IpAddress::parse("ff02::1") : IpAddress::v4(224, 0, 0, 1);
  ip.hop_limit = 1;
  ip.router_alert = v6;
  std::vector<std::byte> message(input.begin(), input.end());
  wire::write16(&message[2], 0);
  wire::Checksum checksum;
  if (v6) {
    checksum.add_pseudo_header(ip.source, ip.destination,
                               static_cast<std::uint8_t>(wire::IpProtocol::icmpv6),
                               static_cast<std::uint32_t>(message.size()));
  }
  checksum.add(message);
  wire::write16(&message[2], checksum.value());
  const Packet packet = packet_of(pool, message);
  const auto parsed = v6 ? wire::parse_mld(packet, ip) : wire::parse_igmp(packet, ip);
  if (!parsed) return nullptr;
  if (const auto* query = std::get_if<wire::MembershipQuery>(&*parsed)) {
    if (query->group.is_v4() == v6) return "a query of the other family";
    if (query->max_response < Duration::zero()) return "an answer before the question";
  } else if (const auto* report = std::get_if<wire::MembershipReport>(&*parsed)) {
    if (!report->group.is_multicast()) return "a report of no group";
  }
  return nullptr;
}

/// With the checksum repaired first, so that what stands behind it is reached.
inline Violation check_icmp(BufferPool& pool, std::span<const std::byte> input, bool v6) {
  if (input.size() < wire::kIcmpHeader) return nullptr;
  const IpAddress address = v6 ? *IpAddress::parse("fd00::1") : IpAddress::v4(10, 0, 0, 1);
  std::vector<std::byte> message(input.begin(), input.end());
  wire::write16(&message[2], 0);
  wire::Checksum checksum;
  if (v6) {
    checksum.add_pseudo_header(address, address,
                               static_cast<std::uint8_t>(wire::IpProtocol::icmpv6),
                               static_cast<std::uint32_t>(message.size()));
  }
  checksum.add(message);
  wire::write16(&message[2], checksum.value());
  const auto parsed = wire::parse_icmp(packet_of(pool, message), address, address);
  if (!parsed) return nullptr;
  const auto* error = std::get_if<wire::IcmpError>(&*parsed);
  if (error != nullptr && error->source.is_v4() == v6) return "an error of the other family";
  return nullptr;
}

}  // namespace hawser::fuzz
