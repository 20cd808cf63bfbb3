// What is inside a Stack. Owns the connections, the compact records of opening and closed ones, and
// the queues towards the driver.
//
//   stack.cpp        the public class, which hands everything on
//   input.cpp        packets and segments that arrive, to the flow or listener they are for
//   passive.cpp      SYN queue, cookies, accept queue
//   time_wait.cpp    TIME-WAIT
//   connections.cpp  what follows when a connection was touched: readiness, states, end of life
//   output.cpp       segments that leave, and in which order all does
//   ip_output.cpp    the one way out of every packet
//   ethernet.cpp     frames of an Ethernet, in and out
//   neighbours.cpp   ARP and neighbour discovery
//   icmp.cpp         errors and echo that arrive
//   icmp_errors.cpp  errors that we send
//   path_mtu.cpp     packets that were too large for their path
//   calls.cpp        the calls of the application
//   snapshot.cpp     lists of what there is
//   timers.cpp       deadlines
//   addresses.cpp    addresses and routes that come and go
//   dhcp.cpp         leases of addresses
//   udp.cpp          datagrams that arrive, ICMP errors about them, datagrams that leave
//   udp_calls.cpp    the calls of the application for UDP
//   echo.cpp         ICMP echo sockets
//   groups.cpp       IGMP and MLD
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/random.hpp"
#include "core/slab.hpp"
#include "core/slot_list.hpp"
#include "core/timer_queue.hpp"
#include "core/token_bucket.hpp"
#include "dhcp/client.hpp"
#include "hawser/stack.hpp"
#include "ip/autoconfiguration.hpp"
#include "ip/fragmentation.hpp"
#include "ip/interfaces.hpp"
#include "ip/multicast.hpp"
#include "ip/neighbours.hpp"
#include "ip/path_mtu.hpp"
#include "ip/reassembly.hpp"
#include "stack/demux.hpp"
#include "stack/ephemeral_ports.hpp"
#include "stack/listener_table.hpp"
#include "stack/socket_kind.hpp"
#include "tcp/connection.hpp"
#include "tcp/isn.hpp"
#include "tcp/syn_cookie.hpp"
#include "tcp/syn_received.hpp"
#include "tcp/time_wait.hpp"
#include "udp/echo_table.hpp"
#include "udp/table.hpp"
#include "wire/arp.hpp"
#include "wire/ethernet.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"
#include "wire/neighbour_discovery.hpp"

namespace hawser {

class Stack::Impl {
 public:
  Impl(StackConfig config, BufferPool& pool);

  void on_frames(Instant now, InterfaceId from, std::span<Packet> frames);
  void on_time(Instant now);
  std::size_t poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit);
  Instant next_deadline() const;
  std::optional<Readiness> poll_readiness();
  void set_event_buffer(EventBuffer* events) { events_ = events; }

  Result<SocketHandle> listen(Endpoint local, std::uint32_t backlog);
  Result<SocketHandle> accept(SocketHandle listener);
  Result<SocketHandle> connect(Instant now, Endpoint local, const Endpoint& remote,
                               const TcpSettings* settings);
  Result<std::size_t> send(Instant now, SocketHandle socket, std::span<const std::byte> data,
                           bool urgent);
  Result<std::size_t> receive(Instant now, SocketHandle socket, std::span<std::byte> out);
  std::optional<std::uint32_t> urgent_mark(SocketHandle socket);
  Result<void> shutdown_write(Instant now, SocketHandle socket);
  Result<void> close(Instant now, SocketHandle socket);
  Result<void> abort(Instant now, SocketHandle socket);
  Result<TcpInfo> info(SocketHandle socket);
  Result<TcpSettings> settings(SocketHandle socket);
  Result<void> set_settings(Instant now, SocketHandle socket, const TcpSettings& settings);
  bool is_valid(const TcpSettings& settings) const;
  Ready ready(SocketHandle socket);
  std::optional<Error> take_error(SocketHandle socket);
  std::optional<IcmpErrorReport> error_report(SocketHandle socket);

