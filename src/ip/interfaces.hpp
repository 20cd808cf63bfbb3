// The addresses of a host and its routes, put together: whether a packet is for us, which way one
// leaves, and from which address (RFC 1122 3.3.1, 3.3.4; RFC 6724). The host forwards nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/addressing.hpp"
#include "ip/address_table.hpp"
#include "ip/route_table.hpp"
#include "ip/source_selection.hpp"

namespace hawser::ip {

/// What a host says to itself goes this way and no further.
inline constexpr InterfaceId kLoopback{0xffff};
/// Bytes of the largest packet that a host sends itself.
inline constexpr std::uint32_t kLoopbackMtu = 65535;

/// The next step of a packet.
struct Route {
  InterfaceId interface{};
  std::uint32_t mtu = 0;  ///< bytes of the largest packet that the link takes
  IpAddress next_hop{};   ///< whose link address is asked for; the destination if on the link
};

/// What an interface is joined to.
struct Link {
  std::uint32_t mtu = 0;        ///< bytes of the largest IP packet that the device takes
  bool has_neighbours = false;  ///< an Ethernet
  std::uint32_t mtu_v4 = mtu;   ///< of IPv4, where a lease may ask for less
  std::uint32_t mtu_v6 = mtu;   ///< of IPv6, where routers may
};

/// The interfaces of a host. Their number is fixed; addresses and routes come and go.
class Interfaces {
 public:
  explicit Interfaces(std::vector<Link> links) : links_(std::move(links)) {}

  std::size_t size() const { return links_.size(); }
  const Link& link(InterfaceId interface) const {
    return links_[static_cast<std::size_t>(interface)];
  }
  /// What a DHCP server says that the link takes of IPv4 (RFC 2132 5.1); no more than the device
  /// does.
  void set_mtu_v4(InterfaceId interface, std::uint32_t mtu);
  /// What routers say that the link takes of IPv6 (RFC 4861 6.3.4); no more than the device does.
  void set_mtu_v6(InterfaceId interface, std::uint32_t mtu);

  // ---- addresses

  /// Adds an address and, unless routers are to say what is on the link, a route to its network.
  /// False when the interface has it already, when there are too many, or when it cannot be.
  bool add_address(const OwnAddress& address);
  /// Removes an address, and the route to its network if no other address needs that.
  std::optional<OwnAddress> remove_address(InterfaceId interface, const IpAddress& address);
  bool set_state(InterfaceId interface, const IpAddress& address, AddressState state);
  bool set_lifetime(Instant now, InterfaceId interface, const IpAddress& address,
                    Instant preferred_until, Instant valid_until);
  bool defend(Instant now, InterfaceId interface, const IpAddress& address) {
    return addresses_.defend(now, interface, address);
  }
  const AddressTable& addresses() const { return addresses_; }

  bool is_ours(const IpAddress& address) const { return addresses_.is_ours(address); }
  bool is_ours_on(InterfaceId interface, const IpAddress& address) const {
    return addresses_.is_ours_on(interface, address);
  }
  bool is_broadcast(const IpAddress& address) const { return addresses_.is_broadcast(address); }
  bool is_unicast(const IpAddress& address) const { return addresses_.is_unicast(address); }

  // ---- routes

  /// False when there is such a route already, when there are too many, or when it cannot be.
  bool add_route(const RouteInfo& route);
  bool remove_route(const RouteInfo& route);
  bool renew_route(const RouteInfo& route);
  void set_reachable(InterfaceId interface, const IpAddress& gateway, bool reachable);
  const RouteTable& routes() const { return routes_; }

  /// Which way a packet to `destination` leaves; nothing without a route. With a zone it leaves by
  /// that interface or not at all. Without one, what means something else on each link goes by the
  /// interface of a default route (groups), else by the first that has an address of the family, of
  /// Ethernets first; if none has, by the first.
  std::optional<Route> route(const IpAddress& destination, Zone zone = Zone::none) const;
  /// Our address to use towards `destination` (RFC9293-MUST-44); nothing without a route or without
  /// an address that serves.
  std::optional<IpAddress> source_for(const IpAddress& destination, Zone zone = Zone::none) const;
  /// Addresses of one name, the most promising first (RFC 6724 6).
  std::vector<IpAddress> in_order_of_promise(std::vector<IpAddress> destinations) const;

  // ---- time

  /// Lets addresses and routes end; what ended of the addresses goes to the end of `expired`.
  void on_time(Instant now, std::vector<OwnAddress>& expired);
  Instant next_deadline() const {
    return std::min(addresses_.next_deadline(), routes_.next_deadline());
  }
  /// Changes whenever an answer of `route` or `source_for` may have changed.
  std::uint64_t generation() const { return generation_; }

 private:
  const OwnAddress* source_by(const IpAddress& destination, const Route& route) const;
  std::optional<InterfaceId> default_interface(const IpAddress& destination) const;
  Route by(InterfaceId interface, const IpAddress& next_hop) const;
  void forget_network(const OwnAddress& removed);
  bool has(InterfaceId interface) const {
    return static_cast<std::size_t>(interface) < links_.size();
  }

  std::vector<Link> links_;
  AddressTable addresses_;
  RouteTable routes_;
  std::uint64_t generation_ = 0;
};

}  // namespace hawser::ip
