// Who is hostile to hosts on the network of a swarm: it tells lies about who has which address, and
// what became of packets.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "hawser/icmp.hpp"
#include "hawser/world.hpp"
#include "swarm_injection.hpp"
#include "swarm_network_plan.hpp"

namespace hawser::swarm {

class Liar {
 public:
  Liar(World& world, const NetworkPlan& plan, std::vector<Target> hosts);

  /// Tells what is planned about a neighbour.
  void spoof(const Spoof& spoof);
  /// An IP packet that a host sends: its sender may be told that it failed.
  void on_packet(HostNumber sender, const Packet& packet);
  /// Says nothing of packets from now on.
  void rest() { resting_ = true; }

 private:
  void claim(const Spoof& spoof);
  void flood(const Spoof& spoof);
  void tell_by_arp(const Spoof& spoof, const IpAddress& subject, const MacAddress& station);
  void tell_by_discovery(const Spoof& spoof, const IpAddress& subject, const MacAddress& station);
  Packet error_about(const Packet& packet);

  World& world_;
  const NetworkPlan& plan_;
  std::vector<Target> hosts_;
  Random random_;
  bool resting_ = false;
};

}  // namespace hawser::swarm
