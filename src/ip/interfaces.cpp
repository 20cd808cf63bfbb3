#include "ip/interfaces.hpp"

#include <algorithm>
#include <functional>

namespace hawser::ip {

namespace {

/// The address of `prefix` with all bits of the host set; only IPv4 networks of more than two
/// addresses have a broadcast address (RFC 3021 2.1).
std::optional<IpAddress> broadcast_of(const Prefix& prefix) {
  if (!prefix.address.is_v4() || prefix.length > 30) return std::nullopt;
  auto bytes = prefix.address.v4_bytes();
  for (std::size_t bit = prefix.length; bit < 32; ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
  }
  return IpAddress::v4(bytes);
}

}  // namespace

Interfaces::Interfaces(const std::vector<Network>& networks, const std::vector<IpAddress>& gateways,
                       std::optional<Route> fallback) {
  // Of equally long prefixes the first stays the first: its address is the preferred one.
  for (const Network& network : networks) {
    const auto place =
        std::ranges::upper_bound(networks_, network.prefix.length, std::ranges::greater{},
                                 [](const Network& other) { return other.prefix.length; });
    networks_.insert(place, network);
  }
  for (const Network& network : networks_) own_.push_back(network.prefix.address);
  std::ranges::sort(own_);
  for (const IpAddress& gateway : gateways) {
    const Network* network = network_of(gateway);
    (gateway.is_v4() ? gateway_v4_ : gateway_v6_) = network == nullptr ? fallback : network->route;
  }
}

bool Interfaces::is_ours(const IpAddress& address) const {
  return std::ranges::binary_search(own_, address) || address.is_loopback();
}

bool Interfaces::is_broadcast(const IpAddress& address) const {
  if (address.is_limited_broadcast()) return true;
  return std::ranges::any_of(networks_, [&](const Network& network) {
    return network.prefix.contains(address) && broadcast_of(network.prefix) == address;
  });
}

bool Interfaces::is_unicast(const IpAddress& address) const {
  return !address.is_unspecified() && !address.is_multicast() && !is_broadcast(address);
}

const Network* Interfaces::network_of(const IpAddress& destination) const {
  const auto found = std::ranges::find_if(
      networks_, [&](const Network& network) { return network.prefix.contains(destination); });
  return found == networks_.end() ? nullptr : &*found;
}

std::optional<Route> Interfaces::route(const IpAddress& destination) const {
  if (is_ours(destination)) return Route{kLoopback, kLoopbackMtu};
  if (const Network* network = network_of(destination)) return network->route;
  return destination.is_v4() ? gateway_v4_ : gateway_v6_;
}

std::optional<IpAddress> Interfaces::source_for(const IpAddress& destination) const {
  if (is_ours(destination)) return destination;
  if (const Network* network = network_of(destination)) return network->prefix.address;
  const auto way = route(destination);
  if (!way) return std::nullopt;
  // Behind a gateway: an address of that interface, else any; a link-local one never
  // (RFC 6724 5, rules 2 and 5).
  std::optional<IpAddress> other;
  for (const Network& network : networks_) {
    const IpAddress& address = network.prefix.address;
    if (address.family() != destination.family() || address.is_link_local()) continue;
    if (network.route.interface == way->interface) return address;
    if (!other) other = address;
  }
  return other;
}

}  // namespace hawser::ip
