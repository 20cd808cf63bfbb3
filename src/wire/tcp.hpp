// The TCP header on the wire: read with every length checked, emitted with its checksum
// (RFC 9293 3.1, 3.2; options of RFC 7323 2.2, 3.2 and RFC 2018 2, 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/packet.hpp"
#include "hawser/tcp_header.hpp"

namespace hawser::wire {

inline constexpr std::size_t kTcpMinHeader = 20;
inline constexpr std::size_t kTcpMaxHeader = 60;

struct ParsedTcp {
  TcpHeader header;
  std::uint8_t header_bytes = 0;  ///< where the payload begins
};

/// Reads the header at the front of `segment`, which holds at least all of it. Options of unknown
/// kind are skipped by their length (RFC9293-MUST-6); an impossible length gives bad_tcp_options
/// (RFC9293-MUST-7), an impossible data offset bad_tcp_header. The checksum is not looked at.
std::expected<ParsedTcp, DropReason> parse_tcp(std::span<const std::byte> segment);

/// Whether the checksum of a whole segment (header and payload, the packet begins with it) is right
/// (RFC9293-MUST-3).
bool tcp_checksum_ok(const Packet& segment, const IpAddress& source, const IpAddress& destination);

/// Bytes of the header with its options, padded to a multiple of four.
std::size_t tcp_header_size(const TcpHeader& header);

/// Puts the header before the payload that `packet` holds and fills in its checksum
/// (RFC9293-MUST-2); with ChecksumMark::to_fill only the pseudo-header's sum, for the device.
void push_tcp(Packet& packet, const TcpHeader& header, const IpAddress& source,
              const IpAddress& destination, ChecksumMark mark = ChecksumMark::in_frame);

}  // namespace hawser::wire
