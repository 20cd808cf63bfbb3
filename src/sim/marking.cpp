#include "sim/marking.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/ethernet.hpp"
#include "wire/ip.hpp"

namespace hawser::sim {

namespace {

constexpr std::uint16_t kIpv4Ce = 0x0003;  ///< of the first two bytes of a header
constexpr std::uint16_t kIpv6Ce = 0x0030;
constexpr std::size_t kChecksumAt = 10;

/// Whether `header`, an IP header at least in part, could be marked and is now.
bool mark(std::span<std::byte> header) {
  if (header.size() < wire::kIpv4MinHeader) return false;
  const std::uint16_t before = wire::read16(header.data());
  const bool is_v4 = before >> 12 == 4;
  if (!is_v4 && before >> 12 != 6) return false;
  const std::uint16_t ce = is_v4 ? kIpv4Ce : kIpv6Ce;
  if ((before & ce) == 0 || (before & ce) == ce) return false;
  const auto after = static_cast<std::uint16_t>(before | ce);
  wire::write16(header.data(), after);
  if (!is_v4) return true;
  // RFC 1624 3: the sum follows the word that has changed.
  std::uint32_t sum = (~wire::read16(header.data() + kChecksumAt) & 0xffffU) +
                      (~std::uint32_t{before} & 0xffffU) + after;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  wire::write16(header.data() + kChecksumAt, static_cast<std::uint16_t>(~sum));
  return true;
}

}  // namespace

bool mark_congestion(Packet& frame, bool ethernet, BufferPool& pool) {
  std::size_t begin = 0;
  if (ethernet) {
    const auto parsed = wire::parse_ethernet(frame.head());
    if (!parsed) return false;
    begin = parsed->header_bytes;
  }
  const std::span<std::byte> own = frame.own_bytes();
  if (own.size() > begin) return mark(own.subspan(begin));
  if (!own.empty() || frame.size() <= begin) return false;
  // What a device has read lies in a block that may be shared.
  Slice copy = pool.take(frame.size());
  if (!copy) return false;
  const auto bytes = copy.spare().first(frame.size());
  frame.copy_to(0, bytes);
  if (!mark(bytes.subspan(begin))) return false;
  copy.extend(frame.size());
  frame.truncate(0);
  frame.append(std::move(copy));
  return true;
}

}  // namespace hawser::sim
