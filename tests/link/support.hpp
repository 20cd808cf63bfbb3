// What the tests of devices share: packets of known bytes, and a device that a test holds both
// ends of.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "hawser/device.hpp"

namespace hawser::link::testing {

using Bytes = std::vector<std::byte>;

/// `size` bytes that depend on `number`.
inline Bytes pattern(std::size_t size, std::size_t number = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + number * 31);
  return bytes;
}

/// A packet of two pieces where there are enough bytes: some of its own, the rest in a slice.
inline Packet packet_of(BufferPool& pool, const Bytes& bytes) {
  Packet packet = pool.take_packet();
  const std::size_t own = std::min<std::size_t>(bytes.size(), 20);
  packet.append_copy(std::span(bytes).first(own));
  if (own == bytes.size()) return packet;
  Slice slice = pool.take(static_cast<std::uint32_t>(bytes.size() - own));
  std::ranges::copy(std::span(bytes).subspan(own), slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(bytes.size() - own));
  packet.append(std::move(slice));
  return packet;
}

inline Bytes contents(const Packet& packet) {
  Bytes bytes(packet.size());
  packet.copy_to(0, bytes);
  return bytes;
}

/// Whether `descriptor` polls any of `events` within `timeout_ms`.
inline bool polls(int descriptor, short events, int timeout_ms = 0) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, timeout_ms) == 1 && (entry.revents & events) != 0;
}

/// Gives the frames that a test puts in, keeps those that are written, and can be blocked.
class FakeDevice final : public Device {
 public:
  std::size_t read(Instant, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override {
    std::size_t count = 0;
    for (; count < limit && !arriving.empty(); ++count) {
      out.push_back(packet_of(pool, arriving.front()));
      arriving.pop_front();
    }
    return count;
  }
  std::size_t write(Instant, std::span<Packet> frames) override {
    const std::size_t taken = std::min(frames.size(), room);
    for (Packet& frame : frames.first(taken)) {
      written.push_back(contents(frame));
      frame.reset();
    }
    room -= taken;
    blocked = taken < frames.size();
    return taken;
  }
  int descriptor() const override { return 77; }
  bool wants_writable() const override { return blocked; }
  std::uint32_t mtu() const override { return 1400; }
  std::optional<MacAddress> mac() const override { return address; }

  std::deque<Bytes> arriving;
  std::vector<Bytes> written;
  std::size_t room = SIZE_MAX;
  bool blocked = false;
  std::optional<MacAddress> address;
};

}  // namespace hawser::link::testing
