#include "tcp/receive_queue.hpp"

#include <algorithm>

#include "core/copy.hpp"

namespace hawser::tcp {

bool ReceiveQueue::append(BufferPool& pool, Packet& payload) {
  const bool small = payload.slices().empty();
  const bool appended =
      small ? append_copy(pool, payload.head()) : append_part(pool, payload, 0, payload.size());
  if (!appended) return false;
  payload.truncate(0);
  return true;
}

bool ReceiveQueue::append_part(BufferPool& pool, const Packet& payload, std::uint32_t offset,
                               std::uint32_t length) {
  const std::uint32_t size_before = size();
  bool whole = true;
  // Appends what of a piece of `piece` bytes lies in the part.
  const auto take_piece = [&](std::uint32_t piece, auto append_bytes) {
    if (offset >= piece) {
      offset -= piece;
      return;
    }
    const std::uint32_t n = std::min(piece - offset, length);
    if (n != 0 && whole) whole = append_bytes(offset, n);
    length -= n;
    offset = 0;
  };

  std::uint32_t in_slices = 0;
  for (const Slice& slice : payload.slices()) in_slices += slice.size();
  if (const std::uint32_t own = payload.size() - in_slices; own != 0) {
    take_piece(own, [&](std::uint32_t begin, std::uint32_t n) {
      return append_copy(pool, payload.head().subspan(begin, n));
    });
  }
  for (const Slice& slice : payload.slices()) {
    take_piece(slice.size(), [&](std::uint32_t begin, std::uint32_t n) {
      return append_slice(pool, slice, begin, n);
    });
  }
  if (whole) return true;
  slices_.drop_back(size() - size_before);
  return false;
}

bool ReceiveQueue::append_slice(BufferPool& pool, const Slice& slice, std::uint32_t offset,
                                std::uint32_t length) {
  const std::span<const std::byte> bytes = slice.bytes().subspan(offset, length);
  if (continues_tail(bytes)) {
    slices_.extend_back(length);
    return true;
  }
  if (length < kSmallPiece || slice.block_capacity() / kMaxPinRatio > length) {
    return append_copy(pool, bytes);
  }
  slices_.push_back(slice.part(offset, length));
  return true;
}

/// Whether `bytes` of a slice lie right behind the last slice. Blocks have a header before their
/// bytes, so bytes that touch are in one block.
bool ReceiveQueue::continues_tail(std::span<const std::byte> bytes) const {
  if (empty()) return false;
  const std::span<const std::byte> tail = slices_.back_bytes();
  return tail.data() + tail.size() == bytes.data();
}

bool ReceiveQueue::append_copy(BufferPool& pool, std::span<const std::byte> bytes) {
  const std::uint32_t size_before = size();
  if (slices_.back_is_own()) {
    const std::span<std::byte> spare = slices_.back_spare();
    const std::size_t n = std::min(spare.size(), bytes.size());
    copy_bytes(bytes.first(n), spare.data());
    slices_.extend_back(static_cast<std::uint32_t>(n));
    bytes = bytes.subspan(n);
  }
  while (!bytes.empty()) {
    Slice block = take_block(pool, bytes.size(), size());
    if (!block) {
      slices_.drop_back(size() - size_before);
      return false;
    }
    const std::span<std::byte> spare = block.spare();
    const std::size_t n = std::min(spare.size(), bytes.size());
    copy_bytes(bytes.first(n), spare.data());
    block.extend(static_cast<std::uint32_t>(n));
    slices_.push_back(std::move(block), true);
    bytes = bytes.subspan(n);
  }
  return true;
}

void ReceiveQueue::append_all(BufferPool& pool, ReceiveQueue&& other) {
  if (empty()) {
    join(std::move(other));
    return;
  }
  while (!other.empty()) {
    Slice slice = other.slices_.pop_front();
    if (append_slice(pool, slice, 0, slice.size())) continue;
    slices_.push_back(std::move(slice));
  }
}

void ReceiveQueue::join(ReceiveQueue&& other) {
  if (other.empty()) return;
  const bool owned = other.slices_.back_is_own();
  if (const auto first = other.slices_.front_bytes(); continues_tail(first)) {
    slices_.extend_back(static_cast<std::uint32_t>(first.size()));
    other.slices_.pop_front();
  }
  const bool tail_is_others = !other.empty();
  if (slices_.count() < other.slices_.count()) {
    while (!empty()) other.slices_.push_front(slices_.pop_back());
    slices_ = std::move(other.slices_);
  } else {
    while (!other.empty()) slices_.push_back(other.slices_.pop_front());
  }
  slices_.set_back_is_own(tail_is_others && owned);
}

std::uint32_t ReceiveQueue::read(std::span<std::byte> out) {
  const auto bytes = static_cast<std::uint32_t>(std::min<std::size_t>(out.size(), size()));
  slices_.visit(0, bytes, [&](const Slice& slice, std::uint32_t begin, std::uint32_t part) {
    copy_bytes(slice.bytes().subspan(begin, part), out.data());
    out = out.subspan(part);
    return true;
  });
  slices_.drop_front(bytes);
  return bytes;
}

}  // namespace hawser::tcp
