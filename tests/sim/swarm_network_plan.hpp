// What one seed of the plan "network" means: hosts of an Ethernet, what their programs do, and what
// befalls links, addresses and neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/impairment.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/stack.hpp"
#include "swarm_plan.hpp"

namespace hawser::swarm {

/// A place in NetworkPlan::hosts.
using HostNumber = std::size_t;

struct HostPlan {
  TcpConfig tcp;
  Impairment up;    ///< to the switch
  Impairment down;  ///< from it
};

/// A TCP connection, of whose plan `a` and `b` are the hosts given here.
struct NetworkConnectionPlan {
  HostNumber a = 0;
  HostNumber b = 0;
  Family family = Family::ipv4;
  ConnectionPlan tcp;
};

/// A datagram or an echo request.
struct DatagramPlan {
  Instant at;
  HostNumber from = 0;
  HostNumber to = 0;
  Family family = Family::ipv4;
  bool echo = false;
  std::uint32_t bytes = 0;
};

struct HostPartition {
  HostNumber host = 0;
  Partition when;
};

/// A host loses one of its addresses for a time.
struct AddressLoss {
  Instant at;
  Duration length;
  HostNumber host = 0;
  Family family = Family::ipv4;
};

/// Somebody tells `victim` that an address of `subject` is at a station where it is not. If both
/// are the same it claims the victim's own address, and says so twice.
struct Spoof {
  enum class Kind : std::uint8_t { arp_request, arp_reply, advertisement, answer, solicitation };
  Instant at;
  HostNumber victim = 0;
  HostNumber subject = 0;
  Kind kind{};
  MacAddress station;

  Family family() const {
    return kind == Kind::arp_request || kind == Kind::arp_reply ? Family::ipv4 : Family::ipv6;
  }
};

struct NetworkPlan {
  std::uint64_t seed = 0;
  std::uint32_t mtu = 1500;
  bool has_v6 = true;
  bool detect_duplicates = false;
  bool listen_on_any = false;  ///< else on each address
  bool timeouts_possible = false;
  double forge = 0;  ///< probability that a datagram in fragments meets a forged one
  std::vector<HostPlan> hosts;
  std::vector<NetworkConnectionPlan> connections;
  std::vector<DatagramPlan> datagrams;
  std::vector<HostPartition> partitions;
  std::vector<AddressLoss> address_losses;
  std::vector<Spoof> spoofs;

  std::span<const Family> families() const;
  static MacAddress mac(HostNumber host);
  static IpAddress address(HostNumber host, Family family);
  static Prefix prefix(HostNumber host, Family family);
  /// The station that nobody is.
  static MacAddress nobody();

  /// Neither on its link nor by anybody is anything done to a host.
  bool is_calm(HostNumber host) const;
  /// What passes between two hosts may come twice.
  bool repeats(HostNumber from, HostNumber to) const;
  /// After which only programs do anything.
  Instant last_event() const;
  /// As Plan::patience: what is lost may be a question for a neighbour as well.
  Duration patience() const;
  std::string describe() const;
};

NetworkPlan draw_network_plan(std::uint64_t seed);

}  // namespace hawser::swarm
