#include "udp/table.hpp"

#include <algorithm>

namespace hawser::udp {

namespace {

/// Whether a socket bound to `bound` takes what is sent to `destination`.
bool covers(const IpAddress& bound, bool v6_only, const IpAddress& destination) {
  if (bound == destination) return true;
  if (!bound.is_unspecified()) return false;
  return bound.is_v4() ? destination.is_v4() : !destination.is_v4() || !v6_only;
}

}  // namespace

std::size_t Table::TupleHash::operator()(const tcp::Tuple& tuple) const {
  return hash(std::as_bytes(std::span(&tuple, 1)));
}

Table::Table(Random& random, const UdpConfig& config, std::uint16_t first_port,
             std::uint16_t last_port)
    : config_(config),
      hash_(random),
      first_port_(first_port),
      port_count_(last_port < first_port ? 1U : std::uint32_t{last_port} - first_port + 1),
      connected_(0, TupleHash{KeyedHash(random)}) {}

Result<std::uint32_t> Table::open(const UdpSettings& settings) {
  if (!settings.is_valid()) return std::unexpected(Error::invalid_argument);
  if (sockets_.size() >= config_.max_sockets) return std::unexpected(Error::no_buffer_space);
  return sockets_.emplace(settings);
}

// ---- to bind

bool Table::overlap(const Group& a, const Group& b) {
  if (a.interface && b.interface && *a.interface != *b.interface) return false;
  return covers(a.address, a.v6_only, b.address) || covers(b.address, b.v6_only, a.address);
}

bool Table::conflicts(const Groups& groups, const Group& wanted, const Socket& socket) {
  return std::ranges::any_of(groups, [&](const Group& other) {
    return other.bound != 0 && overlap(other, wanted) &&
           !(socket.binding.reuse_address && other.without_reuse_address == 0) &&
           !(socket.binding.reuse_port && other.without_reuse_port == 0);
  });
}

/// RFC6056-3.3.1: from a place that nobody can guess, the first port that is free.
std::optional<Port> Table::choose_port() {
  ++draws_;
  const auto offset =
      static_cast<std::uint32_t>(hash_(std::as_bytes(std::span(&draws_, 1))) % port_count_);
  for (std::uint32_t tried = 0; tried < port_count_; ++tried) {
    const Port port{static_cast<std::uint16_t>(first_port_ + (offset + tried) % port_count_)};
    if (!has_port(port)) return port;
  }
  return std::nullopt;
}

Result<void> Table::bind(std::uint32_t index, Endpoint local) {
  Socket& socket = sockets_[index];
  if (socket.local.port != Port{}) return std::unexpected(Error::invalid_argument);
  if (local.port == Port{}) {
    const auto port = choose_port();
    if (!port) return std::unexpected(Error::address_in_use);
    local.port = *port;
  }
  const UdpSettings& settings = socket.settings;
  socket.binding = {.v6_only = settings.v6_only,
                    .reuse_address = settings.reuse_address,
                    .reuse_port = settings.reuse_port,
                    .interface = settings.interface};
  if (local.zone != Zone::none && !socket.binding.interface) {
    socket.binding.interface = interface_of(local.zone);
  }
  const Group wanted{
      .address = local.address, .v6_only = settings.v6_only, .interface = socket.binding.interface};
  Groups& groups = ports_[to_number(local.port)];
  if (conflicts(groups, wanted, socket)) return std::unexpected(Error::address_in_use);
  socket.local = local;
  auto group = std::ranges::find_if(groups, [&](const Group& other) {
    return other.address == wanted.address && other.v6_only == wanted.v6_only &&
           other.interface == wanted.interface;
  });
  if (group == groups.end()) group = groups.insert(group, wanted);
  ++group->bound;
  if (!socket.binding.reuse_address) ++group->without_reuse_address;
  if (!socket.binding.reuse_port) ++group->without_reuse_port;
  group->receivers.push_back(index);
  return {};
}

Table::Group& Table::group_of(const Socket& socket) {
  return *std::ranges::find_if(ports_[to_number(socket.local.port)], [&](const Group& group) {
    return group.address == socket.local.address && group.v6_only == socket.binding.v6_only &&
           group.interface == socket.binding.interface;
  });
}

// ---- to connect

/// A socket that is bound to a group or a broadcast address goes on receiving there.
tcp::Tuple Table::ends_of(const Socket& socket) const {
  return {socket.local.address.is_unspecified() ? socket.source : socket.local, *socket.remote};
}

Result<void> Table::connect(std::uint32_t index, const Endpoint& source, const Endpoint& remote) {
  Socket& socket = sockets_[index];
  const std::optional<Endpoint> old_remote = socket.remote;
  const Endpoint old_source = socket.source;
  if (old_remote) connected_.erase(ends_of(socket));
  socket.source = source;
  socket.remote = remote;
  if (!connected_.try_emplace(ends_of(socket), index).second) {
    socket.source = old_source;
    socket.remote = old_remote;
    if (old_remote) connected_.emplace(ends_of(socket), index);
    return std::unexpected(Error::address_in_use);
  }
  if (!old_remote) std::erase(group_of(socket).receivers, index);
  return {};
}

void Table::disconnect(std::uint32_t index) {
  Socket& socket = sockets_[index];
  if (!socket.remote) return;
  connected_.erase(ends_of(socket));
  socket.remote.reset();
  socket.source = {};
  group_of(socket).receivers.push_back(index);
}

void Table::close(std::uint32_t index) {
  disconnect(index);
  Socket& socket = sockets_[index];
  while (socket.has_datagram()) pop(index);
  if (socket.local.port != Port{}) leave_group(index);
  sockets_.erase(index);
}

void Table::leave_group(std::uint32_t index) {
  const Socket& socket = sockets_[index];
  Group& group = group_of(socket);
  std::erase(group.receivers, index);
  if (!socket.binding.reuse_address) --group.without_reuse_address;
  if (!socket.binding.reuse_port) --group.without_reuse_port;
  if (--group.bound != 0) return;
  const auto groups = ports_.find(to_number(socket.local.port));
  groups->second.erase(groups->second.begin() + (&group - groups->second.data()));
  if (groups->second.empty()) ports_.erase(groups);
}

std::vector<std::uint32_t> Table::all() const {
  std::vector<std::uint32_t> indexes;
  indexes.reserve(sockets_.size());
  sockets_.for_each([&](std::uint32_t index, const Socket&) { indexes.push_back(index); });
  return indexes;
}

// ---- datagrams

/// How well a group fits, zero when it does not.
int Table::score(const Group& group, const IpAddress& destination, InterfaceId interface) {
  if (group.receivers.empty() || (group.interface && *group.interface != interface)) return 0;
  if (!covers(group.address, group.v6_only, destination)) return 0;
  const int address = group.address == destination                   ? 3
                      : group.address.is_v4() == destination.is_v4() ? 2
                                                                     : 1;
  return 2 * address + (group.interface ? 1 : 0);
}

std::uint32_t Table::pick(const Group& group, const tcp::Tuple& ends) const {
  if (group.receivers.size() == 1 || group.without_reuse_port != 0) return group.receivers.back();
  const std::uint64_t draw = hash_(std::as_bytes(std::span(&ends, 1)));
  return group.receivers[draw % group.receivers.size()];
}

std::uint32_t Table::find(const tcp::Tuple& ends, InterfaceId interface) const {
  if (!connected_.empty()) {
    const auto connected = connected_.find(ends);
    if (connected != connected_.end()) {
      const auto& only = sockets_[connected->second].binding.interface;
      if (!only || *only == interface) return connected->second;
    }
  }
  const auto groups = ports_.find(to_number(ends.local.port));
  if (groups == ports_.end()) return kNone;
  const Group* best = nullptr;
  int best_score = 0;
  for (const Group& group : groups->second) {
    const int fit = score(group, ends.local.address, interface);
    if (fit > best_score) {
      best = &group;
      best_score = fit;
    }
  }
  return best == nullptr ? kNone : pick(*best, ends);
}

void Table::find_all(const tcp::Tuple& ends, InterfaceId interface,
                     std::vector<std::uint32_t>& found) const {
  if (const auto connected = connected_.find(ends); connected != connected_.end()) {
    const auto& only = sockets_[connected->second].binding.interface;
    if (!only || *only == interface) found.push_back(connected->second);
  }
  const auto groups = ports_.find(to_number(ends.local.port));
  if (groups == ports_.end()) return;
  for (const Group& group : groups->second) {
    if (score(group, ends.local.address, interface) == 0) continue;
    found.insert(found.end(), group.receivers.begin(), group.receivers.end());
  }
}

bool Table::push(std::uint32_t index, Datagram datagram) {
  const std::uint32_t memory = memory_of(datagram.payload);
  Socket& socket = sockets_[index];
  if (queued_memory_ + memory > config_.max_queued) {
    ++socket.dropped;
    return false;
  }
  if (!socket.push(std::move(datagram))) return false;
  queued_memory_ += memory;
  return true;
}

}  // namespace hawser::udp
