// The header that the kernel puts before a frame to say what work on it was left to a card
// (VIRTIO 1.2 5.1.6; PACKET_VNET_HDR of packet(7), IFF_VNET_HDR of a TUN). That of the system,
// linux/virtio_net.h, is no C++ on Debian 12.
#pragma once

#include <cstdint>

namespace hawser::link {

/// Numbers are in the order of this machine.
struct OffloadHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;  ///< the field holds the pseudo-header's sum
  static constexpr std::uint8_t kDataValid = 2;      ///< the checksum has been verified

  static constexpr std::uint8_t kWhole = 0;  ///< nothing is to be cut
  static constexpr std::uint8_t kTcp4 = 1;
  static constexpr std::uint8_t kTcp6 = 4;
  static constexpr std::uint8_t kUdp = 5;     ///< many datagrams with one header
  static constexpr std::uint8_t kEcn = 0x80;  ///< beside either of TCP

  std::uint8_t flags = 0;
  std::uint8_t segmentation = kWhole;
  std::uint16_t header_bytes = 0;
  std::uint16_t segment_bytes = 0;  ///< payload of each piece to cut
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;  ///< of the field, from there
};
static_assert(sizeof(OffloadHeader) == 10);

}  // namespace hawser::link
