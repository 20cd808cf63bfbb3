// What a stack keeps of one UDP socket: its ends, what arrived and was not read, and the errors it
// has to learn (RFC 768, RFC 1122 4.1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "hawser/icmp.hpp"
#include "hawser/packet.hpp"
#include "hawser/ready.hpp"
#include "hawser/udp.hpp"

namespace hawser::udp {

/// A datagram that waits to be read.
struct Datagram {
  Packet payload;
  Endpoint source;
  IpAddress destination;
  InterfaceId interface{};
  std::uint8_t hop_limit = 0;
  std::uint8_t dscp = 0;
  std::uint8_t ecn = 0;
};

/// Bytes of memory that a packet holds, be its payload ever so small.
std::uint32_t memory_of(const Packet& packet);

struct Membership {
  InterfaceId interface{};
  IpAddress group;
  friend bool operator==(const Membership&, const Membership&) = default;
  friend auto operator<=>(const Membership&, const Membership&) = default;
};

class Socket {
 public:
  /// ICMP errors that are kept whole.
  static constexpr std::size_t kMaxReports = 64;

  explicit Socket(const UdpSettings& chosen) : settings(chosen) {}

  UdpSettings settings;
  Endpoint local;  ///< as it was bound; port zero: not yet
  std::optional<Endpoint> remote{};
  Endpoint source{};  ///< while connected: where its datagrams come from
  std::vector<Membership> groups{};
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;

  // ---- how it was bound, whatever the settings say later; of the table
  struct Binding {
    bool v6_only = false;
    bool reuse_address = false;
    bool reuse_port = false;
    std::optional<InterfaceId> interface{};
  } binding{};

  // ---- what arrived

  bool has_datagram() const { return !queue_.empty(); }
  /// There must be one.
  const Datagram& front() const { return queue_.front(); }
  /// False when there is no room for it: `memory_of` its packet beyond the bound, unless it is
  /// the first.
  bool push(Datagram datagram);
  /// Returns the memory that is free again.
  std::uint32_t pop();
  std::uint32_t queued_bytes() const { return queued_bytes_; }
  std::uint32_t queued_memory() const { return queued_memory_; }

  // ---- what leaves

  bool has_room_to_send() const { return outgoing_ < settings.send_buffer; }
  std::uint32_t outgoing() const { return outgoing_; }
  void on_queued(std::uint32_t bytes) { outgoing_ += bytes; }
  /// True when somebody who found no room should hear of it.
  bool on_left(std::uint32_t bytes);
  void on_refused() { wants_room_ = true; }

  // ---- errors

  /// Keeps an ICMP error as the socket wants it: whole, or as the pending error of a connection.
  /// False when it does not want it.
  bool on_error(const IcmpErrorReport& report);
  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }
  std::optional<IcmpErrorReport> take_report();

  bool has_joined(const Membership& membership) const {
    return std::ranges::find(groups, membership) != groups.end();
  }

  /// The level of readiness, as poll(2) would tell it.
  Ready ready() const;

  Ready pending = Ready::none;  ///< to be told; if any, its handle is among those to tell

 private:
  std::deque<Datagram> queue_;
  std::uint32_t queued_bytes_ = 0;
  std::uint32_t queued_memory_ = 0;
  std::uint32_t outgoing_ = 0;
  bool wants_room_ = false;
  std::optional<Error> error_;
  std::vector<IcmpErrorReport> reports_;  // few, and mostly none: the oldest in front
};

}  // namespace hawser::udp