  Result<SocketHandle> udp_open(const UdpSettings* settings);
  Result<void> udp_bind(SocketHandle socket, const Endpoint& local);
  Result<void> udp_connect(SocketHandle socket, const Endpoint& remote);
  Result<void> udp_disconnect(SocketHandle socket);
  /// `destination` null: the remote end.
  Result<std::size_t> udp_send(Instant now, SocketHandle socket, std::span<const std::byte> data,
                               const Endpoint* destination, const UdpSendOptions& options);
  Result<UdpReceived> udp_receive(SocketHandle socket, std::span<std::byte> out, bool peek);
  Result<void> udp_close(Instant now, SocketHandle socket);
  Result<void> udp_join(Instant now, SocketHandle socket, const IpAddress& group,
                        std::optional<InterfaceId> interface);
  Result<void> udp_leave(Instant now, SocketHandle socket, const IpAddress& group,
                         std::optional<InterfaceId> interface);
  Result<UdpInfo> udp_info(SocketHandle socket);
  Result<UdpSettings> udp_settings(SocketHandle socket);
  Result<void> udp_set_settings(SocketHandle socket, const UdpSettings& settings);
  std::optional<Error> udp_take_error(SocketHandle socket);
  std::optional<IcmpErrorReport> udp_take_error_report(SocketHandle socket);
  std::vector<SocketHandle> udp_sockets() const;

  Result<SocketHandle> icmp_open(std::uint16_t identifier);
  Result<EchoInfo> icmp_info(SocketHandle socket);
  std::vector<SocketHandle> icmp_sockets() const;
  Result<void> icmp_send_echo(Instant now, SocketHandle socket, const Endpoint& destination,
                              std::span<const std::byte> data, const EchoRequest& request);
  Result<EchoAnswer> icmp_receive(SocketHandle socket, std::span<std::byte> out);
  Result<void> icmp_close(SocketHandle socket);

  std::vector<NeighbourInfo> neighbours(Instant now) const { return neighbours_.list(now); }
  Result<void> add_address(Instant now, InterfaceId interface, const Prefix& address,
                           const AddressOptions& options);
  Result<void> remove_address(Instant now, InterfaceId interface, const IpAddress& address);
  Result<void> add_route(const RouteConfig& route, RouteOrigin origin);
  Result<void> remove_route(const RouteConfig& route);
  std::vector<AddressInfo> addresses() const;
  std::vector<RouteInfo> routes() const;
  std::vector<Endpoint> dns_servers() const;
  std::vector<std::string> search_domains() const;
  std::vector<LeaseInfo> leases() const;
  void release_leases(Instant now);
  const ip::Interfaces& interfaces() const { return interfaces_; }
  std::vector<TcpSocketInfo> tcp_sockets(SocketCursor& cursor, std::size_t limit);

  const StackCounters& counters() const { return counters_; }
  StackCensus census() const;
  const StackConfig& config() const { return config_; }

 private:
  using Context = tcp::Context;
  using Segment = tcp::Segment;
  using Tuple = tcp::Tuple;
  using Flow = stack::Flow;
  using FlowKind = stack::FlowKind;

  static constexpr std::uint32_t kNone = 0xffffffff;
  using SocketKind = stack::SocketKind;

  struct ConnectionSlot {
    template <typename... Arguments>
    explicit ConnectionSlot(InterfaceId way, Arguments&&... arguments)
        : connection(std::forward<Arguments>(arguments)...), interface(way) {}

    tcp::Connection connection;
    std::uint32_t timer = kNone;       ///< place in timers_
    std::uint32_t next_dirty = kNone;  ///< the list of those that may have something to send
    ip::NeighbourReference neighbour;  ///< the next hop on an Ethernet
    InterfaceId interface;
    Ready pending = Ready::none;  ///< to be told; if any, its handle is in readiness_
    bool dirty : 1 = false;
    bool detached : 1 = false;  ///< no segment reaches it any more
    bool released : 1 = false;  ///< its handle is given up
    bool in_accept_queue : 1 = false;
    bool may_fragment : 1 = false;  ///< routers may: the path is narrower than we go (IPv4)
  };

  struct TupleOf {
    const Impl* impl;
    const Tuple& operator()(Flow flow) const;
  };
  struct TimerPlaceOf {
    Slab<ConnectionSlot>* connections;
    std::uint32_t& operator()(std::uint32_t index) const { return (*connections)[index].timer; }
  };
  /// Both ends of a segment, and by which way it came.
  struct Arrival {
    Tuple tuple;
    InterfaceId from;
  };

