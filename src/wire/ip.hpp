// IPv4 and IPv6 headers as one value (RFC 791 3.1, RFC 8200 3): what TCP, UDP and ICMP need of
// either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire {

inline constexpr std::size_t kIpv4MinHeader = 20;
inline constexpr std::size_t kIpv6Header = 40;

enum class IpProtocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmpv6 = 58 };

struct IpHeader {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  ///< of the payload; for IPv6 behind the extension headers
  std::uint8_t hop_limit = 64;
  std::uint8_t dscp = 0;             ///< 6 bits
  std::uint8_t ecn = 0;              ///< 2 bits
  std::uint16_t identification = 0;  ///< IPv4 only
  bool dont_fragment = true;         ///< IPv4 only
  std::uint32_t flow_label = 0;      ///< IPv6 only, 20 bits
};

struct ParsedIp {
  IpHeader header;
  std::uint16_t header_bytes = 0;   ///< where the payload begins, extension headers included
  std::uint32_t payload_bytes = 0;  ///< its length; bytes behind it are padding
};

/// Reads the header of a packet of `packet_bytes` bytes whose first piece is `head`. IPv4 options
/// and IPv6 hop-by-hop, routing (with no segments left) and destination options are stepped over;
/// a source route that goes on to another host gives not_ours, an IPv6 option that demands it
/// ip_options_malformed. Fragments give fragment, except atomic ones (RFC 6946). An IPv6 address of
/// the form that stands for IPv4 inside gives bad_source or not_ours.
std::expected<ParsedIp, DropReason> parse_ip(std::span<const std::byte> head,
                                             std::uint32_t packet_bytes);

/// Reads the header of a packet of which an ICMP error quotes the beginning: the packet may be
/// longer than `quote`, and its checksum is not looked at.
std::expected<ParsedIp, DropReason> parse_quoted_ip(std::span<const std::byte> quote);

/// Puts an IPv4 or IPv6 header, by the family of the source, before what `packet` holds: together
/// at most 65,535 bytes, for IPv6 not counting its header.
void push_ip(Packet& packet, const IpHeader& header);

}  // namespace hawser::wire
