// How a fuzzer of libFuzzer reaches a check: bytes in, abort with a message when it fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "hawser/buffer.hpp"

namespace hawser::fuzz {

template <typename Check>
int run(const std::uint8_t* data, std::size_t size, Check check) {
  static BufferPool pool;
  const char* violation = check(pool, std::as_bytes(std::span(data, size)));
  if (violation == nullptr) return 0;
  std::fprintf(stderr, "violated: %s\n", violation);
  std::abort();
}

}  // namespace hawser::fuzz
