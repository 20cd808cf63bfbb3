// The Internet checksum (RFC 1071) over bytes that come in pieces, and the pseudo-headers of TCP,
// UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/address.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire {

/// The one's complement sum of a run of bytes. Pieces may have any length: one that begins at an
/// odd offset of the run is summed as if the run had been contiguous.
class Checksum {
 public:
  void add(std::span<const std::byte> piece);
  void add(const Packet& packet) {
    packet.for_each_piece([this](std::span<const std::byte> piece) { add(piece); });
  }
  /// Both addresses, the protocol and the length of the transport header and payload in bytes, in
  /// the form of the family of `source`. Nothing but whole words may have been added before.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                         std::uint8_t protocol, std::uint32_t length);

  /// The sum, folded to 16 bits in host order: what a device that completes the checksum expects
  /// in the field.
  std::uint16_t sum() const;
  /// Its complement: the value of a checksum field. Over a run that holds its own checksum field,
  /// zero means that it is right.
  std::uint16_t value() const { return static_cast<std::uint16_t>(~sum()); }

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words in native order
  bool odd_ = false;       // the next byte is the second of its word
};

}  // namespace hawser::wire
