// ICMP and ICMPv6 as far as a host with TCP needs them: errors about what we sent, echo
// (RFC 792, RFC 1191 4, RFC 4443 3, 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
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
  Port source_port{};         ///< the rest has a meaning for TCP, the ports for UDP too
  Port destination_port{};
  SeqNum seq;
};

struct IcmpEcho {
  bool reply = false;
  std::uint16_t identifier = 0;
  std::uint16_t sequence = 0;
};

/// Neither an echo nor an error that concerns a host with TCP: nothing to do.
struct IcmpOther {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
};

using IcmpMessage = std::variant<IcmpError, IcmpEcho, IcmpOther>;

/// Reads a whole ICMP message with which `message` begins, ICMPv6 if `source` is IPv6. A wrong
/// checksum, a missing byte of the header or of what an error must quote (the IP header and 8
/// bytes) gives bad_icmp. The data of an echo follow kIcmpHeader bytes.
std::expected<IcmpMessage, DropReason> parse_icmp(const Packet& message, const IpAddress& source,
                                                  const IpAddress& destination);

/// Puts an echo header before the data that `packet` holds, with its checksum.
void push_icmp_echo(Packet& packet, const IcmpEcho& echo, const IpAddress& source,
                    const IpAddress& destination);

/// A destination-unreachable message about `offending`, which begins with its IP header: the ICMP
/// header and as much of the packet as belongs into it (RFC 1812 4.3.2.3, RFC 4443 3.1), yet
/// without an IP header of its own. `kind` is one of network_, host_, protocol_, port_unreachable
/// and prohibited. False when the pool is exhausted. Whether an error may be sent at all is the
/// caller's to decide (RFC 1122 3.2.2, RFC 4443 2.4 (e)).
Packet make_icmp_unreachable(const Packet& offending, IcmpErrorKind kind, const IpAddress& source,
                             const IpAddress& destination);

}  // namespace hawser::wire
