// Payloads for the tests of the queues: bytes that tell their place in the stream, in packets of
// many makes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "hawser/packet.hpp"

namespace hawser::tcp::test {

/// What the stream holds at `position`; with a period that no block size divides.
inline std::byte stream_byte(std::uint64_t position) {
  return static_cast<std::byte>((position * 31 + (position / 251) * 7) & 0xff);
}

inline std::vector<std::byte> stream_bytes(std::uint64_t position, std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = stream_byte(position + i);
  return bytes;
}

/// A slice of `bytes` in a block of at least `capacity`, `skip` bytes into it.
inline Slice slice_of(BufferPool& pool, std::span<const std::byte> bytes,
                      std::uint32_t capacity = 0, std::uint32_t skip = 0) {
  const auto needed = static_cast<std::uint32_t>(bytes.size()) + skip;
  Slice slice = pool.take(std::max(needed, capacity));
  std::ranges::copy(bytes, slice.spare().begin() + skip);
  slice.extend(needed);
  slice.trim_front(skip);
  return slice;
}

/// A packet with `bytes` in one slice.
inline Packet packet_of(BufferPool& pool, std::span<const std::byte> bytes,
                        std::uint32_t capacity = 0) {
  Packet packet = pool.take_packet();
  packet.append(slice_of(pool, bytes, capacity));
  return packet;
}

/// A packet with the bytes of the stream from `position`: some in itself at times, the others in
/// slices of small, large and far too large blocks.
inline Packet random_packet(BufferPool& pool, Random& random, std::uint64_t position,
                            std::uint32_t length) {
  const std::vector<std::byte> bytes = stream_bytes(position, length);
  std::span<const std::byte> rest = bytes;
  Packet packet = pool.take_packet();
  if (random.below(2) == 0) {
    const std::size_t own = std::min(rest.size(), random.below(Packet::kInlineRoom + 1));
    packet.append_copy(rest.first(own));
    rest = rest.subspan(own);
  }
  while (!rest.empty()) {
    const bool last = packet.slices().size() + 1 == Packet::kMaxSlices;
    const std::size_t n = last ? rest.size() : 1 + random.below(rest.size());
    const std::uint32_t capacity = random.below(4) == 0 ? BufferPool::kFrameBlock : 0;
    packet.append(slice_of(pool, rest.first(n), capacity, random.below(2) == 0 ? 40 : 0));
    rest = rest.subspan(n);
  }
  return packet;
}

inline std::vector<std::byte> contents(const Packet& packet) {
  std::vector<std::byte> bytes(packet.size());
  packet.copy_to(0, bytes);
  return bytes;
}

}  // namespace hawser::tcp::test
