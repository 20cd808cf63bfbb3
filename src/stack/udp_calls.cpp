// The calls of the application for UDP (RFC 1122 4.1.4), and by which way a datagram leaves
// (RFC 1122 3.3.4, 4.1.3.5; RFC 8085 3.2, 5.1).
#include <algorithm>

#include "stack/impl.hpp"
#include "wire/udp.hpp"

namespace hawser {

Result<SocketHandle> Stack::Impl::udp_open(const UdpSettings* settings) {
  const auto index = udp_.open(settings == nullptr ? config_.udp.defaults : *settings);
  if (!index) return std::unexpected(index.error());
  return udp_handle_of(*index);
}

Result<void> Stack::Impl::udp_bind(SocketHandle socket, const Endpoint& local) {
  if (udp_of(socket) == nullptr) return std::unexpected(Error::bad_handle);
  const IpAddress& address = local.address;
  if (!address.is_unspecified() && !address.is_multicast() && !interfaces_.is_ours(address) &&
      !interfaces_.is_broadcast(address)) {
    return std::unexpected(Error::address_not_available);
  }
  return udp_.bind(stack::index_of(socket), local);
}

/// What sends without having been bound takes any address, of both families if it may.
Result<void> Stack::Impl::bind_if_needed(std::uint32_t index) {
  if (udp_[index].local.port != Port{}) return {};
  return udp_.bind(index, Endpoint{IpAddress::any(Family::ipv6), Port{}});
}

Result<void> Stack::Impl::udp_connect(SocketHandle socket, const Endpoint& remote) {
  const udp::Socket* found = udp_of(socket);
  if (found == nullptr) return std::unexpected(Error::bad_handle);
  const auto way = way_to(*found, remote, {});
  if (!way) return std::unexpected(way.error());
  const std::uint32_t index = stack::index_of(socket);
  if (const auto bound = bind_if_needed(index); !bound) return bound;
  const InterfaceId interface = way->route.interface;
  return udp_.connect(index, end_on(interface, way->source, found->local.port),
                      end_on(interface, remote.address, remote.port));
}

Result<void> Stack::Impl::udp_disconnect(SocketHandle socket) {
  const udp::Socket* found = udp_of(socket);
  if (found == nullptr) return std::unexpected(Error::bad_handle);
  if (!found->remote) return std::unexpected(Error::not_connected);
  udp_.disconnect(stack::index_of(socket));
  return {};
}

// ---- the way out

bool Stack::Impl::is_interface(InterfaceId interface) const {
  return static_cast<std::size_t>(interface) < interfaces_.size();
}

/// RFC1122-4.1.3.5, RFC1122-4.1.3.6: always one of ours that a single host can have.
Result<IpAddress> Stack::Impl::source_to(const udp::Socket& socket, const Endpoint& destination,
                                         const ip::Route& route,
                                         const UdpSendOptions& options) const {
  std::optional<IpAddress> source = options.source;
  if (source && !interfaces_.is_ours(*source)) return std::unexpected(Error::address_not_available);
  const IpAddress& bound = socket.local.address;
  if (!source && !bound.is_unspecified() && interfaces_.is_ours(bound)) source = bound;
  const Zone zone = route.interface == ip::kLoopback ? Zone::none : zone_of(route.interface);
  if (!source) source = interfaces_.source_for(destination.address, zone);
  if (!source) {
    // A host that has no address yet may ask all others for one (RFC 1122 3.2.1.3 (a)).
    if (!destination.address.is_v4() || interfaces_.is_unicast(destination.address)) {
      return std::unexpected(Error::address_not_available);
    }
    return IpAddress::any(Family::ipv4);
  }
  if (source->family() != destination.address.family()) {
    return std::unexpected(Error::invalid_argument);
  }
  if (source->is_loopback() && route.interface != ip::kLoopback) {
    return std::unexpected(Error::address_not_available);
  }
  return *source;
}

/// Whether a socket can say nothing to that family, as it is or would be bound.
bool Stack::Impl::speaks_other_family(const udp::Socket& socket,
                                      const IpAddress& destination) const {
  const bool is_bound = socket.local.port != Port{};
  if (is_bound && socket.local.address.is_v4()) return !destination.is_v4();
  if (!destination.is_v4()) return false;
  const bool v6_only = is_bound ? socket.binding.v6_only : socket.settings.v6_only;
  return v6_only || !socket.local.address.is_unspecified();
}

Result<Stack::Impl::Way> Stack::Impl::way_to(const udp::Socket& socket, const Endpoint& destination,
                                             const UdpSendOptions& options) const {
  const IpAddress& address = destination.address;
  if (destination.port == Port{} || address.is_unspecified() ||
      speaks_other_family(socket, address) || options.dscp >= 64 || options.ecn >= 4 ||
      (options.hop_limit == 0 && !address.is_multicast())) {  // RFC1122-3.2.1.7
    return std::unexpected(Error::invalid_argument);
  }
  const bool broadcast = interfaces_.is_broadcast(address);
  if (broadcast && !socket.settings.broadcast) return std::unexpected(Error::permission_denied);
  std::optional<InterfaceId> chosen = options.interface;
  if (!chosen) chosen = socket.settings.interface;
  if (!chosen && address.is_multicast()) chosen = socket.settings.multicast_interface;
  if (chosen && !is_interface(*chosen)) return std::unexpected(Error::invalid_argument);
  const auto route = interfaces_.route(address, chosen ? zone_of(*chosen) : destination.zone);
  if (!route) return std::unexpected(Error::network_unreachable);
  const auto source = source_to(socket, destination, *route, options);
  if (!source) return std::unexpected(source.error());
  return Way{*route, *source, !broadcast && !address.is_multicast()};
}

// ---- to send

/// The one copy on the way out; nothing when the pool is exhausted.
Packet Stack::Impl::packet_with(std::span<const std::byte> data) {
  Packet packet = pool_.take_packet();
  if (!packet || packet.append_copy(data)) return packet;
  Slice slice = pool_.take(static_cast<std::uint32_t>(data.size()));
  if (!slice) return {};
  std::ranges::copy(data, slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(data.size()));
  packet.append(std::move(slice));
  return packet;
}

Result<std::size_t> Stack::Impl::udp_send(Instant now, SocketHandle handle,
                                          std::span<const std::byte> data,
                                          const Endpoint* destination,
                                          const UdpSendOptions& options) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  if (const auto error = socket->take_error()) return std::unexpected(*error);
  if (destination == nullptr && !socket->remote) return std::unexpected(Error::not_connected);
  const Endpoint to = destination == nullptr ? *socket->remote : *destination;
  if (data.size() > (to.address.is_v4() ? wire::kLargestUdp4 : wire::kLargestUdp6)) {
    return std::unexpected(Error::message_size);
  }
  UdpSendOptions chosen = options;
  if (socket->remote && !chosen.source && !socket->source.address.is_unspecified()) {
    chosen.source = socket->source.address;
  }
  const auto way = way_to(*socket, to, chosen);
  if (!way) return std::unexpected(way.error());
  const UdpSettings& settings = socket->settings;
  const bool dont_fragment = options.dont_fragment.value_or(settings.dont_fragment);
  const std::size_t ip_header = to.address.is_v4() ? wire::kIpv4MinHeader : wire::kIpv6Header;
  if (dont_fragment &&
      data.size() + wire::kUdpHeader + ip_header > mtu_to(now, way->route.interface, to.address)) {
    return std::unexpected(Error::message_size);
  }
  if (!socket->has_room_to_send()) {
    socket->on_refused();
    return std::unexpected(Error::would_block);
  }
  if (outgoing_bytes_ + data.size() > config_.udp.max_outgoing) {
    return std::unexpected(Error::no_buffer_space);
  }
  if (const auto bound = bind_if_needed(stack::index_of(handle)); !bound) {
    return std::unexpected(bound.error());
  }
  Packet packet = packet_with(data);
  if (!packet) return std::unexpected(Error::no_buffer_space);
  now_ = now;
  wire::push_udp(packet, {socket->local.port, to.port}, way->source, to.address);
  const std::optional<std::uint8_t> hops =
      to.address.is_multicast() ? settings.multicast_hop_limit : settings.hop_limit;
  const std::uint8_t hop_limit =
      hop_limit_of(options.hop_limit ? options.hop_limit : hops, way->route.interface, to.address);
  wire::push_ip(
      packet,
      {.source = way->source,
       .destination = to.address,
       .protocol = static_cast<std::uint8_t>(wire::IpProtocol::udp),
       .hop_limit = hop_limit,
       .dscp = options.dscp.value_or(settings.dscp),
       .ecn = options.ecn.value_or(settings.ecn),
       .identification = identification_for(way->source, to.address, dont_fragment),
       .dont_fragment = dont_fragment,
       .flow_label = flow_label_of({{way->source, socket->local.port}, {to.address, to.port}})});
  packet.set_interface(way->route.interface);
  Outgoing outgoing{.packet = std::move(packet),
                    .source = way->source,
                    .destination = to.address,
                    .socket = handle};
  outgoing.bytes = static_cast<std::uint32_t>(std::max<std::size_t>(data.size(), 1));
  if (!way->is_unicast && way->route.interface != ip::kLoopback) {
    outgoing.to_ourselves =
        to.address.is_multicast()
            ? settings.multicast_loop && multicast_.is_member(way->route.interface, to.address)
            : udp_.has_port(to.port);
    outgoing.to_link = hop_limit != 0;  // RFC1112-6.1: zero stays on this host
  }
  socket->on_queued(outgoing.bytes);
  ++socket->sent;
  put_outgoing(std::move(outgoing));
  ++counters_.datagrams_sent;
  return data.size();
}

