// The one way out of every packet: the IP header before it, then the link.
#include <algorithm>
#include <vector>

#include "ip/fragmentation.hpp"
#include "stack/impl.hpp"

namespace hawser {

namespace {

/// Frames that belong to no connection, waiting to leave.
constexpr std::size_t kControlFrames = 4096;

}  // namespace

/// Sends what belongs to no connection: puts the IP header before `payload` and gives the packet to
/// the link, where it leaves with the next poll.
void Stack::Impl::send_ip(const Context& context, Packet payload, const wire::IpHeader& ip,
                          InterfaceId interface) {
  wire::push_ip(payload, ip);
  payload.set_interface(interface);
  send_on_link(context, std::move(payload), ip.source, ip.destination);
}

/// Sends a packet that has its IP header and its interface, in pieces if it is larger than the path
/// carries. On an Ethernet it may have to wait for its neighbour.
void Stack::Impl::send_on_link(const Context& context, Packet packet, const IpAddress& source,
                               const IpAddress& destination) {
  const InterfaceId interface = packet.interface();
  if (!fits_path(context.now, packet, destination)) {
    return send_in_fragments(context, packet, source, destination);
  }
  if (const MacAddress* ours = mac_of(interface)) {
    if (const auto group = group_mac(destination)) {
      put_in_frame(packet, *group, *ours);
    } else {
      const auto hop = next_hop(interface, destination);
      if (!hop) return hold_unroutable(context, std::move(packet));
      const auto neighbour = neighbours_.resolve(context.now, interface, *hop, source);
      if (!put_in_frame(context, packet, neighbour, *ours)) return;
    }
  }
  enqueue(context, std::move(packet));
}

void Stack::Impl::send_in_fragments(const Context& context, const Packet& packet,
                                    const IpAddress& source, const IpAddress& destination) {
  std::vector<Packet> fragments;
  if (!ip::fragment(packet, mtu_to(context.now, packet.interface(), destination),
                    fragment_ids_.next(source, destination), pool_, fragments)) {
    return drop(context, DropReason::too_big, packet.size());
  }
  ++counters_.datagrams_fragmented;
  counters_.fragments_sent += fragments.size();
  for (Packet& fragment : fragments) {
    send_on_link(context, std::move(fragment), source, destination);
  }
}

/// `chosen` by who sends, or else what routers of the link say of IPv6 (RFC4861-6.3.4).
std::uint8_t Stack::Impl::hop_limit_of(std::optional<std::uint8_t> chosen, InterfaceId interface,
                                       const IpAddress& destination) const {
  if (!chosen && !destination.is_v4()) chosen = autoconfiguration_.hop_limit(interface);
  return chosen.value_or(kDefaultHopLimit);
}

bool Stack::Impl::fits_path(Instant now, const Packet& packet, const IpAddress& destination) const {
  const std::uint32_t size = packet.size();
  const InterfaceId interface = packet.interface();
  if (interface == ip::kLoopback) return true;
  // No path is narrower than this, so that nothing needs to be looked up.
  const std::uint32_t always = destination.is_v4() ? ip::kMinPathMtuV4 : ip::kMinPathMtuV6;
  if (size <= std::min(always, config_.interfaces[static_cast<std::size_t>(interface)].mtu)) {
    return true;
  }
  return size <= mtu_to(now, interface, destination);
}

/// Bytes of the largest packet to `destination` by `interface` that arrives in one piece, as far as
/// we know.
std::uint32_t Stack::Impl::mtu_to(Instant now, InterfaceId interface,
                                  const IpAddress& destination) const {
  if (interface == ip::kLoopback) return ip::kLoopbackMtu;
  const auto route = interfaces_.route(destination, zone_of(interface));
  const bool same = route && route->interface == interface;
  const std::uint32_t mtu =
      same ? route->mtu : config_.interfaces[static_cast<std::size_t>(interface)].mtu;
  return path_mtu_.get(now, destination, mtu);
}

/// Lets a frame wait for the next poll; its interface is set.
void Stack::Impl::enqueue(const Context& context, Packet frame) {
  if (control_.size() >= kControlFrames) {
    return drop(context, DropReason::no_memory, frame.size());
  }
  control_.push_back(std::move(frame));
}

void Stack::Impl::transmit(Packet frame, std::vector<Packet>& out) {
  if (frame.interface() == ip::kLoopback) {
    frame.set_checksum(ChecksumMark::verified);
    loopback_.push_back(std::move(frame));
    return;
  }
  ++counters_.frames_sent;
  out.push_back(std::move(frame));
}

/// Lets a packet without a next hop wait until its socket can be told, which the next poll does.
void Stack::Impl::hold_unroutable(const Context& context, Packet packet) {
  if (unroutable_.size() >= kControlFrames) {
    return drop(context, DropReason::no_route, packet.size());
  }
  unroutable_.push_back(std::move(packet));
}

/// Who takes a packet that leaves by `interface`: the destination, or a gateway; nobody when no
/// route is left, as of a connection that had one. That all the world is then on the link itself
/// must not be assumed (RFC1122-3.3.1.1, RFC4861-5.2, RFC4943-3).
std::optional<IpAddress> Stack::Impl::next_hop(InterfaceId interface,
                                               const IpAddress& destination) const {
  const auto route = interfaces_.route(destination, zone_of(interface));
  if (!route) return std::nullopt;
  return route->next_hop;
}

/// After the routes have changed, connections look their next hops up again.
void Stack::Impl::follow_routes() {
  if (interfaces_.generation() == routes_seen_) return;
  routes_seen_ = interfaces_.generation();
  neighbours_.renew_references();
}

}  // namespace hawser
