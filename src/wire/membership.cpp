#include "wire/membership.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::wire {

namespace {

enum IgmpType : std::uint8_t {
  kIgmpQuery = 0x11,
  kIgmpReport1 = 0x12,
  kIgmpReport2 = 0x16,
  kIgmpLeave = 0x17,
  kIgmpReport3 = 0x22,
};

enum MldType : std::uint8_t {
  kMldQuery = 130,
  kMldReport1 = 131,
  kMldDone = 132,
  kMldReport2 = 143,
};

constexpr std::uint8_t kIgmpProtocol = static_cast<std::uint8_t>(IpProtocol::igmp);
constexpr std::uint8_t kIcmp6Protocol = static_cast<std::uint8_t>(IpProtocol::icmpv6);

constexpr std::size_t kIgmpHeader = 8;   // of all messages but queries of version 3
constexpr std::size_t kIgmpQuery3 = 12;  // with no sources
constexpr std::size_t kMldHeader = 24;   // with the group
constexpr std::size_t kMldQuery2 = 28;   // with no sources
constexpr std::size_t kRecordWithoutGroup = 4;

constexpr std::uint32_t kRouterAlert4 = 0x94040000;  // RFC 2113 2.1
/// A hop-by-hop header before ICMPv6 that holds the router alert for MLD (RFC 2711 2.1) and PadN.
constexpr std::array<std::byte, 8> kRouterAlert6 = {std::byte{kIcmp6Protocol},
                                                    std::byte{0},
                                                    std::byte{5},
                                                    std::byte{2},
                                                    std::byte{0},
                                                    std::byte{0},
                                                    std::byte{1},
                                                    std::byte{0}};

constexpr IpAddress kAllRouters4 = IpAddress::v4(224, 0, 0, 2);
constexpr IpAddress kVersion3Routers = IpAddress::v4(224, 0, 0, 22);

IpAddress link_group(std::uint8_t last) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = 0xff;
  bytes[1] = 2;
  bytes[15] = last;
  return IpAddress::v6(bytes);
}

IpAddress read_address4(const std::byte* at) {
  return IpAddress::v4(read8(at), read8(at + 1), read8(at + 2), read8(at + 3));
}

IpAddress read_address6(const std::byte* at) {
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = read8(at + i);
  return IpAddress::v6(bytes);
}

/// Codes from 2^(bits + 3) on are floating-point numbers whose mantissa has `bits` bits
/// (RFC 3376 4.1.1, RFC 3810 5.1.3).
std::uint32_t decode(std::uint32_t code, unsigned bits) {
  const std::uint32_t least = 1U << (bits + 3);
  if (code < least) return code;
  const std::uint32_t mantissa = code & ((1U << bits) - 1);
  const std::uint32_t exponent = (code >> bits) & 7U;
  return (mantissa | 1U << bits) << (exponent + 3);
}

bool is_group_or_none(const IpAddress& address, bool v4) {
  return address.is_v4() == v4 && (address.is_unspecified() || address.is_multicast());
}

void write_address(std::byte* to, const IpAddress& address) {
  const std::size_t skip = address.is_v4() ? 12 : 0;
  for (std::size_t i = skip; i < 16; ++i) write8(to + i - skip, address.bytes()[i]);
}

void fill_checksum(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  Checksum checksum;
  if (!source.is_v4()) {
    checksum.add_pseudo_header(source, destination, kIcmp6Protocol, packet.size());
  }
  checksum.add(packet);
  write16(&packet.own_bytes()[2], checksum.value());
}

/// Puts the IPv4 header with a router alert before an IGMP message.
void push_alerting_ipv4(Packet& packet, const IpHeader& header) {
  constexpr std::size_t kBytes = kIpv4MinHeader + 4;
  write32(packet.prepend(4).data(), kRouterAlert4);
  push_ip(packet, header);
  std::byte* at = packet.own_bytes().data();
  write8(at, 0x40 | kBytes / 4);
  write16(at + 10, 0);
  Checksum checksum;
  checksum.add(packet.own_bytes().first(kBytes));
  write16(at + 10, checksum.value());
}

/// The records of version three. What does not fit into the packet itself goes into a block.
bool append_records(BufferPool& pool, Packet& packet, std::span<const MembershipRecord> records,
                    std::size_t address_bytes) {
  const std::size_t bytes = kRecordWithoutGroup + address_bytes;
  Slice slice = pool.take(static_cast<std::uint32_t>(records.size() * bytes));
  if (!slice) return false;
  std::byte* at = slice.spare().data();
  for (const MembershipRecord& record : records) {
    write8(at, static_cast<std::uint8_t>(record.change));
    write8(at + 1, 0);
    write16(at + 2, 0);
    write_address(at + kRecordWithoutGroup, record.group);
    at += bytes;
  }
  slice.extend(static_cast<std::uint32_t>(records.size() * bytes));
  return packet.append(std::move(slice));
}

MembershipPacket make_igmp(BufferPool& pool, MembershipVersion version,
                           std::span<const MembershipRecord> records, const IpAddress& source) {
  Packet packet = pool.take_packet();
  if (!packet) return {};
  const bool leaves = records.front().change == MembershipChange::not_wanted;
  IpAddress destination = kVersion3Routers;
  if (version == MembershipVersion::three) {
    if (!append_records(pool, packet, records, 4)) return {};
  } else {
    destination = leaves ? kAllRouters4 : records.front().group;
  }
  std::byte* at = packet.prepend(kIgmpHeader).data();
  write32(at, 0);
  switch (version) {
    case MembershipVersion::one:
      write8(at, kIgmpReport1);
      break;
    case MembershipVersion::two:
      write8(at, leaves ? kIgmpLeave : kIgmpReport2);
      break;
    case MembershipVersion::three:
      write8(at, kIgmpReport3);
      break;
  }
  if (version == MembershipVersion::three) {
    write32(at + 4, static_cast<std::uint32_t>(records.size()));
  } else {
    write_address(at + 4, records.front().group);
  }
  fill_checksum(packet, source, destination);
  push_alerting_ipv4(packet, {.source = source,
                              .destination = destination,
                              .protocol = kIgmpProtocol,
                              .hop_limit = 1,
                              .dscp = 48});  // RFC3376-4: internetwork control
  return {std::move(packet), destination};
}

