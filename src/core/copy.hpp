// Copies of bytes between buffers.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace hawser {

/// Copies all of `from` to `to`, which has the room and does not overlap. std::ranges::copy of
/// spans becomes a loop of byte or vector moves in GCC 12, which is slower than memcpy.
inline void copy_bytes(std::span<const std::byte> from, std::byte* to) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace hawser
