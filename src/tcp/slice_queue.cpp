#include "tcp/slice_queue.hpp"

#include <new>

namespace hawser::tcp {

namespace {

constexpr std::uint32_t kFirstCapacity = 8;

}  // namespace

struct alignas(std::max_align_t) SliceQueue::Ring {
  std::uint32_t capacity;
  std::uint32_t head;  ///< entry of the first slice
  std::uint32_t count;
  std::uint32_t memory_cost;

  Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
  Entry& at(std::uint32_t index) { return entries()[(head + index) & (capacity - 1)]; }

  static Ring* make(std::uint32_t capacity) {
    void* memory = ::operator new(sizeof(Ring) + capacity * sizeof(Entry));
    Ring* ring = new (memory) Ring{capacity, 0, 0, 0};
    for (std::uint32_t i = 0; i < capacity; ++i) new (ring->entries() + i) Entry;
    return ring;
  }

  static void destroy(Ring* ring) {
    for (std::uint32_t i = 0; i < ring->count; ++i) ring->at(i).slice = Slice{};
    ::operator delete(ring);
  }
};

std::uint32_t SliceQueue::count() const {
  if (in_ring_) return ring().count;
  return size_ == 0 ? 0 : 1;
}

std::uint32_t SliceQueue::memory_cost() const {
  if (in_ring_) return ring().memory_cost;
  return size_ == 0 ? 0 : block()->capacity;
}

/// Of the slices in the ring.
Slice& SliceQueue::at(std::uint32_t index) const { return ring().at(index).slice; }

std::span<const std::byte> SliceQueue::front_bytes() const {
  if (in_ring_) return at(0).bytes();
  return {block()->bytes() + offset_, size_};
}

std::span<const std::byte> SliceQueue::back_bytes() const {
  if (in_ring_) return at(ring().count - 1).bytes();
  return {block()->bytes() + offset_, size_};
}

std::span<std::byte> SliceQueue::back_spare() {
  if (in_ring_) return at(ring().count - 1).spare();
  const std::uint32_t end = offset_ + size_;
  return {block()->bytes() + end, block()->capacity - end};
}

void SliceQueue::extend_back(std::uint32_t bytes) {
  if (in_ring_) at(ring().count - 1).extend(bytes);
  size_ += bytes;
}

/// The entry for one more slice at an end; there is one slice already.
SliceQueue::Entry& SliceQueue::claim(bool at_front) {
  if (!in_ring_) {
    Ring* first = Ring::make(kFirstCapacity);
    first->memory_cost = block()->capacity;
    first->at(0).slice = Slice::adopt(single());
    first->count = 1;
    store_ = first;
    in_ring_ = true;
  } else if (ring().count == ring().capacity) {
    Ring* larger = Ring::make(2 * ring().capacity);
    for (std::uint32_t i = 0; i < ring().count; ++i) larger->at(i) = std::move(ring().at(i));
    larger->count = ring().count;
    larger->memory_cost = ring().memory_cost;
    Ring::destroy(static_cast<Ring*>(std::exchange(store_, larger)));
  }
  if (at_front) ring().head = (ring().head - 1) & (ring().capacity - 1);
  ++ring().count;
  return ring().at(at_front ? 0 : ring().count - 1);
}

void SliceQueue::push_behind(Slice slice) {
  Entry& entry = claim(false);
  entry.begin = ring().at(0).begin + size_;
  ring().memory_cost += slice.block_capacity();
  size_ += slice.size();
  entry.slice = std::move(slice);
}

void SliceQueue::push_front(Slice slice) {
  if (size_ == 0) return push_back(std::move(slice));
  Entry& entry = claim(true);
  entry.begin = ring().at(1).begin - slice.size();
  ring().memory_cost += slice.block_capacity();
  size_ += slice.size();
  entry.slice = std::move(slice);
}

Slice SliceQueue::pop_front() {
  if (!in_ring_) return take_single();
  Slice slice = std::move(at(0));
  size_ -= slice.size();
  ring().memory_cost -= slice.block_capacity();
  ring().head = (ring().head + 1) & (ring().capacity - 1);
  --ring().count;
  if (size_ == 0) forget_ring();
  return slice;
}

Slice SliceQueue::pop_back() {
  if (!in_ring_) return take_single();
  Slice slice = std::move(at(ring().count - 1));
  size_ -= slice.size();
  ring().memory_cost -= slice.block_capacity();
  --ring().count;
  back_is_own_ = false;
  if (size_ == 0) forget_ring();
  return slice;
}

void SliceQueue::drop_front_of_ring(std::uint32_t bytes) {
  while (bytes != 0 && bytes >= at(0).size()) {
    bytes -= pop_front().size();
    if (size_ == 0) return;
  }
  at(0).trim_front(bytes);
  ring().at(0).begin += bytes;
  size_ -= bytes;
}

void SliceQueue::drop_back(std::uint32_t bytes) {
  while (bytes != 0 && bytes >= back_bytes().size()) bytes -= pop_back().size();
  if (bytes == 0) return;
  if (in_ring_) {
    Slice& last = at(ring().count - 1);
    last.truncate(last.size() - bytes);
  }
  size_ -= bytes;
}

void SliceQueue::forget_ring() {
  Ring::destroy(static_cast<Ring*>(std::exchange(store_, nullptr)));
  in_ring_ = false;
  back_is_own_ = false;
  size_ = 0;
}

void SliceQueue::swap(SliceQueue& other) noexcept {
  std::swap(store_, other.store_);
  std::swap(size_, other.size_);
  const std::uint32_t offset = offset_;
  const bool in_ring = in_ring_;
  const bool own = back_is_own_;
  offset_ = other.offset_;
  in_ring_ = other.in_ring_;
  back_is_own_ = other.back_is_own_;
  other.offset_ = offset & kOffsetMask;
  other.in_ring_ = in_ring;
  other.back_is_own_ = own;
}

SliceQueue::Place SliceQueue::find(std::uint32_t offset) const {
  const std::uint32_t origin = ring().at(0).begin;
  std::uint32_t low = 0;  // the last slice that begins at or before the offset is in [low, high)
  std::uint32_t high = ring().count;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (ring().at(middle).begin - origin <= offset) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return {low, offset - (ring().at(low).begin - origin)};
}

}  // namespace hawser::tcp
