#include "wire/checksum.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

// The sum does not depend on the byte order in which words are read (RFC 1071 2 (B)), nor on their
// width so long as carries are kept (2 (C)). So whole words of the machine are summed, and of long
// runs whole vectors, whose lanes keep the low and the high halves of their words apart: no carry
// is lost before kMaxSteps.
constexpr std::size_t kStep = 64;
constexpr std::size_t kMaxSteps = 8192;  // 8 words of 16 bits a step and lane, 2^16 steps' worth
static_assert(std::uint64_t{kMaxSteps} * 8 * 0xffff <= UINT32_MAX);

template <typename Lanes>
[[gnu::always_inline]] inline std::uint64_t sum_vectors(const std::byte* from, std::size_t steps) {
  constexpr std::size_t kVectors = kStep / sizeof(Lanes);
  Lanes low{};
  Lanes high{};
  for (const std::byte* end = from + steps * kStep; from != end; from += kStep) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kVectors; ++i) {
      Lanes words;
      std::memcpy(&words, from + i * sizeof(Lanes), sizeof words);
      low += words & 0xffffU;
      high += words >> 16U;
    }
  }
  low += high;
  std::uint64_t sum = 0;
  for (std::size_t lane = 0; lane < sizeof(Lanes) / sizeof(std::uint32_t); ++lane) {
    sum += low[lane];
  }
  return sum;
}

using Lanes16 = std::uint32_t __attribute__((vector_size(16)));

std::uint64_t sum_steps_16(const std::byte* from, std::size_t steps) {
  return sum_vectors<Lanes16>(from, steps);
}

#ifdef __x86_64__
using Lanes32 = std::uint32_t __attribute__((vector_size(32)));

[[gnu::target("avx2")]] std::uint64_t sum_steps_32(const std::byte* from, std::size_t steps) {
  return sum_vectors<Lanes32>(from, steps);
}

std::uint64_t sum_steps(const std::byte* from, std::size_t steps) {
  return __builtin_cpu_supports("avx2") ? sum_steps_32(from, steps) : sum_steps_16(from, steps);
}
#else
std::uint64_t sum_steps(const std::byte* from, std::size_t steps) {
  return sum_steps_16(from, steps);
}
#endif

template <typename Word>
std::uint64_t take_word(const std::byte*& from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  from += sizeof word;
  return word;
}

/// The sum of a run that is too short for vectors.
std::uint64_t sum_words(const std::byte* from, std::size_t size) {
  std::uint64_t sum = 0;
  for (; size >= 8; size -= 8) {
    const auto word = take_word<std::uint64_t>(from);
    sum += (word & UINT32_MAX) + (word >> 32);
  }
  if ((size & 4U) != 0) sum += take_word<std::uint32_t>(from);
  if ((size & 2U) != 0) sum += take_word<std::uint16_t>(from);
  if ((size & 1U) != 0) {  // the first byte of a word whose second is zero
    const std::array<std::byte, 2> last = {*from, std::byte{0}};
    sum += std::bit_cast<std::uint16_t>(last);
  }
  return sum;
}

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffffffffU) + (sum >> 32);
  sum = (sum & 0xffffU) + (sum >> 16);
  sum = (sum & 0xffffU) + (sum >> 16);
  return static_cast<std::uint16_t>((sum & 0xffffU) + (sum >> 16));
}

}  // namespace

void Checksum::add(std::span<const std::byte> piece) {
  const std::byte* from = piece.data();
  std::size_t left = piece.size();
  std::uint64_t sum = 0;
  while (left >= kStep) {
    const std::size_t steps = std::min(left / kStep, kMaxSteps);
    sum += sum_steps(from, steps);
    from += steps * kStep;
    left -= steps * kStep;
  }
  sum += sum_words(from, left);
  sum_ += odd_ ? std::byteswap(fold(sum)) : sum;
  odd_ ^= piece.size() % 2 != 0;
}

void Checksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                 std::uint8_t protocol, std::uint32_t length) {
  for (const IpAddress* address : {&source, &destination}) {
    const std::byte* bytes = std::as_bytes(std::span(address->bytes())).data();
    sum_ += source.is_v4() ? sum_words(bytes + 12, 4) : sum_words(bytes, 16);
  }
  sum_ +=
      detail::network_order(std::uint32_t{protocol}) + std::uint64_t{detail::network_order(length)};
}

std::uint16_t Checksum::sum() const { return detail::network_order(fold(sum_)); }

}  // namespace hawser::wire
