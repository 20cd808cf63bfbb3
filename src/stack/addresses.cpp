// Addresses and routes that come and go, by calls, by their lifetimes, and as the link tells; and
// what becomes of connections whose address is gone.
#include <algorithm>
#include <chrono>

#include "stack/impl.hpp"

namespace hawser {

namespace {

/// Connections that are looked at in one go, and when the next ones are.
constexpr std::uint32_t kSweepStep = 1024;
constexpr Duration kSweepPause = std::chrono::milliseconds(1);

Instant after(Instant now, Duration span) {
  return span >= kNever - now ? kNever : now + std::max(span, Duration::zero());
}

RouteInfo route_info(const RouteConfig& route, RouteOrigin origin) {
  return {.destination = route.destination,
          .gateway = route.gateway,
          .interface = route.interface,
          .metric = route.metric,
          .origin = origin};
}

}  // namespace

// ---- calls

Result<void> Stack::Impl::add_address(Instant now, InterfaceId interface, const Prefix& address,
                                      const AddressOptions& options) {
  now_ = now;
  const Instant valid_until = after(now, options.lifetime.valid);
  const Instant preferred_until = std::min(after(now, options.lifetime.preferred), valid_until);
  const ip::AddressTable& table = interfaces_.addresses();
  if (table.find(interface, address.address) != nullptr) {
    interfaces_.set_lifetime(now, interface, address.address, preferred_until, valid_until);
    return {};
  }
  const bool ask = must_ask(interface, address.address, options);
  const bool added =
      interfaces_.add_address({{.prefix = address,
                                .interface = interface,
                                .state = ask                     ? AddressState::tentative
                                         : preferred_until > now ? AddressState::preferred
                                                                 : AddressState::deprecated,
                                .origin = options.origin,
                                .preferred_until = preferred_until,
                                .valid_until = valid_until}});
  if (!added) {
    const bool full = table.all().size() >= ip::AddressTable::kMaxAddresses;
    return std::unexpected(full ? Error::no_buffer_space : Error::invalid_argument);
  }
  if (ask) {
    autoconfiguration_.detect_duplicates(now, interface, address.address, false);
    autoconfiguration_.on_time(now);
  } else {
    announce(context(now), interface, address.address);
  }
  return {};
}

/// Whether the link is to be asked before an address is used.
bool Stack::Impl::must_ask(InterfaceId interface, const IpAddress& address,
                           const AddressOptions& options) const {
  if (!is_interface(interface)) return false;
  const InterfaceConfig& config = config_.interfaces[static_cast<std::size_t>(interface)];
  const bool by_default = !address.is_v4() && config.detect_duplicates;
  return config.mac && options.detect_duplicates.value_or(by_default);
}

Result<void> Stack::Impl::remove_address(Instant now, InterfaceId interface,
                                         const IpAddress& address) {
  const Context at = context(now);
  if (!interfaces_.remove_address(interface, address)) {
    return std::unexpected(Error::address_not_available);
  }
  autoconfiguration_.on_removed(interface, address);
  begin_sweep(at);
  return {};
}

Result<void> Stack::Impl::add_route(const RouteConfig& route, RouteOrigin origin) {
  const RouteInfo wanted = route_info(route, origin);
  if (interfaces_.renew_route(wanted) || interfaces_.add_route(wanted)) return {};
  const bool full = interfaces_.routes().all().size() >= ip::RouteTable::kMaxRoutes;
  return std::unexpected(full ? Error::no_buffer_space : Error::invalid_argument);
}

Result<void> Stack::Impl::remove_route(const RouteConfig& route) {
  for (const RouteOrigin origin : {RouteOrigin::manual, RouteOrigin::dhcp, RouteOrigin::advertised,
                                   RouteOrigin::redirect, RouteOrigin::connected}) {
    if (interfaces_.remove_route(route_info(route, origin))) return {};
  }
  return std::unexpected(Error::network_unreachable);
}

std::vector<AddressInfo> Stack::Impl::addresses() const {
  const auto all = interfaces_.addresses().all();
  return {all.begin(), all.end()};
}

std::vector<RouteInfo> Stack::Impl::routes() const {
  const auto all = interfaces_.routes().all();
  return {all.begin(), all.end()};
}

// ---- connections whose address is gone

void Stack::Impl::begin_sweep(const Context& context) {
  sweep_ = 0;
  sweep(context);
}

/// Looks at the next connections and records, and ends those whose address is no longer ours. There
/// may be a million: each call looks at some.
void Stack::Impl::sweep(const Context& context) {
  const auto is_gone = [&](const Tuple& tuple) { return !is_ours(tuple.local); };
  const std::uint32_t end = *sweep_ + kSweepStep;
  for (std::uint32_t index = *sweep_; index < end; ++index) {
    if (connections_.contains(index) && !connections_[index].detached &&
        is_gone(connections_[index].connection.tuple())) {
      connections_[index].connection.on_address_gone(context);
      settle(context, index);
    }
    if (syn_received_.contains(index) && is_gone(syn_received_[index].tuple)) {
      forget_syn_received(index);
    }
    if (time_wait_.contains(index) && is_gone(time_wait_[index].tuple)) forget_time_wait(index);
  }
  sweep_ = end;
  sweep_at_ = context.now + kSweepPause;
  if (end >= std::max({connections_.end(), syn_received_.end(), time_wait_.end()})) sweep_.reset();
}

// ---- what the link tells

/// Once, with the first poll: tells the link which addresses are ours, or asks whether they may be.
void Stack::Impl::start_interfaces(const Context& context) {
  started_ = true;
  const auto configured = interfaces_.addresses().all();
  for (const ip::OwnAddress& own : configured) {
    if (own.state == AddressState::tentative) {
      autoconfiguration_.detect_duplicates(context.now, own.interface, own.prefix.address, false);
    } else {
      announce(context, own.interface, own.prefix.address);
    }
  }
  for (std::size_t i = 0; i < config_.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config_.interfaces[i];
    if (interface.mac && interface.autoconfigure) {
      autoconfiguration_.start(context.now, static_cast<InterfaceId>(i), *interface.mac);
    }
  }
  autoconfiguration_.on_time(context.now);
  start_dhcp(context);
}

/// What a message of neighbour discovery says of addresses and routes.
void Stack::Impl::on_autoconfiguration_message(const Context& context, const wire::IpHeader& ip,
                                               const wire::NeighbourMessage& message,
                                               InterfaceId from) {
  if (const auto* asked = std::get_if<wire::NeighbourSolicitation>(&message)) {
    // RFC4862-5.4.3: who asks from an address asks for the sake of sending.
    if (ip.source.is_unspecified()) {
      autoconfiguration_.on_probe(from, asked->target, asked->nonce);
    }
  } else if (const auto* told = std::get_if<wire::NeighbourAdvertisement>(&message)) {
    autoconfiguration_.on_claim(from, told->target);
  } else if (const auto* router = std::get_if<wire::RouterAdvertisement>(&message)) {
    autoconfiguration_.on_router_advertisement(context.now, from, ip.source, *router);
  } else if (const auto* redirect = std::get_if<wire::Redirect>(&message)) {
    if (!autoconfiguration_.on_redirect(context.now, from, ip.source, *redirect)) {
      return drop(context, DropReason::bad_redirect, 0);
    }
    if (redirect->target_mac) {
      neighbours_.on_heard(context.now, from, redirect->target, *redirect->target_mac);
    }
    if (redirect->target != redirect->destination) {
      neighbours_.set_router(from, redirect->target, true);
    }
  }
}

void Stack::Impl::on_neighbour_change(const ip::NeighbourOutput& change) {
  if (const auto* lost = std::get_if<ip::NeighbourLost>(&change)) {
    autoconfiguration_.on_neighbour_lost(lost->interface, lost->address);
  } else if (const auto* ceased = std::get_if<ip::RouterCeased>(&change)) {
    autoconfiguration_.on_router_ceased(ceased->interface, ceased->address);
  }
}

/// Asks and tells the link what the configuration of addresses wants asked and told.
void Stack::Impl::settle_addresses(const Context& context) {
  while (const auto output = autoconfiguration_.poll_output(context.now)) {
    if (const auto* probe = std::get_if<ip::ProbeAddress>(&*output)) {
      probe_address(context, *probe);
    } else if (const auto* ready = std::get_if<ip::AddressReady>(&*output)) {
      announce(context, ready->interface, ready->address);
      on_address_ready(context, *ready);
    } else if (const auto* asked = std::get_if<ip::SolicitRouters>(&*output)) {
      const MacAddress& ours = *mac_of(asked->interface);
      send_neighbour_message(context,
                             wire::RouterSolicitation{
                                 .source_mac = asked->source ? std::optional(ours) : std::nullopt},
                             asked->source.value_or(IpAddress{}), wire::kAllRouters,
                             asked->interface, wire::multicast_mac(wire::kAllRouters));
    } else {
      on_address_taken(context, std::get<ip::AddressTaken>(*output));
    }
  }
}

/// RFC4862-5.4.2, RFC5227-2.1.1
void Stack::Impl::probe_address(const Context& context, const ip::ProbeAddress& probe) {
  const MacAddress& ours = *mac_of(probe.interface);
  if (probe.address.is_v4()) {
    return send_arp(context,
                    {.operation = wire::ArpOperation::request,
                     .sender_mac = ours,
                     .sender = IpAddress::any(Family::ipv4),
                     .target_mac = {},
                     .target = probe.address},
                    probe.interface, MacAddress::broadcast());
  }
  const IpAddress group = wire::solicited_node(probe.address);
  send_neighbour_message(context,
                         wire::NeighbourSolicitation{.target = probe.address, .nonce = probe.nonce},
                         IpAddress{}, group, probe.interface, wire::multicast_mac(group));
}

// ---- time

void Stack::Impl::on_address_timers(const Context& context) {
  if (sweep_ && sweep_at_ <= context.now) sweep(context);
  std::vector<ip::OwnAddress> expired;
  interfaces_.on_time(context.now, expired);
  for (const ip::OwnAddress& own : expired) {
    autoconfiguration_.on_removed(own.interface, own.prefix.address);
  }
  if (!expired.empty()) begin_sweep(context);
  autoconfiguration_.on_time(context.now);
}

Instant Stack::Impl::next_address_deadline() const {
  const Instant next = std::min(interfaces_.next_deadline(), autoconfiguration_.next_deadline());
  return sweep_ ? std::min(next, sweep_at_) : next;
}

}  // namespace hawser