// ---- to receive

Result<UdpReceived> Stack::Impl::udp_receive(SocketHandle handle, std::span<std::byte> out,
                                             bool peek) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  if (const auto error = socket->take_error()) return std::unexpected(*error);
  if (!socket->has_datagram()) return std::unexpected(Error::would_block);
  const udp::Datagram& datagram = socket->front();
  UdpReceived received;
  received.length = datagram.payload.size();
  received.size = std::min(out.size(), received.length);
  received.source = datagram.source;
  received.destination = datagram.destination;
  received.interface = datagram.interface;
  received.hop_limit = datagram.hop_limit;
  received.dscp = datagram.dscp;
  received.ecn = datagram.ecn;
  datagram.payload.copy_to(0, out.first(received.size));
  if (!peek) udp_.pop(stack::index_of(handle));
  return received;
}

Result<void> Stack::Impl::udp_close(Instant now, SocketHandle handle) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  now_ = now;
  for (const udp::Membership& membership : socket->groups) {
    multicast_.leave(now, membership.interface, membership.group);
  }
  udp_.close(stack::index_of(handle));
  return {};
}

// ---- groups

std::optional<InterfaceId> Stack::Impl::group_interface(const IpAddress& group,
                                                        std::optional<InterfaceId> chosen) const {
  if (chosen) return chosen;
  if (const auto route = interfaces_.route(group)) return route->interface;
  return std::nullopt;
}

