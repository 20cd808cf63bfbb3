// The listeners of a stack, and which of them a SYN is for (RFC 9293 3.9.1.1).
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/slab.hpp"
#include "tcp/listener.hpp"

namespace hawser::stack {

class ListenerTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// kNone when there is one of exactly that address and port (RFC9293-MUST-41).
  std::uint32_t add(const Endpoint& local, std::uint32_t backlog, const TcpSettings& settings);
  void remove(std::uint32_t index);

  /// The listener for a destination: of the exact address, else of all addresses of its family,
  /// else of all addresses. kNone when there is none.
  std::uint32_t find(const Endpoint& destination) const;
  bool has_port(Port port) const { return by_port_.contains(to_number(port)); }

  tcp::Listener& operator[](std::uint32_t index) { return listeners_[index]; }
  const tcp::Listener& operator[](std::uint32_t index) const { return listeners_[index]; }
  tcp::Listener* find(std::uint32_t index, std::uint32_t generation) {
    return listeners_.find(index, generation);
  }
  std::uint32_t generation(std::uint32_t index) const { return listeners_.generation(index); }
  std::size_t size() const { return listeners_.size(); }
  /// As those of Slab.
  bool contains(std::uint32_t index) const { return listeners_.contains(index); }
  std::uint32_t end() const { return listeners_.end(); }

 private:
  Slab<tcp::Listener, 16> listeners_;
  // On one port there are few: one for each of our addresses at most, and the wildcards.
  absl::flat_hash_map<std::uint16_t, std::vector<std::uint32_t>> by_port_;
};

}  // namespace hawser::stack
