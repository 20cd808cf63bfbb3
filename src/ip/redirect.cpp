// Better first hops, as routers tell them (RFC 1122 3.2.2.2, 3.3.1.2; RFC 4861 8.3).
#include <algorithm>

#include "ip/autoconfiguration.hpp"

namespace hawser::ip {

bool Autoconfiguration::on_redirect(Instant now, InterfaceId interface, const IpAddress& source,
                                    const wire::Redirect& redirect) {
  const bool v4 = redirect.destination.is_v4();
  if (v4 ? !is_gateway_on_link(interface, redirect.target) : !is_started(interface)) return false;
  // RFC1122-3.2.2.2, RFC4861-8.1: only from the router that would be used.
  const auto way = interfaces_.route(redirect.destination);
  if (!way || way->interface != interface || way->next_hop != source ||
      way->next_hop == redirect.destination || interfaces_.is_ours(redirect.target)) {
    return false;
  }
  std::erase_if(redirects_, [&](const RouteInfo& route) {
    const bool replaced = route.destination.address == redirect.destination;
    if (replaced) interfaces_.remove_route(route);
    return replaced || !interfaces_.routes().contains(route);
  });
  if (redirects_.size() == kMaxRedirects) {
    interfaces_.remove_route(redirects_.front());
    redirects_.pop_front();
  }
  const bool on_link = redirect.target == redirect.destination;
  const RouteInfo route{
      .destination = {redirect.destination, v4 ? std::uint8_t{32} : std::uint8_t{128}},
      .gateway = on_link ? std::nullopt : std::optional(redirect.target),
      .interface = interface,
      .origin = RouteOrigin::redirect,
      .valid_until = now + kRedirectLifetime};
  if (interfaces_.add_route(route)) redirects_.push_back(route);
  return true;
}

/// RFC1122-3.2.2.2: it must be on the network by which the redirect came.
bool Autoconfiguration::is_gateway_on_link(InterfaceId interface, const IpAddress& gateway) const {
  if (!interfaces_.link(interface).has_neighbours || !interfaces_.is_unicast(gateway)) return false;
  const auto way = interfaces_.route(gateway, zone_of(interface));
  return way && way->interface == interface && way->next_hop == gateway;
}

/// RFC4861-7.3.3: the next hop of what went there is found anew.
void Autoconfiguration::on_neighbour_lost(InterfaceId interface, const IpAddress& neighbour) {
  std::erase_if(redirects_, [&](const RouteInfo& route) {
    const IpAddress& next_hop = route.gateway ? *route.gateway : route.destination.address;
    if (route.interface != interface || next_hop != neighbour) return false;
    interfaces_.remove_route(route);
    return true;
  });
}

}  // namespace hawser::ip
