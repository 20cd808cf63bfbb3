#include "link/datagrams.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::link {

namespace {

constexpr std::uint32_t kUdpHeader = 8;
constexpr std::uint32_t kIpAt = 14;
constexpr std::uint32_t kMinIpv4 = 20;
constexpr std::uint32_t kMinIpv6 = 40;
constexpr std::uint8_t kUdp = 17;

/// Adds the bytes [offset, offset + size) of `from`, which has none but slices.
bool share_range(const Packet& from, std::uint32_t offset, std::uint32_t size, Packet& to) {
  for (const Slice& slice : from.slices()) {
    if (size == 0) break;
    if (offset >= slice.size()) {
      offset -= slice.size();
      continue;
    }
    const std::uint32_t here = std::min(size, slice.size() - offset);
    if (!to.append(slice.part(offset, here))) return false;
    offset = 0;
    size -= here;
  }
  return size == 0;
}

/// The headers of the frame that is cut.
struct Headers {
  std::span<const std::byte> bytes;  // from the Ethernet's to UDP's
  std::uint32_t udp_at;
  bool v4;
};

/// False when they are not what they should be.
bool check(const Headers& headers) {
  const std::byte* ip = &headers.bytes[kIpAt];
  const std::uint32_t ip_header = headers.udp_at - kIpAt;
  if (!headers.v4) return wire::read8(ip) >> 4 == 6 && ip_header >= kMinIpv6;
  return wire::read8(ip + 9) == kUdp && (wire::read8(ip) & 0xfU) * 4U == ip_header;
}

void set_ip_length(std::span<std::byte> bytes, const Headers& headers, std::uint32_t number,
                   std::uint32_t udp_bytes) {
  std::byte* ip = &bytes[kIpAt];
  const std::uint32_t ip_header = headers.udp_at - kIpAt;
  if (!headers.v4) {
    wire::write16(ip + 4, static_cast<std::uint16_t>(ip_header - kMinIpv6 + udp_bytes));
    return;
  }
  wire::write16(ip + 2, static_cast<std::uint16_t>(ip_header + udp_bytes));
  // As a card counts on from the identification that it was given.
  wire::write16(ip + 4, static_cast<std::uint16_t>(wire::read16(ip + 4) + number));
  wire::write16(ip + 10, 0);
  wire::Checksum sum;
  sum.add(bytes.subspan(kIpAt, ip_header));
  wire::write16(ip + 10, sum.value());
}

std::uint16_t udp_checksum(const Packet& part, const Headers& headers, std::uint32_t udp_bytes) {
  wire::Checksum sum;
  // Both addresses as they stand in the header, then protocol and length.
  sum.add(headers.v4 ? headers.bytes.subspan(kIpAt + 12, 8) : headers.bytes.subspan(kIpAt + 8, 32));
  std::array<std::byte, 4> rest{};
  wire::write8(&rest[1], kUdp);
  wire::write16(&rest[2], static_cast<std::uint16_t>(udp_bytes));
  sum.add(rest);
  std::uint32_t skip = headers.udp_at;
  part.for_each_piece([&](std::span<const std::byte> piece) {
    sum.add(piece.subspan(skip));
    skip = 0;
  });
  return sum.value();
}

/// The datagram whose payload is `size` bytes from `offset` of the frame.
Packet cut(const Packet& frame, const Headers& headers, std::uint32_t number, std::uint32_t offset,
           std::uint32_t size, BufferPool& pool) {
  Packet part = pool.take_packet();
  if (!part || !part.append_copy(headers.bytes) || !share_range(frame, offset, size, part)) {
    return Packet{};
  }
  const std::uint32_t udp_bytes = kUdpHeader + size;
  set_ip_length(part.own_bytes(), headers, number, udp_bytes);
  std::byte* udp = &part.own_bytes()[headers.udp_at];
  wire::write16(udp + 4, static_cast<std::uint16_t>(udp_bytes));
  wire::write16(udp + 6, 0);
  // RFC 768: a sum of zero is written as all ones, since zero says that there is none.
  const std::uint16_t sum = udp_checksum(part, headers, udp_bytes);
  wire::write16(udp + 6, sum == 0 ? std::uint16_t{0xffff} : sum);
  part.set_checksum(ChecksumMark::verified);
  return part;
}

}  // namespace

bool cut_datagrams(const Packet& frame, std::uint32_t udp_at, std::uint32_t payload_bytes,
                   BufferPool& pool, std::vector<Packet>& out) {
  const std::uint32_t payload_at = udp_at + kUdpHeader;
  const bool has_headers = udp_at >= kIpAt + kMinIpv4 && udp_at < frame.head().size() &&
                           payload_at <= frame.head().size();
  if (!has_headers || payload_bytes == 0) return false;
  Headers headers{frame.head().first(payload_at), udp_at, false};
  headers.v4 = wire::read8(&headers.bytes[kIpAt]) >> 4 == 4;
  if (!check(headers)) return false;
  const std::size_t before = out.size();
  std::uint32_t number = 0;
  for (std::uint32_t offset = payload_at; offset < frame.size(); offset += payload_bytes) {
    const std::uint32_t size = std::min(payload_bytes, frame.size() - offset);
    Packet part = cut(frame, headers, number++, offset, size, pool);
    if (!part) {
      out.resize(before);
      return false;
    }
    out.push_back(std::move(part));
  }
  return true;
}

}  // namespace hawser::link
