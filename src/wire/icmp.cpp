#include "wire/icmp.hpp"

#include <algorithm>
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
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::uint8_t kEchoReply6 = 129;

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
std::optional<IcmpErrorKind> unreachable_kind6(std::uint8_t code) {
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
      return std::nullopt;
  }
}

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
      return std::nullopt;
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
  error.source_port = Port{read16(transport)};
  error.destination_port = Port{read16(transport + 2)};
  error.seq = SeqNum(read32(transport + 4));
  return error;
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

struct TypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

TypeAndCode unreachable_code(IcmpErrorKind kind, bool v6) {
  switch (kind) {
    case IcmpErrorKind::network_unreachable:
      return v6 ? TypeAndCode{kUnreachable6, 0} : TypeAndCode{kUnreachable, 0};
    case IcmpErrorKind::protocol_unreachable:
      return v6 ? TypeAndCode{kParameterProblem6, 1} : TypeAndCode{kUnreachable, 2};
    case IcmpErrorKind::port_unreachable:
      return v6 ? TypeAndCode{kUnreachable6, 4} : TypeAndCode{kUnreachable, 3};
    case IcmpErrorKind::prohibited:
      return v6 ? TypeAndCode{kUnreachable6, 1} : TypeAndCode{kUnreachable, 13};
    default:
      assert(kind == IcmpErrorKind::host_unreachable);
      return v6 ? TypeAndCode{kUnreachable6, 3} : TypeAndCode{kUnreachable, 1};
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

Packet make_icmp_unreachable(const Packet& offending, IcmpErrorKind kind, const IpAddress& source,
                             const IpAddress& destination) {
  const bool v6 = !source.is_v4();
  Packet packet = offending.share();
  if (!packet) return packet;
  const std::uint32_t room = v6 ? kLargestError6 - static_cast<std::uint32_t>(kIpv6Header)
                                : kLargestError4 - static_cast<std::uint32_t>(kIpv4MinHeader);
  packet.truncate(std::min(packet.size(), room - static_cast<std::uint32_t>(kIcmpHeader)));
  // Whoever sent it may have used up the headroom for its own headers; room is made for ours, for
  // the longest of packets that are all in one piece by quoting a little less.
  const std::size_t most = Packet::kHeadroom + Packet::kInlineRoom - kBeforeQuote;
  if (packet.own_bytes().size() > most) packet.truncate(static_cast<std::uint32_t>(most));
  packet.reserve_headroom(kBeforeQuote);
  const TypeAndCode what = unreachable_code(kind, v6);
  const std::uint32_t pointer =
      what.type == kParameterProblem6 && v6 ? next_header_offset(offending.head()) : 0;
  std::byte* at = packet.prepend(kIcmpHeader).data();
  write8(at, what.type);
  write8(at + 1, what.code);
  write16(at + 2, 0);
  write32(at + 4, pointer);
  fill_checksum(packet, source, destination);
  return packet;
}

}  // namespace hawser::wire
