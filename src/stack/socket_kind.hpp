// What kind of socket a handle names: the two upper bits of its index say it.
#pragma once

#include <cstdint>

#include "hawser/stack.hpp"

namespace hawser::stack {

enum class SocketKind : std::uint8_t { connection = 0, udp = 1, listener = 2, echo = 3 };

inline constexpr unsigned kKindShift = 30;

constexpr SocketKind kind_of(SocketHandle socket) {
  return static_cast<SocketKind>(socket.index >> kKindShift);
}
constexpr std::uint32_t index_of(SocketHandle socket) {
  return socket.index & ((1U << kKindShift) - 1);
}
constexpr SocketHandle handle_of(SocketKind kind, std::uint32_t index, std::uint32_t generation) {
  return {static_cast<std::uint32_t>(kind) << kKindShift | index, generation};
}

}  // namespace hawser::stack
