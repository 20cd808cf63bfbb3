#include "wire/udp.hpp"

#include <algorithm>
#include <cassert>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

namespace {

constexpr std::uint8_t kUdpProtocol = static_cast<std::uint8_t>(IpProtocol::udp);

}  // namespace

std::expected<ParsedUdp, DropReason> parse_udp(std::span<const std::byte> bytes,
                                               std::uint32_t ip_payload, Family family) {
  if (bytes.size() < kUdpHeader) return std::unexpected(DropReason::truncated);
  const std::byte* at = bytes.data();
  ParsedUdp parsed;
  parsed.header = {Port{read16(at)}, Port{read16(at + 2)}};
  parsed.length = read16(at + 4);
  parsed.has_checksum = read16(at + 6) != 0;  // RFC768: zero says that there is none
  if (parsed.length < kUdpHeader || parsed.length > ip_payload) {
    return std::unexpected(DropReason::bad_udp_header);
  }
  // RFC8200-8.1: only tunnels may do without (RFC 6935).
  if (!parsed.has_checksum && family == Family::ipv6) {
    return std::unexpected(DropReason::bad_udp_checksum);
  }
  return parsed;
}

bool udp_checksum_ok(const Packet& packet, std::uint32_t offset, const IpAddress& source,
                     const IpAddress& destination) {
  Checksum checksum;
  checksum.add_pseudo_header(source, destination, kUdpProtocol, packet.size() - offset);
  std::size_t skip = offset;
  packet.for_each_piece([&](std::span<const std::byte> piece) {
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    checksum.add(piece.subspan(skipped));
  });
  return checksum.value() == 0;
}

void push_udp(Packet& packet, const UdpHeader& header, const IpAddress& source,
              const IpAddress& destination, ChecksumMark mark) {
  const std::size_t length = packet.size() + kUdpHeader;
  assert(length <= UINT16_MAX);
  std::byte* at = packet.prepend(kUdpHeader).data();
  write16(at, to_number(header.source));
  write16(at + 2, to_number(header.destination));
  write16(at + 4, static_cast<std::uint16_t>(length));
  write16(at + 6, 0);
  packet.set_checksum(mark);
  Checksum checksum;
  checksum.add_pseudo_header(source, destination, kUdpProtocol, static_cast<std::uint32_t>(length));
  if (mark == ChecksumMark::to_fill) {
    write16(at + 6, checksum.sum());
    return;
  }
  checksum.add(packet);
  const std::uint16_t value = checksum.value();
  write16(at + 6, value == 0 ? 0xffff : value);  // RFC768: zero would say that there is none
}

}  // namespace hawser::wire
