// The neighbours of a stack on its Ethernets: whose station address it knows, and how surely.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hawser/address.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// RFC 4861 7.3.2, for ARP as well.
enum class NeighbourState : std::uint8_t {
  incomplete,  ///< asked for; no answer yet
  reachable,   ///< it answered, or TCP with it got on, not long ago
  stale,       ///< its address is known; whether it still holds is asked when it is next used
  delay,       ///< used while stale: TCP gets a moment to show that it does
  probe,       ///< asked whether it is still there
};

std::string_view to_string(NeighbourState state);

struct NeighbourInfo {
  IpAddress address;
  InterfaceId interface{};
  std::optional<MacAddress> mac{};  ///< unset while incomplete
  NeighbourState state{};
  bool is_router = false;  ///< as it says of itself (IPv6)
  Duration age{};          ///< since it was last known to be reachable, or else heard or asked of
};

}  // namespace hawser
