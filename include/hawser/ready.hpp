// What a socket can do now without waiting.
#pragma once

#include <cstdint>

namespace hawser {

/// What has become possible on a socket. A set of bits; each is told once when it becomes true.
enum class Ready : std::uint8_t {
  none = 0,
  readable =
      1,  ///< bytes, end of stream or an error to read; for a listener: a connection to accept
  writable = 2,  ///< space in the send buffer, or an error to learn; also: connect has succeeded
  urgent = 4,    ///< urgent mode began, or its pointer advanced (RFC9293-MUST-32)
  error = 8,     ///< the connection failed, or a soft error came
  closed = 16,   ///< nothing more will happen: both directions are done
};
constexpr Ready operator|(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr Ready operator&(Ready a, Ready b) {
  return static_cast<Ready>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr Ready& operator|=(Ready& a, Ready b) { return a = a | b; }
constexpr bool any(Ready ready) { return ready != Ready::none; }

}  // namespace hawser
