#include "link/segmentation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::link {

namespace {

constexpr std::uint32_t kUdpHeader = 8;
constexpr std::uint32_t kMinTcpHeader = 20;
constexpr std::uint32_t kEthernetHeader = 14;
constexpr std::uint32_t kTag = 4;  // of a VLAN, before the type of what follows
constexpr std::uint32_t kTypeAt = 12;
constexpr std::uint16_t kTagType = 0x8100;
constexpr std::uint16_t kServiceTagType = 0x88a8;
constexpr std::uint32_t kMinIpv4 = 20;
constexpr std::uint32_t kMinIpv6 = 40;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr unsigned kFin = 0x01;
constexpr unsigned kPsh = 0x08;
constexpr unsigned kCwr = 0x80;

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
  std::span<const std::byte> bytes;  // from the Ethernet's to that of the transport
  std::uint32_t ip_at;
  std::uint32_t transport_at;
  std::uint8_t protocol;
  bool v4;
};

/// One of the pieces, in order.
struct Piece {
  std::uint32_t number;
  std::uint32_t offset;  // of its payload in the frame
  std::uint32_t size;
  bool last;
};

/// Nothing when they are not what they should be.
std::optional<Headers> headers_of(const Packet& frame, std::uint32_t transport_at,
                                  std::uint32_t transport_bytes, std::uint8_t protocol) {
  const std::span<const std::byte> head = frame.head();
  if (transport_at > head.size()) return std::nullopt;
  const std::uint32_t all = transport_at + transport_bytes;
  if (head.size() < all || all > Packet::kHeadroom || head.size() < kEthernetHeader + kTag) {
    return std::nullopt;
  }
  const std::uint16_t type = wire::read16(&head[kTypeAt]);
  const bool tagged = type == kTagType || type == kServiceTagType;
  Headers headers{head.first(all), kEthernetHeader + (tagged ? kTag : 0), transport_at, protocol,
                  false};
  if (transport_at < headers.ip_at + kMinIpv4) return std::nullopt;
  const std::byte* ip = &head[headers.ip_at];
  const std::uint32_t ip_header = transport_at - headers.ip_at;
  const unsigned version = wire::read8(ip) >> 4U;
  headers.v4 = version == 4;
  const bool good =
      headers.v4 ? wire::read8(ip + 9) == protocol && (wire::read8(ip) & 0xfU) * 4U == ip_header
                 : version == 6 && ip_header >= kMinIpv6;
  return good ? std::optional(headers) : std::nullopt;
}

void set_ip_length(std::span<std::byte> bytes, const Headers& headers, std::uint32_t number,
                   std::uint32_t transport_bytes) {
  std::byte* ip = &bytes[headers.ip_at];
  const std::uint32_t ip_header = headers.transport_at - headers.ip_at;
  if (!headers.v4) {
    wire::write16(ip + 4, static_cast<std::uint16_t>(ip_header - kMinIpv6 + transport_bytes));
    return;
  }
  wire::write16(ip + 2, static_cast<std::uint16_t>(ip_header + transport_bytes));
  // As a card counts on from the identification that it was given.
  wire::write16(ip + 4, static_cast<std::uint16_t>(wire::read16(ip + 4) + number));
  wire::write16(ip + 10, 0);
  wire::Checksum sum;
  sum.add(bytes.subspan(headers.ip_at, ip_header));
  wire::write16(ip + 10, sum.value());
}

std::uint16_t transport_checksum(const Packet& part, const Headers& headers,
                                 std::uint32_t transport_bytes) {
  wire::Checksum sum;
  // Both addresses as they stand in the header, then protocol and length.
  sum.add(headers.v4 ? headers.bytes.subspan(headers.ip_at + 12, 8)
                     : headers.bytes.subspan(headers.ip_at + 8, 32));
  std::array<std::byte, 4> rest{};
  wire::write8(&rest[1], headers.protocol);
  wire::write16(&rest[2], static_cast<std::uint16_t>(transport_bytes));
  sum.add(rest);
  std::uint32_t skip = headers.transport_at;
  part.for_each_piece([&](std::span<const std::byte> piece) {
    sum.add(piece.subspan(skip));
    skip = 0;
  });
  return sum.value();
}

