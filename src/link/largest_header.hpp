// How much longer than its IP packet a frame may be.
#pragma once

#include <cstdint>

namespace hawser::link {

/// Bytes of the header of an Ethernet frame with one tag of a VLAN (IEEE 802.3 3.2, 802.1Q 9),
/// which no MTU counts.
inline constexpr std::uint32_t kLargestEthernetHeader = 18;

}  // namespace hawser::link
