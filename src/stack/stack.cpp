// The public face: everything is handed on to Impl.
#include "hawser/stack.hpp"

#include <utility>

#include "stack/impl.hpp"

namespace hawser {

namespace {

ip::Interfaces interfaces_of(const StackConfig& config) {
  std::vector<ip::Link> links;
  links.reserve(config.interfaces.size());
  for (const InterfaceConfig& interface : config.interfaces) {
    links.push_back({.mtu = interface.mtu, .has_neighbours = interface.mac.has_value()});
  }
  ip::Interfaces interfaces(std::move(links));
  for (std::size_t i = 0; i < config.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config.interfaces[i];
    for (const Prefix& prefix : interface.addresses) {
      const bool ask = interface.mac && interface.detect_duplicates && !prefix.address.is_v4();
      interfaces.add_address({{.prefix = prefix,
                               .interface = static_cast<InterfaceId>(i),
                               .state = ask ? AddressState::tentative : AddressState::preferred}});
    }
  }
  for (const RouteConfig& route : config.routes) {
    interfaces.add_route({.destination = route.destination,
                          .gateway = route.gateway,
                          .interface = route.interface,
                          .metric = route.metric});
  }
  for (const IpAddress& gateway : config.gateways) {
    const auto way = interfaces.route(gateway);
    interfaces.add_route({.destination = {IpAddress::any(gateway.family()), 0},
                          .gateway = gateway,
                          .interface = way ? way->interface : InterfaceId{0}});
  }
  return interfaces;
}

/// Not that of anything else: identifiers show what it gives.
KeyedHash identifier_key_of(const StackConfig& config) {
  constexpr std::uint64_t kOther = 0x6964656e74696669;
  Random random(config.identifier_secret.value_or(config.seed) ^ kOther);
  return KeyedHash(random);
}

// Each answer may be one of a flood of forged questions: what leaves is bounded, well above what
// honest peers ever cause.
constexpr std::uint32_t kResetsPerSecond = 10000;
constexpr std::uint32_t kSynAcksAgainPerSecond = 100;
constexpr std::uint32_t kNeighbourAnswersPerSecond = 1000;
/// ICMP errors that are longer than what they are about, for all they quote is the least.
constexpr std::uint32_t kLongErrorsPerSecond = 20;

}  // namespace

Stack::Impl::Impl(StackConfig config, BufferPool& pool)
    : config_(std::move(config)),
      pool_(pool),
      random_(config_.seed),
      numbers_(random_),
      cookies_(random_),
      flow_label_hash_(random_),
      interfaces_(interfaces_of(config_)),
      neighbours_(Random(~config_.seed)),
      autoconfiguration_(interfaces_, Random(config_.seed ^ 0x6164647265737365),
                         identifier_key_of(config_), config_.identifiers),
      dhcp_random_(config_.seed ^ 0x6c6561736573),
      reassembly_(config_.ip, pool_, random_, counters_),
      path_mtu_(config_.ip.max_paths, config_.ip.path_mtu_lifetime, random_),
      fragment_ids_(random_),
      ephemeral_ports_(random_, config_.tcp),
      demux_(random_, TupleOf{this}),
      udp_(random_, config_.udp, config_.tcp.ephemeral_first, config_.tcp.ephemeral_last),
      echo_(random_),
      multicast_(random_),
      timers_(TimerPlaceOf{&connections_}),
      reset_limit_(kResetsPerSecond, kResetsPerSecond),
      challenge_limit_(config_.tcp.challenge_acks_per_second,
                       config_.tcp.challenge_acks_per_second),
      syn_ack_limit_(kSynAcksAgainPerSecond, kSynAcksAgainPerSecond),
      icmp_limit_(config_.ip.icmp_errors_per_second, config_.ip.icmp_errors_per_second),
      neighbour_limit_(kNeighbourAnswersPerSecond, kNeighbourAnswersPerSecond),
      icmp_excess_limit_(kLongErrorsPerSecond, kLongErrorsPerSecond),
      echo_limit_(config_.ip.echo_replies_per_second, config_.ip.echo_replies_per_second) {}

StackCensus Stack::Impl::census() const {
  return {.connections = connections_.size(),
          .listeners = listeners_.size(),
          .syn_received = syn_received_.size(),
          .time_wait = time_wait_.size(),
          .udp_sockets = udp_.size(),
          .echo_sockets = echo_.size()};
}

Stack::Stack(StackConfig config, BufferPool& pool)
    : impl_(std::make_unique<Impl>(std::move(config), pool)) {}
Stack::~Stack() = default;
Stack::Stack(Stack&&) noexcept = default;
Stack& Stack::operator=(Stack&&) noexcept = default;

void Stack::on_frames(Instant now, InterfaceId interface, std::span<Packet> frames) {
  impl_->on_frames(now, interface, frames);
}
void Stack::on_time(Instant now) { impl_->on_time(now); }
std::size_t Stack::poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit) {
  return impl_->poll_frames(now, out, limit);
}
Instant Stack::next_deadline() const { return impl_->next_deadline(); }
std::optional<Readiness> Stack::poll_readiness() { return impl_->poll_readiness(); }
void Stack::set_event_buffer(EventBuffer* events) { impl_->set_event_buffer(events); }

