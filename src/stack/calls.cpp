// The calls of the application (RFC 9293 3.9.1, 3.10.1 to 3.10.6).
#include <algorithm>

#include "stack/impl.hpp"
#include "tcp/congestion/congestion.hpp"

namespace hawser {

/// To listen at: the zone is that which is given, else of the interface that has the address.
Result<Endpoint> Stack::Impl::local_end(const Endpoint& local) const {
  Endpoint end = local;
  if (!local.address.needs_zone()) {
    end.zone = Zone::none;
  } else if (local.zone == Zone::none) {
    const auto all = interfaces_.addresses().all();
    const auto own = std::ranges::find_if(all, [&](const ip::OwnAddress& candidate) {
      return candidate.prefix.address == local.address && candidate.is_usable();
    });
    if (own != all.end()) end.zone = zone_of(own->interface);
  }
  if (!end.address.is_unspecified() && !is_ours(end)) {
    return std::unexpected(Error::address_not_available);
  }
  return end;
}

Result<SocketHandle> Stack::Impl::listen(Endpoint local, std::uint32_t backlog) {
  if (!is_valid(config_.tcp.defaults)) return std::unexpected(Error::invalid_argument);
  const auto end = local_end(local);
  if (!end) return std::unexpected(end.error());
  local = *end;
  if (local.port == Port{}) {
    const auto port = ephemeral_ports_.choose(
        local.address, Endpoint{}, [&](Port candidate) { return !listeners_.has_port(candidate); });
    if (!port) return std::unexpected(Error::address_in_use);
    local.port = *port;
  }
  // RFC9293-MUST-41, RFC9293-MUST-42: only another listener is in the way.
  const std::uint32_t index = listeners_.add(local, backlog, config_.tcp.defaults);
  if (index == stack::ListenerTable::kNone) return std::unexpected(Error::address_in_use);
  return stack::handle_of(SocketKind::listener, index, listeners_.generation(index));
}

Result<SocketHandle> Stack::Impl::accept(SocketHandle socket) {
  tcp::Listener* listener = listener_of(socket);
  if (listener == nullptr) {
    return std::unexpected(connection_of(socket) == nullptr ? Error::bad_handle
                                                            : Error::invalid_argument);
  }
  if (listener->accept_queue.empty()) return std::unexpected(Error::would_block);
  const std::uint32_t index = listener->accept_queue.front();
  listener->accept_queue.pop_front();
  ConnectionSlot& slot = connections_[index];
  slot.in_accept_queue = false;
  if (any(slot.pending)) readiness_.push_back(handle_of(index));
  return handle_of(index);
}

bool Stack::Impl::is_port_usable(const Tuple& tuple) const {
  return tuple.local != tuple.remote && !listeners_.has_port(tuple.local.port) &&
         !demux_.find(tuple);
}

/// RFC9293-MUST-43, RFC9293-MUST-44: our end, as it was given or else chosen.
Result<Endpoint> Stack::Impl::choose_local(Instant now, const Endpoint& local,
                                           const Endpoint& remote, InterfaceId way) {
  Endpoint chosen = end_on(way, local.address, local.port);
  if (local.address.is_unspecified()) {
    const auto source = interfaces_.source_for(remote.address, zone_of(way));
    if (!source) return std::unexpected(Error::address_not_available);
    chosen = end_on(way, *source, local.port);
  } else if (local.address.family() != remote.address.family()) {
    return std::unexpected(Error::invalid_argument);
  } else if (!is_ours(chosen) ||
             (local.address.is_loopback() && !interfaces_.is_ours(remote.address))) {
    return std::unexpected(Error::address_not_available);
  }
  const auto takeable = [&](Port port) {
    const Tuple tuple{{chosen.address, port, chosen.zone}, remote};
    const Flow flow = demux_.find(tuple);
    if (!flow) return true;
    return flow.kind() == FlowKind::time_wait &&
           tcp::may_reuse(time_wait_[flow.slot()], now, config_.tcp.msl, config_.tcp.timestamps);
  };
  if (local.port != Port{}) {
    if (!takeable(local.port)) return std::unexpected(Error::address_in_use);
    return chosen;
  }
  auto port = ephemeral_ports_.choose(chosen.address, remote, [&](Port candidate) {
    return is_port_usable({{chosen.address, candidate, chosen.zone}, remote});
  });
  if (!port) {  // before giving up: one in TIME-WAIT that may be used again
    port = ephemeral_ports_.choose(chosen.address, remote, [&](Port candidate) {
      return !listeners_.has_port(candidate) && takeable(candidate);
    });
  }
  if (!port) return std::unexpected(Error::address_in_use);
  chosen.port = *port;
  return chosen;
}

Result<SocketHandle> Stack::Impl::connect(Instant now, Endpoint local, const Endpoint& remote,
                                          const TcpSettings* settings) {
  // RFC9293-MUST-46
  if (!interfaces_.is_unicast(remote.address) || remote.port == Port{} ||
      !is_valid(settings != nullptr ? *settings : config_.tcp.defaults)) {
    return std::unexpected(Error::invalid_argument);
  }
  const auto route = interfaces_.route(remote.address, remote.zone);
  if (!route) return std::unexpected(Error::network_unreachable);
  if (connections_.size() >= config_.tcp.max_connections) {
    return std::unexpected(Error::no_buffer_space);
  }
  const Endpoint peer = end_on(route->interface, remote.address, remote.port);
  const auto chosen = choose_local(now, local, peer, route->interface);
  if (!chosen) return std::unexpected(chosen.error());
  const Context at = context(now);
  const Tuple tuple{*chosen, peer};
  SeqNum iss = numbers_.sequence(now, tuple);
  if (const Flow old = demux_.find(tuple)) {
    iss = tcp::isn_beyond(time_wait_[old.slot()], iss);
    forget_time_wait(old.slot());
  }
  const std::uint32_t index = connections_.emplace(
      route->interface, at, tuple, iss, tcp::mss_for(route->mtu, remote.address.family()),
      numbers_.timestamp_offset(tuple), settings == nullptr ? config_.tcp.defaults : *settings);
  connections_[index].connection.set_flow_label(flow_label_of(tuple));
  adopt_path_mtu(at, index);
  demux_.insert({FlowKind::connection, index});
  ++counters_.connections_opened;
  settle(at, index);
  return handle_of(index);
}

Result<std::size_t> Stack::Impl::send(Instant now, SocketHandle socket,
                                      std::span<const std::byte> data, bool urgent) {
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) {
    return std::unexpected(listener_of(socket) != nullptr ? Error::not_connected
                                                          : Error::bad_handle);
  }
  const Context at = context(now);
  auto result = slot->connection.send(at, data, urgent);
  settle(at, socket.index);
  return result;
}

