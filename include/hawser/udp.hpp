// UDP as its users see it: settings, what a datagram brings along, what a socket says of itself
// (RFC 768, RFC 1122 4.1, RFC 8085).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hawser/address.hpp"
#include "hawser/packet.hpp"

namespace hawser {

/// What a program sets for one UDP socket.
struct UdpSettings {
  /// IP_TTL, IPV6_UNICAST_HOPS (RFC1122-4.1.4), above zero; unset: what routers of the link
  /// advertise for IPv6, else kDefaultHopLimit.
  std::optional<std::uint8_t> hop_limit{};
  std::uint8_t dscp = 0;  ///< 6 bits of IP_TOS and IPV6_TCLASS (RFC1122-4.1.4)
  std::uint8_t ecn = 0;   ///< 2 bits
  /// Nothing that this socket sends is fragmented, here or on the way; what is too large for the
  /// first link fails with Error::message_size (RFC8085-3.2).
  bool dont_fragment = false;
  bool broadcast = false;      ///< SO_BROADCAST: sending to a broadcast address is allowed
  bool reuse_address = false;  ///< SO_REUSEADDR: binds where others are that say so, too
  /// SO_REUSEPORT: likewise, and unicast datagrams are spread over those sockets by their ends.
  bool reuse_port = false;
  bool v6_only = false;                    ///< IPV6_V6ONLY: `::` does not take IPv4
  std::optional<InterfaceId> interface{};  ///< SO_BINDTODEVICE: sends and receives only there

  std::uint8_t multicast_hop_limit = 1;  ///< IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS
  bool multicast_loop = true;            ///< IP_MULTICAST_LOOP: members on this host get it, too
  std::optional<InterfaceId> multicast_interface{};  ///< IP_MULTICAST_IF; unset: by the route

  std::uint32_t send_buffer = 256U << 10;     ///< SO_SNDBUF, bytes that wait to leave
  std::uint32_t receive_buffer = 256U << 10;  ///< SO_RCVBUF, bytes of memory of what is not read
  /// IP_RECVERR: ICMP errors are kept whole for `Stack::udp_take_error_report`, also those about
  /// datagrams that were sent without a connection.
  bool error_reports = false;

  /// Whether every value is one that can be: a hop limit above zero, 6 bits of DSCP, 2 of ECN,
  /// buffers of 1 byte to 1 GiB.
  bool is_valid() const;

  friend bool operator==(const UdpSettings&, const UdpSettings&) = default;
};

/// What holds for all UDP sockets of a stack.
struct UdpConfig {
  UdpSettings defaults{};  ///< of a new socket
  std::uint32_t max_sockets = 1U << 16;
  std::uint32_t max_groups = 64;         ///< multicast groups of one socket
  std::size_t max_queued = 64U << 20;    ///< bytes of memory of all that was received and not read
  std::size_t max_outgoing = 16U << 20;  ///< bytes of all that waits to leave
};

/// For one datagram, in place of what the socket says.
struct UdpSendOptions {
  std::optional<IpAddress> source{};        ///< one of ours (RFC1122-4.1.3.5)
  std::optional<InterfaceId> interface{};   ///< by which way, whatever the routes say
  std::optional<std::uint8_t> hop_limit{};  ///< above zero, but to a group: then it stays here
  std::optional<std::uint8_t> dscp{};       ///< 6 bits
  std::optional<std::uint8_t> ecn{};        ///< 2 bits
  std::optional<bool> dont_fragment{};
};

/// A datagram that was received.
struct UdpReceived {
  std::size_t size = 0;    ///< bytes that were copied
  std::size_t length = 0;  ///< bytes that it had: more than `size` when it was cut
  Endpoint source;
  IpAddress destination;  ///< as it was sent: ours, a broadcast address, a group (RFC1122-4.1.3.5)
  InterfaceId interface{};  ///< where it came in
  std::uint8_t hop_limit = 0;
  std::uint8_t dscp = 0;
  std::uint8_t ecn = 0;

  bool truncated() const { return length > size; }
};

/// A UDP socket seen from outside.
struct UdpInfo {
  Endpoint local;                    ///< port zero: not bound
  std::optional<Endpoint> remote;    ///< set when connected
  std::uint32_t receive_queue = 0;   ///< bytes of payload not read
  std::uint32_t receive_memory = 0;  ///< bytes of memory that they hold
  std::uint32_t send_queue = 0;      ///< bytes that wait to leave
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t dropped = 0;  ///< that found the receive queue full
};

}  // namespace hawser
