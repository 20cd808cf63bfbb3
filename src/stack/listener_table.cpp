#include "stack/listener_table.hpp"

#include <algorithm>

namespace hawser::stack {

std::uint32_t ListenerTable::add(const Endpoint& local, std::uint32_t backlog,
                                 const TcpSettings& settings) {
  std::vector<std::uint32_t>& same_port = by_port_[to_number(local.port)];
  const bool taken = std::ranges::any_of(
      same_port, [&](std::uint32_t index) { return listeners_[index].local == local; });
  if (taken) return kNone;
  const std::uint32_t index = listeners_.emplace(local, backlog, settings);
  same_port.push_back(index);
  return index;
}

void ListenerTable::remove(std::uint32_t index) {
  const auto same_port = by_port_.find(to_number(listeners_[index].local.port));
  std::erase(same_port->second, index);
  if (same_port->second.empty()) by_port_.erase(same_port);
  listeners_.erase(index);
}

std::uint32_t ListenerTable::find(const Endpoint& destination) const {
  const auto same_port = by_port_.find(to_number(destination.port));
  if (same_port == by_port_.end()) return kNone;
  std::uint32_t best = kNone;
  tcp::ListenerMatch best_match = tcp::ListenerMatch::none;
  for (const std::uint32_t index : same_port->second) {
    const Zone zone = listeners_[index].local.zone;
    // What we say to ourselves is on no link.
    if (zone != Zone::none && destination.zone != Zone::none && zone != destination.zone) continue;
    const auto match = tcp::match(listeners_[index].local.address, destination.address);
    if (match < best_match) {
      best = index;
      best_match = match;
    }
  }
  return best;
}

}  // namespace hawser::stack
