// The client of the Dynamic Host Configuration Protocol for IPv4 (RFC 2131 4.4): how an interface
// comes to an address, keeps it, and gives it back.
//
//             start                     offer                     ack
//   stopped ---------> selecting ----------------> requesting ----------> bound
//                        ^  ^       no answer, nak     |                  |   ^
//                        |  +--------------------------+               T1 |   | ack
//              resting --+                                                v   |
//                 ^   nak, expiry, a conflict                          renewing --T2--> rebinding
//                 +--------------------------------------------------- bound and these two
//
// Time is an argument, randomness a seed; what is to be sent and what has changed is polled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/time.hpp"
#include "wire/dhcp.hpp"

namespace hawser::dhcp {

enum class State : std::uint8_t {
  stopped,     ///< asks for nothing
  resting,     ///< waits before it begins anew
  selecting,   ///< has asked for offers
  requesting,  ///< has chosen one
  bound,       ///< has a lease
  renewing,    ///< asks the server of the lease for more time
  rebinding,   ///< asks any server
};

struct Config {
  MacAddress mac;
  std::string host_name{};       ///< told to servers; empty: none
  std::uint16_t largest = 1472;  ///< bytes of the largest message, from 548 on
};

/// What a server has given, all of it checked for what it could be.
struct Lease {
  Prefix address;
  IpAddress server;
  /// Default route or others, of which those of RFC 3442 outdo a list of routers. A router of
  /// 0.0.0.0: the network is on the link.
  std::vector<wire::DhcpRoute> routes;
  std::vector<IpAddress> dns;
  std::vector<std::string> search;  ///< domains of short names: option 119, or else that of 15
  std::optional<std::uint16_t> mtu;
  Instant renew_at = kNever;   ///< T1
  Instant rebind_at = kNever;  ///< T2
  Instant expires_at = kNever;
};

/// To be sent from port 68 to port 67.
struct SendDatagram {
  IpAddress source;       ///< 0.0.0.0 while there is no lease
  IpAddress destination;  ///< the server, or 255.255.255.255
  std::vector<std::byte> bytes;
};
/// The lease may be used, or, when it is of the address that is in use already, has changed.
struct LeaseGained {
  Lease lease;
};
/// The address must not be used any more.
struct LeaseLost {
  Prefix address;
};
using Output = std::variant<SendDatagram, LeaseGained, LeaseLost>;

/// One interface's client.
class Client {
 public:
  /// RFC 2131 4.1: the first answer is waited for this long, each later one twice as long as that
  /// before, up to the most, all of it one second more or less.
  static constexpr Duration kFirstWait = std::chrono::seconds(4);
  static constexpr Duration kLongestWait = std::chrono::seconds(64);
  static constexpr Duration kWaitFuzz = std::chrono::seconds(1);
  /// How often an offer is asked for before it is given up (RFC 2131 3.1 step 5).
  static constexpr unsigned kRequests = 4;
  /// Before it begins anew after a conflict (RFC 2131 3.1 step 5), and after a second refusal.
  static constexpr Duration kRest = std::chrono::seconds(10);
  /// Between two questions for more time (RFC 2131 4.4.5).
  static constexpr Duration kLeastRenewalWait = std::chrono::seconds(60);
  /// A lease of less is none: it would do nothing but keep us asking.
  static constexpr Duration kShortestLease = std::chrono::seconds(10);
  static constexpr Duration kSoonestRenewal = std::chrono::seconds(5);

  Client(Config config, Random random) : config_(std::move(config)), random_(random) {}

  /// Begins to ask. Once it has begun it does nothing.
  void start(Instant now);
  /// Takes what came to port 68. Why it was dropped, if it was: bad_dhcp, or unexpected_dhcp for
  /// what answers no question of ours.
  std::optional<DropReason> on_datagram(Instant now, std::span<const std::byte> payload);
  /// Somebody else has the address of the lease: tells the server, and begins anew a while later
  /// (RFC 2131 3.1 step 5).
  void on_conflict(Instant now);
  /// Gives the lease back, if there is one, and stops (RFC 2131 4.4.6).
  void release(Instant now);

  void on_time(Instant now);
  Instant next_deadline() const { return deadline_; }
  std::optional<Output> poll_output();

  State state() const { return state_; }
  const std::optional<Lease>& lease() const { return lease_; }

 private:
  void begin_selecting(Instant now);
  void rest(Instant now);
  void on_offer(Instant now, const wire::DhcpMessage& offer);
  void on_ack(Instant now, const wire::DhcpMessage& ack);
  void on_nak(Instant now);
  bool expects(const wire::DhcpMessage& message) const;
  bool is_usable(const wire::DhcpMessage& message) const;
  Lease lease_of(const wire::DhcpMessage& ack);
  void set_times(Lease& lease, const wire::DhcpMessage& ack);
  void lose_lease();

  wire::DhcpMessage question(Instant now, wire::DhcpType type) const;
  void new_transaction(Instant now);
  void send_discover(Instant now);
  void send_request(Instant now);
  void send_renewal(Instant now);
  void send(const wire::DhcpMessage& message, const IpAddress& source,
            const IpAddress& destination);
  Instant answer_due(Instant now);
  Instant renewal_due(Instant now) const;

  Config config_;
  Random random_;
  State state_ = State::stopped;
  Instant deadline_ = kNever;
  Instant began_at_{};  // to ask for the present lease
  Instant asked_at_{};  // first, in this transaction: the lease counts from there
  std::uint32_t transaction_ = 0;
  std::uint16_t discover_seconds_ = 0;  // what the last question for offers said
  unsigned sent_ = 0;                   // questions in this state
  unsigned refused_ = 0;                // since there was a lease
  IpAddress offered_ = IpAddress::any(Family::ipv4);
  IpAddress server_ = IpAddress::any(Family::ipv4);  // of the offer, or of the lease
  std::optional<Lease> lease_;
  std::deque<Output> outputs_;
};

}  // namespace hawser::dhcp