Result<void> Stack::add_address(Instant now, InterfaceId interface, const Prefix& address,
                                const AddressOptions& options) {
  return impl_->add_address(now, interface, address, options);
}
Result<void> Stack::remove_address(Instant now, InterfaceId interface, const IpAddress& address) {
  return impl_->remove_address(now, interface, address);
}
Result<void> Stack::add_route(const RouteConfig& route, RouteOrigin origin) {
  return impl_->add_route(route, origin);
}
Result<void> Stack::remove_route(const RouteConfig& route) { return impl_->remove_route(route); }
std::vector<AddressInfo> Stack::addresses() const { return impl_->addresses(); }
std::vector<RouteInfo> Stack::routes() const { return impl_->routes(); }
std::vector<Endpoint> Stack::dns_servers() const { return impl_->dns_servers(); }
std::vector<std::string> Stack::search_domains() const { return impl_->search_domains(); }
std::vector<LeaseInfo> Stack::leases() const { return impl_->leases(); }
void Stack::release_leases(Instant now) { impl_->release_leases(now); }
std::vector<IpAddress> Stack::in_order_of_promise(std::vector<IpAddress> destinations) const {
  return impl_->interfaces().in_order_of_promise(std::move(destinations));
}

Result<SocketHandle> Stack::tcp_listen(Endpoint local, std::uint32_t backlog) {
  return impl_->listen(local, backlog);
}
Result<SocketHandle> Stack::tcp_accept(SocketHandle listener) { return impl_->accept(listener); }
Result<SocketHandle> Stack::tcp_connect(Instant now, Endpoint local, Endpoint remote,
                                        const TcpSettings* settings) {
  return impl_->connect(now, local, remote, settings);
}
Result<std::size_t> Stack::tcp_send(Instant now, SocketHandle socket,
                                    std::span<const std::byte> data) {
  return impl_->send(now, socket, data, false);
}
Result<std::size_t> Stack::tcp_send_urgent(Instant now, SocketHandle socket,
                                           std::span<const std::byte> data) {
  return impl_->send(now, socket, data, true);
}
Result<std::size_t> Stack::tcp_receive(Instant now, SocketHandle socket, std::span<std::byte> out) {
  return impl_->receive(now, socket, out);
}
std::optional<std::uint32_t> Stack::tcp_urgent_mark(SocketHandle socket) const {
  return impl_->urgent_mark(socket);
}
Result<void> Stack::tcp_shutdown_write(Instant now, SocketHandle socket) {
  return impl_->shutdown_write(now, socket);
}
Result<void> Stack::tcp_close(Instant now, SocketHandle socket) {
  return impl_->close(now, socket);
}
Result<void> Stack::tcp_abort(Instant now, SocketHandle socket) {
  return impl_->abort(now, socket);
}
Result<TcpInfo> Stack::tcp_info(SocketHandle socket) const { return impl_->info(socket); }
Result<TcpSettings> Stack::tcp_settings(SocketHandle socket) const {
  return impl_->settings(socket);
}
Result<void> Stack::tcp_set_settings(Instant now, SocketHandle socket,
                                     const TcpSettings& settings) {
  return impl_->set_settings(now, socket, settings);
}
std::optional<Error> Stack::tcp_take_error(SocketHandle socket) {
  return impl_->take_error(socket);
}
std::vector<TcpSocketInfo> Stack::tcp_sockets(SocketCursor& cursor, std::size_t limit) const {
  return impl_->tcp_sockets(cursor, limit);
}

