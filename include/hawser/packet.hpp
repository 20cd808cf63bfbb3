// A frame on its way: headers in one contiguous piece, payload behind them in slices.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "hawser/buffer.hpp"
#include "hawser/interface_id.hpp"

namespace hawser {

/// What is known, or wanted, of the transport checksum of a frame.
enum class ChecksumMark : std::uint8_t {
  in_frame,  ///< it is in the frame and nobody has looked at it
  verified,  ///< a device or a trusted sender vouches for it: no need to verify
  to_fill,   ///< the field holds the pseudo-header's sum; the device completes it
};

/// An owned frame: one pointer wide, moved and never copied by accident.
///
/// Its bytes are first those written into the packet itself (headers that were prepended, and small
/// payloads), then those of its slices. Whoever makes a packet puts all headers into the first
/// piece.
class Packet {
 public:
  static constexpr std::size_t kMaxSlices = 8;
  static constexpr std::size_t kHeadroom = 128;   ///< Ethernet 18 + IPv6 40 + TCP 60, and some air
  static constexpr std::size_t kInlineRoom = 96;  ///< small payloads are copied in here

  Packet() = default;
  Packet(Packet&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  Packet& operator=(Packet&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { reset(); }

  explicit operator bool() const { return data_ != nullptr; }
  void reset();

  /// All bytes of the frame.
  std::uint32_t size() const;
  /// The first contiguous piece: in a well-made frame it holds all headers.
  std::span<const std::byte> head() const;
  /// The same, to be changed in place; only for bytes that are in the packet itself (see
  /// own_bytes).
  std::span<std::byte> own_bytes();

  /// Room for a header of `bytes` before all others. There must be that much headroom left.
  std::span<std::byte> prepend(std::size_t bytes);
  /// Moves the packet's own bytes, if it must, so that `bytes` of headroom precede them; false when
  /// there is not that much room beside them. For headers before a packet that has some already.
  bool reserve_headroom(std::size_t bytes);
  /// Copies `bytes` behind the packet's own bytes; false without room, or when slices follow
  /// already.
  bool append_copy(std::span<const std::byte> bytes);
  /// Adds a slice at the end; false when kMaxSlices are there already.
  bool append(Slice slice);

  /// Drops `bytes` from the front or keeps only the first `bytes`; both must lie within size().
  void trim_front(std::uint32_t bytes);
  void truncate(std::uint32_t bytes);

  /// The slices that follow the packet's own bytes.
  std::span<Slice> slices();
  std::span<const Slice> slices() const;

  /// Calls `visit(std::span<const std::byte>)` for each contiguous piece in order.
  template <typename Visit>
  void for_each_piece(Visit visit) const;
  /// Copies `out.size()` bytes from `offset`; they must lie within.
  void copy_to(std::uint32_t offset, std::span<std::byte> out) const;

  /// Another packet of the same bytes which shares the slices; false when the pool is exhausted.
  Packet share() const;

  ChecksumMark checksum() const;
  void set_checksum(ChecksumMark mark);
  InterfaceId interface() const;
  void set_interface(InterfaceId id);

 private:
  friend class BufferPool;
  friend struct detail::PoolState;
  struct Data;
  explicit Packet(Data* data) : data_(data) {}
  void trim_slices_front(std::uint32_t bytes);
  void truncate_slices(std::uint32_t bytes);

  Data* data_ = nullptr;
};

struct Packet::Data {
  detail::PoolState* pool;
  Data* next_free;
  std::uint16_t begin;  // own bytes: storage[begin, end)
  std::uint16_t end;
  std::uint8_t slice_count;
  ChecksumMark checksum;
  InterfaceId interface;
  std::array<Slice, kMaxSlices> slices;
  std::array<std::byte, kHeadroom + kInlineRoom> storage;
};

inline std::span<std::byte> Packet::own_bytes() {
  return std::span(data_->storage).subspan(data_->begin, data_->end - data_->begin);
}

inline std::span<const std::byte> Packet::head() const {
  if (data_->begin != data_->end || data_->slice_count == 0) {
    return std::span<const std::byte>(data_->storage)
        .subspan(data_->begin, data_->end - data_->begin);
  }
  return data_->slices[0].bytes();
}

inline std::uint32_t Packet::size() const {
  std::uint32_t total = static_cast<std::uint32_t>(data_->end - data_->begin);
  for (const Slice& slice : slices()) total += slice.size();
  return total;
}

inline std::span<Slice> Packet::slices() {
  return std::span(data_->slices).first(data_->slice_count);
}
inline std::span<const Slice> Packet::slices() const {
  return std::span<const Slice>(data_->slices).first(data_->slice_count);
}

inline std::span<std::byte> Packet::prepend(std::size_t bytes) {
  assert(bytes <= data_->begin && "no headroom is left");
  data_->begin = static_cast<std::uint16_t>(data_->begin - bytes);
  return std::span(data_->storage).subspan(data_->begin, bytes);
}

inline void Packet::trim_front(std::uint32_t bytes) {
  if (bytes > static_cast<std::uint32_t>(data_->end - data_->begin)) {
    return trim_slices_front(bytes);
  }
  data_->begin = static_cast<std::uint16_t>(data_->begin + bytes);
}

inline void Packet::truncate(std::uint32_t bytes) {
  if (data_->slice_count != 0) return truncate_slices(bytes);
  data_->end = static_cast<std::uint16_t>(data_->begin + bytes);
}

inline ChecksumMark Packet::checksum() const { return data_->checksum; }
inline void Packet::set_checksum(ChecksumMark mark) { data_->checksum = mark; }
inline InterfaceId Packet::interface() const { return data_->interface; }
inline void Packet::set_interface(InterfaceId id) { data_->interface = id; }

template <typename Visit>
void Packet::for_each_piece(Visit visit) const {
  if (data_->begin != data_->end) {
    visit(std::span<const std::byte>(data_->storage)
              .subspan(data_->begin, data_->end - data_->begin));
  }
  for (const Slice& slice : slices()) visit(slice.bytes());
}

}  // namespace hawser
