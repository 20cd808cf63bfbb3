// What routers say of the link (RFC 4861 6.3.4, RFC 4862 5.5.3, RFC 4191, RFC 8106 5.3.1).
#include <algorithm>

#include "ip/autoconfiguration.hpp"

namespace hawser::ip {

namespace {

using std::chrono::seconds;

/// Routes to prefixes that are on the link give way to those of the configuration.
constexpr std::uint32_t kPrefixMetric = 256;
constexpr std::uint32_t kLeastMtuV6 = 1280;  // RFC 8200 5

Instant end_of(Instant now, std::uint32_t lifetime_seconds) {
  return lifetime_seconds == wire::kInfiniteLifetime ? kNever : now + seconds(lifetime_seconds);
}

/// RFC4862-5.5.3 (e): what of a valid lifetime is believed, so that a forged advertisement cannot
/// take the addresses of a link away at once.
Instant believed_end(Instant now, Instant until_now, std::uint32_t told_seconds) {
  const Instant told = end_of(now, told_seconds);
  if (told > now + Autoconfiguration::kTwoHours || told > until_now) return told;
  if (until_now <= now + Autoconfiguration::kTwoHours) return until_now;
  return now + Autoconfiguration::kTwoHours;
}

/// Those of links and of groups are not for routers to say anything about.
bool is_prefix_of_hosts(const Prefix& prefix) {
  return !prefix.address.is_v4() && !prefix.address.is_link_local() &&
         !prefix.address.is_multicast();
}

}  // namespace

void Autoconfiguration::on_router_advertisement(Instant now, InterfaceId interface,
                                                const IpAddress& source,
                                                const wire::RouterAdvertisement& advertised) {
  State* state = state_of(interface);
  if (state == nullptr) return;
  if (advertised.hop_limit >= kLeastHopLimit) state->hop_limit = advertised.hop_limit;
  if (advertised.retransmit_ms != 0) {
    duplicates_.set_retrans_timer(interface, std::chrono::milliseconds(advertised.retransmit_ms));
  }
  if (advertised.mtu >= kLeastMtuV6 && advertised.mtu <= interfaces_.link(interface).mtu) {
    interfaces_.set_mtu_v6(interface, advertised.mtu);
  }
  on_default_router(now, *state, source, advertised);
  for (const wire::PrefixInformation& told : advertised.prefixes) {
    if (!is_prefix_of_hosts(told.prefix)) continue;
    if (told.on_link) on_prefix_on_link(now, *state, told);
    if (told.autonomous) on_autonomous_prefix(now, *state, source, told);
  }
  for (const wire::DnsServer& told : advertised.dns_servers) on_server(now, *state, told);
}

std::size_t Autoconfiguration::count_routes(InterfaceId interface, RouteOrigin origin,
                                            bool with_gateway) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(interfaces_.routes().all(), [&](const RouteEntry& route) {
        return route.interface == interface && route.origin == origin &&
               route.gateway.has_value() == with_gateway;
      }));
}

/// RFC4861-6.3.4: in the list of default routers for as long as it says.
void Autoconfiguration::on_default_router(Instant now, State& state, const IpAddress& source,
                                          const wire::RouterAdvertisement& advertised) {
  const RouteInfo route{
      .destination = {},
      .gateway = source,
      .interface = state.interface,
      // RFC4191-3.2
      .metric = kRouterMetric - static_cast<std::uint32_t>(static_cast<int>(advertised.preference)),
      .origin = RouteOrigin::advertised,
      .valid_until = now + seconds(advertised.lifetime_seconds)};
  if (advertised.lifetime_seconds == 0) {
    interfaces_.remove_route(route);
    return;
  }
  state.has_router = true;
  state.next_solicitation = kNever;  // RFC4861-6.3.7
  if (interfaces_.renew_route(route)) return;
  if (count_routes(state.interface, RouteOrigin::advertised, true) < kMaxRouters) {
    interfaces_.add_route(route);
  }
}

void Autoconfiguration::on_router_ceased(InterfaceId interface, const IpAddress& router) {
  interfaces_.remove_route({.destination = {},
                            .gateway = router,
                            .interface = interface,
                            .origin = RouteOrigin::advertised});
}

void Autoconfiguration::on_prefix_on_link(Instant now, const State& state,
                                          const wire::PrefixInformation& told) {
  const RouteInfo route{.destination = told.prefix.network(),
                        .interface = state.interface,
                        .metric = kPrefixMetric,
                        .origin = RouteOrigin::advertised,
                        .valid_until = end_of(now, told.valid_seconds)};
  if (told.valid_seconds == 0) {
    interfaces_.remove_route(route);
    return;
  }
  if (interfaces_.renew_route(route)) return;
  if (count_routes(state.interface, RouteOrigin::advertised, false) < kMaxPrefixes) {
    interfaces_.add_route(route);
  }
}

/// RFC4862-5.5.3
void Autoconfiguration::on_autonomous_prefix(Instant now, const State& state,
                                             const IpAddress& source,
                                             const wire::PrefixInformation& told) {
  if (told.prefix.length != 64 || told.preferred_seconds > told.valid_seconds) return;
  const Prefix network = told.prefix.network();
  std::size_t made = 0;
  for (const OwnAddress& own : interfaces_.addresses().all()) {
    if (own.interface != state.interface || own.origin != AddressOrigin::advertised) continue;
    ++made;
    if (own.prefix.network() != network) continue;
    const IpAddress address = own.prefix.address;
    const Instant valid_until = believed_end(now, own.valid_until, told.valid_seconds);
    const Instant preferred_until = std::min(end_of(now, told.preferred_seconds), valid_until);
    interfaces_.set_lifetime(now, state.interface, address, preferred_until, valid_until);
    return;
  }
  if (told.valid_seconds == 0 || made >= kMaxAddresses) return;
  OwnAddress wanted{{.prefix = network,
                     .origin = AddressOrigin::advertised,
                     .preferred_until = end_of(now, told.preferred_seconds),
                     .valid_until = end_of(now, told.valid_seconds)}};
  wanted.router = source;
  make_address(now, state, wanted);
}

void Autoconfiguration::on_server(Instant now, State& state, const wire::DnsServer& told) {
  const IpAddress& address = told.address;
  const auto known = std::ranges::find(state.servers, address, &Server::address);
  if (told.lifetime_seconds == 0) {
    if (known != state.servers.end()) state.servers.erase(known);
    return;
  }
  const Instant valid_until = end_of(now, told.lifetime_seconds);
  if (known != state.servers.end()) {
    known->valid_until = valid_until;
    return;
  }
  const bool is_host =
      !address.is_multicast() && !address.is_unspecified() && !address.is_loopback();
  if (is_host && state.servers.size() < kMaxServers) {
    state.servers.push_back({address, valid_until});
  }
}

}  // namespace hawser::ip