  /// A datagram that waits to leave, and whose it is.
  struct Outgoing {
    Packet packet;
    IpAddress source;
    IpAddress destination;
    SocketHandle socket;
    std::uint32_t bytes = 0;  ///< as the socket counts it
    bool to_link = true;
    bool to_ourselves = false;  ///< a copy for the members on this host
  };
  /// How a datagram leaves.
  struct Way {
    ip::Route route;
    IpAddress source;
    bool is_unicast = true;
  };

  /// Who sent an ICMP error.
  struct IcmpSender {
    IpAddress address;
    InterfaceId interface{};
    std::uint8_t hop_limit = 0;
  };

  Context context(Instant now) {
    now_ = now;
    return {now, pool_, random_, config_.tcp, counters_, events_};
  }
  static void drop(const Context& context, DropReason reason, std::uint32_t length,
                   const Tuple& tuple = {});

  /// An end of what came or goes by an interface: with the zone, where the address means something
  /// else on each link (RFC 4007 6).
  static Endpoint end_on(InterfaceId interface, const IpAddress& address, Port port) {
    const bool zoned = interface != ip::kLoopback && address.needs_zone();
    return {address, port, zoned ? zone_of(interface) : Zone::none};
  }
  bool is_ours(const Endpoint& end) const {
    return end.zone == Zone::none ? interfaces_.is_ours(end.address)
                                  : interfaces_.is_ours_on(interface_of(end.zone), end.address);
  }

  // input.cpp
  void on_packet(const Context& context, Packet& packet, InterfaceId from, bool to_group = false);
  void on_fragment(const Context& context, const wire::ParsedIp& fragment, Packet& packet,
                   InterfaceId from);
  void on_datagram(const Context& context, const wire::ParsedIp& parsed, Packet& packet,
                   InterfaceId from);
  void on_tcp(const Context& context, const wire::IpHeader& ip, Packet& packet, InterfaceId from);
  void on_unmatched(const Context& context, const Arrival& arrival, const Segment& segment,
                    Packet& payload);
  std::optional<DropReason> check_addresses(const IpAddress& source, const IpAddress& destination,
                                            InterfaceId from) const;

  // passive.cpp
  void on_listener_segment(const Context& context, std::uint32_t listener, const Tuple& tuple,
                           const Segment& segment, Packet& payload);
  void on_syn(const Context& context, std::uint32_t listener, const Tuple& tuple,
              const Segment& segment, SeqNum iss);
  bool on_cookie(const Context& context, std::uint32_t listener, const Tuple& tuple,
                 const Segment& segment, Packet& payload);
  void on_syn_received_segment(const Context& context, std::uint32_t index, const Arrival& arrival,
                               const Segment& segment, Packet& payload);
  bool admit(const Context& context, const tcp::SynReceived& record, Instant syn_ack_sent_at,
             Flow replaces);
  void establish(const Context& context, std::uint32_t index, const Segment& segment,
                 Packet& payload);
  void forget_syn_received(std::uint32_t index);
  void send_syn_ack(const Context& context, const TcpHeader& header,
                    const tcp::SynReceived& record);
  void on_syn_ack_timers(const Context& context);
  void tell_listener(std::uint32_t listener);

  // time_wait.cpp
  void enter_time_wait(const Context& context, std::uint32_t connection);
  void on_time_wait_segment(const Context& context, std::uint32_t index, const Segment& segment);
  void on_time_wait_timers(const Context& context);
  void forget_time_wait(std::uint32_t index);

  // connections.cpp
  void settle(const Context& context, std::uint32_t index);
  void mark_dirty(std::uint32_t index);
  void after_drain(std::uint32_t index);
  void detach(std::uint32_t index);
  void release(const Context& context, std::uint32_t index);
  ConnectionSlot* connection_of(SocketHandle socket);
  tcp::Listener* listener_of(SocketHandle socket);
  SocketHandle handle_of(std::uint32_t connection) const {
    return {connection, connections_.generation(connection)};
  }

  // output.cpp
  void drain_dirty(const Context& context, std::vector<Packet>& out, std::size_t room);
  void send_control(const Context& context, const TcpHeader& header, const Tuple& tuple,
                    InterfaceId interface, std::optional<std::uint8_t> hop_limit, std::uint8_t dscp,
                    SendReason reason);
  void send_reset(const Context& context, const Tuple& tuple, const Segment& segment);
  std::uint32_t flow_label_of(const Tuple& tuple) const;
  std::uint16_t identification_for(const IpAddress& source, const IpAddress& destination,
                                   bool dont_fragment);

