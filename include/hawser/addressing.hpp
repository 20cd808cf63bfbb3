// The addresses and routes of a stack, as they are configured and as they are shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/interface_id.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// What may be done with an own address (RFC 4862 2).
enum class AddressState : std::uint8_t {
  tentative,   ///< still asked about whether another has it: neither used nor answered for
  preferred,   ///< for everything
  deprecated,  ///< for connections that have it; for new ones only when there is no other
  duplicate,   ///< another on the link has it: not used (RFC 4862 5.4.5)
};

/// Who gave an address to a stack.
enum class AddressOrigin : std::uint8_t {
  manual,      ///< the configuration, or a call
  link_local,  ///< made by the stack for its interface (RFC 4862 5.3)
  advertised,  ///< made from a prefix that a router advertised (RFC 4862 5.5.3)
  dhcp,        ///< leased by a server
};

/// How long an address may be used, from now on. `valid` is at least `preferred`; both at least 0.
struct AddressLifetime {
  Duration preferred = Duration::max();  ///< max(): for ever
  Duration valid = Duration::max();      ///< max(): for ever
};

/// How a stack makes the lower half of an IPv6 address.
enum class IdentifierKind : std::uint8_t {
  /// RFC 7217: another in each network, so that nobody follows a host from one to the next nor
  /// guesses it from what its maker builds, and always the same in one network.
  stable,
  /// RFC 4291 appendix A: the address of the Ethernet is in it.
  eui64,
};

/// What goes with an address that a stack is given.
struct AddressOptions {
  AddressLifetime lifetime{};
  AddressOrigin origin = AddressOrigin::manual;
  /// Whether the link is asked first if another has it; unset: of IPv6, if the interface does.
  std::optional<bool> detect_duplicates{};
};

/// An own address.
struct AddressInfo {
  Prefix prefix;  ///< the address, and how long the part of its network is
  InterfaceId interface{};
  AddressState state = AddressState::preferred;
  AddressOrigin origin = AddressOrigin::manual;
  Instant preferred_until = kNever;
  Instant valid_until = kNever;
};

/// A way to a network.
struct RouteConfig {
  Prefix destination;                  ///< "0.0.0.0/0" or "::/0": a default route
  std::optional<IpAddress> gateway{};  ///< unset: the network is on the link itself
  InterfaceId interface{};
  std::uint32_t metric = 0;  ///< of equally long prefixes the lowest is used
};

/// Who gave a route to a stack.
enum class RouteOrigin : std::uint8_t {
  connected,   ///< the network of an own address
  manual,      ///< the configuration, or a call
  advertised,  ///< a router: itself as default, or a prefix that is on the link (RFC 4861 6.3.4)
  redirect,    ///< a router that knew a better first hop (RFC 4861 8.3)
  dhcp,        ///< a server
};

/// A way to a network that a stack knows.
struct RouteInfo {
  Prefix destination;
  std::optional<IpAddress> gateway{};
  InterfaceId interface{};
  std::uint32_t metric = 0;
  RouteOrigin origin = RouteOrigin::manual;
  Instant valid_until = kNever;
};

/// What a DHCP server gave to an interface.
struct LeaseInfo {
  InterfaceId interface{};
  Prefix address;
  IpAddress server;
  std::vector<IpAddress> dns;
  std::vector<std::string> search;  ///< domains in which short names are looked for (RFC 3397)
  Instant renew_at = kNever;
  Instant expires_at = kNever;
};

std::string_view to_string(AddressState state);
std::string_view to_string(AddressOrigin origin);
std::string_view to_string(RouteOrigin origin);

}  // namespace hawser
