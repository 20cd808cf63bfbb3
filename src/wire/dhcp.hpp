// Messages of the Dynamic Host Configuration Protocol for IPv4 (RFC 2131 2, RFC 2132, RFC 3396,
// RFC 3397, RFC 3442): what a client and a server of an Ethernet say to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/mac_address.hpp"

namespace hawser::wire {

/// UDP ports (RFC 2131 4.1).
inline constexpr Port kDhcpServerPort{67};
inline constexpr Port kDhcpClientPort{68};

/// Option 53 (RFC 2132 9.6).
enum class DhcpType : std::uint8_t {
  discover = 1,
  offer = 2,
  request = 3,
  decline = 4,
  ack = 5,
  nak = 6,
  release = 7,
  inform = 8,
};

/// A route of option 121 (RFC 3442).
struct DhcpRoute {
  Prefix destination;
  IpAddress router;  ///< 0.0.0.0: the network is on the link

  friend bool operator==(const DhcpRoute&, const DhcpRoute&) = default;
};

/// A message as a value. What is unset or empty is not in it.
struct DhcpMessage {
  DhcpType type{};
  std::uint32_t transaction = 0;
  std::uint16_t seconds = 0;  ///< since the client began to ask
  bool broadcast = false;     ///< the client cannot take unicast yet (RFC 2131 4.1)
  IpAddress client = IpAddress::any(Family::ipv4);  ///< ciaddr: an address that it has already
  IpAddress yours = IpAddress::any(Family::ipv4);   ///< yiaddr: one that the server gives
  MacAddress mac;                                   ///< of the client

  // Options (RFC 2132), by their numbers.
  std::optional<std::uint8_t> prefix_length;    ///< 1: the subnet mask
  std::vector<IpAddress> routers;               ///< 3
  std::vector<IpAddress> dns;                   ///< 6
  std::string host_name;                        ///< 12
  std::string domain;                           ///< 15
  std::optional<std::uint16_t> mtu;             ///< 26
  std::optional<IpAddress> requested;           ///< 50
  std::optional<std::uint32_t> lease_seconds;   ///< 51; all ones: for ever
  std::optional<IpAddress> server;              ///< 54
  std::vector<std::uint8_t> wanted;             ///< 55: numbers of options
  std::optional<std::uint16_t> largest;         ///< 57: bytes of the largest message
  std::optional<std::uint32_t> renew_seconds;   ///< 58: T1
  std::optional<std::uint32_t> rebind_seconds;  ///< 59: T2
  bool tell_client_id = false;                  ///< 61, made of `mac`; only written
  std::vector<std::string> search;              ///< 119: domains; the first kMaxDomains
  std::vector<DhcpRoute> routes;                ///< 121

  friend bool operator==(const DhcpMessage&, const DhcpMessage&) = default;
};

/// Reads the payload of a datagram. Options may overflow into the fields for a file and a server's
/// name (RFC 2131 4.1), and one that occurs again is continued (RFC 3396). Gives bad_dhcp for what
/// is too short or not for an Ethernet, an option that leaves its field, or one of those that a
/// lease depends on (1, 51, 53, 54) whose length or value cannot be. Any other that cannot be, and
/// addresses in a list that are no host's, are left out.
std::expected<DhcpMessage, DropReason> parse_dhcp(std::span<const std::byte> payload);

/// The payload of a datagram, at least 300 bytes (RFC 1542 2.1). A client's types make a request,
/// a server's a reply.
std::vector<std::byte> emit_dhcp(const DhcpMessage& message);

}  // namespace hawser::wire
