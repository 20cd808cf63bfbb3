// What the tests of the wire formats share: packets from bytes and back, and a slow checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/packet.hpp"

namespace hawser::wire::testing {

using Bytes = std::vector<std::byte>;

inline Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

inline Bytes random_bytes(Random& random, std::size_t size) {
  Bytes result(size);
  for (std::byte& byte : result) byte = static_cast<std::byte>(random.next());
  return result;
}

inline Bytes contents(const Packet& packet) {
  Bytes result(packet.size());
  packet.copy_to(0, result);
  return result;
}

/// A packet of one slice, as a device gives it.
inline Packet received(BufferPool& pool, std::span<const std::byte> frame) {
  Packet packet = pool.take_packet();
  Slice slice = pool.take(static_cast<std::uint32_t>(frame.size()));
  std::ranges::copy(frame, slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(frame.size()));
  packet.append(std::move(slice));
  return packet;
}

/// RFC 1071 by the letter: 16-bit words, high byte first, an end-around carry after each.
inline std::uint16_t reference_sum(std::span<const std::byte> data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto byte = std::to_integer<std::uint32_t>(data[i]);
    sum += i % 2 == 0 ? byte << 8 : byte;
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return static_cast<std::uint16_t>(sum);
}

/// The pseudo-header in bytes (RFC 9293 3.1, RFC 8200 8.1).
inline Bytes pseudo_header(const IpAddress& source, const IpAddress& destination,
                           std::uint8_t protocol, std::uint32_t length) {
  Bytes result;
  const std::size_t skip = source.is_v4() ? 12 : 0;
  for (const IpAddress& address : {source, destination}) {
    for (std::size_t i = skip; i < 16; ++i) result.push_back(std::byte{address.bytes()[i]});
  }
  const auto put = [&](std::uint32_t byte) { result.push_back(static_cast<std::byte>(byte)); };
  if (source.is_v4()) {
    put(0);
    put(protocol);
  } else {
    put(length >> 24);
    put(length >> 16);
  }
  put(length >> 8);
  put(length);
  if (!source.is_v4()) {
    for (const std::uint32_t byte : {0U, 0U, 0U, std::uint32_t{protocol}}) put(byte);
  }
  return result;
}

}  // namespace hawser::wire::testing
