#include "tcp/send_queue.hpp"

#include <algorithm>

#include "core/copy.hpp"

namespace hawser::tcp {

std::uint32_t SendQueue::append(BufferPool& pool, std::span<const std::byte> data,
                                std::uint32_t limit) {
  if (limit <= size()) return 0;
  data = data.first(std::min<std::size_t>(data.size(), limit - size()));
  const std::uint32_t before = size();
  if (!empty()) {
    const std::span<std::byte> spare = slices_.back_spare();
    const std::size_t n = std::min(spare.size(), data.size());
    copy_bytes(data.first(n), spare.data());
    slices_.extend_back(static_cast<std::uint32_t>(n));
    data = data.subspan(n);
  }
  while (!data.empty()) {
    Slice block = take_block(pool, data.size(), size());
    if (!block) break;
    const std::span<std::byte> spare = block.spare();
    const std::size_t n = std::min(spare.size(), data.size());
    copy_bytes(data.first(n), spare.data());
    block.extend(static_cast<std::uint32_t>(n));
    slices_.push_back(std::move(block), true);
    data = data.subspan(n);
  }
  return size() - before;
}

std::uint32_t SendQueue::attach(std::uint32_t offset, std::uint32_t length, Packet& packet) const {
  std::uint32_t attached = 0;
  bool copies = length <= Packet::kInlineRoom;
  slices_.visit(offset, length, [&](const Slice& slice, std::uint32_t begin, std::uint32_t part) {
    copies = copies && packet.append_copy(slice.bytes().subspan(begin, part));
    if (!copies && !packet.append(slice.part(begin, part))) return false;
    attached += part;
    return true;
  });
  return attached;
}

}  // namespace hawser::tcp
