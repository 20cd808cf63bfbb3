// The Internet checksum (RFC 1071) over bytes that come in pieces, and the pseudo-headers of TCP,
// UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hawser/address.hpp"
#include "hawser/packet.hpp"
#include "wire/bytes.hpp"

namespace hawser::wire {

namespace detail {

// The sum does not depend on the byte order in which words are read (RFC 1071 2 (B)), nor on their
// width so long as carries are kept (2 (C)): whole words of the machine are summed.

/// The sum of `a` and `b` in one's complement.
constexpr std::uint64_t add_carry(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum + (sum < b ? 1U : 0U);
}

template <typename Word>
Word load(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The sum of a run that is too short for vectors: headers and small payloads. In line, since each
/// packet is summed four times on its way.
inline std::uint64_t sum_words(const std::byte* from, std::size_t size) {
  std::uint64_t sum = 0;
  for (; size >= 8; size -= 8, from += 8) sum = add_carry(sum, load<std::uint64_t>(from));
  std::uint64_t rest = 0;  // cannot overflow
  if ((size & 4U) != 0) {
    rest += load<std::uint32_t>(from);
    from += 4;
  }
  if ((size & 2U) != 0) {
    rest += load<std::uint16_t>(from);
    from += 2;
  }
  if ((size & 1U) != 0) {  // the first byte of a word whose second is zero
    rest += std::bit_cast<std::uint16_t>(std::array<std::byte, 2>{*from, std::byte{0}});
  }
  return add_carry(sum, rest);
}

/// To 16 bits, in the byte order of the machine.
constexpr std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffffffffU) + (sum >> 32);
  sum = (sum & 0xffffU) + (sum >> 16);
  sum = (sum & 0xffffU) + (sum >> 16);
  return static_cast<std::uint16_t>((sum & 0xffffU) + (sum >> 16));
}

/// The sum of a run of any length.
std::uint64_t sum_run(const std::byte* from, std::size_t size);

inline constexpr std::size_t kShortRun = 64;

}  // namespace detail

/// The one's complement sum of a run of bytes. Pieces may have any length: one that begins at an
/// odd offset of the run is summed as if the run had been contiguous.
class Checksum {
 public:
  void add(std::span<const std::byte> piece) {
    const std::uint64_t sum = piece.size() < detail::kShortRun
                                  ? detail::sum_words(piece.data(), piece.size())
                                  : detail::sum_run(piece.data(), piece.size());
    sum_ = detail::add_carry(sum_, odd_ ? std::byteswap(detail::fold(sum)) : sum);
    odd_ ^= piece.size() % 2 != 0;
  }
  void add(const Packet& packet) {
    packet.for_each_piece([this](std::span<const std::byte> piece) { add(piece); });
  }
  /// Both addresses, the protocol and the length of the transport header and payload in bytes, in
  /// the form of the family of `source`. Nothing but whole words may have been added before.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                         std::uint8_t protocol, std::uint32_t length) {
    const std::byte* from = std::as_bytes(std::span(source.bytes())).data();
    const std::byte* to = std::as_bytes(std::span(destination.bytes())).data();
    if (source.is_v4()) {
      add_word(std::uint64_t{detail::load<std::uint32_t>(from + 12)} +
               detail::load<std::uint32_t>(to + 12));
    } else {
      add_word(detail::sum_words(from, 16));
      add_word(detail::sum_words(to, 16));
    }
    add_word(detail::network_order(std::uint32_t{protocol}) +
             std::uint64_t{detail::network_order(length)});
  }

  /// The sum, folded to 16 bits in host order: what a device that completes the checksum expects
  /// in the field.
  std::uint16_t sum() const { return detail::network_order(detail::fold(sum_)); }
  /// Its complement: the value of a checksum field. Over a run that holds its own checksum field,
  /// zero means that it is right.
  std::uint16_t value() const { return static_cast<std::uint16_t>(~sum()); }

 private:
  void add_word(std::uint64_t word) { sum_ = detail::add_carry(sum_, word); }

  std::uint64_t sum_ = 0;  // of 16-bit words in native order, in one's complement
  bool odd_ = false;       // the next byte is the second of its word
};

}  // namespace hawser::wire
