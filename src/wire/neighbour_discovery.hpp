// Neighbour discovery for IPv6 (RFC 4861 4) with the options that a host needs: link-layer
// addresses, prefixes, MTU, DNS servers (RFC 8106 5.1), nonce (RFC 7527 4.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "core/fixed_list.hpp"
#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

/// ff02::1
inline constexpr IpAddress kAllNodes =
    IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
/// ff02::2
inline constexpr IpAddress kAllRouters =
    IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
/// All that neighbour discovery sends and takes has come over no router (RFC 4861 3.1).
inline constexpr std::uint8_t kNeighbourHopLimit = 255;
/// A lifetime that never ends, in seconds on the wire (RFC 4861 4.6.2, RFC 8106 5.1).
inline constexpr std::uint32_t kInfiniteLifetime = 0xffffffff;

/// The group in which whoever has `address` is (RFC 4291 2.7.1).
IpAddress solicited_node(const IpAddress& address);

/// Tells one probe for a duplicate from another (RFC 7527).
using Nonce = std::array<std::uint8_t, 6>;

/// RFC 4861 4.3: who has `target`?
struct NeighbourSolicitation {
  IpAddress target;
  std::optional<MacAddress> source_mac{};  ///< never when the source is unspecified
  std::optional<Nonce> nonce{};

  friend bool operator==(const NeighbourSolicitation&, const NeighbourSolicitation&) = default;
};

/// RFC 4861 4.4
struct NeighbourAdvertisement {
  IpAddress target;
  bool router = false;
  bool solicited = false;
  bool override_cache = false;  ///< the "override" flag
  std::optional<MacAddress> target_mac{};

  friend bool operator==(const NeighbourAdvertisement&, const NeighbourAdvertisement&) = default;
};

/// RFC 4861 4.1
struct RouterSolicitation {
  std::optional<MacAddress> source_mac{};  ///< never when the source is unspecified

  friend bool operator==(const RouterSolicitation&, const RouterSolicitation&) = default;
};

/// RFC 4861 4.6.2. The prefix is as the router wrote it: bits behind its length are not cleared,
/// and lifetimes are not compared.
struct PrefixInformation {
  Prefix prefix;
  bool on_link = false;
  bool autonomous = false;  ///< for address configuration
  std::uint32_t valid_seconds = 0;
  std::uint32_t preferred_seconds = 0;

  friend bool operator==(const PrefixInformation&, const PrefixInformation&) = default;
};

/// RFC 8106 5.1, one server of the option.
struct DnsServer {
  IpAddress address;
  std::uint32_t lifetime_seconds = 0;

  friend bool operator==(const DnsServer&, const DnsServer&) = default;
};

/// RFC 4191 2.1
enum class RouterPreference : std::int8_t { low = -1, medium = 0, high = 1 };

/// RFC 4861 4.2. Prefixes and servers beyond the room of their lists are left out.
struct RouterAdvertisement {
  std::uint8_t hop_limit = 0;  ///< zero: unspecified, as in the next fields
  bool managed = false;        ///< addresses by DHCPv6
  bool other = false;          ///< other configuration by DHCPv6
  RouterPreference preference = RouterPreference::medium;
  std::uint16_t lifetime_seconds = 0;  ///< as a default router; zero: it is none
  std::uint32_t reachable_ms = 0;
  std::uint32_t retransmit_ms = 0;
  std::uint32_t mtu = 0;  ///< bytes; zero without the option
  std::optional<MacAddress> source_mac{};
  FixedList<PrefixInformation, 16> prefixes;
  FixedList<DnsServer, 8> dns_servers;

  friend bool operator==(const RouterAdvertisement&, const RouterAdvertisement&) = default;
};

/// RFC 4861 4.5. Whether its sender is the router that we use is for the receiver to see (8.1).
struct Redirect {
  IpAddress target;  ///< the better first hop, or the destination itself if that is on the link
  IpAddress destination;  ///< of what we sent
  std::optional<MacAddress> target_mac{};

  friend bool operator==(const Redirect&, const Redirect&) = default;
};

using NeighbourMessage = std::variant<NeighbourSolicitation, NeighbourAdvertisement,
                                      RouterSolicitation, RouterAdvertisement, Redirect>;

/// Whether an ICMPv6 type is one of these five.
bool is_neighbour_message(std::uint8_t icmp_type);

/// Reads a whole ICMPv6 message of one of these types; `ip` is the header it came with, of which
/// the addresses and the hop limit count. Any of the checks of RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2
/// and 8.1 that fails, the checksum's included, a message that is not in one piece, and a
/// link-layer address that cannot be one give bad_neighbour_message. Options that are not known, or
/// whose length is not that of their kind, are stepped over.
std::expected<NeighbourMessage, DropReason> parse_neighbour_message(const Packet& message,
                                                                    const IpHeader& ip);

/// The message with its checksum, yet without IP header: that must have hop limit 255. False when
/// the pool is exhausted.
Packet make_neighbour_message(BufferPool& pool, const NeighbourMessage& message,
                              const IpAddress& source, const IpAddress& destination);

}  // namespace hawser::wire
