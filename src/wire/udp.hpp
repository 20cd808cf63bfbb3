// The UDP header on the wire: read with every length checked, emitted with its checksum (RFC 768,
// RFC 8200 8.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire {

inline constexpr std::size_t kUdpHeader = 8;
/// Bytes of payload in the largest datagram: what the length fields of IPv4 and of UDP have room
/// for.
inline constexpr std::size_t kLargestUdp4 = 65535 - 20 - kUdpHeader;
inline constexpr std::size_t kLargestUdp6 = 65535 - kUdpHeader;

struct UdpHeader {
  Port source{};
  Port destination{};
};

struct ParsedUdp {
  UdpHeader header;
  std::uint16_t length = 0;  ///< of header and payload; bytes behind it are not UDP's
  bool has_checksum = true;  ///< IPv4 may do without
};

/// Reads the header of a datagram, to which IP gives `ip_payload` bytes; `bytes` are the first of
/// them. A length that cannot be gives bad_udp_header, which holds for zero, too: this stack takes
/// no jumbograms (RFC 2675). An IPv6 datagram without a checksum gives bad_udp_checksum
/// (RFC 8200 8.1). The checksum is not verified.
std::expected<ParsedUdp, DropReason> parse_udp(std::span<const std::byte> bytes,
                                               std::uint32_t ip_payload, Family family);

/// Whether the checksum of the datagram is right that stands from byte `offset` to the end of
/// `packet`.
bool udp_checksum_ok(const Packet& packet, std::uint32_t offset, const IpAddress& source,
                     const IpAddress& destination);

/// Puts the header before the payload that `packet` holds, at most kLargestUdp4 or kLargestUdp6
/// bytes, and fills in its checksum (RFC1122-4.1.3.4), which is never sent as zero (RFC768); with
/// ChecksumMark::to_fill only the pseudo-header's sum, for the device.
void push_udp(Packet& packet, const UdpHeader& header, const IpAddress& source,
              const IpAddress& destination, ChecksumMark mark = ChecksumMark::in_frame);

}  // namespace hawser::wire