  // ip_output.cpp
  void send_ip(const Context& context, Packet payload, const wire::IpHeader& ip,
               InterfaceId interface);
  void send_on_link(const Context& context, Packet packet, const IpAddress& source,
                    const IpAddress& destination);
  void send_in_fragments(const Context& context, const Packet& packet, const IpAddress& source,
                         const IpAddress& destination);
  std::uint8_t hop_limit_of(std::optional<std::uint8_t> chosen, InterfaceId interface,
                            const IpAddress& destination) const;
  bool fits_path(Instant now, const Packet& packet, const IpAddress& destination) const;
  std::uint32_t mtu_to(Instant now, InterfaceId interface, const IpAddress& destination) const;
  void enqueue(const Context& context, Packet frame);
  void hold_unroutable(const Context& context, Packet packet);
  void transmit(Packet frame, std::vector<Packet>& out);
  std::optional<IpAddress> next_hop(InterfaceId interface, const IpAddress& destination) const;
  void follow_routes();

  // ethernet.cpp
  /// Ours on an Ethernet; null on an interface of bare IP packets.
  const MacAddress* mac_of(InterfaceId interface) const {
    const auto number = static_cast<std::size_t>(interface);
    if (number >= config_.interfaces.size() || !config_.interfaces[number].mac) return nullptr;
    return &*config_.interfaces[number].mac;
  }
  void on_ethernet(const Context& context, Packet& frame, InterfaceId from, const MacAddress& ours);
  bool put_in_frame(const Context& context, Packet& packet, ip::NeighbourReference neighbour,
                    const MacAddress& ours);
  bool put_in_frame(const Context& context, Packet& segment, ConnectionSlot& slot,
                    const MacAddress& ours);
  static void put_in_frame(Packet& packet, const MacAddress& group, const MacAddress& ours);
  std::optional<MacAddress> group_mac(const IpAddress& destination) const;
  void on_undeliverable(const Context& context, const Packet& packet, DropReason reason);
  void settle_neighbours(const Context& context);

  // neighbours.cpp
  void on_arp(const Context& context, const Packet& message, InterfaceId from,
              const MacAddress& ours);
  void on_address_conflict(const Context& context, const Packet& message, InterfaceId from,
                           const IpAddress& address);
  void on_neighbour_message(const Context& context, const wire::IpHeader& ip, const Packet& message,
                            InterfaceId from);
  void on_solicitation(const Context& context, const wire::IpHeader& ip,
                       const wire::NeighbourSolicitation& asked, InterfaceId from);
  void on_router_advertisement(const Context& context, const wire::IpHeader& ip,
                               const wire::RouterAdvertisement& advertised, InterfaceId from);
  void send_neighbour_message(const Context& context, const wire::NeighbourMessage& message,
                              const IpAddress& source, const IpAddress& destination,
                              InterfaceId interface, const MacAddress& to);
  void send_arp(const Context& context, const wire::ArpMessage& message, InterfaceId interface,
                const MacAddress& to);
  void announce(const Context& context, InterfaceId interface, const IpAddress& address);
  void solicit(const Context& context, const ip::Solicit& asked);

  // icmp.cpp
  void on_icmp(const Context& context, const wire::IpHeader& ip, Packet& message, InterfaceId from);
  void on_icmp_error(const Context& context, const wire::IcmpError& error,
                     const IcmpSender& sender);
  void on_icmp_redirect(const Context& context, const wire::IcmpRedirect& redirect,
                        const IcmpSender& sender);
  IcmpErrorReport report_of(const Context& context, const wire::IcmpError& error,
                            const IcmpSender& sender) const;
  void on_echo_request(const Context& context, const wire::IpHeader& ip,
                       const wire::IcmpEcho& request, Packet& data);

  // icmp_errors.cpp
  void send_icmp_error(const Context& context, const IpAddress& source,
                       const IpAddress& destination, const Packet& offending,
                       const wire::IcmpReport& report, InterfaceId from);
  void send_parameter_problem(const Context& context, const wire::ParameterProblem& problem,
                              const Packet& offending, InterfaceId from);
  void on_reassembly_timers(const Context& context);
  void send_unreachable(const Context& context, const wire::IpHeader& ip, const Packet& offending,
                        wire::IcmpErrorKind kind, InterfaceId from);

