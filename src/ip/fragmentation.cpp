#include "ip/fragmentation.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "wire/ip.hpp"

namespace hawser::ip {

namespace {

/// `length` bytes of `packet` from `offset` in a block of their own.
Packet copy_of(const Packet& packet, std::uint32_t offset, std::uint32_t length, BufferPool& pool) {
  Slice block = pool.take(length);
  Packet copy = pool.take_packet();
  if (!block || !copy) return {};
  packet.copy_to(offset, block.spare().first(length));
  block.extend(length);
  copy.append(std::move(block));
  return copy;
}

/// The same, sharing the slices. False without memory.
Packet part_of(const Packet& packet, std::uint32_t offset, std::uint32_t length, BufferPool& pool) {
  std::uint32_t own = packet.size();
  for (const Slice& slice : packet.slices()) own -= slice.size();
  Packet part = pool.take_packet();
  if (!part) return part;
  const std::uint32_t from_own = offset < own ? std::min(length, own - offset) : 0;
  if (from_own > 0 && !part.append_copy(packet.head().subspan(offset, from_own))) {
    return copy_of(packet, offset, length, pool);
  }
  std::uint32_t skip = offset - std::min(offset, own);
  std::uint32_t left = length - from_own;
  for (const Slice& slice : packet.slices()) {
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const std::uint32_t n = std::min(slice.size() - skip, left);
    if (n == 0) break;
    part.append(slice.part(skip, n));
    left -= n;
    skip = 0;
  }
  return part;
}

}  // namespace

FragmentIds::FragmentIds(Random& random) : beginning_(random), place_(random) {
  for (std::uint32_t& used : used_) used = static_cast<std::uint32_t>(random.next());
}

std::uint32_t FragmentIds::next(const IpAddress& source, const IpAddress& destination) {
  const std::array<IpAddress, 2> pair{source, destination};
  const auto bytes = std::as_bytes(std::span(pair));
  return static_cast<std::uint32_t>(beginning_(bytes)) + used_[place_(bytes) % used_.size()]++;
}

bool fragment(const Packet& packet, std::uint32_t mtu, std::uint32_t identification,
              BufferPool& pool, std::vector<Packet>& out) {
  const auto parsed = wire::parse_ip(packet.head(), packet.size());
  if (!parsed) return false;
  const bool v4 = parsed->header.source.is_v4();
  const std::uint32_t before = v4 ? wire::kIpv4MinHeader : wire::kIpv6Header;
  if (parsed->header_bytes != before) return false;
  const std::uint32_t headers = v4 ? before : before + wire::kFragmentHeader;
  if (mtu < headers + 8) return false;
  const std::uint32_t most = (mtu - headers) / 8 * 8;
  // Of an IPv4 fragment that a router cuts further.
  const wire::FragmentInfo whole = parsed->fragment.value_or(wire::FragmentInfo{});
  const std::size_t already = out.size();
  for (std::uint32_t at = 0; at < parsed->payload_bytes;) {
    const std::uint32_t left = parsed->payload_bytes - at;
    // The last may be as long as the MTU lets it.
    const std::uint32_t length = left <= mtu - headers ? left : most;
    Packet part = part_of(packet, before + at, length, pool);
    if (!part) {
      out.resize(already);
      return false;
    }
    wire::push_fragment(part, parsed->header,
                        {.identification = identification,
                         .offset = static_cast<std::uint16_t>(whole.offset + at),
                         .more = length != left || whole.more});
    part.set_interface(packet.interface());
    part.set_checksum(packet.checksum());
    out.push_back(std::move(part));
    at += length;
  }
  return true;
}

}  // namespace hawser::ip
