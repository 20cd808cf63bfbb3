#include "wire/ip.hpp"

#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/ip_reading.hpp"

namespace hawser::wire {

namespace {

using Parsed = std::expected<ParsedIp, DropReason>;
using Bytes = std::span<const std::byte>;

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffset = 0x1fff;
constexpr std::uint8_t kFragmentProtocol = 44;  // of an IPv6 fragment header

// ---- IPv4 (RFC 791 3.1)

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionLooseRoute = 131;
constexpr std::uint8_t kOptionStrictRoute = 137;

/// Steps over IPv4 options (RFC9293-MUST-50), which stand behind the fixed header. A source route
/// that still has hops to go says that the packet is meant for another host; this stack is a host
/// and does not forward. Of what cannot be read the sender is told (RFC1122-3.2.2.5).
std::expected<void, DropReason> check_options(const IpReading& reading, Bytes header) {
  std::size_t at = kIpv4MinHeader;
  const auto malformed = [&](std::size_t where) {
    return reading.refuse(DropReason::ip_options_malformed, 0, where);
  };
  while (at < header.size()) {
    const std::uint8_t kind = read8(&header[at]);
    if (kind == kOptionEnd) return {};
    if (kind == kOptionNop) {
      ++at;
      continue;
    }
    if (header.size() - at < 2) return malformed(at);
    const std::size_t length = read8(&header[at + 1]);
    if (length < 2 || length > header.size() - at) return malformed(at + 1);
    if (kind == kOptionLooseRoute || kind == kOptionStrictRoute) {
      if (length < 3) return malformed(at + 1);
      if (read8(&header[at + 2]) <= length) return std::unexpected(DropReason::not_ours);
    }
    at += length;
  }
  return {};
}

/// What a fragment must keep to. Its datagram has at most 65,535 bytes with a header like this one
/// (else it is the "ping of death"), and a piece of a TCP header is nothing but an attempt to hide
/// it (RFC1858-3, RFC3128-2).
std::expected<void, DropReason> check_fragment(const FragmentInfo& fragment, std::uint8_t protocol,
                                               std::size_t header_bytes, std::size_t size) {
  constexpr std::size_t kTcpHeader = 20;
  if (size == 0 || (fragment.more && size % 8 != 0) ||
      header_bytes + fragment.offset + size > UINT16_MAX) {
    return std::unexpected(DropReason::bad_fragment);
  }
  if (protocol == static_cast<std::uint8_t>(IpProtocol::tcp) && fragment.offset < kTcpHeader &&
      (fragment.offset != 0 || size < kTcpHeader)) {
    return std::unexpected(DropReason::tiny_fragment);
  }
  return {};
}

IpAddress read_v4(const std::byte* from) {
  return IpAddress::v4(read8(from), read8(from + 1), read8(from + 2), read8(from + 3));
}

bool ipv4_checksum_ok(Bytes header) {
  Checksum checksum;
  checksum.add(header);
  return checksum.value() == 0;
}

Parsed parse_ipv4(const IpReading& reading, Bytes head, std::uint32_t packet_bytes) {
  if (head.size() < kIpv4MinHeader) return std::unexpected(DropReason::truncated);
  const std::byte* at = head.data();
  const std::size_t header_bytes = (read8(at) & 0x0fU) * 4U;
  if (header_bytes < kIpv4MinHeader) return std::unexpected(DropReason::bad_ip_header);
  const std::uint32_t total = read16(at + 2);
  if (total < header_bytes) return std::unexpected(DropReason::bad_ip_header);
  if (header_bytes > head.size()) return std::unexpected(DropReason::truncated);
  if (reading.extent == Extent::packet) {
    if (total > packet_bytes) return std::unexpected(DropReason::truncated);
    if (!ipv4_checksum_ok(head.first(header_bytes))) {
      return std::unexpected(DropReason::bad_ip_checksum);
    }
  }
  if (header_bytes > kIpv4MinHeader) {
    const auto options = check_options(reading, head.first(header_bytes));
    if (!options) return std::unexpected(options.error());
  }
  const std::uint16_t fragment = read16(at + 6);
  Parsed result(std::in_place);
  ParsedIp& parsed = *result;
  parsed.header.source = read_v4(at + 12);
  parsed.header.destination = read_v4(at + 16);
  parsed.header.protocol = read8(at + 9);
  parsed.header.hop_limit = read8(at + 8);
  parsed.header.dscp = static_cast<std::uint8_t>(read8(at + 1) >> 2);
  parsed.header.ecn = read8(at + 1) & 3U;
  parsed.header.identification = read16(at + 4);
  parsed.header.dont_fragment = (fragment & kDontFragment) != 0;
  parsed.header_bytes = static_cast<std::uint16_t>(header_bytes);
  parsed.payload_bytes = total - static_cast<std::uint32_t>(header_bytes);
  if ((fragment & (kMoreFragments | kFragmentOffset)) != 0) [[unlikely]] {
    parsed.fragment = {.identification = parsed.header.identification,
                       .offset = static_cast<std::uint16_t>((fragment & kFragmentOffset) * 8),
                       .more = (fragment & kMoreFragments) != 0};
    if (reading.extent == Extent::packet) {
      const auto good = check_fragment(*parsed.fragment, parsed.header.protocol, header_bytes,
                                       parsed.payload_bytes);
      if (!good) return std::unexpected(good.error());
    }
  }
  return result;
}

// ---- IPv6 (RFC 8200 3); its extension headers are in ip_extensions.cpp

IpAddress read_v6(const std::byte* from) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return IpAddress::v6(bytes);
}

Parsed parse_ipv6(const IpReading& reading, Bytes head, std::uint32_t packet_bytes) {
  if (head.size() < kIpv6Header) return std::unexpected(DropReason::truncated);
  const std::byte* at = head.data();
  const std::uint32_t first_word = read32(at);
  const std::uint32_t payload_bytes = read16(at + 4);
  if (reading.extent == Extent::packet && kIpv6Header + payload_bytes > packet_bytes) {
    return std::unexpected(DropReason::truncated);
  }
  const auto extensions = read_extensions(reading, head, payload_bytes);
  if (!extensions) return std::unexpected(extensions.error());
  const std::size_t header_bytes = kIpv6Header + extensions->bytes;
  if (header_bytes > UINT16_MAX) return std::unexpected(DropReason::bad_ip_header);
  Parsed result(std::in_place);
  ParsedIp& parsed = *result;
  parsed.header.source = read_v6(at + 8);
  parsed.header.destination = read_v6(at + 24);
  // Inside, these stand for IPv4: on the wire they would let an IPv6 packet pass for one.
  if (parsed.header.source.is_v4()) return std::unexpected(DropReason::bad_source);
  if (parsed.header.destination.is_v4()) return std::unexpected(DropReason::not_ours);
  parsed.header.protocol = extensions->protocol;
  parsed.header.hop_limit = read8(at + 7);
  parsed.header.dscp = (first_word >> 22) & 0x3fU;
  parsed.header.ecn = (first_word >> 20) & 3U;
  parsed.header.flow_label = first_word & 0xfffffU;
  parsed.header.dont_fragment = true;
  parsed.header.router_alert = extensions->router_alert;
  parsed.header_bytes = static_cast<std::uint16_t>(header_bytes);
  parsed.payload_bytes = payload_bytes - static_cast<std::uint32_t>(extensions->bytes);
  parsed.fragment = extensions->fragment;
  return result;
}

std::uint8_t traffic_class(const IpHeader& header) {
  return static_cast<std::uint8_t>(header.dscp << 2 | (header.ecn & 3));
}

void push_ipv4(Packet& packet, const IpHeader& header, std::uint16_t fragment) {
  const std::size_t total = packet.size() + kIpv4MinHeader;
  assert(total <= UINT16_MAX);
  const std::span<std::byte> bytes = packet.prepend(kIpv4MinHeader);
  std::byte* at = bytes.data();
  write8(at, 0x45);
  write8(at + 1, traffic_class(header));
  write16(at + 2, static_cast<std::uint16_t>(total));
  write16(at + 4, header.identification);
  write16(at + 6, fragment);
  write8(at + 8, header.hop_limit);
  write8(at + 9, header.protocol);
  write16(at + 10, 0);
  std::memcpy(at + 12, header.source.bytes().data() + 12, 4);
  std::memcpy(at + 16, header.destination.bytes().data() + 12, 4);
  Checksum checksum;
  checksum.add(bytes);
  write16(at + 10, checksum.value());
}

void push_ipv6(Packet& packet, const IpHeader& header) {
  const std::size_t payload_bytes = packet.size();
  assert(payload_bytes <= UINT16_MAX);
  std::byte* at = packet.prepend(kIpv6Header).data();
  write32(at,
          6U << 28 | std::uint32_t{traffic_class(header)} << 20 | (header.flow_label & 0xfffffU));
  write16(at + 4, static_cast<std::uint16_t>(payload_bytes));
  write8(at + 6, header.protocol);
  write8(at + 7, header.hop_limit);
  std::memcpy(at + 8, header.source.bytes().data(), 16);
  std::memcpy(at + 24, header.destination.bytes().data(), 16);
}

Parsed parse(const IpReading& reading, Bytes head, std::uint32_t packet_bytes) {
  if (head.empty()) return std::unexpected(DropReason::truncated);
  switch (read8(head.data()) >> 4) {
    case 4:
      return parse_ipv4(reading, head, packet_bytes);
    case 6:
      return parse_ipv6(reading, head, packet_bytes);
    default:
      return std::unexpected(DropReason::bad_ip_version);
  }
}

}  // namespace

