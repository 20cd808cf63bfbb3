// Where a switch of an Ethernet sends a frame: it learns from source addresses which port a host is
// behind (IEEE 802.1D 7.8 and 7.9). No spanning tree: whoever joins switches makes no loop.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>

#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"
#include "hawser/world.hpp"

namespace hawser::sim {

/// Work for a frame does not grow with the table.
class LearningSwitch {
 public:
  explicit LearningSwitch(const SwitchConfig& config) : config_(config) {}
  LearningSwitch(LearningSwitch&&) = default;
  LearningSwitch& operator=(LearningSwitch&&) = default;

  enum class Way : std::uint8_t {
    to_port,  ///< out of one port
    to_all,   ///< out of all but the one that it came in by
    nowhere,  ///< malformed, or its host is behind the port that it came in by
  };
  struct Decision {
    Way way{};
    std::uint32_t port = 0;
  };

  /// What becomes of a frame that came in by `port`. Time never goes backwards.
  Decision on_frame(Instant now, std::uint32_t port, const Packet& frame);

  const SwitchCounters& counters() const { return counters_; }
  /// Addresses that are known now.
  std::size_t known() const { return entries_.size(); }

 private:
  struct Entry {
    MacAddress address;
    std::uint32_t port;
    Instant seen;
  };
  using Entries = std::list<Entry>;

  void forget_old(Instant now);
  void learn(Instant now, const MacAddress& address, std::uint32_t port);

  SwitchConfig config_;
  SwitchCounters counters_;
  Entries entries_;  // the one that was seen longest ago first
  absl::flat_hash_map<std::uint64_t, Entries::iterator> by_address_;
};

}  // namespace hawser::sim
