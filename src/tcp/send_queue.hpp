// What the application has written and the peer has not acknowledged (RFC 9293 3.10.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/buffer.hpp"
#include "hawser/packet.hpp"
#include "tcp/slice_queue.hpp"

namespace hawser::tcp {

/// Bytes from SND.UNA to the last that was written, copied once into pooled blocks and then shared
/// with every segment that carries them.
class SendQueue {
 public:
  /// Copies as much of `data` as fits below `limit` bytes in all and the pool allows; returns how
  /// much. Fills the tail block first; a small write takes a small block, a large one large blocks.
  std::uint32_t append(BufferPool& pool, std::span<const std::byte> data, std::uint32_t limit);
  /// Adds bytes [offset, offset + length), counted from the oldest unacknowledged and within
  /// size(), to the end of `packet`: shared slices, or a copy into the packet itself when small
  /// (at most Packet::kInlineRoom). Returns how many bytes were attached: fewer only when the
  /// packet's slices ran out.
  std::uint32_t attach(std::uint32_t offset, std::uint32_t length, Packet& packet) const;
  /// Forgets the oldest `bytes`, at most size(): they were acknowledged.
  void release(std::uint32_t bytes) { slices_.drop_front(bytes); }
  std::uint32_t size() const { return slices_.size(); }
  bool empty() const { return slices_.empty(); }
  void clear() { slices_.clear(); }

 private:
  SliceQueue slices_;
};

}  // namespace hawser::tcp
