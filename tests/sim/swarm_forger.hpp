// Who is hostile on the network of a swarm: it sees what hosts send, forges fragments that overlap
// it, and tells lies about who has which address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "core/random.hpp"
#include "hawser/world.hpp"
#include "swarm_network_plan.hpp"
#include "wire/ip.hpp"

namespace hawser::swarm {

class Forger {
 public:
  /// Told of each datagram that meets a forged fragment, by its number, before that is sent.
  using Victim = std::function<void(std::uint32_t number)>;

  Forger(World& world, const NetworkPlan& plan, std::vector<StackId> hosts, Victim on_victim);

  /// A frame that a host sends.
  void on_frame(const Packet& frame);
  /// Forges no fragments from now on.
  void rest() { resting_ = true; }
  void spoof(const Spoof& spoof);

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
  void inject(HostNumber host, Packet packet, const MacAddress& from, bool is_arp);
  void claim(const Spoof& spoof);

  World& world_;
  const NetworkPlan& plan_;
  std::vector<StackId> hosts_;
  Victim on_victim_;
  Random random_;
  std::map<Key, Seen> seen_;
  std::uint64_t forged_ = 0;
  bool resting_ = false;
};

}  // namespace hawser::swarm