Result<std::size_t> Stack::Impl::receive(Instant now, SocketHandle socket,
                                         std::span<std::byte> out) {
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) {
    return std::unexpected(listener_of(socket) != nullptr ? Error::not_connected
                                                          : Error::bad_handle);
  }
  const Context at = context(now);
  auto result = slot->connection.receive(at, out);
  settle(at, socket.index);
  return result;
}

std::optional<std::uint32_t> Stack::Impl::urgent_mark(SocketHandle socket) {
  const ConnectionSlot* slot = connection_of(socket);
  return slot == nullptr ? std::nullopt : slot->connection.urgent_mark();
}

Result<void> Stack::Impl::shutdown_write(Instant now, SocketHandle socket) {
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) {
    return std::unexpected(listener_of(socket) != nullptr ? Error::not_connected
                                                          : Error::bad_handle);
  }
  const Context at = context(now);
  auto result = slot->connection.shutdown_write(at);
  settle(at, socket.index);
  return result;
}

Result<void> Stack::Impl::close(Instant now, SocketHandle socket) {
  const Context at = context(now);
  if (tcp::Listener* listener = listener_of(socket)) {
    for (const std::uint32_t index : listener->accept_queue) {
      connections_[index].connection.abort(at);
      release(at, index);
    }
    // What is in the SYN queue finds its listener gone when it next comes up.
    listeners_.remove(stack::index_of(socket));
    return {};
  }
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) return std::unexpected(Error::bad_handle);
  slot->connection.close(at);
  release(at, socket.index);
  return {};
}

Result<void> Stack::Impl::abort(Instant now, SocketHandle socket) {
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) return close(now, socket);
  const Context at = context(now);
  slot->connection.abort(at);
  release(at, socket.index);
  return {};
}

Result<TcpInfo> Stack::Impl::info(SocketHandle socket) {
  if (const tcp::Listener* listener = listener_of(socket)) {
    TcpInfo info;
    info.state = TcpState::listen;
    info.local = listener->local;
    info.remote = {IpAddress::any(listener->local.address.family()), Port{}};
    return info;
  }
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) return std::unexpected(Error::bad_handle);
  TcpInfo info = slot->connection.info(context(now_));
  // TIME-WAIT is over when its record is gone, which the connection is not told.
  if (info.state == TcpState::time_wait &&
      demux_.find(slot->connection.tuple()).kind() != FlowKind::time_wait) {
    info.state = TcpState::closed;
  }
  return info;
}

Result<TcpSettings> Stack::Impl::settings(SocketHandle socket) {
  if (const tcp::Listener* listener = listener_of(socket)) return listener->settings;
  const ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) return std::unexpected(Error::bad_handle);
  return slot->connection.settings();
}

bool Stack::Impl::is_valid(const TcpSettings& settings) const {
  return settings.is_valid() &&
         tcp::find_congestion(config_.tcp, settings.congestion_control) != nullptr;
}

Result<void> Stack::Impl::set_settings(Instant now, SocketHandle socket,
                                       const TcpSettings& settings) {
  if (!is_valid(settings)) return std::unexpected(Error::invalid_argument);
  if (tcp::Listener* listener = listener_of(socket)) {
    listener->settings = settings;
    return {};
  }
  ConnectionSlot* slot = connection_of(socket);
  if (slot == nullptr) return std::unexpected(Error::bad_handle);
  const Context at = context(now);
  slot->connection.set_settings(at, settings);
  settle(at, socket.index);
  return {};
}

Ready Stack::Impl::ready(SocketHandle socket) {
  if (const tcp::Listener* listener = listener_of(socket)) {
    return listener->accept_queue.empty() ? Ready::none : Ready::readable;
  }
  if (const udp::Socket* udp = udp_of(socket)) return udp->ready();
  if (const udp::EchoSocket* echo = echo_of(socket)) return echo->ready();
  const ConnectionSlot* slot = connection_of(socket);
  return slot == nullptr ? Ready::none : slot->connection.ready();
}

std::optional<Error> Stack::Impl::take_error(SocketHandle socket) {
  ConnectionSlot* slot = connection_of(socket);
  return slot == nullptr ? std::nullopt : slot->connection.take_error();
}

std::optional<IcmpErrorReport> Stack::Impl::error_report(SocketHandle socket) {
  if (connection_of(socket) == nullptr) return std::nullopt;
  const auto report = error_reports_.find(socket.index);
  return report == error_reports_.end() ? std::nullopt : std::optional(report->second);
}

}  // namespace hawser
