// One host: interfaces, addresses, routes, ports and connections. No threads, no clock, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/addressing.hpp"
#include "hawser/counters.hpp"
#include "hawser/echo.hpp"
#include "hawser/error.hpp"
#include "hawser/event.hpp"
#include "hawser/icmp.hpp"
#include "hawser/ip.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/neighbour.hpp"
#include "hawser/packet.hpp"
#include "hawser/ready.hpp"
#include "hawser/tcp.hpp"
#include "hawser/time.hpp"
#include "hawser/udp.hpp"

namespace hawser {

/// An interface of a stack: a device that takes and gives frames of an Ethernet or bare IP packets.
struct InterfaceConfig {
  std::string name;
  std::uint32_t mtu = 1500;         ///< bytes of the largest IP packet
  std::vector<Prefix> addresses;    ///< the stack's own; each gives a route to its network
  std::optional<MacAddress> mac{};  ///< ours on an Ethernet; unset: bare IP packets, no neighbours
  /// Whether an Ethernet gets a link-local IPv6 address, asks for routers, and takes from their
  /// advertisements addresses, routes and servers of names (RFC 4862), as hosts do everywhere. It
  /// has no effect on other interfaces.
  bool autoconfigure = true;
  /// Whether the link is asked, before an IPv6 address is used, if another has it (RFC 4862 5.4):
  /// for about a second the address is tentative. Also whether an IPv4 address is given up that
  /// another station goes on to use (RFC 5227 2.4). It has no effect but on an Ethernet.
  bool detect_duplicates = true;
  /// Whether an Ethernet asks DHCP servers for an IPv4 address, routes and servers of names
  /// (RFC 2131). It has no effect on other interfaces; UDP port 68 of this one is taken then.
  bool dhcp = false;
};

struct StackConfig {
  std::vector<InterfaceConfig> interfaces;
  /// Default gateways, the one to use first of each family in front. On a device without neighbours
  /// any serves. One that is on none of the networks is sought by the first interface.
  std::vector<IpAddress> gateways;
  /// Besides the networks of the addresses and the gateways. One that cannot be is left out, as is
  /// such an address or gateway: of an interface that there is not, or of mixed families.
  std::vector<RouteConfig> routes;
  IpConfig ip;
  /// How IPv6 addresses are made for prefixes that routers advertise and for the link, and from
  /// which secret; unset: from the seed. Of a secret that is kept, they stay the same.
  IdentifierKind identifiers = IdentifierKind::stable;
  std::optional<std::uint64_t> identifier_secret{};
  std::string host_name{};  ///< told to DHCP servers; empty: nothing
  TcpConfig tcp;
  UdpConfig udp;  ///< its ports are chosen from the same range as those of TCP
  /// Of all randomness: initial sequence numbers, ports, cookies. A secret where peers are hostile.
  std::uint64_t seed = 1;
};

/// A socket of a stack: a TCP listener or connection, or one of UDP. A handle stays invalid once
/// closed.
struct SocketHandle {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< zero: no socket

  explicit operator bool() const { return generation != 0; }
  friend bool operator==(const SocketHandle&, const SocketHandle&) = default;
};

struct Readiness {
  SocketHandle socket;
  Ready what = Ready::none;
};

/// How many sockets and records a stack holds now.
struct StackCensus {
  std::size_t connections = 0;
  std::size_t listeners = 0;
  std::size_t syn_received = 0;
  std::size_t time_wait = 0;
  std::size_t udp_sockets = 0;
  std::size_t echo_sockets = 0;
};

/// How far a list of sockets has come; a new one is at its beginning.
struct SocketCursor {
  std::uint32_t kind = 0;
  std::uint32_t index = 0;
  bool at_end = false;
};

/// One host. The driver passes in frames, calls and the time; after any of them it drains
/// `poll_frames`, `poll_readiness` and, if it wants them, the events, and sleeps until
/// `next_deadline`. Spurious and late calls are legal; time never goes backwards. Same inputs and
/// seed give the same outputs. One thread at a time.
class Stack {
 public:
  /// `pool` outlives the stack; stacks of one thread may share it.
  Stack(StackConfig config, BufferPool& pool);
  ~Stack();
  Stack(Stack&&) noexcept;
  Stack& operator=(Stack&&) noexcept;

