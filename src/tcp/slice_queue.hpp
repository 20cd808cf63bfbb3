// A first-in first-out queue of slices: the store below the send, receive and reassembly queues.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "hawser/buffer.hpp"

namespace hawser::tcp {

/// Bytes in slices, in the order of their stream. One slice lives in the queue itself; two or more
/// live in a ring on the heap, which is given back when the queue becomes empty, so that an idle
/// queue costs nothing. Takes no empty slices.
class SliceQueue {
 public:
  SliceQueue() = default;
  SliceQueue(SliceQueue&& other) noexcept { swap(other); }
  SliceQueue& operator=(SliceQueue&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SliceQueue() {
    if (size_ != 0) clear();
  }

  bool empty() const { return size_ == 0; }
  /// Bytes in all slices.
  std::uint32_t size() const { return size_; }
  /// Slices.
  std::uint32_t count() const;
  /// Bytes of memory that the slices keep from being freed: each counts its whole block.
  std::uint32_t memory_cost() const;

  /// Adds a slice behind, or before, all others. `own_block`: the owner of the queue took the block
  /// for itself and may fill what is left of it.
  void push_back(Slice slice, bool own_block = false) {
    if (size_ != 0) {
      push_behind(std::move(slice));
    } else {
      const Slice::Parts parts = std::move(slice).release();
      store_ = parts.block;
      offset_ = parts.offset & kOffsetMask;
      size_ = parts.size;
    }
    back_is_own_ = own_block;
  }
  void push_front(Slice slice);
  /// Takes the first or the last slice out; the queue must not be empty.
  Slice pop_front();
  Slice pop_back();

  /// The bytes of the first and of the last slice; there must be one.
  std::span<const std::byte> front_bytes() const;
  std::span<const std::byte> back_bytes() const;
  /// Whether the last slice ends in a block of the owner's own. Never so for an empty queue.
  bool back_is_own() const { return back_is_own_; }
  void set_back_is_own(bool own) { back_is_own_ = own && size_ != 0; }
  /// The bytes behind the last slice in its block; only for an owner that took the block itself.
  std::span<std::byte> back_spare();
  /// Lets the last slice grow by `bytes` that lie behind it in its block and are filled.
  void extend_back(std::uint32_t bytes);

  /// Forgets `bytes`, at most size(), at the beginning or at the end.
  void drop_front(std::uint32_t bytes) {
    if (in_ring_) return drop_front_of_ring(bytes);
    if (bytes == size_) return clear();
    offset_ = (offset_ + bytes) & kOffsetMask;
    size_ -= bytes;
  }
  void drop_back(std::uint32_t bytes);
  void clear() {
    if (size_ == 0) return;
    if (in_ring_) return forget_ring();
    take_single();
  }

  /// Calls `visit(const Slice&, offset, length)` for each part of a slice in the bytes
  /// [offset, offset + length) of the queue, which must lie within, in order and until it returns
  /// false. Finds the first in logarithmic time.
  template <typename Visit>
  void visit(std::uint32_t offset, std::uint32_t length, Visit visit) const;

 private:
  struct Entry {
    Slice slice;
    std::uint32_t begin = 0;  ///< place of its first byte in the stream, modulo 2^32
  };
  static constexpr std::uint32_t kOffsetMask = (1U << 30) - 1;  // no block is that large
  struct Ring;  // capacity, a power of two, then the entries

  struct Place {
    std::uint32_t index;   ///< of the slice
    std::uint32_t offset;  ///< in the slice
  };

  detail::Block* block() const { return static_cast<detail::Block*>(store_); }
  Ring& ring() const { return *static_cast<Ring*>(store_); }
  /// The only slice, whose reference the queue keeps (while there is one and no ring).
  Slice::Parts single() const { return {block(), offset_, size_}; }
  /// Takes the only slice out.
  Slice take_single() {
    Slice slice = Slice::adopt(single());
    store_ = nullptr;
    size_ = 0;
    back_is_own_ = false;
    return slice;
  }
  Place find(std::uint32_t offset) const;
  Slice& at(std::uint32_t index) const;
  Entry& claim(bool at_front);
  void push_behind(Slice slice);
  void drop_front_of_ring(std::uint32_t bytes);
  void forget_ring();
  void swap(SliceQueue& other) noexcept;

  // Two of these are in every connection, so it is packed: the store is the block of the only slice
  // or a ring, and what that slice is comes out of the offset and the size of the queue.
  void* store_ = nullptr;
  std::uint32_t offset_ : 30 = 0;  ///< of the only slice in its block
  bool in_ring_ : 1 = false;
  bool back_is_own_ : 1 = false;
  std::uint32_t size_ = 0;
};

static_assert(sizeof(SliceQueue) <= 16, "an idle connection holds two of them");

/// A block for `wanted` bytes that are to be copied behind `queued` others: small for a small
/// write, large for a large one or when the queue is long already. Empty when the pool is
/// exhausted.
inline Slice take_block(BufferPool& pool, std::size_t wanted, std::uint32_t queued) {
  constexpr std::uint32_t kLongQueue = 4 * BufferPool::kSmallBlock;
  if (wanted > BufferPool::kSmallBlock || queued >= kLongQueue) {
    if (Slice block = pool.take(BufferPool::kLargeBlock)) return block;
  }
  return pool.take(BufferPool::kSmallBlock);
}

template <typename Visit>
void SliceQueue::visit(std::uint32_t offset, std::uint32_t length, Visit visit) const {
  if (length == 0) return;
  if (!in_ring_) {
    Slice only = Slice::adopt(single());
    visit(std::as_const(only), offset, length);
    static_cast<void>(std::move(only).release());
    return;
  }
  Place place = find(offset);
  for (;;) {
    const Slice& slice = at(place.index);
    const std::uint32_t there = slice.size() - place.offset;
    const std::uint32_t part = there < length ? there : length;
    if (!visit(slice, place.offset, part) || part == length) return;
    length -= part;
    ++place.index;
    place.offset = 0;
  }
}

}  // namespace hawser::tcp