  // path_mtu.cpp
  bool on_packet_too_big(const Context& context, const wire::IcmpError& error,
                         InterfaceId interface);
  void on_segment_too_big(const Context& context, const wire::IcmpError& error, std::uint32_t mtu);
  void on_datagram_too_big(const Context& context, const wire::IcmpError& error, std::uint32_t mtu,
                           InterfaceId interface);
  void on_echo_too_big(const Context& context, const wire::IcmpError& error, std::uint32_t mtu);
  void adopt_path_mtu(const Context& context, std::uint32_t index);
  void note_path_found(std::uint32_t index);

  // udp.cpp
  void on_udp(const Context& context, const wire::IpHeader& ip, std::uint32_t header_bytes,
              Packet& packet, InterfaceId from);
  std::optional<DropReason> check_udp_addresses(const wire::IpHeader& ip, InterfaceId interface,
                                                InterfaceId from) const;
  void deliver_to_many(const Context& context, const wire::IpHeader& ip, const Tuple& ends,
                       Packet& payload);
  void deliver_udp(const Context& context, std::uint32_t index, const wire::IpHeader& ip,
                   const Tuple& ends, Packet payload);
  void on_udp_error(const Context& context, const wire::IcmpError& error, const IcmpSender& sender);
  void put_outgoing(Outgoing outgoing);
  void drain_udp(const Context& context, std::vector<Packet>& out, std::size_t room);
  void tell_udp(std::uint32_t index, Ready what);
  udp::Socket* udp_of(SocketHandle socket);
  SocketHandle udp_handle_of(std::uint32_t index) const {
    return stack::handle_of(SocketKind::udp, index, udp_.generation(index));
  }

  // echo.cpp
  udp::EchoSocket* echo_of(SocketHandle socket);
  Result<Way> echo_way(const Endpoint& destination, const EchoRequest& request) const;
  void deliver_answer(const Context& context, std::uint16_t identifier, udp::QueuedAnswer answer);
  void on_echo_reply(const Context& context, const wire::IpHeader& ip, const wire::IcmpEcho& reply,
                     Packet& message);
  void on_echo_error(const Context& context, const wire::IcmpError& error,
                     const IcmpSender& sender);

  // groups.cpp
  void on_igmp(const Context& context, const wire::IpHeader& ip, const Packet& message,
               InterfaceId from);
  void on_mld(const Context& context, const wire::IpHeader& ip, const Packet& message,
              InterfaceId from);
  void on_membership(const Context& context, const wire::MembershipMessage& message,
                     InterfaceId from);
  void send_group_reports(const Context& context);
  IpAddress group_source(InterfaceId interface, bool v4) const;
  void join_solicited_nodes(Instant now);

  // udp_calls.cpp
  bool is_interface(InterfaceId interface) const;
  std::optional<InterfaceId> group_interface(const IpAddress& group,
                                             std::optional<InterfaceId> chosen) const;
  Result<void> bind_if_needed(std::uint32_t index);
  bool speaks_other_family(const udp::Socket& socket, const IpAddress& destination) const;
  Result<Way> way_to(const udp::Socket& socket, const Endpoint& destination,
                     const UdpSendOptions& options) const;
  Result<IpAddress> source_to(const udp::Socket& socket, const Endpoint& destination,
                              const ip::Route& route, const UdpSendOptions& options) const;
  Packet packet_with(std::span<const std::byte> data);

  // addresses.cpp
  bool must_ask(InterfaceId interface, const IpAddress& address,
                const AddressOptions& options) const;
  void begin_sweep(const Context& context);
  void sweep(const Context& context);
  void start_interfaces(const Context& context);
  void on_autoconfiguration_message(const Context& context, const wire::IpHeader& ip,
                                    const wire::NeighbourMessage& message, InterfaceId from);
  void on_neighbour_change(const ip::NeighbourOutput& change);
  void settle_addresses(const Context& context);
  void probe_address(const Context& context, const ip::ProbeAddress& probe);
  void on_address_timers(const Context& context);
  Instant next_address_deadline() const;