  // ---- driven by frames and time

  /// Takes a batch of frames that arrived on `interface`: of an Ethernet if it has a `mac`, else
  /// bare IP packets. The frames are consumed.
  void on_frames(Instant now, InterfaceId interface, std::span<Packet> frames);
  /// Lets all timers fire that are due.
  void on_time(Instant now);
  /// Moves at most `limit` frames that are ready to leave to the end of `out`, each with its
  /// interface set. Returns how many; fewer than `limit` means there are no more.
  std::size_t poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit = 256);
  /// When `on_time` must be called next; kNever when only inputs can change anything.
  Instant next_deadline() const;
  /// The next socket on which something has become possible.
  std::optional<Readiness> poll_readiness();
  /// Where events go from now on; null, as at first, means nobody reads them. The buffer must
  /// outlive its use.
  void set_event_buffer(EventBuffer* events);

  // ---- addresses and routes

  /// Gives an interface an address, with a route to its network; one that it has gets a new
  /// lifetime. On an Ethernet it may be tentative at first. Errors: invalid_argument for an address
  /// that no host can have, or an interface that there is not; no_buffer_space.
  Result<void> add_address(Instant now, InterfaceId interface, const Prefix& address,
                           const AddressOptions& options = {});
  /// Takes an address away, with the route to its network if no other address is there. Connections
  /// from it end with address_not_available (the peer hears nothing, since nothing may be sent from
  /// it); listeners stay, and hear again when the address comes back. An address whose lifetime
  /// ends goes in the same way. Errors: address_not_available.
  Result<void> remove_address(Instant now, InterfaceId interface, const IpAddress& address);
  /// Adds a route, or gives it a new metric. Errors: invalid_argument, no_buffer_space.
  Result<void> add_route(const RouteConfig& route, RouteOrigin origin = RouteOrigin::manual);
  /// Removes the route to that destination by that gateway and interface, whoever gave it; its
  /// metric does not matter. Errors: network_unreachable when there is none.
  Result<void> remove_route(const RouteConfig& route);
  /// The own addresses, in the order in which they came.
  std::vector<AddressInfo> addresses() const;
  /// IPv4 first, then IPv6; of each the longest prefix first, then the one to use first.
  std::vector<RouteInfo> routes() const;
  /// Servers of names that DHCP servers gave or routers advertised (RFC 8106).
  std::vector<Endpoint> dns_servers() const;
  /// Domains in which DHCP servers let short names be looked for (RFC 3397), the first in front.
  std::vector<std::string> search_domains() const;
  /// What DHCP servers gave, of each interface that has a lease.
  std::vector<LeaseInfo> leases() const;
  /// Gives all leases back and asks for none any more (RFC 2131 4.4.6); their addresses are gone.
  void release_leases(Instant now);
  /// Addresses that a name stands for, the one to try first in front (RFC 6724 6).
  std::vector<IpAddress> in_order_of_promise(std::vector<IpAddress> destinations) const;

  // ---- sockets (RFC 9293 3.9.1)

