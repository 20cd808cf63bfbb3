#include "wire/icmp.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

namespace {

// RFC 792
constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kSourceQuench = 4;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kTimeExceeded = 11;
constexpr std::uint8_t kParameterProblem = 12;

// RFC 4443
constexpr std::uint8_t kUnreachable6 = 1;
constexpr std::uint8_t kPacketTooBig6 = 2;
constexpr std::uint8_t kTimeExceeded6 = 3;
constexpr std::uint8_t kParameterProblem6 = 4;
constexpr std::uint8_t kLastError6 = 127;
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::uint8_t kEchoReply6 = 129;
constexpr std::uint8_t kRedirect6 = 137;
constexpr std::uint8_t kRedirect = 5;
constexpr std::uint8_t kLastRedirectCode = 3;  // for a host and a type of service (RFC 792)

/// How long an error may be with its IP header: what every host and link must take.
constexpr std::uint32_t kLargestError4 = 576;   // RFC 1812 4.3.2.3
constexpr std::uint32_t kLargestError6 = 1280;  // RFC 4443 2.4 (c)
constexpr std::size_t kQuotedTransport = 8;     // ports and sequence number
/// What goes before a quoted packet: Ethernet, IPv6 and ICMP headers.
constexpr std::size_t kBeforeQuote = 18 + kIpv6Header + kIcmpHeader;

/// Codes of destination unreachable (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1).
std::optional<IcmpErrorKind> unreachable_kind(std::uint8_t code) {
  switch (code) {
    case 0:   // network unreachable
    case 6:   // network unknown
    case 11:  // network unreachable for this type of service
      return IcmpErrorKind::network_unreachable;
    case 1:   // host unreachable
    case 7:   // host unknown
    case 8:   // source host isolated
    case 12:  // host unreachable for this type of service
      return IcmpErrorKind::host_unreachable;
    case 2:
      return IcmpErrorKind::protocol_unreachable;
    case 3:
      return IcmpErrorKind::port_unreachable;
    case 4:
      return IcmpErrorKind::packet_too_big;
    case 5:
      return IcmpErrorKind::source_route_failed;
    case 9:   // network administratively prohibited
    case 10:  // host administratively prohibited
    case 13:  // communication administratively prohibited
    case 14:  // host precedence violation
    case 15:  // precedence cutoff
      return IcmpErrorKind::prohibited;
    default:
      return std::nullopt;
  }
}

std::optional<IcmpErrorKind> error_kind(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case kUnreachable:
      return unreachable_kind(code);
    case kSourceQuench:
      return IcmpErrorKind::source_quench;
    case kTimeExceeded:
      return IcmpErrorKind::time_exceeded;
    case kParameterProblem:
      return IcmpErrorKind::parameter_problem;
    default:
      return std::nullopt;
  }
}

/// Codes of destination unreachable in ICMPv6 (RFC 4443 3.1).
IcmpErrorKind unreachable_kind6(std::uint8_t code) {
  switch (code) {
    case 0:  // no route
      return IcmpErrorKind::network_unreachable;
    case 2:  // beyond the scope of the source address
    case 3:  // address unreachable
      return IcmpErrorKind::host_unreachable;
    case 1:  // administratively prohibited
    case 5:  // source address failed a policy
    case 6:  // reject route
      return IcmpErrorKind::prohibited;
    case 4:
      return IcmpErrorKind::port_unreachable;
    default:
      return IcmpErrorKind::host_unreachable;
  }
}

/// RFC4443-2.4, RFC4443-3.1: whoever sent the packet is told of what is new as well.
std::optional<IcmpErrorKind> error_kind6(std::uint8_t type, std::uint8_t code) {
  switch (type) {
    case kUnreachable6:
      return unreachable_kind6(code);
    case kPacketTooBig6:
      return IcmpErrorKind::packet_too_big;
    case kTimeExceeded6:
      return IcmpErrorKind::time_exceeded;
    case kParameterProblem6:  // code 1, unrecognized next header, is IPv4's protocol unreachable
      return code == 1 ? IcmpErrorKind::protocol_unreachable : IcmpErrorKind::parameter_problem;
    default:
      if (type > kLastError6) return std::nullopt;
      return IcmpErrorKind::unknown;
  }
}

/// The next-hop MTU: the low half of the word behind the checksum in IPv4 (RFC 1191 4), all of it
/// in IPv6.
std::uint32_t mtu_field(const std::byte* at, bool v6) {
  return v6 ? read32(at + 4) : read16(at + 6);
}

