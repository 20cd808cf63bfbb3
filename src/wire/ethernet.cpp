#include "wire/ethernet.hpp"

#include <array>
#include <cassert>
#include <cstring>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

constexpr std::uint16_t kTagged = 0x8100;
/// Below it the field is a length (IEEE 802.3 3.2.6).
constexpr std::uint16_t kFirstType = 0x0600;
constexpr std::uint16_t kVlanMask = 0x0fff;

MacAddress read_mac(const std::byte* from) {
  std::array<std::uint8_t, 6> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return MacAddress(bytes);
}

}  // namespace

std::expected<ParsedEthernet, DropReason> parse_ethernet(std::span<const std::byte> frame) {
  if (frame.size() < kEthernetHeader) return std::unexpected(DropReason::truncated);
  ParsedEthernet parsed;
  parsed.header.destination = read_mac(frame.data());
  parsed.header.source = read_mac(&frame[6]);
  parsed.header_bytes = kEthernetHeader;
  std::uint16_t type = read16(&frame[12]);
  if (type == kTagged) {
    if (frame.size() < kEthernetHeader + kVlanTag) return std::unexpected(DropReason::truncated);
    if ((read16(&frame[14]) & kVlanMask) != 0) return std::unexpected(DropReason::other_vlan);
    type = read16(&frame[16]);
    if (type == kTagged) return std::unexpected(DropReason::other_vlan);
    parsed.header_bytes = kEthernetHeader + kVlanTag;
  }
  if (type < kFirstType || parsed.header.source.is_multicast()) {
    return std::unexpected(DropReason::bad_ethernet);
  }
  parsed.header.type = EtherType{type};
  return parsed;
}

void push_ethernet(Packet& packet, const EthernetHeader& header) {
  std::byte* at = packet.prepend(kEthernetHeader).data();
  std::memcpy(at, header.destination.bytes().data(), 6);
  std::memcpy(at + 6, header.source.bytes().data(), 6);
  write16(at + 12, static_cast<std::uint16_t>(header.type));
}

MacAddress multicast_mac(const IpAddress& group) {
  assert(group.is_multicast());
  const auto& bytes = group.bytes();
  if (group.is_v4()) {
    return MacAddress(
        {0x01, 0x00, 0x5e, static_cast<std::uint8_t>(bytes[13] & 0x7f), bytes[14], bytes[15]});
  }
  return MacAddress({0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]});
}

}  // namespace hawser::wire
