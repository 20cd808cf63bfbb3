// The UDP sockets of a stack: which ports and addresses they have, and which of them a datagram is
// for (RFC 1122 4.1.3.5, RFC 6056).
//
// A connected socket is found by both its ends. The others of a port stand in groups, one for each
// address that was bound, so that no look-up is linear in the number of sockets; only a group of
// sockets that share one address and want multicast or broadcast is walked, since each gets a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/random.hpp"
#include "core/slab.hpp"
#include "hawser/error.hpp"
#include "tcp/tuple.hpp"
#include "udp/socket.hpp"

namespace hawser::udp {

class Table {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// Ports that are chosen are of [first_port, last_port].
  Table(Random& random, const UdpConfig& config, std::uint16_t first_port, std::uint16_t last_port);

  // ---- sockets

  /// Errors: invalid_argument, no_buffer_space.
  Result<std::uint32_t> open(const UdpSettings& settings);
  /// Gives the socket an address, which is ours, any, or a group's, and a port, zero for one that
  /// nobody has. Errors: invalid_argument when it has one, address_in_use.
  Result<void> bind(std::uint32_t index, Endpoint local);
  /// Fixes the remote end; `source` is where its datagrams come from, with its port. A socket that
  /// is connected changes over. It must be bound. Errors: address_in_use when another has the same
  /// ends.
  Result<void> connect(std::uint32_t index, const Endpoint& source, const Endpoint& remote);
  void disconnect(std::uint32_t index);
  void close(std::uint32_t index);

  Socket& operator[](std::uint32_t index) { return sockets_[index]; }
  const Socket& operator[](std::uint32_t index) const { return sockets_[index]; }
  Socket* find(std::uint32_t index, std::uint32_t generation) {
    return sockets_.find(index, generation);
  }
  std::uint32_t generation(std::uint32_t index) const { return sockets_.generation(index); }
  std::size_t size() const { return sockets_.size(); }
  /// In the order of their indexes.
  std::vector<std::uint32_t> all() const;

  // ---- datagrams

  /// The one socket for a unicast datagram: connected to its source, else bound to its destination,
  /// else to any address of its family, else of both. Of many that share an address, all with
  /// reuse_port, one by its ends; else the last that was bound. kNone when there is none.
  std::uint32_t find(const tcp::Tuple& ends, InterfaceId interface) const;
  /// The sockets for a broadcast or multicast datagram, of which each gets a copy
  /// (RFC1122-4.1.3.3): appended to `found`, whether they joined the group or not.
  void find_all(const tcp::Tuple& ends, InterfaceId interface,
                std::vector<std::uint32_t>& found) const;
  /// Whether any socket has that port.
  bool has_port(Port port) const { return ports_.contains(to_number(port)); }

  /// Queues a datagram at a socket. False when it, or all sockets together, hold too much.
  bool push(std::uint32_t index, Datagram datagram);
  void pop(std::uint32_t index) { queued_memory_ -= sockets_[index].pop(); }
  std::size_t queued_memory() const { return queued_memory_; }

 private:
  /// The sockets that are bound to one address of a port in one way.
  struct Group {
    IpAddress address;
    bool v6_only = false;
    std::optional<InterfaceId> interface{};
    std::vector<std::uint32_t> receivers{};  ///< those that are not connected
    std::uint32_t bound = 0;                 ///< connected ones, too
    std::uint32_t without_reuse_address = 0;
    std::uint32_t without_reuse_port = 0;
  };
  using Groups = std::vector<Group>;
  struct TupleHash {
    std::size_t operator()(const tcp::Tuple& tuple) const;
    KeyedHash hash;
  };

  static bool overlap(const Group& a, const Group& b);
  static int score(const Group& group, const IpAddress& destination, InterfaceId interface);
  static bool conflicts(const Groups& groups, const Group& wanted, const Socket& socket);
  tcp::Tuple ends_of(const Socket& socket) const;
  Group& group_of(const Socket& socket);
  std::optional<Port> choose_port();
  std::uint32_t pick(const Group& group, const tcp::Tuple& ends) const;
  void leave_group(std::uint32_t index);

  UdpConfig config_;
  KeyedHash hash_;  ///< of ports and of choices among sockets
  std::uint16_t first_port_;
  std::uint32_t port_count_;
  std::uint64_t draws_ = 0;
  Slab<Socket, 16> sockets_;
  absl::flat_hash_map<std::uint16_t, Groups> ports_;
  absl::flat_hash_map<tcp::Tuple, std::uint32_t, TupleHash> connected_;
  std::size_t queued_memory_ = 0;
};

}  // namespace hawser::udp