  /// Passive OPEN. Port 0 takes a free one; the unspecified IPv6 address accepts both families, the
  /// unspecified IPv4 address IPv4. `backlog` bounds the SYN queue and the accept queue.
  /// Errors: address_in_use, address_not_available, no_buffer_space, invalid_argument when
  /// TcpConfig::defaults are not valid.
  Result<SocketHandle> tcp_listen(Endpoint local, std::uint32_t backlog);
  /// The oldest connection that is established; would_block when there is none.
  Result<SocketHandle> tcp_accept(SocketHandle listener);
  /// Active OPEN; the SYN leaves with the next poll. An unspecified local address and port zero are
  /// chosen (RFC 6056). Errors: invalid_argument for a remote that is not unicast
  /// (RFC9293-MUST-46) and for settings that tcp_set_settings would refuse, address_not_available,
  /// network_unreachable, address_in_use, no_buffer_space.
  Result<SocketHandle> tcp_connect(Instant now, Endpoint local, Endpoint remote,
                                   const TcpSettings* settings = nullptr);
  /// Copies from `data` what the send buffer has room for and returns how much; would_block when
  /// none. Errors: not_connected, broken_pipe after shutdown, no_buffer_space when the pool has
  /// nothing to give and no acknowledgment will make room, or why the connection ended.
  Result<std::size_t> tcp_send(Instant now, SocketHandle socket, std::span<const std::byte> data);
  /// The same; the last byte is urgent (RFC 9293 3.8.5).
  Result<std::size_t> tcp_send_urgent(Instant now, SocketHandle socket,
                                      std::span<const std::byte> data);
  /// Moves bytes in order to `out`; zero means end of stream. Errors: would_block, not_connected,
  /// or why the connection ended.
  Result<std::size_t> tcp_receive(Instant now, SocketHandle socket, std::span<std::byte> out);
  /// Bytes to be read before the urgent mark; unset when there is no urgent data (RFC9293-MUST-33).
  std::optional<std::uint32_t> tcp_urgent_mark(SocketHandle socket) const;
  /// Ends our direction with a FIN behind what was written; reading goes on (half close).
  Result<void> tcp_shutdown_write(Instant now, SocketHandle socket);
  /// Gives the handle up. Unread data, or data that arrives later, is answered with RST
  /// (RFC9293-SHLD-3); else the stack finishes the close in the background. Closing a listener
  /// resets the connections that were not accepted.
  Result<void> tcp_close(Instant now, SocketHandle socket);
  /// ABORT: sends RST, forgets everything, gives the handle up (RFC 9293 3.10.5).
  Result<void> tcp_abort(Instant now, SocketHandle socket);

  Result<TcpInfo> tcp_info(SocketHandle socket) const;
  Result<TcpSettings> tcp_settings(SocketHandle socket) const;
  /// Changes the settings of a connection, or of a listener for those it accepts from now on.
  /// Errors: invalid_argument when they are not TcpSettings::is_valid, or name no algorithm of
  /// congestion control that the stack knows.
  Result<void> tcp_set_settings(Instant now, SocketHandle socket, const TcpSettings& settings);
  /// Takes the pending error, if there is one: why a connection failed, or a soft error
  /// (RFC9293-MUST-47). Reading clears it.
  std::optional<Error> tcp_take_error(SocketHandle socket);
  /// The last ICMP error about a connection that is not established yet: who sent it, and why.
  std::optional<IcmpErrorReport> tcp_error_report(SocketHandle socket) const;

  /// The next listeners, connections and records at `cursor`, at most `limit`, which it moves on.
  /// What comes or goes between two calls may be missed; nothing is given twice.
  std::vector<TcpSocketInfo> tcp_sockets(SocketCursor& cursor, std::size_t limit) const;

  // ---- UDP (RFC 768, RFC 1122 4.1.4)

  /// A socket without any address. Error: no_buffer_space, invalid_argument for settings that are
  /// not UdpSettings::is_valid.
  Result<SocketHandle> udp_open(const UdpSettings* settings = nullptr);
  /// Gives it an address and a port. Port 0 takes one that is free and cannot be guessed (RFC 6056
  /// 3.3.1); the unspecified IPv6 address takes both families unless `v6_only`, the unspecified
  /// IPv4 address IPv4; a group takes what is sent to that group. Errors: address_in_use,
  /// address_not_available, invalid_argument when it is bound already.
  Result<void> udp_bind(SocketHandle socket, Endpoint local);
  /// Fixes the remote end: `udp_send` goes there, nothing else is received, and ICMP errors are
  /// reported (RFC1122-4.1.3.3). May be called again. Errors: invalid_argument, address_in_use when
  /// another socket has both ends, network_unreachable, address_not_available, permission_denied.
  Result<void> udp_connect(SocketHandle socket, const Endpoint& remote);
  Result<void> udp_disconnect(SocketHandle socket);
  /// Sends one datagram, which may be empty, and returns its size. A socket that is not bound gets
  /// a port. Errors: would_block when too much waits to leave, message_size, permission_denied for
  /// a broadcast without UdpSettings::broadcast, network_unreachable, address_not_available,
  /// invalid_argument, no_buffer_space, or what ICMP said of an earlier one.
  Result<std::size_t> udp_send_to(Instant now, SocketHandle socket, std::span<const std::byte> data,
                                  const Endpoint& destination, const UdpSendOptions& options = {});
  /// The same to the remote end; not_connected when there is none.
  Result<std::size_t> udp_send(Instant now, SocketHandle socket, std::span<const std::byte> data,
                               const UdpSendOptions& options = {});
  /// Takes the oldest datagram; what does not fit into `out` is lost, which
  /// `UdpReceived::truncated` tells. Errors: would_block, or what ICMP said.
  Result<UdpReceived> udp_receive_from(SocketHandle socket, std::span<std::byte> out);
  /// The same, but the datagram stays.
  Result<UdpReceived> udp_peek_from(SocketHandle socket, std::span<std::byte> out);
  /// Gives the handle up. What was sent still leaves; what was not read is lost.
  Result<void> udp_close(Instant now, SocketHandle socket);

