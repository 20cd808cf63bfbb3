// The DHCP clients of the interfaces: what they say and hear, and what becomes of their leases
// (RFC 2131).
#include <algorithm>

#include "stack/impl.hpp"
#include "wire/udp.hpp"

namespace hawser {

namespace {

/// Of the routes that servers give: those of the configuration come first.
constexpr std::uint32_t kDhcpMetric = 100;

RouteConfig route_config(const wire::DhcpRoute& route, InterfaceId interface) {
  RouteConfig config{
      .destination = route.destination, .interface = interface, .metric = kDhcpMetric};
  if (!route.router.is_unspecified()) config.gateway = route.router;
  return config;
}

/// A server may not make all packets as small as the protocol lets it: every host takes this many
/// bytes (RFC 791 3.1).
constexpr std::uint32_t kLeastMtu = 576;

bool has_route(const std::optional<dhcp::Lease>& lease, const wire::DhcpRoute& route) {
  return lease && std::ranges::find(lease->routes, route) != lease->routes.end();
}

}  // namespace

void Stack::Impl::start_dhcp(const Context& context) {
  for (std::size_t i = 0; i < config_.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config_.interfaces[i];
    if (!interface.mac || !interface.dhcp) continue;
    const dhcp::Config config{.mac = *interface.mac, .host_name = config_.host_name};
    dhcp_.push_back({static_cast<InterfaceId>(i), {config, dhcp_random_.fork()}, {}});
    dhcp_.back().client.start(context.now);
  }
}

Stack::Impl::DhcpInterface* Stack::Impl::dhcp_of(InterfaceId interface) {
  const auto found = std::ranges::find(dhcp_, interface, &DhcpInterface::interface);
  return found == dhcp_.end() ? nullptr : &*found;
}

/// Takes the payload of a datagram to the client's port.
void Stack::Impl::on_dhcp(const Context& context, DhcpInterface& held, const Packet& payload) {
  std::vector<std::byte> bytes(payload.size());
  payload.copy_to(0, bytes);
  if (const auto reason = held.client.on_datagram(context.now, bytes)) {
    drop(context, *reason, payload.size());
  }
}

void Stack::Impl::settle_dhcp(const Context& context) {
  for (DhcpInterface& held : dhcp_) {
    while (const auto output = held.client.poll_output()) {
      if (const auto* datagram = std::get_if<dhcp::SendDatagram>(&*output)) {
        send_dhcp(context, held.interface, *datagram);
      } else if (const auto* gained = std::get_if<dhcp::LeaseGained>(&*output)) {
        take_lease(context, held, gained->lease);
      } else {
        drop_lease(context, held);
      }
    }
  }
}

void Stack::Impl::send_dhcp(const Context& context, InterfaceId interface,
                            const dhcp::SendDatagram& datagram) {
  Packet packet = packet_with(datagram.bytes);
  if (!packet) return;  // it will be asked again
  wire::push_udp(packet, {wire::kDhcpClientPort, wire::kDhcpServerPort}, datagram.source,
                 datagram.destination);
  send_ip(context, std::move(packet),
          {.source = datagram.source,
           .destination = datagram.destination,
           .protocol = static_cast<std::uint8_t>(wire::IpProtocol::udp)},
          interface);
}

void Stack::Impl::take_lease(const Context& context, DhcpInterface& held,
                             const dhcp::Lease& lease) {
  if (held.lease && held.lease->address != lease.address) drop_lease(context, held);
  const Duration left =
      lease.expires_at == kNever ? Duration::max() : lease.expires_at - context.now;
  // RFC2131-2.2: the client should ask the link whether another has the address.
  const InterfaceConfig& interface = config_.interfaces[static_cast<std::size_t>(held.interface)];
  static_cast<void>(add_address(context.now, held.interface, lease.address,
                                {.lifetime = {.preferred = left, .valid = left},
                                 .origin = AddressOrigin::dhcp,
                                 .detect_duplicates = interface.detect_duplicates}));
  for (const wire::DhcpRoute& route : lease.routes) {
    static_cast<void>(add_route(route_config(route, held.interface), RouteOrigin::dhcp));
  }
  if (held.lease) {
    for (const wire::DhcpRoute& old : held.lease->routes) {
      if (!has_route(lease, old)) remove_dhcp_route(held.interface, old);
    }
  }
  const std::uint32_t link_mtu = interfaces_.link(held.interface).mtu;
  interfaces_.set_mtu_v4(held.interface,
                         lease.mtu ? std::max<std::uint32_t>(*lease.mtu, kLeastMtu) : link_mtu);
  held.lease = lease;
  if (!interface.detect_duplicates) {
    on_address_ready(context, {held.interface, lease.address.address});
  }
}

void Stack::Impl::drop_lease(const Context& context, DhcpInterface& held) {
  if (!held.lease) return;
  for (const wire::DhcpRoute& route : held.lease->routes) remove_dhcp_route(held.interface, route);
  interfaces_.set_mtu_v4(held.interface, interfaces_.link(held.interface).mtu);
  // It may have expired by itself.
  static_cast<void>(remove_address(context.now, held.interface, held.lease->address.address));
  held.lease.reset();
}

void Stack::Impl::remove_dhcp_route(InterfaceId interface, const wire::DhcpRoute& route) {
  const RouteConfig config = route_config(route, interface);
  interfaces_.remove_route({.destination = config.destination,
                            .gateway = config.gateway,
                            .interface = config.interface,
                            .metric = config.metric,
                            .origin = RouteOrigin::dhcp});
}

/// A lease may be given back at any time, and then there is none to ask for the server's address on
/// the Ethernet: so it is asked for now.
void Stack::Impl::on_address_ready(const Context& context, const ip::AddressReady& ready) {
  const DhcpInterface* held = dhcp_of(ready.interface);
  if (held == nullptr || !held->lease || held->lease->address.address != ready.address) return;
  const auto hop = next_hop(ready.interface, held->lease->server);
  if (hop) {
    static_cast<void>(neighbours_.resolve(context.now, ready.interface, *hop, ready.address));
  }
}

/// The link says that another has an address which we wanted.
void Stack::Impl::on_address_taken(const Context& context, const ip::AddressTaken& taken) {
  ++counters_.duplicate_addresses;
  DhcpInterface* held = dhcp_of(taken.interface);
  if (held == nullptr || !held->lease || held->lease->address.address != taken.address) return;
  held->client.on_conflict(context.now);
}

void Stack::Impl::on_dhcp_timers(const Context& context) {
  for (DhcpInterface& held : dhcp_) held.client.on_time(context.now);
}

Instant Stack::Impl::next_dhcp_deadline() const {
  Instant next = kNever;
  for (const DhcpInterface& held : dhcp_) next = std::min(next, held.client.next_deadline());
  return next;
}

void Stack::Impl::release_leases(Instant now) {
  const Context at = context(now);
  for (DhcpInterface& held : dhcp_) held.client.release(now);
  settle_dhcp(at);
}

std::vector<LeaseInfo> Stack::Impl::leases() const {
  std::vector<LeaseInfo> all;
  for (const DhcpInterface& held : dhcp_) {
    if (!held.lease) continue;
    all.push_back({.interface = held.interface,
                   .address = held.lease->address,
                   .server = held.lease->server,
                   .dns = held.lease->dns,
                   .search = held.lease->search,
                   .renew_at = held.lease->renew_at,
                   .expires_at = held.lease->expires_at});
  }
  return all;
}

std::vector<std::string> Stack::Impl::search_domains() const {
  std::vector<std::string> domains;
  for (const DhcpInterface& held : dhcp_) {
    if (!held.lease) continue;
    for (const std::string& domain : held.lease->search) {
      if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(domain);
    }
  }
  return domains;
}

/// Those of leases before those of routers.
std::vector<Endpoint> Stack::Impl::dns_servers() const {
  constexpr Port kDns{53};
  std::vector<Endpoint> servers;
  for (const DhcpInterface& held : dhcp_) {
    if (!held.lease) continue;
    for (const IpAddress& server : held.lease->dns) servers.push_back({server, kDns});
  }
  const std::vector<Endpoint> advertised = autoconfiguration_.dns_servers();
  servers.insert(servers.end(), advertised.begin(), advertised.end());
  return servers;
}

}  // namespace hawser
