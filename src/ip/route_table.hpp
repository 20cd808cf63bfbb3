// Which way leads to a destination: the longest prefix, then the lowest metric (RFC 1122 3.3.1,
// RFC 4861 5.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hawser/addressing.hpp"

namespace hawser::ip {

/// A route, with what only the stack needs to know of it.
struct RouteEntry : RouteInfo {
  /// Its gateway did not answer: others that are as long are used before it (RFC 4861 6.3.6).
  bool suspect = false;
  std::uint64_t order = 0;  ///< of those that are alike in all else the lowest comes first
};

/// Routes of all interfaces, bounded in number. A route is known by its destination, gateway,
/// interface and origin; `destination` is kept as a network, without bits of a host.
class RouteTable {
 public:
  static constexpr std::size_t kMaxRoutes = 4096;

  /// False when there is such a route already, or the table is full.
  bool add(const RouteInfo& route);
  bool remove(const RouteInfo& route);
  /// For a route that there is: takes over the metric and the end of this one.
  bool renew(const RouteInfo& route);
  bool contains(const RouteInfo& route) const { return place_of(route) != routes_.size(); }
  /// The best way to `destination`; null without one. With a zone: of those by that interface.
  const RouteEntry* find(const IpAddress& destination, Zone zone = Zone::none) const;
  /// The best first.
  std::span<const RouteEntry> all() const { return routes_; }

  /// Whether a neighbour answers, as far as is known (RFC 1122 3.3.1.4, RFC 4861 6.3.6). Of routes
  /// that are equally long those by gateways that answer come first; when none does, each has its
  /// turn. False when that changes nothing.
  bool set_reachable(InterfaceId interface, const IpAddress& gateway, bool reachable);

  /// Removes what is no longer valid.
  void on_time(Instant now);
  Instant next_deadline() const { return next_deadline_; }

 private:
  /// Routes of one family and length of prefix, as a part of routes_.
  struct Group {
    Family family{};
    std::uint8_t length = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  std::size_t place_of(const RouteInfo& route) const;
  void update();

  std::vector<RouteEntry> routes_;
  std::vector<Group> groups_;  // the longest prefix of each family first
  Instant next_deadline_ = kNever;
  std::uint64_t next_order_ = 0;
};

}  // namespace hawser::ip
