#include "wire/checksum.hpp"

#include <cstring>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

// The sum does not depend on the byte order in which words are read (RFC 1071 2 (B)), nor on their
// width so long as carries are kept (2 (C)). So 32-bit words of the machine are summed in 64 bits,
// where no carry is lost before 16 GiB.

std::uint64_t read_native32(const std::byte* from) {
  std::uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Written once and compiled, as a vector loop, for each width of the machine's registers.
[[gnu::always_inline]] inline std::uint64_t sum_words(const std::byte* from, std::size_t words) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < words; ++i) sum += read_native32(from + 4 * i);
  return sum;
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t sum_words_avx2(const std::byte* from, std::size_t words) {
  return sum_words(from, words);
}
std::uint64_t sum_many_words(const std::byte* from, std::size_t words) {
  return __builtin_cpu_supports("avx2") ? sum_words_avx2(from, words) : sum_words(from, words);
}
#else
std::uint64_t sum_many_words(const std::byte* from, std::size_t words) {
  return sum_words(from, words);
}
#endif

/// Where setting up the vector loop is worth it, bytes.
constexpr std::size_t kMany = 128;

/// The sum of fewer than kMany bytes.
std::uint64_t sum_few(const std::byte* from, std::size_t size) {
  std::uint64_t sum = 0;
  for (; size >= 8; size -= 8, from += 8) sum += read_native32(from) + read_native32(from + 4);
  if (size >= 4) {
    sum += read_native32(from);
    size -= 4;
    from += 4;
  }
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
  if (left >= kMany) {
    const std::size_t words = left / 4;
    sum = sum_many_words(from, words);
    from += words * 4;
    left -= words * 4;
  }
  sum += sum_few(from, left);
  sum_ += odd_ ? std::byteswap(fold(sum)) : sum;
  odd_ ^= piece.size() % 2 != 0;
}

void Checksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                 std::uint8_t protocol, std::uint32_t length) {
  const auto words = [this](const IpAddress& address, std::size_t first) {
    const auto bytes = std::as_bytes(std::span(address.bytes()));
    for (std::size_t i = first; i < 4; ++i) sum_ += read_native32(&bytes[4 * i]);
  };
  const std::size_t first = source.is_v4() ? 3 : 0;
  words(source, first);
  words(destination, first);
  sum_ +=
      detail::network_order(std::uint32_t{protocol}) + std::uint64_t{detail::network_order(length)};
}

std::uint16_t Checksum::sum() const { return detail::network_order(fold(sum_)); }

}  // namespace hawser::wire
