// ICMP and ICMPv6 as far as a host with TCP needs them: errors about what we sent, echo
// (RFC 792, RFC 1191 4, RFC 4443 3, 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <variant>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/icmp.hpp"
#include "hawser/packet.hpp"
#include "hawser/seq_num.hpp"

namespace hawser::wire {

inline constexpr std::size_t kIcmpHeader = 8;

using hawser::IcmpErrorKind;

/// An error about a packet of ours that carried TCP, or what its quote says it was.
struct IcmpError {
  IcmpErrorKind kind{};
  std::uint8_t type = 0;  ///< as on the wire
  std::uint8_t code = 0;
  std::uint32_t mtu = 0;      ///< of packet_too_big, bytes; zero from a router older than RFC 1191
  IpAddress source;           ///< of the quoted packet: ours, if it was ours
  IpAddress destination;      ///< of the quoted packet
  std::uint8_t protocol = 0;  ///< of the quoted packet
  std::uint32_t packet_bytes = 0;  ///< how long the quoted packet was, its IP header included
  /// The quoted packet is not the first fragment of its datagram: it does not say more than this.
  bool later_fragment = false;
  Port source_port{};  ///< the rest has a meaning for TCP, the ports for UDP too
  Port destination_port{};
  SeqNum seq;
};

struct IcmpEcho {
  bool reply = false;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
};

/// A router of IPv4 knows a better first hop to where a packet of ours was bound. That it may speak
/// of the whole network says nothing, since nobody knows how large that is (RFC 1122 3.3.1.2).
struct IcmpRedirect {
  IpAddress gateway;
  IpAddress source;       ///< of the quoted packet
  IpAddress destination;  ///< of the quoted packet
};

/// None of these that concerns a host with TCP: nothing to do.
struct IcmpOther {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
};

using IcmpMessage = std::variant<IcmpError, IcmpEcho, IcmpRedirect, IcmpOther>;

/// Reads a whole ICMP message with which `message` begins, ICMPv6 if `source` is IPv6. A wrong
/// checksum, a missing byte of the header or of what an error must quote (the IP header and 8
/// bytes) gives bad_icmp. The data of an echo follow kIcmpHeader bytes.
std::expected<IcmpMessage, DropReason> parse_icmp(const Packet& message, const IpAddress& source,
                                                  const IpAddress& destination);

/// Puts an echo header before the data that `packet` holds, with its checksum.
void push_icmp_echo(Packet& packet, const IcmpEcho& echo, const IpAddress& source,
                    const IpAddress& destination);

/// What an error is to say.
struct IcmpReport {
  // NOLINTNEXTLINE(google-explicit-constructor): most kinds have nothing more to say
  IcmpReport(IcmpErrorKind what, std::uint8_t code_of_it = 0, std::uint32_t parameter_of_it = 0)
      : kind(what), code(code_of_it), parameter(parameter_of_it) {}

  IcmpErrorKind kind;       ///< any but source_route_failed, source_quench, unknown
  std::uint8_t code;        ///< of time_exceeded and parameter_problem
  std::uint32_t parameter;  ///< the pointer of parameter_problem, the MTU of packet_too_big
};

/// Time exceeded in reassembly (RFC 792, RFC 4443 3.3).
inline constexpr std::uint8_t kReassemblyTimeExceeded = 1;

/// The message about `offending`, which begins with its IP header: the ICMP header and as much of
/// the packet as belongs into it (RFC 1812 4.3.2.3, RFC 4443 2.4 (c)), yet without an IP header of
/// its own. With that it is not longer than the packet, unless this is shorter than the least that
/// an error must quote. False when the pool is exhausted. Whether an error may be sent at all is
/// the caller's to decide (RFC 1122 3.2.2, RFC 4443 2.4 (e)).
Packet make_icmp_error(const Packet& offending, const IcmpReport& report, const IpAddress& source,
                       const IpAddress& destination);

/// Whether nobody may be sent an error about the packet that begins with `head`, whatever is wrong
/// with it: it is an ICMP error itself or a redirect, or a fragment other than the first, or there
/// is too little of it to tell (RFC 1122 3.2.2, RFC 4443 2.4 (e)).
bool forbids_icmp_error(std::span<const std::byte> head);

}  // namespace hawser::wire
