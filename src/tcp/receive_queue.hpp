// What has arrived in order and was not read yet (RFC 9293 3.10.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hawser/buffer.hpp"
#include "hawser/packet.hpp"
#include "tcp/slice_queue.hpp"

namespace hawser::tcp {

/// Bytes in the order of the stream. Large slices of the packets are shared as they are; small
/// pieces, and slices which would keep a far larger block from being freed, are copied into blocks
/// of the queue's own, so that what is held stays in proportion to what was received.
class ReceiveQueue {
 public:
  /// Smaller pieces are copied.
  static constexpr std::uint32_t kSmallPiece = 1024;
  /// A slice is copied when its block is more than this many times as large.
  static constexpr std::uint32_t kMaxPinRatio = 16;

  /// Appends all of `payload`, which is empty then. False when the pool is exhausted: nothing was
  /// taken.
  bool append(BufferPool& pool, Packet& payload);
  /// Appends bytes [offset, offset + length) of `payload`, which must lie within it and stay in it.
  /// False when the pool is exhausted: nothing was appended.
  bool append_part(BufferPool& pool, const Packet& payload, std::uint32_t offset,
                   std::uint32_t length);
  /// Moves all bytes of `other` to the end of this queue; needs memory only to save memory, and so
  /// cannot fail.
  void append_all(BufferPool& pool, ReceiveQueue&& other);
  /// The same without copying anything, in time that grows with the shorter of both.
  void join(ReceiveQueue&& other);

  /// Moves bytes out, as many as there are and `out` holds; returns how many. Frees their blocks.
  std::uint32_t read(std::span<std::byte> out);
  /// Forgets `bytes`, at most size(), at the beginning or at the end.
  void drop_front(std::uint32_t bytes) { slices_.drop_front(bytes); }
  void drop_back(std::uint32_t bytes) { slices_.drop_back(bytes); }

  std::uint32_t size() const { return slices_.size(); }
  bool empty() const { return slices_.empty(); }
  /// Bytes of memory that are held, blocks counted whole.
  std::uint32_t memory_cost() const { return slices_.memory_cost(); }
  void clear() { slices_.clear(); }

 private:
  bool append_copy(BufferPool& pool, std::span<const std::byte> bytes);
  bool append_slice(BufferPool& pool, const Slice& slice, std::uint32_t offset,
                    std::uint32_t length);
  bool continues_tail(std::span<const std::byte> bytes) const;

  SliceQueue slices_;  ///< blocks that were taken by this queue are its own to fill
};

}  // namespace hawser::tcp
