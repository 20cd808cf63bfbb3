// ARP and neighbour discovery: what is asked of us, told to us, and asked and told by us (RFC 826,
// RFC 5227 2.3, 2.4; RFC 4861 7.2).
#include <variant>

#include "stack/impl.hpp"

namespace hawser {

namespace {

wire::IpHeader neighbour_header(const IpAddress& source, const IpAddress& destination) {
  return {.source = source,
          .destination = destination,
          .protocol = static_cast<std::uint8_t>(wire::IpProtocol::icmpv6),
          .hop_limit = wire::kNeighbourHopLimit};
}

}  // namespace

// ---- ARP

void Stack::Impl::on_arp(const Context& context, const Packet& message, InterfaceId from,
                         const MacAddress& ours) {
  const auto parsed = wire::parse_arp(message.head());
  if (!parsed) return drop(context, parsed.error(), message.size());
  const wire::ArpMessage& arp = *parsed;
  if (arp.sender_mac != ours && interfaces_.is_ours_on(from, arp.sender)) {
    return on_address_conflict(context, message, from, arp.sender);
  }
  if (arp.sender_mac == ours || interfaces_.is_ours(arp.sender)) {
    return drop(context, DropReason::bad_source, message.size());
  }
  const bool probe = arp.sender.is_unspecified();  // RFC 5227 1.1
  if (probe) {
    autoconfiguration_.on_probe(from, arp.target, std::nullopt);  // RFC5227-2.1.1
  } else {
    autoconfiguration_.on_claim(from, arp.sender);
  }
  if (!probe && !interfaces_.is_unicast(arp.sender)) {
    return drop(context, DropReason::bad_source, message.size());
  }
  const bool for_us = interfaces_.is_ours_on(from, arp.target);
  if (!for_us) {
    if (!probe) neighbours_.on_overheard(context.now, from, arp.sender, arp.sender_mac);
    return;
  }
  if (arp.operation == wire::ArpOperation::reply) {
    if (!probe) neighbours_.on_arp_reply(context.now, from, arp.sender, arp.sender_mac);
    return;
  }
  if (!probe) neighbours_.on_heard(context.now, from, arp.sender, arp.sender_mac);
  if (!neighbour_limit_.take(context.now)) {
    return drop(context, DropReason::rate_limited, message.size());
  }
  send_arp(context,
           {.operation = wire::ArpOperation::reply,
            .sender_mac = ours,
            .sender = arp.target,
            .target_mac = arp.sender_mac,
            .target = arp.sender},
           from, arp.sender_mac);
}

/// RFC5227-2.4: another station says that it has an address of ours. It is told once that we do;
/// when it goes on all the same, the address is given up, unless no one ever asks about addresses
/// of this interface: then it stays, and is defended again and again.
void Stack::Impl::on_address_conflict(const Context& context, const Packet& message,
                                      InterfaceId from, const IpAddress& address) {
  drop(context, DropReason::address_conflict, message.size(), {{address, Port{}}, {}});
  if (interfaces_.defend(context.now, from, address)) return announce(context, from, address);
  if (!config_.interfaces[static_cast<std::size_t>(from)].detect_duplicates) return;
  interfaces_.set_state(from, address, AddressState::duplicate);
  on_address_taken(context, {from, address});
  begin_sweep(context);
}

void Stack::Impl::send_arp(const Context& context, const wire::ArpMessage& message,
                           InterfaceId interface, const MacAddress& to) {
  Packet packet = pool_.take_packet();
  if (!packet) return drop(context, DropReason::no_memory, 0);
  wire::push_arp(packet, message);
  wire::push_ethernet(packet, {to, message.sender_mac, wire::EtherType::arp});
  packet.set_interface(interface);
  enqueue(context, std::move(packet));
}

// ---- neighbour discovery

void Stack::Impl::on_neighbour_message(const Context& context, const wire::IpHeader& ip,
                                       const Packet& message, InterfaceId from) {
  const auto parsed = wire::parse_neighbour_message(message, ip);
  if (!parsed) return drop(context, parsed.error(), message.size());
  const bool known_source = ip.source.is_unspecified() || interfaces_.is_unicast(ip.source);
  if (!known_source || interfaces_.is_ours(ip.source)) {
    return drop(context, DropReason::bad_source, message.size());
  }
  if (!ip.destination.is_multicast() && !interfaces_.is_ours_on(from, ip.destination)) {
    return drop(context, DropReason::not_ours, message.size());
  }
  if (mac_of(from) == nullptr) return;  // there are no neighbours
  on_autoconfiguration_message(context, ip, *parsed, from);
  if (const auto* asked = std::get_if<wire::NeighbourSolicitation>(&*parsed)) {
    on_solicitation(context, ip, *asked, from);
  } else if (const auto* told = std::get_if<wire::NeighbourAdvertisement>(&*parsed)) {
    neighbours_.on_advertisement(context.now, from, told->target,
                                 {.mac = told->target_mac,
                                  .solicited = told->solicited,
                                  .override_cache = told->override_cache,
                                  .router = told->router});
  } else if (const auto* router = std::get_if<wire::RouterAdvertisement>(&*parsed)) {
    on_router_advertisement(context, ip, *router, from);
  }
}

/// RFC4861-7.2.3, RFC4861-7.2.4. The answer goes to the station that the question tells, not
/// through the cache: answers alone must not make us ask whether who asked is still there.
void Stack::Impl::on_solicitation(const Context& context, const wire::IpHeader& ip,
                                  const wire::NeighbourSolicitation& asked, InterfaceId from) {
  const MacAddress& ours = *mac_of(from);
  if (!interfaces_.is_ours_on(from, asked.target)) return;
  if (asked.source_mac) {
    neighbours_.on_heard(context.now, from, ip.source, *asked.source_mac);
  }
  if (!neighbour_limit_.take(context.now)) return drop(context, DropReason::rate_limited, 0);
  const bool probe = ip.source.is_unspecified();
  const bool knows_us = !ip.destination.is_multicast();
  const wire::NeighbourAdvertisement answer{
      .target = asked.target,
      .router = false,
      .solicited = !probe,
      .override_cache = true,
      .target_mac = knows_us ? std::nullopt : std::optional(ours)};
  const IpAddress& to = probe ? wire::kAllNodes : ip.source;
  if (probe || asked.source_mac) {
    return send_neighbour_message(context, answer, asked.target, to, from,
                                  probe ? wire::multicast_mac(to) : *asked.source_mac);
  }
  Packet message = wire::make_neighbour_message(pool_, answer, asked.target, to);
  if (!message) return drop(context, DropReason::no_memory, 0);
  send_ip(context, std::move(message), neighbour_header(asked.target, to), from);
}

/// What it says of the neighbour that it comes from, and of all (RFC 4861 6.3.4).
void Stack::Impl::on_router_advertisement(const Context& context, const wire::IpHeader& ip,
                                          const wire::RouterAdvertisement& advertised,
                                          InterfaceId from) {
  if (advertised.source_mac) {
    neighbours_.on_heard(context.now, from, ip.source, *advertised.source_mac);
  }
  neighbours_.set_router(from, ip.source, true);
  using std::chrono::milliseconds;
  const milliseconds reachable(advertised.reachable_ms);
  const milliseconds retransmit(advertised.retransmit_ms);
  if (reachable > milliseconds(0)) neighbours_.set_reachable_time(from, reachable);
  if (retransmit > milliseconds(0)) neighbours_.set_retrans_timer(from, retransmit);
}

void Stack::Impl::send_neighbour_message(const Context& context,
                                         const wire::NeighbourMessage& message,
                                         const IpAddress& source, const IpAddress& destination,
                                         InterfaceId interface, const MacAddress& to) {
  Packet packet = wire::make_neighbour_message(pool_, message, source, destination);
  if (!packet) return drop(context, DropReason::no_memory, 0);
  wire::push_ip(packet, neighbour_header(source, destination));
  wire::push_ethernet(packet, {to, *mac_of(interface), wire::EtherType::ipv6});
  packet.set_interface(interface);
  enqueue(context, std::move(packet));
}

// ---- what we ask and tell

/// RFC4861-7.2.2, RFC 826: on behalf of the packet that waits, if its source is ours there.
void Stack::Impl::solicit(const Context& context, const ip::Solicit& asked) {
  const MacAddress* ours = mac_of(asked.interface);
  std::optional<IpAddress> source = asked.source;
  if (!interfaces_.is_ours_on(asked.interface, asked.source)) {
    source = interfaces_.source_for(asked.target, zone_of(asked.interface));
  }
  if (ours == nullptr || !source || source->is_loopback()) return;
  if (asked.target.is_v4()) {
    return send_arp(context,
                    {.operation = wire::ArpOperation::request,
                     .sender_mac = *ours,
                     .sender = *source,
                     .target_mac = {},
                     .target = asked.target},
                    asked.interface, asked.only.value_or(MacAddress::broadcast()));
  }
  const IpAddress group = wire::solicited_node(asked.target);
  send_neighbour_message(context,
                         wire::NeighbourSolicitation{.target = asked.target, .source_mac = *ours},
                         *source, asked.only ? asked.target : group, asked.interface,
                         asked.only.value_or(wire::multicast_mac(group)));
}

/// Tells everybody on the link that an address is ours, so that who knew another station by it
/// learns of us (RFC 5227 2.3, RFC 4861 7.2.6).
void Stack::Impl::announce(const Context& context, InterfaceId interface,
                           const IpAddress& address) {
  const MacAddress* ours = mac_of(interface);
  if (ours == nullptr) return;
  if (address.is_v4()) {
    return send_arp(context,
                    {.operation = wire::ArpOperation::request,
                     .sender_mac = *ours,
                     .sender = address,
                     .target_mac = {},
                     .target = address},
                    interface, MacAddress::broadcast());
  }
  send_neighbour_message(context,
                         wire::NeighbourAdvertisement{.target = address,
                                                      .router = false,
                                                      .solicited = false,
                                                      .override_cache = true,
                                                      .target_mac = *ours},
                         address, wire::kAllNodes, interface, wire::multicast_mac(wire::kAllNodes));
}

}  // namespace hawser