  // dhcp.cpp
  struct DhcpInterface {
    InterfaceId interface{};
    dhcp::Client client;
    std::optional<dhcp::Lease> lease;  ///< as the tables of addresses and routes have it
  };
  void start_dhcp(const Context& context);
  DhcpInterface* dhcp_of(InterfaceId interface);
  void on_dhcp(const Context& context, DhcpInterface& held, const Packet& payload);
  void settle_dhcp(const Context& context);
  void send_dhcp(const Context& context, InterfaceId interface, const dhcp::SendDatagram& datagram);
  void take_lease(const Context& context, DhcpInterface& held, const dhcp::Lease& lease);
  void drop_lease(const Context& context, DhcpInterface& held);
  void remove_dhcp_route(InterfaceId interface, const wire::DhcpRoute& route);
  void on_address_ready(const Context& context, const ip::AddressReady& ready);
  void on_address_taken(const Context& context, const ip::AddressTaken& taken);
  void on_dhcp_timers(const Context& context);
  Instant next_dhcp_deadline() const;

  // calls.cpp
  Result<Endpoint> local_end(const Endpoint& local) const;
  Result<Endpoint> choose_local(Instant now, const Endpoint& local, const Endpoint& remote,
                                InterfaceId way);
  bool is_port_usable(const Tuple& tuple) const;

  // snapshot.cpp
  TcpSocketInfo describe_listener(std::uint32_t index) const;
  TcpSocketInfo describe_connection(std::uint32_t index);
  TcpSocketInfo describe_syn_received(std::uint32_t index) const;
  TcpSocketInfo describe_time_wait(std::uint32_t index) const;

  StackConfig config_;
  BufferPool& pool_;
  StackCounters counters_;
  Random random_;
  tcp::InitialNumbers numbers_;
  tcp::SynCookies cookies_;
  KeyedHash flow_label_hash_;
  ip::Interfaces interfaces_;
  ip::Neighbours neighbours_;
  ip::Autoconfiguration autoconfiguration_;
  Random dhcp_random_;
  std::vector<DhcpInterface> dhcp_;  // of those interfaces that ask
  ip::Reassembly reassembly_;
  ip::PathMtu path_mtu_;
  ip::FragmentIds fragment_ids_;
  stack::EphemeralPorts ephemeral_ports_;

  Slab<ConnectionSlot> connections_;
  Slab<tcp::SynReceived> syn_received_;
  Slab<tcp::TimeWait> time_wait_;
  stack::ListenerTable listeners_;
  stack::Demux<TupleOf> demux_;
  udp::Table udp_;
  udp::EchoTable echo_;
  ip::Multicast multicast_;
  std::vector<udp::Membership> solicited_nodes_;  // of our addresses; sorted
  std::uint64_t addresses_seen_ = ~std::uint64_t{0};
  /// By place in connections_, of those that wait to be established.
  absl::flat_hash_map<std::uint32_t, IcmpErrorReport> error_reports_;

  TimerQueue<TimerPlaceOf> timers_;
  SlotList time_wait_list_;  // the first to end in front: all last 2 MSL
  std::array<SlotList, tcp::kSynAckRetries + 1>
      syn_ack_lists_;  // by retries: the same delay in each

  std::uint32_t dirty_head_ = kNone;
  std::uint32_t dirty_tail_ = kNone;
  std::deque<Packet> control_;   // frames of resets, SYN-ACKs, ICMP: what belongs to no connection
  std::deque<Packet> loopback_;  // to ourselves
  std::deque<Packet> unroutable_;  // to be told to whose they are
  std::deque<Outgoing> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::deque<SocketHandle> readiness_;

  std::optional<std::uint32_t> sweep_;  // the next index to be looked at for addresses gone
  Instant sweep_at_{};

  TokenBucket reset_limit_;
  TokenBucket challenge_limit_;
  TokenBucket syn_ack_limit_;  // of those that go again
  TokenBucket icmp_limit_;
  TokenBucket neighbour_limit_;
  TokenBucket icmp_excess_limit_;
  TokenBucket echo_limit_;
  EventBuffer* events_ = nullptr;
  Instant now_{};                  // of the last input
  std::uint64_t routes_seen_ = 0;  // generation of interfaces_ when neighbours were last resolved
  bool started_ = false;
};

}  // namespace hawser
