// Frames of an Ethernet (RFC 894, RFC 2464; IEEE 802.3 3.2, 802.1Q 9.6) and the addresses of its
// groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire {

inline constexpr std::size_t kEthernetHeader = 14;
inline constexpr std::size_t kVlanTag = 4;

/// What a frame carries. Other values than these are possible.
enum class EtherType : std::uint16_t { ipv4 = 0x0800, arp = 0x0806, ipv6 = 0x86dd };

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  EtherType type{};
};

struct ParsedEthernet {
  EthernetHeader header;
  std::uint8_t header_bytes = 0;  ///< where the payload begins, a tag included
};

/// Reads the header at the front of a frame. One 802.1Q tag is stepped over if it gives but a
/// priority (VLAN 0); of another VLAN, or with a second tag, it gives other_vlan. A length instead
/// of a type, and a source that is a group, give bad_ethernet.
std::expected<ParsedEthernet, DropReason> parse_ethernet(std::span<const std::byte> frame);

/// Puts an untagged header before what `packet` holds, which must have that much headroom.
void push_ethernet(Packet& packet, const EthernetHeader& header);

/// The group that receives what is sent to the multicast address `group` (RFC 1112 6.4, RFC 2464
/// 7).
MacAddress multicast_mac(const IpAddress& group);

}  // namespace hawser::wire
