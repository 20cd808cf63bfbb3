#include "swarm_injection.hpp"

#include <array>
#include <utility>

namespace hawser::swarm {

void inject(World& world, const Target& target, Packet packet, wire::EtherType type,
            const MacAddress& from) {
  wire::push_ethernet(packet, {target.mac, from, type});
  std::array<Packet, 1> frames{std::move(packet)};
  world.stack(target.stack).on_frames(world.now(), {}, frames);
}

void inject_ip(World& world, const Target& target, Packet packet, const MacAddress& from) {
  const bool v4 = std::to_integer<unsigned>(packet.head().front()) >> 4 == 4;
  inject(world, target, std::move(packet), v4 ? wire::EtherType::ipv4 : wire::EtherType::ipv6,
         from);
}

}  // namespace hawser::swarm
