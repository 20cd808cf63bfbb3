// The Address Resolution Protocol for IPv4 on an Ethernet (RFC 826).
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

inline constexpr std::size_t kArpMessage = 28;

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

struct ArpMessage {
  ArpOperation operation{};
  MacAddress sender_mac;
  IpAddress sender;  ///< 0.0.0.0 in a probe (RFC 5227 1.1)
  MacAddress target_mac;
  IpAddress target;

  /// The sender tells its own address, which nobody asked for (RFC 5227 3).
  bool is_announcement() const { return sender == target; }
  friend bool operator==(const ArpMessage&, const ArpMessage&) = default;
};

/// Reads the message with which `payload` begins; what follows is padding. Less than a message
/// gives truncated; other hardware, protocols, lengths and operations, and a sender that is a
/// group, on the Ethernet or in IPv4, give bad_arp.
std::expected<ArpMessage, DropReason> parse_arp(std::span<const std::byte> payload);

/// Puts the message before what `packet` holds.
void push_arp(Packet& packet, const ArpMessage& message);

}  // namespace hawser::wire