Parsed parse_ip(Bytes head, std::uint32_t packet_bytes, std::optional<ParameterProblem>* problem) {
  Parsed parsed = parse({Extent::packet, problem}, head, packet_bytes);
  if (!parsed && problem != nullptr && *problem) [[unlikely]] {
    // It is only said of packets whose fixed header is there.
    const bool v4 = read8(head.data()) >> 4 == 4;
    (*problem)->source = v4 ? read_v4(&head[12]) : read_v6(&head[8]);
    (*problem)->destination = v4 ? read_v4(&head[16]) : read_v6(&head[24]);
  }
  return parsed;
}

Parsed parse_quoted_ip(Bytes quote) { return parse({Extent::quote, nullptr}, quote, 0); }

std::optional<Transport> find_transport(Bytes head) {
  if (head.empty()) return std::nullopt;
  if (read8(head.data()) >> 4 == 6) return find_transport6(head);
  if (head.size() < kIpv4MinHeader) return std::nullopt;
  return Transport{.protocol = read8(&head[9]),
                   .at = (read8(head.data()) & 0x0fU) * 4U,
                   .offset = static_cast<std::uint16_t>((read16(&head[6]) & kFragmentOffset) * 8)};
}

void push_ip(Packet& packet, const IpHeader& header) {
  if (header.source.is_v4()) {
    push_ipv4(packet, header, header.dont_fragment ? kDontFragment : 0);
  } else {
    push_ipv6(packet, header);
  }
}

void push_fragment(Packet& packet, const IpHeader& header, const FragmentInfo& fragment) {
  IpHeader outer = header;
  if (header.source.is_v4()) {
    outer.identification = static_cast<std::uint16_t>(fragment.identification);
    push_ipv4(
        packet, outer,
        static_cast<std::uint16_t>(fragment.offset / 8 | (fragment.more ? kMoreFragments : 0)));
    return;
  }
  outer.protocol = kFragmentProtocol;
  std::byte* at = packet.prepend(kFragmentHeader).data();
  write8(at, header.protocol);
  write8(at + 1, 0);
  write16(at + 2, static_cast<std::uint16_t>(fragment.offset | (fragment.more ? 1 : 0)));
  write32(at + 4, fragment.identification);
  push_ipv6(packet, outer);
}

}  // namespace hawser::wire
