#include "wire/checksum.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

// The sum does not depend on the byte order in which words are read (RFC 1071 2 (B)), nor on their
// width so long as carries are kept (2 (C)). So whole words of the machine are summed, each lane
// of a vector keeping the low and the high halves of its words apart, where carries cannot be lost
// before kMaxSteps.
using Lanes = std::uint32_t __attribute__((vector_size(16)));
constexpr std::size_t kStep = 4 * sizeof(Lanes);
constexpr std::size_t kMaxSteps = 16384;  // a lane's half takes two 16-bit words in each step

Lanes load(const std::byte* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

std::uint64_t sum_steps(const std::byte* from, std::size_t steps) {
  Lanes low0{};
  Lanes low1{};
  Lanes high0{};
  Lanes high1{};
  for (std::size_t i = 0; i < steps; ++i, from += kStep) {
    const Lanes a = load(from);
    const Lanes b = load(from + sizeof(Lanes));
    const Lanes c = load(from + 2 * sizeof(Lanes));
    const Lanes d = load(from + 3 * sizeof(Lanes));
    low0 += a & 0xffffU;
    high0 += a >> 16U;
    low1 += b & 0xffffU;
    high1 += b >> 16U;
    low0 += c & 0xffffU;
    high0 += c >> 16U;
    low1 += d & 0xffffU;
    high1 += d >> 16U;
  }
  std::uint64_t sum = 0;
  for (std::size_t lane = 0; lane < 4; ++lane) {
    sum += std::uint64_t{low0[lane]} + low1[lane] + high0[lane] + high1[lane];
  }
  return sum;
}

std::uint32_t read_native32(const std::byte* from) {
  std::uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The sum of fewer than kStep bytes.
std::uint64_t sum_tail(const std::byte* from, std::size_t size) {
  std::uint64_t sum = 0;
  for (; size >= 4; size -= 4, from += 4) sum += read_native32(from);
  if (size == 0) return sum;
  std::uint32_t last = 0;  // padded with zeros
  std::memcpy(&last, from, size);
  return sum + last;
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
  sum += sum_tail(from, left);
  sum_ += odd_ ? std::byteswap(fold(sum)) : sum;
  odd_ ^= piece.size() % 2 != 0;
}

void Checksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                 std::uint8_t protocol, std::uint32_t length) {
  const bool v4 = source.is_v4();
  const std::size_t skip = v4 ? 12 : 0;
  add(std::as_bytes(std::span(source.bytes()).subspan(skip)));
  add(std::as_bytes(std::span(destination.bytes()).subspan(skip)));
  sum_ +=
      detail::network_order(std::uint32_t{protocol}) + std::uint64_t{detail::network_order(length)};
}

std::uint16_t Checksum::sum() const { return detail::network_order(fold(sum_)); }

}  // namespace hawser::wire