Result<void> Stack::Impl::udp_join(Instant now, SocketHandle handle, const IpAddress& group,
                                   std::optional<InterfaceId> interface) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  const auto chosen = group_interface(group, interface);
  if (!chosen) return std::unexpected(Error::network_unreachable);
  if (!is_interface(*chosen)) return std::unexpected(Error::invalid_argument);
  const udp::Membership membership{*chosen, group};
  if (socket->has_joined(membership)) {
    return std::unexpected(Error::address_in_use);
  }
  if (socket->groups.size() >= config_.udp.max_groups) {
    return std::unexpected(Error::no_buffer_space);
  }
  now_ = now;
  if (const auto joined = multicast_.join(now, *chosen, group); !joined) return joined;
  socket->groups.push_back(membership);
  return {};
}

Result<void> Stack::Impl::udp_leave(Instant now, SocketHandle handle, const IpAddress& group,
                                    std::optional<InterfaceId> interface) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  const auto chosen = group_interface(group, interface);
  if (!chosen || std::erase(socket->groups, udp::Membership{*chosen, group}) == 0) {
    return std::unexpected(Error::address_not_available);
  }
  now_ = now;
  multicast_.leave(now, *chosen, group);
  return {};
}

// ---- to set and to see

Result<UdpInfo> Stack::Impl::udp_info(SocketHandle handle) {
  const udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  UdpInfo info{.local = socket->local,
               .remote = socket->remote,
               .receive_queue = socket->queued_bytes(),
               .receive_memory = socket->queued_memory(),
               .send_queue = socket->outgoing(),
               .datagrams_received = socket->received,
               .datagrams_sent = socket->sent,
               .dropped = socket->dropped};
  if (socket->remote && info.local.address.is_unspecified()) info.local = socket->source;
  return info;
}

Result<UdpSettings> Stack::Impl::udp_settings(SocketHandle handle) {
  const udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  return socket->settings;
}

Result<void> Stack::Impl::udp_set_settings(SocketHandle handle, const UdpSettings& settings) {
  udp::Socket* socket = udp_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  if (!settings.is_valid()) return std::unexpected(Error::invalid_argument);
  socket->settings = settings;
  return {};
}

std::optional<Error> Stack::Impl::udp_take_error(SocketHandle handle) {
  udp::Socket* socket = udp_of(handle);
  return socket == nullptr ? std::nullopt : socket->take_error();
}

std::optional<IcmpErrorReport> Stack::Impl::udp_take_error_report(SocketHandle handle) {
  udp::Socket* socket = udp_of(handle);
  return socket == nullptr ? std::nullopt : socket->take_report();
}

std::vector<SocketHandle> Stack::Impl::udp_sockets() const {
  std::vector<SocketHandle> handles;
  for (const std::uint32_t index : udp_.all()) handles.push_back(udp_handle_of(index));
  return handles;
}

}  // namespace hawser
