// What a router does with a packet that is larger than the MTU of the link behind it (RFC 1812
// 4.2.2.7, 4.3.3.3; RFC 4443 3.2).
#pragma once

#include <cstdint>
#include <vector>

#include "hawser/packet.hpp"

namespace hawser::sim {

struct AtBottleneck {
  std::vector<Packet> fragments;  ///< of an IPv4 packet that may be cut
  Packet error;  ///< else, for its sender: false when there is nothing to say, or no memory
};

/// `frame` is an IP packet, or one in an Ethernet frame, and longer than `mtu` bytes, which count
/// all of it. The router's addresses are 192.0.2.1 and 2001:db8::1.
AtBottleneck meet_bottleneck(const Packet& frame, bool ethernet, std::uint32_t mtu,
                             BufferPool& pool);

}  // namespace hawser::sim
