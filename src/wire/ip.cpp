#include "wire/ip.hpp"

#include <array>
#include <cassert>
#include <cstring>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::wire {

namespace {

using Parsed = std::expected<ParsedIp, DropReason>;
using Bytes = std::span<const std::byte>;

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kFragmentOffset = 0x1fff;

/// Whether the bytes are a packet, or the beginning of one that an ICMP error quotes: the latter
/// ends early, and a router on the way may have left a checksum that no longer fits.
enum class Extent : std::uint8_t { packet, quote };

// ---- IPv4 (RFC 791 3.1)

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionLooseRoute = 131;
constexpr std::uint8_t kOptionStrictRoute = 137;

/// Steps over IPv4 options (RFC9293-MUST-50). A source route that still has hops to go says that
/// the packet is meant for another host; this stack is a host and does not forward.
std::expected<void, DropReason> check_options(Bytes options) {
  while (!options.empty()) {
    const std::uint8_t kind = read8(options.data());
    if (kind == kOptionEnd) return {};
    if (kind == kOptionNop) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return std::unexpected(DropReason::ip_options_malformed);
    const std::uint8_t length = read8(&options[1]);
    if (length < 2 || length > options.size()) {
      return std::unexpected(DropReason::ip_options_malformed);
    }
    if (kind == kOptionLooseRoute || kind == kOptionStrictRoute) {
      if (length < 3) return std::unexpected(DropReason::ip_options_malformed);
      if (read8(&options[2]) <= length) return std::unexpected(DropReason::not_ours);
    }
    options = options.subspan(length);
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

Parsed parse_ipv4(Bytes head, std::uint32_t packet_bytes, Extent extent) {
  if (head.size() < kIpv4MinHeader) return std::unexpected(DropReason::truncated);
  const std::byte* at = head.data();
  const std::size_t header_bytes = (read8(at) & 0x0fU) * 4U;
  if (header_bytes < kIpv4MinHeader) return std::unexpected(DropReason::bad_ip_header);
  const std::uint32_t total = read16(at + 2);
  if (total < header_bytes) return std::unexpected(DropReason::bad_ip_header);
  if (header_bytes > head.size()) return std::unexpected(DropReason::truncated);
  if (extent == Extent::packet) {
    if (total > packet_bytes) return std::unexpected(DropReason::truncated);
    if (!ipv4_checksum_ok(head.first(header_bytes))) {
      return std::unexpected(DropReason::bad_ip_checksum);
    }
  }
  const std::uint16_t fragment = read16(at + 6);
  if ((fragment & (kMoreFragments | kFragmentOffset)) != 0) {
    return std::unexpected(DropReason::fragment);
  }
  if (header_bytes > kIpv4MinHeader) {
    const auto options = check_options(head.subspan(kIpv4MinHeader, header_bytes - kIpv4MinHeader));
    if (!options) return std::unexpected(options.error());
  }
  ParsedIp parsed;
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
  return parsed;
}

// ---- IPv6 (RFC 8200 3, 4)

enum NextHeader : std::uint8_t {
  kHopByHop = 0,
  kRouting = 43,
  kFragment = 44,
  kNoNextHeader = 59,
  kDestinationOptions = 60,
};

constexpr std::uint8_t kPad1 = 0;
constexpr std::uint8_t kPadN = 1;
/// The two bits of an option's type that say what to do with one that is not known: zero is to step
/// over it, all else is to discard the packet (RFC 8200 4.2).
constexpr std::uint8_t kUnknownAction = 0xc0;

bool options_ok(Bytes options) {
  while (!options.empty()) {
    const std::uint8_t type = read8(options.data());
    if (type == kPad1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return false;
    const std::size_t length = std::size_t{2} + read8(&options[1]);
    if (length > options.size()) return false;
    if (type != kPadN && (type & kUnknownAction) != 0) return false;
    options = options.subspan(length);
  }
  return true;
}

/// What stands between the IPv6 header and its payload.
struct Extensions {
  std::uint8_t protocol;
  std::size_t bytes;
};

/// Looks at one extension header, all of whose bytes are given.
std::expected<void, DropReason> check_extension(std::uint8_t kind, Bytes extension) {
  switch (kind) {
    case kRouting:  // with segments left, the packet is on its way to another node
      if (read8(&extension[3]) != 0) return std::unexpected(DropReason::not_ours);
      return {};
    case kFragment:  // offset zero and no more fragments: atomic, a whole packet (RFC 6946 4)
      if ((read16(&extension[2]) & 0xfff9U) != 0) return std::unexpected(DropReason::fragment);
      return {};
    default:
      if (!options_ok(extension.subspan(2))) {
        return std::unexpected(DropReason::ip_options_malformed);
      }
      return {};
  }
}

/// Steps over the extension headers at the front of `chain`, which is what the first piece holds of
/// `payload_bytes` bytes behind the IPv6 header.
std::expected<Extensions, DropReason> skip_extensions(std::uint8_t first, Bytes chain,
                                                      std::size_t payload_bytes) {
  Extensions result{first, 0};
  for (;;) {
    const std::uint8_t kind = result.protocol;
    // Hop-by-hop options stand directly behind the IPv6 header or nowhere (RFC 8200 4.1).
    const bool is_extension = (kind == kHopByHop && result.bytes == 0) || kind == kRouting ||
                              kind == kFragment || kind == kDestinationOptions;
    if (!is_extension) break;
    if (chain.size() < 8) return std::unexpected(DropReason::truncated);
    const std::size_t bytes = kind == kFragment ? 8 : (std::size_t{read8(&chain[1])} + 1) * 8;
    if (result.bytes + bytes > payload_bytes) return std::unexpected(DropReason::bad_ip_header);
    if (bytes > chain.size()) return std::unexpected(DropReason::truncated);
    const auto good = check_extension(kind, chain.first(bytes));
    if (!good) return std::unexpected(good.error());
    result.protocol = read8(chain.data());
    result.bytes += bytes;
    chain = chain.subspan(bytes);
  }
  if (result.protocol == kNoNextHeader) return std::unexpected(DropReason::unknown_protocol);
  return result;
}

IpAddress read_v6(const std::byte* from) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return IpAddress::v6(bytes);
}

Parsed parse_ipv6(Bytes head, std::uint32_t packet_bytes, Extent extent) {
  if (head.size() < kIpv6Header) return std::unexpected(DropReason::truncated);
  const std::byte* at = head.data();
  const std::uint32_t first_word = read32(at);
  const std::uint32_t payload_bytes = read16(at + 4);
  if (extent == Extent::packet && kIpv6Header + payload_bytes > packet_bytes) {
    return std::unexpected(DropReason::truncated);
  }
  const auto extensions = skip_extensions(read8(at + 6), head.subspan(kIpv6Header), payload_bytes);
  if (!extensions) return std::unexpected(extensions.error());
  const std::size_t header_bytes = kIpv6Header + extensions->bytes;
  if (header_bytes > UINT16_MAX) return std::unexpected(DropReason::bad_ip_header);
  ParsedIp parsed;
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
  parsed.header_bytes = static_cast<std::uint16_t>(header_bytes);
  parsed.payload_bytes = payload_bytes - static_cast<std::uint32_t>(extensions->bytes);
  return parsed;
}

std::uint8_t traffic_class(const IpHeader& header) {
  return static_cast<std::uint8_t>(header.dscp << 2 | (header.ecn & 3));
}

void push_ipv4(Packet& packet, const IpHeader& header) {
  const std::size_t total = packet.size() + kIpv4MinHeader;
  assert(total <= UINT16_MAX);
  const std::span<std::byte> bytes = packet.prepend(kIpv4MinHeader);
  std::byte* at = bytes.data();
  write8(at, 0x45);
  write8(at + 1, traffic_class(header));
  write16(at + 2, static_cast<std::uint16_t>(total));
  write16(at + 4, header.identification);
  write16(at + 6, header.dont_fragment ? kDontFragment : 0);
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

Parsed parse(Bytes head, std::uint32_t packet_bytes, Extent extent) {
  if (head.empty()) return std::unexpected(DropReason::truncated);
  switch (read8(head.data()) >> 4) {
    case 4:
      return parse_ipv4(head, packet_bytes, extent);
    case 6:
      return parse_ipv6(head, packet_bytes, extent);
    default:
      return std::unexpected(DropReason::bad_ip_version);
  }
}

}  // namespace

Parsed parse_ip(Bytes head, std::uint32_t packet_bytes) {
  return parse(head, packet_bytes, Extent::packet);
}

Parsed parse_quoted_ip(Bytes quote) { return parse(quote, 0, Extent::quote); }

void push_ip(Packet& packet, const IpHeader& header) {
  if (header.source.is_v4()) {
    push_ipv4(packet, header);
  } else {
    push_ipv6(packet, header);
  }
}

}  // namespace hawser::wire