MembershipPacket make_mld(BufferPool& pool, MembershipVersion version,
                          std::span<const MembershipRecord> records, const IpAddress& source) {
  Packet packet = pool.take_packet();
  if (!packet) return {};
  const bool leaves = records.front().change == MembershipChange::not_wanted;
  IpAddress destination = link_group(0x16);
  if (version == MembershipVersion::three) {
    if (!append_records(pool, packet, records, 16)) return {};
    std::byte* at = packet.prepend(8).data();
    write32(at, std::uint32_t{kMldReport2} << 24);
    write32(at + 4, static_cast<std::uint32_t>(records.size()));
  } else {
    destination = leaves ? link_group(2) : records.front().group;
    std::byte* at = packet.prepend(kMldHeader).data();
    write32(at, std::uint32_t{leaves ? kMldDone : kMldReport1} << 24);
    write32(at + 4, 0);
    write_address(at + 8, records.front().group);
  }
  fill_checksum(packet, source, destination);
  push_mld_ip(packet, source, destination);
  return {std::move(packet), destination};
}

}  // namespace

void push_mld_ip(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  std::ranges::copy(kRouterAlert6, packet.prepend(kRouterAlert6.size()).begin());
  push_ip(packet, {.source = source, .destination = destination, .protocol = 0, .hop_limit = 1});
}

std::expected<MembershipMessage, DropReason> parse_igmp(const Packet& message, const IpHeader& ip) {
  const auto bad = std::unexpected(DropReason::bad_igmp);
  const std::span<const std::byte> head = message.head();
  Checksum checksum;
  checksum.add(message);
  if (head.size() < kIgmpHeader || checksum.value() != 0 || ip.hop_limit != 1) return bad;
  const IpAddress group = read_address4(&head[4]);
  const std::uint8_t code = read8(&head[1]);
  switch (read8(head.data())) {
    case kIgmpQuery: {
      if (!is_group_or_none(group, true)) return bad;
      MembershipQuery query{.version = MembershipVersion::two, .group = group};
      std::uint32_t tenths = code;
      if (message.size() >= kIgmpQuery3) {  // RFC3376-7.1
        if (head.size() < kIgmpQuery3) return bad;
        if (kIgmpQuery3 + std::size_t{read16(&head[10])} * 4 > message.size()) return bad;
        query.version = MembershipVersion::three;
        query.robustness = read8(&head[8]) & 7U;
        tenths = decode(code, 4);
      } else if (message.size() != kIgmpHeader) {
        return bad;
      } else if (code == 0) {
        query.version = MembershipVersion::one;
        tenths = 100;  // RFC2236-4
      }
      query.max_response = std::chrono::milliseconds(tenths * 100);
      return query;
    }
    case kIgmpReport1:
    case kIgmpReport2:
      if (!group.is_multicast()) return bad;
      return MembershipReport{group};
    default:
      return MembershipOther{};
  }
}

std::expected<MembershipMessage, DropReason> parse_mld(const Packet& message, const IpHeader& ip) {
  const auto bad = std::unexpected(DropReason::bad_icmp);
  const std::span<const std::byte> head = message.head();
  Checksum checksum;
  checksum.add_pseudo_header(ip.source, ip.destination, kIcmp6Protocol, message.size());
  checksum.add(message);
  if (checksum.value() != 0 || ip.hop_limit != 1) return bad;
  if (head.size() < 8) return bad;
  const std::uint8_t type = read8(head.data());
  if (type != kMldQuery && type != kMldReport1) return MembershipOther{};
  // RFC3810-6.2, RFC2710-3
  if (head.size() < kMldHeader || !ip.source.is_link_local() || !ip.router_alert) return bad;
  const IpAddress group = read_address6(&head[8]);
  if (type == kMldReport1) {
    if (group.is_v4() || !group.is_multicast()) return bad;
    return MembershipReport{group};
  }
  if (!is_group_or_none(group, false)) return bad;
  const std::uint32_t code = read16(&head[4]);
  MembershipQuery query{.version = MembershipVersion::two, .group = group};
  std::uint32_t milliseconds = code;
  if (message.size() >= kMldQuery2) {  // RFC3810-8.1
    if (head.size() < kMldQuery2) return bad;
    if (kMldQuery2 + std::size_t{read16(&head[26])} * 16 > message.size()) return bad;
    query.version = MembershipVersion::three;
    query.robustness = read8(&head[24]) & 7U;
    milliseconds = decode(code, 12);
  } else if (message.size() != kMldHeader) {
    return bad;
  }
  query.max_response = std::chrono::milliseconds(milliseconds);
  return query;
}

MembershipPacket make_membership_report(BufferPool& pool, MembershipVersion version,
                                        std::span<const MembershipRecord> records,
                                        const IpAddress& source) {
  assert(!records.empty() && records.size() <= kMembershipRecords);
  return records.front().group.is_v4() ? make_igmp(pool, version, records, source)
                                       : make_mld(pool, version, records, source);
}

}  // namespace hawser::wire
