// What routers have said, or probes found, of the MTU of paths (RFC 1191 6, RFC 8201 4, 5.3; RFC
// 4821 5.2), for each destination.
//
// Only what falls below the MTU of the interface is kept. It is forgotten after a while, so that a
// larger MTU is found again (RFC 1191 6.3). That a message is not a forgery is its taker's to find
// out before it comes here (RFC 5927 7).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/random.hpp"
#include "core/slab.hpp"
#include "core/slot_list.hpp"
#include "hawser/address.hpp"
#include "hawser/time.hpp"

namespace hawser::ip {

/// Nothing larger needs to be cut on any path of IPv6 (RFC 8200 5).
inline constexpr std::uint32_t kMinPathMtuV6 = 1280;
/// No IPv4 path of today is narrower, and whoever claims one wants to load hosts with many small
/// packets: like Linux (net.ipv4.route.min_pmtu) we go no lower than 512 bytes of payload with
/// 40 of headers, and let routers cut what is still too large.
inline constexpr std::uint32_t kMinPathMtuV4 = 552;

/// The MTU that a packet-too-big message about a packet of `packet_bytes` bytes speaks of, or an
/// estimate when an old router does not say (RFC 1191 5, 7). Nothing when it claims what cannot be:
/// no less than the packet had, or in IPv6 less than 1280 (RFC 8201 4).
std::optional<std::uint32_t> claimed_mtu(Family family, std::uint32_t mtu,
                                         std::uint32_t packet_bytes);

class PathMtu {
 public:
  struct Entry {
    std::uint32_t mtu = 0;  ///< bytes
    bool cut = false;       ///< IPv4: the path is narrower than that: routers may cut our packets
  };

  /// At most `capacity` destinations are kept, the latest, each for `lifetime`.
  PathMtu(std::size_t capacity, Duration lifetime, Random& random);

  /// What is known of the path to `destination`; nothing means the MTU of the interface.
  std::optional<Entry> find(Instant now, const IpAddress& destination) const;
  /// The MTU of the path to `destination` by an interface of that `mtu`.
  std::uint32_t get(Instant now, const IpAddress& destination, std::uint32_t mtu) const;
  /// Notes that the path carries no more than `mtu` bytes; it never rises by this.
  Entry lower(Instant now, const IpAddress& destination, std::uint32_t mtu);

  /// Notes what packets have shown: those of `mtu` bytes arrive. If `larger_is_lost`, that is what
  /// the path carries, whatever was known; else it is at least that.
  void on_found(Instant now, const IpAddress& destination, std::uint32_t mtu, bool larger_is_lost);

  std::size_t size() const { return entries_.size(); }
  /// Forgets what is too old.
  void on_time(Instant now);
  /// When something will be too old; kNever when nothing is known.
  Instant next_deadline() const;

 private:
  struct Record {
    IpAddress destination;
    Instant expires;
    Entry entry;
    SlotLinks links;
  };
  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const IpAddress& address) const {
      return hash(std::as_bytes(std::span(&address, 1)));
    }
  };
  void put(Instant now, const IpAddress& destination, const Entry& entry);
  void erase(std::uint32_t index);

  std::size_t capacity_;
  Duration lifetime_;
  Slab<Record> entries_;
  absl::flat_hash_map<IpAddress, std::uint32_t, Hash> index_;
  SlotList by_age_;  // the first to expire in front
};

}  // namespace hawser::ip
