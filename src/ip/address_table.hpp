// The addresses of a host: on which interface, in what state, for how long (RFC 1122 3.2.1.3,
// RFC 4862 5.5.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hawser/addressing.hpp"

namespace hawser::ip {

/// An own address, with what only the stack needs to know of it.
struct OwnAddress : AddressInfo {
  /// The router that advertised its prefix (RFC 6724 5, rule 5.5).
  std::optional<IpAddress> router{};
  /// How many other addresses of its prefix were found to be taken (RFC 7217 5: DAD_Counter).
  std::uint8_t conflicts = 0;
  /// When it was last defended against another station that uses it as well (RFC 5227 2.4).
  std::optional<Instant> defended_at{};

  /// Whether packets may be sent from it and are taken for it.
  bool is_usable() const {
    return state == AddressState::preferred || state == AddressState::deprecated;
  }
};

/// The addresses of all interfaces, bounded in number, in the order in which they came. One address
/// may be on several interfaces.
class AddressTable {
 public:
  static constexpr std::size_t kMaxAddresses = 1024;
  /// How long one defence of an address has to do (RFC 5227 1.1: DEFEND_INTERVAL).
  static constexpr Duration kDefendInterval = std::chrono::seconds(10);

  /// False when the interface has the address already, or the table is full.
  bool add(const OwnAddress& address);
  /// What there was, if anything.
  std::optional<OwnAddress> remove(InterfaceId interface, const IpAddress& address);
  /// In whatever state; null when the interface has no such address.
  const OwnAddress* find(InterfaceId interface, const IpAddress& address) const;
  bool set_state(InterfaceId interface, const IpAddress& address, AddressState state);
  /// Sets when it is to be deprecated and removed, of which the first may be now; a deprecated one
  /// may be preferred again.
  bool set_lifetime(Instant now, InterfaceId interface, const IpAddress& address,
                    Instant preferred_until, Instant valid_until);
  /// Whether an address of ours that another station uses as well is to be defended now: at most
  /// once in kDefendInterval (RFC 5227 2.4). Notes that it is.
  bool defend(Instant now, InterfaceId interface, const IpAddress& address);
  std::span<const OwnAddress> all() const { return addresses_; }

  /// Whether packets to `address` are for us: a usable address of any interface, or a loopback
  /// address.
  bool is_ours(const IpAddress& address) const;
  /// Whether the interface has it, and it is usable.
  bool is_ours_on(InterfaceId interface, const IpAddress& address) const;
  /// 255.255.255.255, or the broadcast address of one of our networks (RFC 1122 3.3.6).
  bool is_broadcast(const IpAddress& address) const;
  /// Whether one host can be meant by `address` (RFC9293-MUST-46, RFC9293-MUST-63).
  bool is_unicast(const IpAddress& address) const;

  /// Deprecates what is no longer preferred; moves what is no longer valid to the end of `expired`.
  void on_time(Instant now, std::vector<OwnAddress>& expired);
  Instant next_deadline() const { return next_deadline_; }

 private:
  std::size_t place_of(InterfaceId interface, const IpAddress& address) const;
  void update();

  std::vector<OwnAddress> addresses_;
  // Made anew from addresses_ with each change.
  std::vector<IpAddress> usable_;     // sorted
  std::vector<IpAddress> broadcast_;  // sorted
  Instant next_deadline_ = kNever;
};

}  // namespace hawser::ip
