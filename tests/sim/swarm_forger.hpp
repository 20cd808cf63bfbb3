// Who is hostile to datagrams on the network of a swarm: it sees what hosts send, and forges
// fragments that overlap it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "core/random.hpp"
#include "hawser/world.hpp"
#include "swarm_injection.hpp"
#include "swarm_network_plan.hpp"
#include "wire/ip.hpp"

namespace hawser::swarm {

class Forger {
 public:
  /// Told of each datagram that meets a forged fragment, by its number, before that is sent.
  using Victim = std::function<void(std::uint32_t number)>;

  Forger(World& world, const NetworkPlan& plan, std::vector<Target> hosts, Victim on_victim);

  /// An IP packet that a host sends.
  void on_packet(const Packet& packet);
  /// Forges nothing from now on.
  void rest() { resting_ = true; }
  std::uint64_t forged() const { return forged_; }

 private:
  /// A datagram whose fragments are leaving.
  struct Seen {
    wire::IpHeader header;
    std::vector<std::byte> payload;    ///< as far as it has been seen
    std::vector<std::uint32_t> edges;  ///< where its fragments begin and end
  };
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  using Key = std::tuple<IpAddress, IpAddress, std::uint8_t, std::uint32_t>;

  void forge(const Seen& seen, std::uint32_t identification);
  Range draw_range(const Seen& seen);
  void send(const wire::IpHeader& header, const wire::FragmentInfo& info,
            std::span<const std::byte> bytes);

  World& world_;
  const NetworkPlan& plan_;
  std::vector<Target> hosts_;
  Victim on_victim_;
  Random random_;
  std::map<Key, Seen> seen_;
  std::uint64_t forged_ = 0;
  bool resting_ = false;
};

}  // namespace hawser::swarm