/// Reads the error's quote: an IP header and at least 8 bytes of what followed it.
std::expected<IcmpMessage, DropReason> parse_error(IcmpErrorKind kind,
                                                   std::span<const std::byte> head, bool v6) {
  const auto quote = head.subspan(kIcmpHeader);
  const auto quoted = parse_quoted_ip(quote);
  if (!quoted || quoted->header.source.is_v4() == v6 ||
      quote.size() < quoted->header_bytes + kQuotedTransport) {
    return std::unexpected(DropReason::bad_icmp);
  }
  const std::byte* transport = quote.data() + quoted->header_bytes;
  IcmpError error;
  error.kind = kind;
  error.type = read8(head.data());
  error.code = read8(&head[1]);
  if (kind == IcmpErrorKind::packet_too_big) error.mtu = mtu_field(head.data(), v6);
  error.source = quoted->header.source;
  error.destination = quoted->header.destination;
  error.protocol = quoted->header.protocol;
  error.packet_bytes = quoted->header_bytes + quoted->payload_bytes;
  error.later_fragment = quoted->fragment && quoted->fragment->offset != 0;
  if (error.later_fragment) return error;
  error.source_port = Port{read16(transport)};
  error.destination_port = Port{read16(transport + 2)};
  error.seq = SeqNum(read32(transport + 4));
  return error;
}

/// RFC 792: the address of the gateway, then a quote as of an error.
std::expected<IcmpMessage, DropReason> parse_redirect(std::span<const std::byte> head) {
  const auto quote = head.subspan(kIcmpHeader);
  const auto quoted = parse_quoted_ip(quote);
  if (!quoted || !quoted->header.source.is_v4() ||
      quote.size() < quoted->header_bytes + kQuotedTransport) {
    return std::unexpected(DropReason::bad_icmp);
  }
  return IcmpRedirect{
      .gateway = IpAddress::v4(read8(&head[4]), read8(&head[5]), read8(&head[6]), read8(&head[7])),
      .source = quoted->header.source,
      .destination = quoted->header.destination};
}

/// Fills in the checksum of the ICMP message that `packet` is; the field holds zero so far.
void fill_checksum(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  Checksum checksum;
  if (!source.is_v4()) {
    checksum.add_pseudo_header(source, destination, static_cast<std::uint8_t>(IpProtocol::icmpv6),
                               packet.size());
  }
  checksum.add(packet);
  write16(&packet.own_bytes()[2], checksum.value());
  packet.set_checksum(ChecksumMark::in_frame);
}

bool checksum_ok(const Packet& message, const IpAddress& source, const IpAddress& destination) {
  Checksum checksum;
  if (!source.is_v4()) {
    checksum.add_pseudo_header(source, destination, static_cast<std::uint8_t>(IpProtocol::icmpv6),
                               message.size());
  }
  checksum.add(message);
  return checksum.value() == 0;
}

/// The fixed part of an error.
struct ErrorHeader {
  std::uint8_t type;
  std::uint8_t code;
  std::uint32_t parameter = 0;
};

ErrorHeader header_of(const IcmpReport& report) {
  switch (report.kind) {
    case IcmpErrorKind::network_unreachable:
      return {kUnreachable, 0};
    case IcmpErrorKind::protocol_unreachable:
      return {kUnreachable, 2};
    case IcmpErrorKind::port_unreachable:
      return {kUnreachable, 3};
    case IcmpErrorKind::packet_too_big:  // the MTU in the low half (RFC 1191 4)
      return {kUnreachable, 4, std::min<std::uint32_t>(report.parameter, UINT16_MAX)};
    case IcmpErrorKind::prohibited:
      return {kUnreachable, 13};
    case IcmpErrorKind::time_exceeded:
      return {kTimeExceeded, report.code};
    case IcmpErrorKind::parameter_problem:  // the pointer in the first byte (RFC 792)
      return {kParameterProblem, report.code, report.parameter << 24};
    default:
      assert(report.kind == IcmpErrorKind::host_unreachable);
      return {kUnreachable, 1};
  }
}

/// Where the IPv6 header, or the last extension header of the packet at `head`, names the protocol:
/// what a parameter problem points at (RFC 4443 3.4).
std::uint32_t next_header_offset(std::span<const std::byte> head) {
  constexpr std::uint32_t kNextHeaderOfIpv6 = 6;
  const auto parsed = parse_quoted_ip(head);
  if (!parsed) return kNextHeaderOfIpv6;
  std::uint32_t field = kNextHeaderOfIpv6;
  std::uint32_t next = kIpv6Header;
  while (next < parsed->header_bytes) {
    field = next;
    const bool fragment = read8(&head[next]) == 44;
    next += fragment ? 8U : (read8(&head[next + 1]) + 1U) * 8U;
  }
  return field;
}

ErrorHeader header_of6(const IcmpReport& report, std::span<const std::byte> offending) {
  switch (report.kind) {
    case IcmpErrorKind::network_unreachable:
      return {kUnreachable6, 0};
    case IcmpErrorKind::protocol_unreachable:
      return {kParameterProblem6, 1, next_header_offset(offending)};
    case IcmpErrorKind::port_unreachable:
      return {kUnreachable6, 4};
    case IcmpErrorKind::packet_too_big:
      return {kPacketTooBig6, 0, report.parameter};
    case IcmpErrorKind::prohibited:
      return {kUnreachable6, 1};
    case IcmpErrorKind::time_exceeded:
      return {kTimeExceeded6, report.code};
    case IcmpErrorKind::parameter_problem:
      return {kParameterProblem6, report.code, report.parameter};
    default:
      assert(report.kind == IcmpErrorKind::host_unreachable);
      return {kUnreachable6, 3};
  }
}

