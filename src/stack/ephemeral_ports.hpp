// Which local port a connection gets when its owner does not care (RFC 6056 3.3.3, algorithm 3).
#pragma once

#include <cstdint>
#include <optional>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/tcp.hpp"

namespace hawser::stack {

/// A counter, shifted by a keyed hash of the destination: outsiders cannot guess the next port, and
/// towards one destination no port comes again before all others were used.
class EphemeralPorts {
 public:
  EphemeralPorts(Random& random, const TcpConfig& config)
      : hash_(random),
        first_(config.ephemeral_first),
        count_(config.ephemeral_last < config.ephemeral_first
                   ? 1U
                   : std::uint32_t{config.ephemeral_last} - config.ephemeral_first + 1) {}

  /// The next port for which `usable(Port)` holds; nothing when there is none. Looks at more than
  /// a few only when most are taken, and never at more than there are.
  template <typename Usable>
  std::optional<Port> choose(const IpAddress& local, const Endpoint& remote, Usable usable) {
    const std::uint32_t offset = offset_of(local, remote);
    for (std::uint32_t tried = 0; tried < count_; ++tried) {
      const Port port{static_cast<std::uint16_t>(first_ + (offset + next_++) % count_)};
      if (usable(port)) return port;
    }
    return std::nullopt;
  }

 private:
  std::uint32_t offset_of(const IpAddress& local, const Endpoint& remote) const;

  KeyedHash hash_;
  std::uint32_t first_;
  std::uint32_t count_;
  std::uint32_t next_ = 0;
};

}  // namespace hawser::stack
