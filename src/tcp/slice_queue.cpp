#include "tcp/slice_queue.hpp"

#include <new>

namespace hawser::tcp {

namespace {

constexpr std::uint32_t kFirstCapacity = 8;
constexpr std::uint32_t kLongQueue = 4 * BufferPool::kSmallBlock;

}  // namespace

struct alignas(std::max_align_t) SliceQueue::Ring {
  std::uint32_t capacity;
  std::uint32_t head;  ///< entry of the first slice
  std::uint32_t count;

  Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
  Entry& at(std::uint32_t index) { return entries()[(head + index) & (capacity - 1)]; }

  static Ring* make(std::uint32_t capacity) {
    void* memory = ::operator new(sizeof(Ring) + capacity * sizeof(Entry));
    Ring* ring = new (memory) Ring{capacity, 0, 0};
    for (std::uint32_t i = 0; i < capacity; ++i) new (ring->entries() + i) Entry;
    return ring;
  }

  static void destroy(Ring* ring) {
    for (std::uint32_t i = 0; i < ring->count; ++i) ring->at(i).slice = Slice{};
    ::operator delete(ring);
  }
};

std::uint32_t SliceQueue::count() const {
  if (ring_ != nullptr) return ring_->count;
  return size_ == 0 ? 0 : 1;
}

const Slice& SliceQueue::at(std::uint32_t index) const {
  return ring_ == nullptr ? single_ : ring_->at(index).slice;
}

const Slice& SliceQueue::front() const { return at(0); }
const Slice& SliceQueue::back() const { return at(count() - 1); }
std::span<std::byte> SliceQueue::back_spare() { return at(count() - 1).spare(); }

void SliceQueue::extend_back(std::uint32_t bytes) {
  at(count() - 1).extend(bytes);
  size_ += bytes;
}

/// The entry for one more slice at an end; there is one slice already.
SliceQueue::Entry& SliceQueue::claim(bool at_front) {
  if (ring_ == nullptr) {
    ring_ = Ring::make(kFirstCapacity);
    ring_->at(0).slice = std::move(single_);
    ring_->count = 1;
  } else if (ring_->count == ring_->capacity) {
    Ring* larger = Ring::make(2 * ring_->capacity);
    for (std::uint32_t i = 0; i < ring_->count; ++i) larger->at(i) = std::move(ring_->at(i));
    larger->count = ring_->count;
    Ring::destroy(std::exchange(ring_, larger));
  }
  if (at_front) ring_->head = (ring_->head - 1) & (ring_->capacity - 1);
  ++ring_->count;
  return ring_->at(at_front ? 0 : ring_->count - 1);
}

void SliceQueue::push_back(Slice slice) {
  const std::uint32_t bytes = slice.size();
  memory_cost_ += slice.block_capacity();
  if (size_ == 0) {
    single_ = std::move(slice);
  } else {
    Entry& entry = claim(false);
    entry.begin = ring_->at(0).begin + size_;
    entry.slice = std::move(slice);
  }
  size_ += bytes;
}

void SliceQueue::push_front(Slice slice) {
  const std::uint32_t bytes = slice.size();
  memory_cost_ += slice.block_capacity();
  if (size_ == 0) {
    single_ = std::move(slice);
  } else {
    Entry& entry = claim(true);
    entry.begin = ring_->at(1).begin - bytes;
    entry.slice = std::move(slice);
  }
  size_ += bytes;
}

Slice SliceQueue::pop_front() {
  Slice slice = std::move(at(0));
  size_ -= slice.size();
  memory_cost_ -= slice.block_capacity();
  if (ring_ != nullptr) {
    ring_->head = (ring_->head + 1) & (ring_->capacity - 1);
    --ring_->count;
    if (size_ == 0) free_ring();
  }
  return slice;
}

Slice SliceQueue::pop_back() {
  Slice slice = std::move(at(count() - 1));
  size_ -= slice.size();
  memory_cost_ -= slice.block_capacity();
  if (ring_ != nullptr) {
    --ring_->count;
    if (size_ == 0) free_ring();
  }
  return slice;
}

void SliceQueue::drop_front(std::uint32_t bytes) {
  while (bytes != 0 && bytes >= front().size()) bytes -= pop_front().size();
  if (bytes == 0) return;
  at(0).trim_front(bytes);
  if (ring_ != nullptr) ring_->at(0).begin += bytes;
  size_ -= bytes;
}

void SliceQueue::drop_back(std::uint32_t bytes) {
  while (bytes != 0 && bytes >= back().size()) bytes -= pop_back().size();
  if (bytes == 0) return;
  Slice& last = at(count() - 1);
  last.truncate(last.size() - bytes);
  size_ -= bytes;
}

void SliceQueue::clear() {
  if (ring_ != nullptr) free_ring();
  single_ = Slice{};
  size_ = 0;
  memory_cost_ = 0;
}

void SliceQueue::free_ring() { Ring::destroy(std::exchange(ring_, nullptr)); }

SliceQueue::Place SliceQueue::find(std::uint32_t offset) const {
  if (ring_ == nullptr) return {0, offset};
  const std::uint32_t origin = ring_->at(0).begin;
  std::uint32_t low = 0;  // the last slice that begins at or before the offset is in [low, high)
  std::uint32_t high = ring_->count;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (ring_->at(middle).begin - origin <= offset) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return {low, offset - (ring_->at(low).begin - origin)};
}

Slice take_block(BufferPool& pool, std::size_t wanted, std::uint32_t queued) {
  if (wanted > BufferPool::kSmallBlock || queued >= kLongQueue) {
    if (Slice block = pool.take(BufferPool::kLargeBlock)) return block;
  }
  return pool.take(BufferPool::kSmallBlock);
}

}  // namespace hawser::tcp