Result<SocketHandle> Stack::udp_open(const UdpSettings* settings) {
  return impl_->udp_open(settings);
}
Result<void> Stack::udp_bind(SocketHandle socket, Endpoint local) {
  return impl_->udp_bind(socket, local);
}
Result<void> Stack::udp_connect(SocketHandle socket, const Endpoint& remote) {
  return impl_->udp_connect(socket, remote);
}
Result<void> Stack::udp_disconnect(SocketHandle socket) { return impl_->udp_disconnect(socket); }
Result<std::size_t> Stack::udp_send_to(Instant now, SocketHandle socket,
                                       std::span<const std::byte> data, const Endpoint& destination,
                                       const UdpSendOptions& options) {
  return impl_->udp_send(now, socket, data, &destination, options);
}
Result<std::size_t> Stack::udp_send(Instant now, SocketHandle socket,
                                    std::span<const std::byte> data,
                                    const UdpSendOptions& options) {
  return impl_->udp_send(now, socket, data, nullptr, options);
}
Result<UdpReceived> Stack::udp_receive_from(SocketHandle socket, std::span<std::byte> out) {
  return impl_->udp_receive(socket, out, false);
}
Result<UdpReceived> Stack::udp_peek_from(SocketHandle socket, std::span<std::byte> out) {
  return impl_->udp_receive(socket, out, true);
}
Result<void> Stack::udp_close(Instant now, SocketHandle socket) {
  return impl_->udp_close(now, socket);
}
Result<void> Stack::udp_join(Instant now, SocketHandle socket, const IpAddress& group,
                             std::optional<InterfaceId> interface) {
  return impl_->udp_join(now, socket, group, interface);
}
Result<void> Stack::udp_leave(Instant now, SocketHandle socket, const IpAddress& group,
                              std::optional<InterfaceId> interface) {
  return impl_->udp_leave(now, socket, group, interface);
}
Result<UdpInfo> Stack::udp_info(SocketHandle socket) const { return impl_->udp_info(socket); }
Result<UdpSettings> Stack::udp_settings(SocketHandle socket) const {
  return impl_->udp_settings(socket);
}
Result<void> Stack::udp_set_settings(SocketHandle socket, const UdpSettings& settings) {
  return impl_->udp_set_settings(socket, settings);
}
std::optional<Error> Stack::udp_take_error(SocketHandle socket) {
  return impl_->udp_take_error(socket);
}
std::optional<IcmpErrorReport> Stack::udp_take_error_report(SocketHandle socket) {
  return impl_->udp_take_error_report(socket);
}
std::vector<SocketHandle> Stack::udp_sockets() const { return impl_->udp_sockets(); }
std::optional<IcmpErrorReport> Stack::tcp_error_report(SocketHandle socket) const {
  return impl_->error_report(socket);
}
Result<SocketHandle> Stack::icmp_open(std::uint16_t identifier) {
  return impl_->icmp_open(identifier);
}
Result<EchoInfo> Stack::icmp_info(SocketHandle socket) const { return impl_->icmp_info(socket); }
std::vector<SocketHandle> Stack::icmp_sockets() const { return impl_->icmp_sockets(); }
Result<void> Stack::icmp_send_echo(Instant now, SocketHandle socket, const Endpoint& destination,
                                   std::span<const std::byte> data, const EchoRequest& request) {
  return impl_->icmp_send_echo(now, socket, destination, data, request);
}
Result<EchoAnswer> Stack::icmp_receive(SocketHandle socket, std::span<std::byte> out) {
  return impl_->icmp_receive(socket, out);
}
Result<void> Stack::icmp_close(SocketHandle socket) { return impl_->icmp_close(socket); }
Ready Stack::ready(SocketHandle socket) const { return impl_->ready(socket); }

std::vector<NeighbourInfo> Stack::neighbours(Instant now) const { return impl_->neighbours(now); }
const StackCounters& Stack::counters() const { return impl_->counters(); }
StackCensus Stack::census() const { return impl_->census(); }
const StackConfig& Stack::config() const { return impl_->config(); }

}  // namespace hawser
