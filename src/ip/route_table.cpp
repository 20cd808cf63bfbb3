#include "ip/route_table.hpp"

#include <algorithm>
#include <tuple>

namespace hawser::ip {

namespace {

bool is_same(const RouteInfo& a, const RouteInfo& b) {
  return a.destination == b.destination.network() && a.gateway == b.gateway &&
         a.interface == b.interface && a.origin == b.origin;
}

/// The order of a table: by family and length, then networks, then from best to worst.
bool comes_before(const RouteEntry& a, const RouteEntry& b) {
  const auto key = [](const RouteEntry& route) {
    return std::tuple(route.destination.address.family(), -int{route.destination.length},
                      route.destination.address, route.suspect, route.metric, route.order);
  };
  return key(a) < key(b);
}

}  // namespace

bool RouteTable::add(const RouteInfo& route) {
  if (routes_.size() >= kMaxRoutes || contains(route)) return false;
  RouteEntry entry{route, false, next_order_++};
  entry.destination = route.destination.network();
  routes_.insert(std::ranges::upper_bound(routes_, entry, comes_before), entry);
  update();
  return true;
}

bool RouteTable::remove(const RouteInfo& route) {
  const std::size_t place = place_of(route);
  if (place == routes_.size()) return false;
  routes_.erase(routes_.begin() + static_cast<std::ptrdiff_t>(place));
  update();
  return true;
}

bool RouteTable::renew(const RouteInfo& route) {
  const std::size_t place = place_of(route);
  if (place == routes_.size()) return false;
  const bool moves = routes_[place].metric != route.metric;
  routes_[place].metric = route.metric;
  routes_[place].valid_until = route.valid_until;
  if (moves) std::ranges::sort(routes_, comes_before);
  update();
  return true;
}

/// routes_.size() when there is none.
std::size_t RouteTable::place_of(const RouteInfo& route) const {
  const auto found =
      std::ranges::find_if(routes_, [&](const RouteEntry& entry) { return is_same(entry, route); });
  return static_cast<std::size_t>(found - routes_.begin());
}

const RouteEntry* RouteTable::find(const IpAddress& destination, Zone zone) const {
  for (const Group& group : groups_) {
    if (group.family != destination.family()) continue;
    const IpAddress network = Prefix{destination, group.length}.network().address;
    const auto begin = routes_.begin() + group.begin;
    const auto end = routes_.begin() + group.end;
    auto route = std::ranges::lower_bound(
        begin, end, network, {},
        [](const RouteEntry& entry) -> const IpAddress& { return entry.destination.address; });
    for (; route != end && route->destination.address == network; ++route) {
      if (zone == Zone::none || route->interface == interface_of(zone)) return &*route;
    }
  }
  return nullptr;
}

bool RouteTable::set_reachable(InterfaceId interface, const IpAddress& gateway, bool reachable) {
  bool changed = false;
  for (RouteEntry& route : routes_) {
    if (route.interface != interface || route.gateway != gateway) continue;
    if (reachable && !route.suspect) continue;
    route.suspect = !reachable;
    if (!reachable) route.order = next_order_++;  // behind those that were found silent before
    changed = true;
  }
  if (!changed) return false;
  std::ranges::sort(routes_, comes_before);
  update();
  return true;
}

void RouteTable::on_time(Instant now) {
  if (now < next_deadline_) return;
  std::erase_if(routes_, [&](const RouteEntry& route) { return route.valid_until <= now; });
  update();
}

void RouteTable::update() {
  groups_.clear();
  next_deadline_ = kNever;
  for (std::uint32_t i = 0; i < routes_.size(); ++i) {
    const RouteEntry& route = routes_[i];
    const Family family = route.destination.address.family();
    if (groups_.empty() || groups_.back().family != family ||
        groups_.back().length != route.destination.length) {
      groups_.push_back({family, route.destination.length, i, i});
    }
    groups_.back().end = i + 1;
    next_deadline_ = std::min(next_deadline_, route.valid_until);
  }
}

}  // namespace hawser::ip
