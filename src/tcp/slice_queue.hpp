// A first-in first-out queue of slices: the store below the send, receive and reassembly queues.
#pragma once

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
  SliceQueue(SliceQueue&& other) noexcept
      : single_(std::move(other.single_)),
        ring_(std::exchange(other.ring_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        memory_cost_(std::exchange(other.memory_cost_, 0)) {}
  SliceQueue& operator=(SliceQueue&& other) noexcept {
    std::swap(single_, other.single_);
    std::swap(ring_, other.ring_);
    std::swap(size_, other.size_);
    std::swap(memory_cost_, other.memory_cost_);
    return *this;
  }
  ~SliceQueue() { clear(); }

  bool empty() const { return size_ == 0; }
  /// Bytes in all slices.
  std::uint32_t size() const { return size_; }
  /// Slices.
  std::uint32_t count() const;
  /// Bytes of memory that the slices keep from being freed: each counts its whole block.
  std::uint32_t memory_cost() const { return memory_cost_; }

  /// Adds a slice behind, or before, all others.
  void push_back(Slice slice);
  void push_front(Slice slice);
  /// Takes the first or the last slice out; the queue must not be empty.
  Slice pop_front();
  Slice pop_back();

  const Slice& front() const;
  const Slice& back() const;
  /// The bytes behind the last slice in its block; only for an owner that took the block itself.
  std::span<std::byte> back_spare();
  /// Lets the last slice grow by `bytes` that lie behind it in its block and are filled.
  void extend_back(std::uint32_t bytes);

  /// Forgets `bytes`, at most size(), at the beginning or at the end.
  void drop_front(std::uint32_t bytes);
  void drop_back(std::uint32_t bytes);
  void clear();

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
  struct Ring;  // capacity, a power of two, then the entries

  struct Place {
    std::uint32_t index;   ///< of the slice
    std::uint32_t offset;  ///< in the slice
  };
  Place find(std::uint32_t offset) const;
  const Slice& at(std::uint32_t index) const;
  Slice& at(std::uint32_t index) { return const_cast<Slice&>(std::as_const(*this).at(index)); }
  Entry& claim(bool at_front);
  void free_ring();

  Slice single_;  ///< the only slice; empty while there is a ring
  Ring* ring_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t memory_cost_ = 0;
};

static_assert(sizeof(SliceQueue) <= 40, "an idle connection holds two of them");

/// A block for `wanted` bytes that are to be copied behind `queued` others: small for a small
/// write, large for a large one or when the queue is long already. Empty when the pool is
/// exhausted.
Slice take_block(BufferPool& pool, std::size_t wanted, std::uint32_t queued);

template <typename Visit>
void SliceQueue::visit(std::uint32_t offset, std::uint32_t length, Visit visit) const {
  if (length == 0) return;
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
