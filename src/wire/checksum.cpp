#include "wire/checksum.hpp"

#include <algorithm>
#include <cstring>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

// Of long runs whole vectors are summed, whose lanes keep the low and the high halves of their
// words apart: no carry is lost before kMaxSteps.
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

}  // namespace

std::uint64_t detail::sum_run(const std::byte* from, std::size_t size) {
  std::uint64_t sum = 0;
  while (size >= kStep) {
    const std::size_t steps = std::min(size / kStep, kMaxSteps);
    sum = add_carry(sum, sum_steps(from, steps));
    from += steps * kStep;
    size -= steps * kStep;
  }
  return add_carry(sum, sum_words(from, size));
}

}  // namespace hawser::wire
