// Numbers in network byte order, read from and written to bytes without alignment.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hawser::wire {

namespace detail {

template <typename Number>
constexpr Number network_order(Number value) {
  if constexpr (std::endian::native == std::endian::little) return std::byteswap(value);
  return value;
}

template <typename Number>
Number read_network(const std::byte* from) {
  Number value;
  std::memcpy(&value, from, sizeof value);
  return network_order(value);
}

template <typename Number>
void write_network(std::byte* to, Number value) {
  value = network_order(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace detail

inline std::uint8_t read8(const std::byte* from) { return std::to_integer<std::uint8_t>(*from); }
inline std::uint16_t read16(const std::byte* from) {
  return detail::read_network<std::uint16_t>(from);
}
inline std::uint32_t read32(const std::byte* from) {
  return detail::read_network<std::uint32_t>(from);
}

inline void write8(std::byte* to, std::uint8_t value) { *to = std::byte{value}; }
inline void write16(std::byte* to, std::uint16_t value) { detail::write_network(to, value); }
inline void write32(std::byte* to, std::uint32_t value) { detail::write_network(to, value); }

}  // namespace hawser::wire
