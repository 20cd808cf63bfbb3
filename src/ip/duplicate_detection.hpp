// Whether an address that a host wants is taken: asked of the link before it is used (RFC 4862 5.4,
// RFC 7527; for IPv4 RFC 5227 2.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "hawser/addressing.hpp"
#include "wire/neighbour_discovery.hpp"

namespace hawser::ip {

/// Ask the link who has `address`: a neighbour solicitation from ::, or an ARP probe.
struct ProbeAddress {
  InterfaceId interface{};
  IpAddress address;
  wire::Nonce nonce{};  ///< for IPv6, so that our own question, come back, is known as ours
};

/// What was found of an address that was asked about.
struct AddressVerdict {
  InterfaceId interface{};
  IpAddress address;
  bool duplicate = false;
};

/// All addresses that are asked about now; how many there may be is for the table of addresses to
/// bound. Sends nothing itself: what is to be done is polled.
class DuplicateDetection {
 public:
  /// RFC 4861 10, for the first message of an interface.
  static constexpr Duration kMaxDelay = std::chrono::seconds(1);
  /// How long an answer to the last question may take (RFC 4862 5.1: RetransTimer).
  static constexpr Duration kRetransTimer = std::chrono::seconds(1);
  /// RFC 5227 1.1
  static constexpr unsigned kArpProbes = 3;
  static constexpr Duration kArpProbeMin = std::chrono::seconds(1);
  static constexpr Duration kArpProbeMax = std::chrono::seconds(2);
  static constexpr Duration kArpAnnounceWait = std::chrono::seconds(2);

  using Output = std::variant<ProbeAddress, AddressVerdict>;

  explicit DuplicateDetection(Random random) : random_(random) {}

  /// Begins to ask about an address; `delay` lets hosts that start at once not ask at once
  /// (RFC4862-5.4.2).
  void start(Instant now, InterfaceId interface, const IpAddress& address, bool delay);
  void stop(InterfaceId interface, const IpAddress& address);
  bool is_asking(InterfaceId interface, const IpAddress& address) const;
  /// What a router says of RetransTimer (RFC 4861 6.3.4).
  void set_retrans_timer(InterfaceId interface, Duration timer);

  /// Somebody has it: an advertisement of it, or ARP with it as sender (RFC4862-5.4.4).
  void on_claim(InterfaceId interface, const IpAddress& address);
  /// Somebody asks about it from ::, or by an ARP probe, in order to have it (RFC4862-5.4.3).
  void on_probe(InterfaceId interface, const IpAddress& address,
                const std::optional<wire::Nonce>& nonce);

  void on_time(Instant now);
  Instant next_deadline() const;
  std::optional<Output> poll_output();

 private:
  struct Question {
    InterfaceId interface{};
    IpAddress address;
    unsigned left = 0;  ///< probes to send
    Instant deadline{};
    wire::Nonce nonce{};
  };

  Duration between(Duration least, Duration most);
  Duration retrans_timer(InterfaceId interface) const;

  Random random_;
  std::vector<Question> questions_;  // in the order in which they began
  std::vector<Duration> retrans_timers_;
  std::deque<Output> outputs_;
};

}  // namespace hawser::ip
