// The bytes that the bulk cases send: an endless pattern, so that any range of it can be compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "pair.hpp"

namespace hawser::bench {

/// How much an application writes or reads in one call.
inline constexpr std::size_t kChunk = 16384;

class Payload {
 public:
  Payload() : bytes_(kPeriod + kChunk) {
    std::uint64_t x = 88172645463325252U;  // xorshift64
    for (std::size_t i = 0; i < kPeriod; ++i) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      bytes_[i] = static_cast<std::byte>(x);
    }
    std::copy_n(bytes_.begin(), kChunk, bytes_.begin() + kPeriod);
  }

  /// At most kChunk bytes of the stream from `position`.
  std::span<const std::byte> at(std::uint64_t position, std::uint64_t length = kChunk) const {
    return std::span(bytes_).subspan(position % kPeriod, std::min<std::uint64_t>(length, kChunk));
  }

  /// Throws Failure when `got`, at most kChunk bytes, is not what lies at `position`.
  void expect(std::uint64_t position, std::span<const std::byte> got, Check check) const {
    const auto want = at(position, got.size());
    const std::size_t part =
        check == Check::every ? got.size() : std::min<std::size_t>(8, got.size());
    if (std::memcmp(got.data(), want.data(), part) != 0 ||
        std::memcmp(got.last(part).data(), want.last(part).data(), part) != 0) {
      throw Failure("bulk payload arrived with wrong bytes");
    }
  }

 private:
  // Not a multiple of any segment or buffer size, so that a chunk in the wrong place is noticed.
  static constexpr std::size_t kPeriod = 262147;
  std::vector<std::byte> bytes_;
};

}  // namespace hawser::bench