void finish_udp(Packet& part, const Headers& headers, std::uint32_t udp_bytes) {
  std::byte* udp = &part.own_bytes()[headers.transport_at];
  wire::write16(udp + 4, static_cast<std::uint16_t>(udp_bytes));
  wire::write16(udp + 6, 0);
  // RFC 768: a sum of zero is written as all ones, since zero says that there is none.
  const std::uint16_t sum = transport_checksum(part, headers, udp_bytes);
  wire::write16(udp + 6, sum == 0 ? std::uint16_t{0xffff} : sum);
}

void finish_tcp(Packet& part, const Headers& headers, const Piece& piece, std::uint32_t tcp_bytes) {
  std::byte* tcp = &part.own_bytes()[headers.transport_at];
  const auto before = piece.offset - static_cast<std::uint32_t>(headers.bytes.size());
  wire::write32(tcp + 4, wire::read32(tcp + 4) + before);
  unsigned flags = wire::read8(tcp + 13);
  if (!piece.last) flags &= ~(kFin | kPsh);
  if (piece.number != 0) flags &= ~kCwr;
  wire::write8(tcp + 13, static_cast<std::uint8_t>(flags));
  wire::write16(tcp + 16, 0);
  wire::write16(tcp + 16, transport_checksum(part, headers, tcp_bytes));
}

Packet cut(const Packet& frame, const Headers& headers, const Piece& piece, BufferPool& pool) {
  Packet part = pool.take_packet();
  if (!part) return part;
  std::ranges::copy(headers.bytes, part.prepend(headers.bytes.size()).begin());
  if (!share_range(frame, piece.offset, piece.size, part)) return Packet{};
  const auto header_bytes = static_cast<std::uint32_t>(headers.bytes.size());
  const std::uint32_t transport_bytes = header_bytes - headers.transport_at + piece.size;
  set_ip_length(part.own_bytes(), headers, piece.number, transport_bytes);
  headers.protocol == kUdp ? finish_udp(part, headers, transport_bytes)
                           : finish_tcp(part, headers, piece, transport_bytes);
  part.set_checksum(ChecksumMark::verified);
  return part;
}

bool cut_all(const Packet& frame, const Headers& headers, std::uint32_t payload_bytes,
             BufferPool& pool, std::vector<Packet>& out) {
  const std::size_t before = out.size();
  std::uint32_t number = 0;
  for (auto offset = static_cast<std::uint32_t>(headers.bytes.size()); offset < frame.size();
       offset += payload_bytes) {
    const std::uint32_t size = std::min(payload_bytes, frame.size() - offset);
    Packet part =
        cut(frame, headers, {number++, offset, size, offset + size == frame.size()}, pool);
    if (!part) {
      out.resize(before);
      return false;
    }
    out.push_back(std::move(part));
  }
  return true;
}

}  // namespace

bool cut_datagrams(const Packet& frame, std::uint32_t udp_at, std::uint32_t payload_bytes,
                   BufferPool& pool, std::vector<Packet>& out) {
  const auto headers = headers_of(frame, udp_at, kUdpHeader, kUdp);
  return headers && payload_bytes != 0 && cut_all(frame, *headers, payload_bytes, pool, out);
}

bool cut_segments(const Packet& frame, std::uint32_t tcp_at, std::uint32_t payload_bytes,
                  BufferPool& pool, std::vector<Packet>& out) {
  if (frame.head().size() < std::size_t{tcp_at} + kMinTcpHeader) return false;
  const std::uint32_t header_bytes = (wire::read8(&frame.head()[tcp_at + 12]) >> 4U) * 4U;
  if (header_bytes < kMinTcpHeader) return false;
  const auto headers = headers_of(frame, tcp_at, header_bytes, kTcp);
  return headers && payload_bytes != 0 && cut_all(frame, *headers, payload_bytes, pool, out);
}

}  // namespace hawser::link
