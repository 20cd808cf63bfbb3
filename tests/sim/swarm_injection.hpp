// How what is hostile on the network of a swarm reaches a host: as if it had come over its link.
#pragma once

#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"
#include "hawser/world.hpp"
#include "wire/ethernet.hpp"

namespace hawser::swarm {

/// Where frames go: a host, and its station.
struct Target {
  StackId stack{};
  MacAddress mac;
};

/// Gives `packet` to a host in a frame from the station `from`.
void inject(World& world, const Target& target, Packet packet, wire::EtherType type,
            const MacAddress& from);
/// The same for an IP packet, whose family is that of its first byte.
void inject_ip(World& world, const Target& target, Packet packet, const MacAddress& from);

}  // namespace hawser::swarm