/// How much of a packet of `packet_bytes` bytes an error quotes: no more than makes it as long as
/// the packet (nobody's packets come back as larger ones), but its header and 8 bytes in any case.
std::uint32_t quote_bytes(std::span<const std::byte> head, std::uint32_t packet_bytes, bool v6) {
  const std::uint32_t ours = static_cast<std::uint32_t>(v6 ? kIpv6Header : kIpv4MinHeader) +
                             static_cast<std::uint32_t>(kIcmpHeader);
  const auto parsed = parse_quoted_ip(head);
  const std::uint32_t least =
      (parsed ? parsed->header_bytes : ours) + static_cast<std::uint32_t>(kQuotedTransport);
  const std::uint32_t same = packet_bytes - std::min(packet_bytes, ours);
  const std::uint32_t most = (v6 ? kLargestError6 : kLargestError4) - ours;
  return std::min({packet_bytes, most, std::max(least, same)});
}

}  // namespace

std::expected<IcmpMessage, DropReason> parse_icmp(const Packet& message, const IpAddress& source,
                                                  const IpAddress& destination) {
  const std::span<const std::byte> head = message.head();
  if (head.size() < kIcmpHeader || !checksum_ok(message, source, destination)) {
    return std::unexpected(DropReason::bad_icmp);
  }
  const bool v6 = !source.is_v4();
  const std::uint8_t type = read8(head.data());
  const std::uint8_t code = read8(&head[1]);
  const bool request = type == (v6 ? kEchoRequest6 : kEchoRequest);
  const bool reply = type == (v6 ? kEchoReply6 : kEchoReply);
  if (request || reply) return IcmpEcho{reply, read16(&head[4]), read16(&head[6])};
  if (!v6 && type == kRedirect && code <= kLastRedirectCode) return parse_redirect(head);
  const auto kind = v6 ? error_kind6(type, code) : error_kind(type, code);
  if (!kind) return IcmpOther{type, code};
  return parse_error(*kind, head, v6);
}

void push_icmp_echo(Packet& packet, const IcmpEcho& echo, const IpAddress& source,
                    const IpAddress& destination) {
  const bool v6 = !source.is_v4();
  std::byte* at = packet.prepend(kIcmpHeader).data();
  write8(at, echo.reply ? (v6 ? kEchoReply6 : kEchoReply) : (v6 ? kEchoRequest6 : kEchoRequest));
  write8(at + 1, 0);
  write16(at + 2, 0);
  write16(at + 4, echo.identifier);
  write16(at + 6, echo.sequence);
  fill_checksum(packet, source, destination);
}

Packet make_icmp_error(const Packet& offending, const IcmpReport& report, const IpAddress& source,
                       const IpAddress& destination) {
  const bool v6 = !source.is_v4();
  Packet packet = offending.share();
  if (!packet) return packet;
  packet.truncate(quote_bytes(offending.head(), packet.size(), v6));
  // Headers are in one piece, those that are quoted too; a packet from a device is all in a slice.
  if (packet.own_bytes().size() < Packet::kInlineRoom && !packet.slices().empty()) {
    std::array<std::byte, Packet::kInlineRoom> first;
    const std::size_t size = std::min<std::size_t>(first.size(), packet.size());
    packet.copy_to(0, std::span(first).first(size));
    packet.trim_front(static_cast<std::uint32_t>(size));
    packet.reserve_headroom(size);
    std::copy_n(first.begin(), size, packet.prepend(size).begin());
  }
  // Whoever sent it may have used up the headroom for its own headers; room is made for ours, for
  // the longest of packets that are all in one piece by quoting a little less.
  const std::size_t most = Packet::kHeadroom + Packet::kInlineRoom - kBeforeQuote;
  if (packet.own_bytes().size() > most) packet.truncate(static_cast<std::uint32_t>(most));
  packet.reserve_headroom(kBeforeQuote);
  const ErrorHeader header = v6 ? header_of6(report, offending.head()) : header_of(report);
  std::byte* at = packet.prepend(kIcmpHeader).data();
  write8(at, header.type);
  write8(at + 1, header.code);
  write16(at + 2, 0);
  write32(at + 4, header.parameter);
  fill_checksum(packet, source, destination);
  return packet;
}

bool forbids_icmp_error(std::span<const std::byte> head) {
  const auto transport = find_transport(head);
  if (!transport || transport->offset != 0) return true;
  const bool icmp = transport->protocol == static_cast<std::uint8_t>(IpProtocol::icmp);
  const bool icmpv6 = transport->protocol == static_cast<std::uint8_t>(IpProtocol::icmpv6);
  if (!icmp && !icmpv6) return false;
  if (transport->at >= head.size()) return true;
  const std::uint8_t type = read8(&head[transport->at]);
  if (icmpv6) return type <= kLastError6 || type == kRedirect6;
  return error_kind(type, 0).has_value() || type == kRedirect;
}

}  // namespace hawser::wire
