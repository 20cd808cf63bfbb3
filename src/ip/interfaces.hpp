// The addresses of a host, and which way a packet leaves it: what RFC 1122 3.3.1 and 3.3.4 ask of a
// host that forwards nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/packet.hpp"

namespace hawser::ip {

/// What a host says to itself goes this way and no further.
inline constexpr InterfaceId kLoopback{0xffff};
/// Bytes of the largest packet that a host sends itself.
inline constexpr std::uint32_t kLoopbackMtu = 65535;

struct Route {
  InterfaceId interface{};
  std::uint32_t mtu = 0;  ///< bytes
};

/// A network that an interface is on, with our address there.
struct Network {
  Prefix prefix;
  Route route;
};

/// Made once, then only asked.
class Interfaces {
 public:
  /// `networks` are those of all interfaces; `fallback` is the way to a gateway that is on none of
  /// them.
  Interfaces(const std::vector<Network>& networks, const std::vector<IpAddress>& gateways,
             std::optional<Route> fallback);

  /// Whether packets to `address` are for us: an address of an interface, or a loopback address.
  bool is_ours(const IpAddress& address) const;
  /// 255.255.255.255, or the broadcast address of one of our networks.
  bool is_broadcast(const IpAddress& address) const;
  /// Whether one host can be meant by `address` (RFC9293-MUST-46, RFC9293-MUST-63).
  bool is_unicast(const IpAddress& address) const;

  /// The longest prefix of an interface that holds `destination`, else the gateway of its family.
  std::optional<Route> route(const IpAddress& destination) const;
  /// Our address to use towards `destination` (RFC9293-MUST-44); nothing without a route or without
  /// an address of the family.
  std::optional<IpAddress> source_for(const IpAddress& destination) const;

 private:
  const Network* network_of(const IpAddress& destination) const;

  std::vector<Network> networks_;  // the longest prefix first
  std::vector<IpAddress> own_;     // sorted
  std::optional<Route> gateway_v4_;
  std::optional<Route> gateway_v6_;
};

}  // namespace hawser::ip
