// Which interface of a stack is meant.
#pragma once

#include <cstdint>

namespace hawser {

/// Which interface of a stack a frame came from or goes to: its place in StackConfig::interfaces.
enum class InterfaceId : std::uint16_t {};

/// Where an address that means something else on each link is meant (RFC 4007 6): an interface, or
/// `none`. As in POSIX it is a number that begins with one.
enum class Zone : std::uint16_t { none = 0 };

constexpr Zone zone_of(InterfaceId interface) {
  return static_cast<Zone>(static_cast<std::uint16_t>(interface) + 1U);
}
/// `zone` must not be `none`.
constexpr InterfaceId interface_of(Zone zone) {
  return static_cast<InterfaceId>(static_cast<std::uint16_t>(zone) - 1U);
}

}  // namespace hawser
