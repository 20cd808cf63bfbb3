// Memory for bytes on their way: blocks from a pool, counted by reference, seen through slices.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace hawser {

class BufferPool;
class Packet;

namespace detail {

struct PoolState;

/// One piece of pooled memory; its bytes follow the header.
struct Block {
  PoolState* pool;
  Block* next_free;
  std::uint32_t references;
  std::uint32_t capacity;

  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

void release(Block* block);

}  // namespace detail

/// A run of bytes in a block, which lives as long as any slice of it. Copies share the bytes.
/// Not safe across threads: all slices of one pool are used by one thread at a time.
class Slice {
 public:
  Slice() = default;
  Slice(const Slice& other) : block_(other.block_), offset_(other.offset_), size_(other.size_) {
    if (block_ != nullptr) ++block_->references;
  }
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        offset_(other.offset_),
        size_(std::exchange(other.size_, 0)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(block_, other.block_);
    offset_ = other.offset_;
    size_ = other.size_;
    return *this;
  }
  ~Slice() {
    if (block_ != nullptr && --block_->references == 0) detail::release(block_);
  }

  /// False for a slice of nothing, as a pool gives when its bound is reached.
  explicit operator bool() const { return block_ != nullptr; }
  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> bytes() const {
    return block_ == nullptr ? std::span<const std::byte>{}
                             : std::span<const std::byte>{block_->bytes() + offset_, size_};
  }

  /// The part of `length` bytes from `offset`; both must lie within.
  Slice part(std::uint32_t offset, std::uint32_t length) const {
    Slice result(*this);
    result.offset_ += offset;
    result.size_ = length;
    return result;
  }
  void trim_front(std::uint32_t bytes) {
    offset_ += bytes;
    size_ -= bytes;
  }
  void truncate(std::uint32_t bytes) { size_ = bytes; }

  /// What the block costs in memory, however little of it this slice shows.
  std::uint32_t block_capacity() const { return block_ == nullptr ? 0 : block_->capacity; }

  /// For whoever took the block from the pool, and only for the last slice of it: the bytes behind
  /// the slice, to be filled and then claimed by `extend`.
  std::span<std::byte> spare() {
    return {block_->bytes() + offset_ + size_, block_->capacity - offset_ - size_};
  }
  void extend(std::uint32_t bytes) { size_ += bytes; }

  /// What a slice is made of, for containers that pack it: `release` hands on the reference to the
  /// block, `adopt` takes it over.
  struct Parts {
    detail::Block* block = nullptr;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  Parts release() && { return {std::exchange(block_, nullptr), offset_, std::exchange(size_, 0)}; }
  static Slice adopt(const Parts& parts) {
    Slice slice(parts.block);
    slice.offset_ = parts.offset;
    slice.size_ = parts.size;
    return slice;
  }

 private:
  friend class BufferPool;
  explicit Slice(detail::Block* block) : block_(block) {}

  detail::Block* block_ = nullptr;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

/// The memory of one or more stacks that share a thread. Freed blocks are kept for the next taker
/// up to a small number and beyond that given back to the system. Slices and packets may outlive
/// the pool.
class BufferPool {
 public:
  static constexpr std::uint32_t kSmallBlock = 2048;         ///< holds a frame of an Ethernet
  static constexpr std::uint32_t kLargeBlock = 16384;        ///< holds bulk data
  static constexpr std::uint32_t kFrameBlock = 65536 + 256;  ///< holds the largest IP packet

  /// `limit` bounds the bytes that are in use at one time.
  explicit BufferPool(std::size_t limit = std::size_t{1} << 30);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// An empty slice of a block with at least `capacity` bytes (at most kFrameBlock) to `extend`
  /// into; false when the pool's bound is reached.
  Slice take(std::uint32_t capacity);
  /// An empty packet; false when the pool's bound is reached.
  Packet take_packet();

  /// Bytes in blocks and packets that somebody holds.
  std::size_t bytes_in_use() const;
  /// Gives every kept block back to the system.
  void trim();

 private:
  detail::PoolState* state_;
};

}  // namespace hawser
