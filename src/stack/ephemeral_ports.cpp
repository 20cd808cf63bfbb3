#include "stack/ephemeral_ports.hpp"

#include <span>

#include "tcp/tuple.hpp"

namespace hawser::stack {

std::uint32_t EphemeralPorts::offset_of(const IpAddress& local, const Endpoint& remote) const {
  const tcp::Tuple tuple{{local, Port{}}, remote};
  return static_cast<std::uint32_t>(hash_(std::as_bytes(std::span(&tuple, 1)))) % count_;
}

}  // namespace hawser::stack
