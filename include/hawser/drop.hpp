// Why a frame, packet or segment was not taken further. Each reason has a counter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hawser {

enum class DropReason : std::uint8_t {
  // Ethernet and its neighbours
  bad_ethernet,  ///< an 802.3 length instead of a type, or a source that is a group
  other_vlan,    ///< tagged for a VLAN
  other_mac,     ///< for another station
  unknown_ether_type,
  bad_arp,
  address_conflict,       ///< ARP of another station with an address of ours (RFC 5227 2.4)
  bad_neighbour_message,  ///< one of the checks of RFC 4861 6.1, 7.1, 8.1
  bad_redirect,           ///< not by the router that is used to that destination
  neighbour_queue_full,   ///< too many packets wait for one neighbour's address
  no_neighbour,           ///< nobody answered for the next hop
  // wire and IP
  truncated,       ///< shorter than its headers say
  bad_ip_version,  ///< neither 4 nor 6
  bad_ip_header,   ///< a length or field that cannot be
  bad_ip_checksum,
  ip_options_malformed,
  extension_headers,   ///< more IPv6 extension headers, options or padding than anybody needs
  bad_fragment,        ///< one that cannot be part of a datagram (RFC 8200 4.5)
  tiny_fragment,       ///< a first fragment without all headers (RFC 1858, RFC 7112)
  fragment_overlap,    ///< fragments of one datagram that contradict each other (RFC 5722)
  fragment_duplicate,  ///< came twice
  fragment_memory,     ///< a bound on what waits for its other fragments
  fragment_timeout,    ///< the other fragments did not come
  not_ours,            ///< the destination is none of our addresses
  bad_source,          ///< unspecified, multicast, broadcast or our own as source (RFC9293-MUST-63)
  not_unicast,         ///< a TCP segment to broadcast or multicast (RFC9293-MUST-57)
  unknown_protocol,
  no_route,
  bad_icmp,      ///< malformed, or its quoted segment is none of ours
  rate_limited,  ///< an answer of which too many were asked for
  too_big,       ///< to be sent, but larger than the path carries and not to be cut
  // TCP, before a connection is found
  bad_tcp_header,
  bad_tcp_checksum,
  bad_tcp_options,  ///< an option whose length cannot be (RFC9293-MUST-7)
  no_connection,    ///< answered with RST
  syn_queue_full,
  accept_queue_full,
  bad_cookie,
  // TCP, on a connection
  out_of_window,  ///< the acceptability test of RFC 9293 3.10.7.4
  paws,           ///< timestamp older than the last (RFC 7323 5)
  no_timestamp,   ///< agreed upon, but not there (RFC 7323 3.2)
  bad_ack,        ///< outside what RFC 5961 5 allows
  no_ack,         ///< without ACK where one is needed
  challenge,      ///< RST or SYN answered by a challenge ACK (RFC 5961)
  bad_rst,        ///< a reset that does not match
  after_close,    ///< data after the application closed
  unexpected_syn,
  old_duplicate,  ///< in TIME-WAIT
  // UDP
  bad_udp_header,  ///< a length that cannot be
  bad_udp_checksum,
  no_port,             ///< no socket takes it; answered with port unreachable if it was unicast
  receive_queue_full,  ///< the program reads more slowly than datagrams come
  // DHCP
  bad_dhcp,         ///< malformed, or without what a lease needs (RFC 2131)
  unexpected_dhcp,  ///< an answer to no question of ours
  bad_igmp,         ///< malformed, or not from this link
  // memory
  no_memory,  ///< the pool's or a queue's bound
  count_,
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::count_);

/// The reason as in the enum, with spaces: "bad tcp checksum".
std::string_view to_string(DropReason reason);

}  // namespace hawser
