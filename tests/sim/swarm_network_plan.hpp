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

/// A network in which each host has one address.
enum class Net : std::uint8_t { ipv4, ipv6, link_local };
inline constexpr std::size_t kNets = 3;

constexpr std::size_t index_of(Net net) { return static_cast<std::size_t>(net); }

/// A place in NetworkPlan::hosts.
using HostNumber = std::size_t;
/// Instead of a host: its group.
inline constexpr HostNumber kGroup = 100;

struct HostPlan {
  TcpConfig tcp;
  Impairment up;    ///< to the switch
  Impairment down;  ///< from it
};

/// A TCP connection, of whose plan `a` and `b` are the hosts given here.
struct NetworkConnectionPlan {
  HostNumber a = 0;
  HostNumber b = 0;
  Net net{};
  ConnectionPlan tcp;
};

/// A datagram or an echo request.
struct DatagramPlan {
  Instant at;
  HostNumber from = 0;
  HostNumber to = 0;  ///< or kGroup
  Net net{};
  bool echo = false;
  std::uint32_t bytes = 0;
};

struct HostPartition {
  HostNumber host = 0;
  Partition when;
};

/// A host loses one of its addresses for a time, by a call or because it lives no longer.
struct AddressLoss {
  Instant at;
  Duration length;
  HostNumber host = 0;
  Net net{};
  bool expires = false;
};

/// A host is in the group of a family for a time.
struct Membership {
  Instant at;
  Duration length;
  HostNumber host = 0;
  Net net{};
};

/// Somebody tells `victim` that an address of `subject` is at a station where it is not. If both
/// are the same it claims the victim's own address, and says so twice.
struct Spoof {
  enum class Kind : std::uint8_t {
    arp_request,
    arp_reply,
    arp_flood,  ///< many that nobody has ask for the victim
    advertisement,
    answer,  ///< an advertisement as if it were asked for
    solicitation,
    solicitation_flood,
  };
  Instant at;
  HostNumber victim = 0;
  HostNumber subject = 0;
  Net net{};
  Kind kind{};
  MacAddress station;
};

struct NetworkPlan {
  std::uint64_t seed = 0;
  std::uint32_t mtu = 1500;
  bool has_v6 = true;
  bool detect_duplicates = false;
  bool listen_on_any = false;  ///< else on each address
  bool timeouts_possible = false;
  IpConfig ip;
  double forge = 0;      ///< probability that a datagram in fragments meets a forged one
  double icmp_lies = 0;  ///< probability that the sender of a packet is told that it failed
  std::size_t pool = 0;  ///< bytes of memory of all hosts
  std::vector<HostPlan> hosts;
  std::vector<NetworkConnectionPlan> connections;
  std::vector<DatagramPlan> datagrams;
  std::vector<HostPartition> partitions;
  std::vector<AddressLoss> address_losses;
  std::vector<Membership> memberships;
  std::vector<Spoof> spoofs;

  std::span<const Net> nets() const;
  static MacAddress mac(HostNumber host);
  /// The station that nobody is.
  static MacAddress nobody();
  /// Of a host, or of the group.
  static IpAddress address(HostNumber host, Net net);
  static Prefix prefix(HostNumber host, Net net);

  /// Neither on its link nor by anybody is anything done to a host.
  bool is_calm(HostNumber host) const;
  bool is_short_of_memory() const;
  /// A path is narrower than what hosts send.
  bool is_narrow() const;
  /// A datagram has nothing in its way.
  bool has_to_arrive(const DatagramPlan& datagram) const;
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
