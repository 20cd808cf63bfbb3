// What ICMP and ICMPv6 tell a program: errors about what it sent, and answers to its echoes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hawser/address.hpp"
#include "hawser/error.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// What an ICMP error says, of either family.
enum class IcmpErrorKind : std::uint8_t {
  network_unreachable,
  host_unreachable,
  protocol_unreachable,
  port_unreachable,
  packet_too_big,  ///< IPv4: fragmentation needed and DF set
  source_route_failed,
  prohibited,  ///< by an administrator or a policy
  time_exceeded,
  parameter_problem,
  source_quench,  ///< to be ignored (RFC 6633)
  unknown,        ///< of ICMPv6, of a type that is not known here (RFC 4443 2.4 (a))
};
/// The kind as in the enum, with spaces: "port unreachable".
std::string_view to_string(IcmpErrorKind kind);

/// What an ICMP error means to a program that sent a datagram.
Error error_of(IcmpErrorKind kind);

/// An ICMP error about something that a socket sent.
struct IcmpErrorReport {
  Instant at{};  ///< when it came
  IcmpErrorKind kind{};
  std::uint8_t type = 0;  ///< as on the wire
  std::uint8_t code = 0;
  IpAddress reporter;          ///< who sent the error: the destination itself or a router before it
  Endpoint destination;        ///< where the packet was going; of an echo the port is zero
  std::uint32_t mtu = 0;       ///< of packet_too_big, bytes; zero from a router older than RFC 1191
  std::uint16_t sequence = 0;  ///< of an echo
};

}  // namespace hawser
