#include "hawser/packet.hpp"

#include <algorithm>
#include <cstring>

#include "core/copy.hpp"
#include "core/pool_state.hpp"

namespace hawser {

void Packet::reset() {
  if (data_ == nullptr) return;
  for (Slice& slice : slices()) slice = Slice{};
  Data* data = std::exchange(data_, nullptr);
  data->pool->give_back(data);
}

bool Packet::reserve_headroom(std::size_t bytes) {
  if (bytes <= data_->begin) return true;
  const std::size_t own = data_->end - data_->begin;
  if (bytes + own > data_->storage.size()) return false;
  std::memmove(&data_->storage[bytes], &data_->storage[data_->begin], own);
  data_->begin = static_cast<std::uint16_t>(bytes);
  data_->end = static_cast<std::uint16_t>(bytes + own);
  return true;
}

bool Packet::append_copy(std::span<const std::byte> bytes) {
  if (data_->slice_count != 0 || bytes.size() > data_->storage.size() - data_->end) return false;
  copy_bytes(bytes, data_->storage.data() + data_->end);
  data_->end = static_cast<std::uint16_t>(data_->end + bytes.size());
  return true;
}

bool Packet::append(Slice slice) {
  if (data_->slice_count == kMaxSlices) return false;
  data_->slices[data_->slice_count++] = std::move(slice);
  return true;
}

void Packet::trim_slices_front(std::uint32_t bytes) {
  bytes -= static_cast<std::uint32_t>(data_->end - data_->begin);
  data_->begin = data_->end;
  std::size_t gone = 0;
  for (Slice& slice : slices()) {
    if (bytes < slice.size()) {
      slice.trim_front(bytes);
      break;
    }
    bytes -= slice.size();
    slice = Slice{};
    ++gone;
  }
  if (gone == 0) return;
  std::move(data_->slices.begin() + static_cast<std::ptrdiff_t>(gone),
            data_->slices.begin() + data_->slice_count, data_->slices.begin());
  data_->slice_count = static_cast<std::uint8_t>(data_->slice_count - gone);
}

void Packet::truncate_slices(std::uint32_t bytes) {
  const auto own = static_cast<std::uint32_t>(data_->end - data_->begin);
  if (bytes <= own) {
    data_->end = static_cast<std::uint16_t>(data_->begin + bytes);
    for (Slice& slice : slices()) slice = Slice{};
    data_->slice_count = 0;
    return;
  }
  std::uint32_t left = bytes - own;
  std::uint8_t kept = 0;
  for (Slice& slice : slices()) {
    if (left == 0) {
      slice = Slice{};
      continue;
    }
    slice.truncate(std::min(left, slice.size()));
    left -= slice.size();
    ++kept;
  }
  data_->slice_count = kept;
}

void Packet::copy_to(std::uint32_t offset, std::span<std::byte> out) const {
  for_each_piece([&](std::span<const std::byte> piece) {
    if (offset >= piece.size()) {
      offset -= static_cast<std::uint32_t>(piece.size());
      return;
    }
    const std::size_t n = std::min(piece.size() - offset, out.size());
    copy_bytes(piece.subspan(offset, n), out.data());
    out = out.subspan(n);
    offset = 0;
  });
}

Packet Packet::share() const {
  Packet copy(data_->pool->take_packet());
  if (!copy) return copy;
  copy.data_->begin = data_->begin;
  copy.data_->end = data_->end;
  std::copy(data_->storage.begin() + data_->begin, data_->storage.begin() + data_->end,
            copy.data_->storage.begin() + data_->begin);
  copy.data_->slice_count = data_->slice_count;
  std::ranges::copy(slices(), copy.data_->slices.begin());
  copy.data_->checksum = data_->checksum;
  copy.data_->interface = data_->interface;
  return copy;
}

}  // namespace hawser
