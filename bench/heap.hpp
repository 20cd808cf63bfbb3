// How much memory the allocator has handed out.
#pragma once

#include <malloc.h>

#include <cstddef>

namespace hawser::bench {

/// Bytes that malloc has handed out and not taken back, its own headers and rounding included.
inline std::size_t heap_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace hawser::bench
