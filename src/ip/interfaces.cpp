#include "ip/interfaces.hpp"

#include <algorithm>

namespace hawser::ip {

namespace {

constexpr std::uint8_t bits_of(const IpAddress& address) { return address.is_v4() ? 32 : 128; }

/// Whether it may be the address of one host.
bool may_be_own(const Prefix& prefix) {
  const IpAddress& address = prefix.address;
  return prefix.length <= bits_of(address) && !address.is_unspecified() &&
         !address.is_multicast() && !address.is_limited_broadcast() && !address.is_loopback();
}

/// The route to the network of an own address, if it gives one.
std::optional<RouteInfo> network_route_of(const OwnAddress& own) {
  // RFC 5942 4: an address made from a prefix says nothing about what is on the link.
  if (own.origin == AddressOrigin::advertised) return std::nullopt;
  if (own.prefix.length == bits_of(own.prefix.address)) return std::nullopt;
  return RouteInfo{.destination = own.prefix.network(),
                   .interface = own.interface,
                   .origin = RouteOrigin::connected};
}

}  // namespace

void Interfaces::set_mtu_v4(InterfaceId interface, std::uint32_t mtu) {
  Link& changed = links_[static_cast<std::size_t>(interface)];
  changed.mtu_v4 = std::min(mtu, changed.mtu);
  ++generation_;
}

void Interfaces::set_mtu_v6(InterfaceId interface, std::uint32_t mtu) {
  Link& changed = links_[static_cast<std::size_t>(interface)];
  changed.mtu_v6 = std::min(mtu, changed.mtu);
  ++generation_;
}

bool Interfaces::add_address(const OwnAddress& address) {
  if (!has(address.interface) || !may_be_own(address.prefix) || !addresses_.add(address)) {
    return false;
  }
  if (const auto network = network_route_of(address)) routes_.add(*network);
  ++generation_;
  return true;
}

std::optional<OwnAddress> Interfaces::remove_address(InterfaceId interface,
                                                     const IpAddress& address) {
  auto removed = addresses_.remove(interface, address);
  if (!removed) return std::nullopt;
  forget_network(*removed);
  ++generation_;
  return removed;
}

void Interfaces::forget_network(const OwnAddress& removed) {
  const auto network = network_route_of(removed);
  if (!network) return;
  const bool needed = std::ranges::any_of(addresses_.all(), [&](const OwnAddress& other) {
    const auto same = network_route_of(other);
    return same && same->interface == network->interface &&
           same->destination == network->destination;
  });
  if (!needed) routes_.remove(*network);
}

bool Interfaces::set_state(InterfaceId interface, const IpAddress& address, AddressState state) {
  ++generation_;
  return addresses_.set_state(interface, address, state);
}

bool Interfaces::set_lifetime(Instant now, InterfaceId interface, const IpAddress& address,
                              Instant preferred_until, Instant valid_until) {
  ++generation_;
  return addresses_.set_lifetime(now, interface, address, preferred_until, valid_until);
}

bool Interfaces::add_route(const RouteInfo& route) {
  const Prefix& destination = route.destination;
  if (!has(route.interface) || destination.length > bits_of(destination.address)) return false;
  if (route.gateway &&
      (route.gateway->family() != destination.address.family() || !is_unicast(*route.gateway))) {
    return false;
  }
  ++generation_;
  return routes_.add(route);
}

bool Interfaces::remove_route(const RouteInfo& route) {
  ++generation_;
  return routes_.remove(route);
}

bool Interfaces::renew_route(const RouteInfo& route) {
  ++generation_;
  return routes_.renew(route);
}

void Interfaces::set_reachable(InterfaceId interface, const IpAddress& gateway, bool reachable) {
  if (routes_.set_reachable(interface, gateway, reachable)) ++generation_;
}

Route Interfaces::by(InterfaceId interface, const IpAddress& next_hop) const {
  const Link& way = link(interface);
  return {interface, next_hop.is_v4() ? way.mtu_v4 : way.mtu_v6, next_hop};
}

std::optional<Route> Interfaces::route(const IpAddress& destination, Zone zone) const {
  const bool meant_here = destination.needs_zone() && zone != Zone::none
                              ? addresses_.is_ours_on(interface_of(zone), destination)
                              : addresses_.is_ours(destination);
  if (meant_here) return Route{kLoopback, kLoopbackMtu, destination};
  if (zone != Zone::none && !has(interface_of(zone))) return std::nullopt;
  // What is on every link needs no route, only a link.
  if (destination.needs_zone() || destination.is_multicast() ||
      destination.is_limited_broadcast()) {
    const auto interface =
        zone == Zone::none ? default_interface(destination) : std::optional(interface_of(zone));
    if (!interface) return std::nullopt;
    return by(*interface, destination);
  }
  const RouteEntry* entry = routes_.find(destination, zone);
  if (entry == nullptr) return std::nullopt;
  return by(entry->interface, entry->gateway.value_or(destination));
}

std::optional<InterfaceId> Interfaces::default_interface(const IpAddress& destination) const {
  if (!destination.needs_zone()) {
    const RouteEntry* entry = routes_.find(destination);
    if (entry != nullptr) return entry->interface;
  }
  std::optional<InterfaceId> second;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto interface = static_cast<InterfaceId>(i);
    const bool speaks_it = std::ranges::any_of(addresses_.all(), [&](const OwnAddress& own) {
      return own.interface == interface && own.is_usable() &&
             own.prefix.address.family() == destination.family();
    });
    if (!speaks_it) continue;
    if (links_[i].has_neighbours) return interface;
    if (!second) second = interface;
  }
  if (second || links_.empty()) return second;
  // Who has no address yet asks for one (RFC 1122 3.2.1.3 (a)).
  const auto ethernet = std::ranges::find(links_, true, &Link::has_neighbours);
  return static_cast<InterfaceId>(ethernet == links_.end() ? 0 : ethernet - links_.begin());
}

const OwnAddress* Interfaces::source_by(const IpAddress& destination, const Route& route) const {
  return select_source({destination, route.interface, route.next_hop}, addresses_.all());
}

std::optional<IpAddress> Interfaces::source_for(const IpAddress& destination, Zone zone) const {
  const auto way = route(destination, zone);
  if (!way) return std::nullopt;
  if (way->interface == kLoopback) return destination;
  const OwnAddress* source = source_by(destination, *way);
  return source == nullptr ? std::nullopt : std::optional(source->prefix.address);
}

std::vector<IpAddress> Interfaces::in_order_of_promise(std::vector<IpAddress> destinations) const {
  std::vector<Candidate> candidates;
  for (const IpAddress& destination : destinations) {
    Candidate& candidate = candidates.emplace_back(Candidate{.destination = destination});
    const auto way = route(destination);
    if (!way) continue;
    if (way->interface == kLoopback) {
      candidate.source = Prefix{destination, bits_of(destination)};
    } else if (const OwnAddress* source = source_by(destination, *way)) {
      candidate.source = source->prefix;
      candidate.source_deprecated = source->state == AddressState::deprecated;
    }
  }
  sort_destinations(candidates);
  std::ranges::transform(candidates, destinations.begin(), &Candidate::destination);
  return destinations;
}

void Interfaces::on_time(Instant now, std::vector<OwnAddress>& expired) {
  if (now < next_deadline()) return;
  const std::size_t before = expired.size();
  addresses_.on_time(now, expired);
  for (std::size_t i = before; i < expired.size(); ++i) forget_network(expired[i]);
  routes_.on_time(now);
  ++generation_;
}

}  // namespace hawser::ip