  /// Joins a multicast group, on the interface given or else that of the route to it; the socket
  /// then receives what is sent there to its port. Errors: invalid_argument when `group` is none or
  /// the interface is not there, address_in_use when it was joined, no_buffer_space,
  /// network_unreachable without an interface.
  Result<void> udp_join(Instant now, SocketHandle socket, const IpAddress& group,
                        std::optional<InterfaceId> interface = std::nullopt);
  /// Error: address_not_available when it was not joined.
  Result<void> udp_leave(Instant now, SocketHandle socket, const IpAddress& group,
                         std::optional<InterfaceId> interface = std::nullopt);

  Result<UdpInfo> udp_info(SocketHandle socket) const;
  Result<UdpSettings> udp_settings(SocketHandle socket) const;
  /// `v6_only`, `interface` and both kinds of reuse take effect when the socket is bound. Error:
  /// invalid_argument when they are not UdpSettings::is_valid.
  Result<void> udp_set_settings(SocketHandle socket, const UdpSettings& settings);
  /// Takes the pending error of a connected socket, if there is one.
  std::optional<Error> udp_take_error(SocketHandle socket);
  /// Takes the oldest ICMP error of a socket with UdpSettings::error_reports.
  std::optional<IcmpErrorReport> udp_take_error_report(SocketHandle socket);
  /// All UDP sockets, in an order that stays.
  std::vector<SocketHandle> udp_sockets() const;

  // ---- ICMP echo (RFC 792, RFC 4443 4)

  /// A socket for echo requests of both families under one identifier, zero for one that is chosen.
  /// Errors: address_in_use, no_buffer_space.
  Result<SocketHandle> icmp_open(std::uint16_t identifier = 0);
  Result<EchoInfo> icmp_info(SocketHandle socket) const;
  /// All echo sockets, in an order that stays.
  std::vector<SocketHandle> icmp_sockets() const;
  /// Sends a request to an address; the port of `destination` is not looked at. Errors:
  /// message_size, invalid_argument, network_unreachable, address_not_available, permission_denied
  /// to a broadcast address, would_block when too much waits to leave, no_buffer_space.
  Result<void> icmp_send_echo(Instant now, SocketHandle socket, const Endpoint& destination,
                              std::span<const std::byte> data, const EchoRequest& request = {});
  /// Takes the oldest answer: a reply, whose data go to `out` as far as they fit, or an ICMP error.
  /// Error: would_block.
  Result<EchoAnswer> icmp_receive(SocketHandle socket, std::span<std::byte> out);
  Result<void> icmp_close(SocketHandle socket);

  // ---- of all sockets

  /// The level of readiness now, as poll(2) would tell it, of a socket of any kind.
  Ready ready(SocketHandle socket) const;

  /// The neighbours on all Ethernets, by interface and address.
  std::vector<NeighbourInfo> neighbours(Instant now) const;

  const StackCounters& counters() const;
  StackCensus census() const;
  const StackConfig& config() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser
