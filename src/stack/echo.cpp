// ICMP echo sockets: requests that leave, replies and errors that come back (RFC 792, RFC 4443 4).
#include <algorithm>

#include "stack/impl.hpp"
#include "wire/icmp.hpp"

namespace hawser {

namespace {

constexpr std::uint8_t kEchoRequest4 = 8;
constexpr std::uint8_t kEchoRequest6 = 128;
/// Bytes of data in the largest request.
constexpr std::size_t kLargest4 = 65535 - wire::kIpv4MinHeader - wire::kIcmpHeader;
constexpr std::size_t kLargest6 = 65535 - wire::kIcmpHeader;

}  // namespace

udp::EchoSocket* Stack::Impl::echo_of(SocketHandle socket) {
  if (stack::kind_of(socket) != SocketKind::echo) return nullptr;
  return echo_.find(stack::index_of(socket), socket.generation);
}

Result<SocketHandle> Stack::Impl::icmp_open(std::uint16_t identifier) {
  const auto index = echo_.open(identifier);
  if (!index) return std::unexpected(index.error());
  return stack::handle_of(SocketKind::echo, *index, echo_.generation(*index));
}

Result<void> Stack::Impl::icmp_close(SocketHandle socket) {
  if (echo_of(socket) == nullptr) return std::unexpected(Error::bad_handle);
  echo_.close(stack::index_of(socket));
  return {};
}

Result<EchoInfo> Stack::Impl::icmp_info(SocketHandle handle) {
  const udp::EchoSocket* socket = echo_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  return socket->info();
}

std::vector<SocketHandle> Stack::Impl::icmp_sockets() const {
  std::vector<SocketHandle> handles;
  echo_.for_each([&](std::uint32_t index) {
    handles.push_back(stack::handle_of(SocketKind::echo, index, echo_.generation(index)));
  });
  return handles;
}

// ---- requests

Result<Stack::Impl::Way> Stack::Impl::echo_way(const Endpoint& destination,
                                               const EchoRequest& request) const {
  const IpAddress& address = destination.address;
  if (address.is_unspecified() || request.hop_limit == 0 || request.dscp >= 64 ||
      (request.interface && !is_interface(*request.interface))) {
    return std::unexpected(Error::invalid_argument);
  }
  if (interfaces_.is_broadcast(address)) return std::unexpected(Error::permission_denied);
  const Zone zone = request.interface ? zone_of(*request.interface) : destination.zone;
  const auto route = interfaces_.route(address, zone);
  if (!route) return std::unexpected(Error::network_unreachable);
  const auto source = request.source ? request.source : interfaces_.source_for(address, zone);
  if (!source || !interfaces_.is_ours(*source) ||
      (source->is_loopback() && route->interface != ip::kLoopback)) {
    return std::unexpected(Error::address_not_available);
  }
  if (source->family() != address.family()) return std::unexpected(Error::invalid_argument);
  return Way{*route, *source, !address.is_multicast()};
}

Result<void> Stack::Impl::icmp_send_echo(Instant now, SocketHandle handle,
                                         const Endpoint& destination,
                                         std::span<const std::byte> data,
                                         const EchoRequest& request) {
  udp::EchoSocket* socket = echo_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  const bool v4 = destination.address.is_v4();
  if (data.size() > (v4 ? kLargest4 : kLargest6)) return std::unexpected(Error::message_size);
  const auto way = echo_way(destination, request);
  if (!way) return std::unexpected(way.error());
  const std::size_t headers = wire::kIcmpHeader + (v4 ? wire::kIpv4MinHeader : wire::kIpv6Header);
  if (request.dont_fragment &&
      data.size() + headers > mtu_to(now, way->route.interface, destination.address)) {
    return std::unexpected(Error::message_size);
  }
  if (outgoing_bytes_ + data.size() > config_.udp.max_outgoing) {
    return std::unexpected(Error::would_block);
  }
  Packet packet = packet_with(data);
  if (!packet) return std::unexpected(Error::no_buffer_space);
  now_ = now;
  const IpAddress& to = destination.address;
  wire::push_icmp_echo(
      packet, {.reply = false, .identifier = socket->identifier, .sequence = request.sequence},
      way->source, to);
  const auto protocol = v4 ? wire::IpProtocol::icmp : wire::IpProtocol::icmpv6;
  wire::push_ip(packet,
                {.source = way->source,
                 .destination = to,
                 .protocol = static_cast<std::uint8_t>(protocol),
                 .hop_limit = hop_limit_of(request.hop_limit, way->route.interface, to),
                 .dscp = request.dscp,
                 .identification = identification_for(way->source, to, request.dont_fragment),
                 .dont_fragment = request.dont_fragment,
                 .flow_label = flow_label_of({{way->source, Port{}}, {to, Port{}}})});
  packet.set_interface(way->route.interface);
  const auto bytes = static_cast<std::uint32_t>(std::max<std::size_t>(data.size(), 1));
  socket->on_request(bytes);
  put_outgoing({.packet = std::move(packet),
                .source = way->source,
                .destination = to,
                .socket = handle,
                .bytes = bytes});
  return {};
}

// ---- answers

void Stack::Impl::deliver_answer(const Context& context, std::uint16_t identifier,
                                 udp::QueuedAnswer answer) {
  const std::uint32_t index = echo_.find(identifier);
  if (index == udp::EchoTable::kNone) return drop(context, DropReason::bad_icmp, 0);
  if (!echo_.push(index, std::move(answer))) {
    return drop(context, DropReason::receive_queue_full, 0);
  }
  udp::EchoSocket& socket = echo_[index];
  if (!any(socket.pending)) {
    readiness_.push_back(stack::handle_of(SocketKind::echo, index, echo_.generation(index)));
  }
  socket.pending |= Ready::readable;
}

void Stack::Impl::on_echo_reply(const Context& context, const wire::IpHeader& ip,
                                const wire::IcmpEcho& reply, Packet& message) {
  const InterfaceId interface = message.interface();
  message.trim_front(wire::kIcmpHeader);
  deliver_answer(context, reply.identifier,
                 {.answer = {.at = context.now,
                             .sequence = reply.sequence,
                             .from = ip.source,
                             .interface = interface,
                             .hop_limit = ip.hop_limit},
                  .data = std::move(message)});
}

/// About a request of ours, whose identifier and sequence stand where TCP has its number.
void Stack::Impl::on_echo_error(const Context& context, const wire::IcmpError& error,
                                const IcmpSender& sender) {
  if (error.kind == wire::IcmpErrorKind::source_quench) return;  // RFC 6633
  const std::uint8_t request = error.source.is_v4() ? kEchoRequest4 : kEchoRequest6;
  if (to_number(error.source_port) >> 8 != request || !interfaces_.is_ours(error.source)) {
    return drop(context, DropReason::bad_icmp, 0);
  }
  IcmpErrorReport report = report_of(context, error, sender);
  report.destination.port = Port{};
  report.sequence = static_cast<std::uint16_t>(error.seq.value());
  deliver_answer(context, static_cast<std::uint16_t>(error.seq.value() >> 16),
                 {.answer = {.at = context.now,
                             .sequence = report.sequence,
                             .from = sender.address,
                             .error = report,
                             .interface = sender.interface,
                             .hop_limit = sender.hop_limit},
                  .data = {}});
}

Result<EchoAnswer> Stack::Impl::icmp_receive(SocketHandle handle, std::span<std::byte> out) {
  const udp::EchoSocket* socket = echo_of(handle);
  if (socket == nullptr) return std::unexpected(Error::bad_handle);
  if (socket->queue.empty()) return std::unexpected(Error::would_block);
  const udp::QueuedAnswer oldest = echo_.pop(stack::index_of(handle));
  EchoAnswer answer = oldest.answer;
  if (oldest.data) {
    answer.length = oldest.data.size();
    answer.size = std::min(answer.length, out.size());
    oldest.data.copy_to(0, out.first(answer.size));
  }
  return answer;
}

}  // namespace hawser
