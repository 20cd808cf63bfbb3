#include "wire/arp.hpp"

#include <array>
#include <cassert>
#include <cstring>

#include "wire/bytes.hpp"
#include "wire/ethernet.hpp"

namespace hawser::wire {

namespace {

constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::uint8_t kMacBytes = 6;
constexpr std::uint8_t kIpv4Bytes = 4;

MacAddress read_mac(const std::byte* from) {
  std::array<std::uint8_t, kMacBytes> bytes;
  std::memcpy(bytes.data(), from, bytes.size());
  return MacAddress(bytes);
}

IpAddress read_ip(const std::byte* from) {
  return IpAddress::v4(read8(from), read8(from + 1), read8(from + 2), read8(from + 3));
}

void write_pair(std::byte* to, const MacAddress& mac, const IpAddress& ip) {
  assert(ip.is_v4());
  std::memcpy(to, mac.bytes().data(), kMacBytes);
  std::memcpy(to + kMacBytes, ip.bytes().data() + 12, kIpv4Bytes);
}

}  // namespace

std::expected<ArpMessage, DropReason> parse_arp(std::span<const std::byte> payload) {
  if (payload.size() < kArpMessage) return std::unexpected(DropReason::truncated);
  const std::byte* at = payload.data();
  const std::uint16_t operation = read16(at + 6);
  if (read16(at) != kHardwareEthernet ||
      read16(at + 2) != static_cast<std::uint16_t>(EtherType::ipv4) || read8(at + 4) != kMacBytes ||
      read8(at + 5) != kIpv4Bytes || (operation != 1 && operation != 2)) {
    return std::unexpected(DropReason::bad_arp);
  }
  ArpMessage message;
  message.operation = ArpOperation{operation};
  message.sender_mac = read_mac(at + 8);
  message.sender = read_ip(at + 14);
  message.target_mac = read_mac(at + 18);
  message.target = read_ip(at + 24);
  if (message.sender_mac.is_multicast() || message.sender_mac.is_unspecified() ||
      message.sender.is_multicast() || message.sender.is_limited_broadcast()) {
    return std::unexpected(DropReason::bad_arp);
  }
  return message;
}

void push_arp(Packet& packet, const ArpMessage& message) {
  std::byte* at = packet.prepend(kArpMessage).data();
  write16(at, kHardwareEthernet);
  write16(at + 2, static_cast<std::uint16_t>(EtherType::ipv4));
  write8(at + 4, kMacBytes);
  write8(at + 5, kIpv4Bytes);
  write16(at + 6, static_cast<std::uint16_t>(message.operation));
  write_pair(at + 8, message.sender_mac, message.sender);
  write_pair(at + 18, message.target_mac, message.target);
}

}  // namespace hawser::wire
