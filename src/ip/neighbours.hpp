// Which station of an Ethernet has the address of a next hop: one cache for ARP and neighbour
// discovery, with the states of RFC 4861 7.3 for both (RFC 826; RFC 1122 2.3.2; RFC 4861 7.2, 7.3,
// 8.3; RFC 6583 for what a flood may cost).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "core/slab.hpp"
#include "core/slot_list.hpp"
#include "core/timer_queue.hpp"
#include "core/token_bucket.hpp"
#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/neighbour.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser::ip {

/// A neighbour by its place, to be kept by whoever sends to it often. It goes out of date when the
/// neighbour is forgotten or the routes change.
struct NeighbourReference {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< zero: none
  std::uint32_t epoch = 0;

  explicit operator bool() const { return generation != 0; }
};

/// What an advertisement says, or the reply of ARP.
struct Advertised {
  std::optional<MacAddress> mac{};
  bool solicited = false;
  bool override_cache = false;
  std::optional<bool> router{};  ///< unset: it does not say
};

// ---- what is to be done, in this order

/// Ask for `target`: all, or the one station that should still have it.
struct Solicit {
  InterfaceId interface{};
  IpAddress target;
  IpAddress source;  ///< of the packet that made us ask
  std::optional<MacAddress> only{};
};
/// A packet, whose interface is set, may leave.
struct Deliver {
  Packet packet;
  MacAddress to;
};
/// A packet cannot leave: no_neighbour when nobody answered, neighbour_queue_full when there was no
/// room to wait in.
struct Undeliverable {
  Packet packet;
  DropReason reason{};
};
/// A neighbour does not answer any more, or never did, and is forgotten.
struct NeighbourLost {
  InterfaceId interface{};
  IpAddress address;
};
/// A neighbour is known to be reachable that was not before.
struct NeighbourFound {
  InterfaceId interface{};
  IpAddress address;
};
/// A router says that it is none any more (RFC 4861 7.2.5).
struct RouterCeased {
  InterfaceId interface{};
  IpAddress address;
};
using NeighbourOutput =
    std::variant<Solicit, Deliver, Undeliverable, NeighbourLost, NeighbourFound, RouterCeased>;

/// The cache of all interfaces. It sends and receives nothing itself: it is told what was heard,
/// and what is to be done is polled after each call that takes the time.
///
/// Bounded in all: entries, packets that wait, questions in a second. Entries that others made, by
/// asking for us, have a part of it to themselves and drive out only each other.
class Neighbours {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxHeard = 256;       ///< heard of, never sent to
  static constexpr std::size_t kMaxIncomplete = 256;  ///< asked for
  /// Packets that wait for one (RFC 4861 7.2.2): the largest datagram comes in 53 fragments.
  static constexpr std::size_t kMaxHeld = 64;
  static constexpr std::size_t kMaxHeldInAll = 1024;

  /// RFC 4861 10
  static constexpr std::uint8_t kMaxSolicits = 3;
  static constexpr Duration kReachableTime = std::chrono::seconds(30);
  static constexpr Duration kRetransTimer = std::chrono::seconds(1);
  static constexpr Duration kDelayFirstProbe = std::chrono::seconds(5);
  /// After which one that was not sent to is forgotten (RFC 1122 2.3.2.1).
  static constexpr Duration kForget = std::chrono::minutes(10);

  explicit Neighbours(Random random);

  // ---- to send

  /// The neighbour that is `next_hop`, an address of one host. If it is not known, it is asked for
  /// from now on, on behalf of a packet from `source`.
  NeighbourReference resolve(Instant now, InterfaceId interface, const IpAddress& next_hop,
                             const IpAddress& source);
  bool is_current(NeighbourReference reference) const;
  /// Where to send a packet to a neighbour now; null while it is not known, when the packet may be
  /// given to `hold`. The reference must be current.
  const MacAddress* use(Instant now, NeighbourReference reference);
  /// Keeps a packet until the neighbour is known or given up; of too many the oldest goes
  /// (RFC1122-2.3.2.2, RFC4861-7.2.2).
  void hold(NeighbourReference reference, Packet packet);
  /// What was sent to it has arrived, as TCP knows (RFC 4861 7.3.1).
  void confirm(Instant now, NeighbourReference reference);
  /// What was sent to it does not seem to arrive: no longer taken to be reachable.
  void suspect(NeighbourReference reference);
  /// All references go out of date: the routes have changed.
  void renew_references() { ++epoch_; }

  // ---- what was heard

  /// A station that has something to say to us told its own address: with a solicitation, an ARP
  /// request, or a message of a router (RFC 4861 7.2.3). It need not be known yet.
  void on_heard(Instant now, InterfaceId interface, const IpAddress& address,
                const MacAddress& mac);
  /// A station told others its address: that changes only what is known of it already (RFC 826).
  void on_overheard(Instant now, InterfaceId interface, const IpAddress& address,
                    const MacAddress& mac);
  /// RFC 4861 7.2.5
  void on_advertisement(Instant now, InterfaceId interface, const IpAddress& address,
                        const Advertised& advertised);
  /// RFC 826: a reply to us is solicited if we asked.
  void on_arp_reply(Instant now, InterfaceId interface, const IpAddress& address,
                    const MacAddress& mac);
  /// Whether a router advertised or redirected to it (RFC 4861 6.3.4, 8.3); for one that is known.
  void set_router(InterfaceId interface, const IpAddress& address, bool is_router);
  /// What routers say of an interface (RFC 4861 6.3.4), brought into sensible bounds.
  void set_reachable_time(InterfaceId interface, Duration mean);
  void set_retrans_timer(InterfaceId interface, Duration timer);

  // ---- time, and what is to be done

  void on_time(Instant now);
  Instant next_deadline() const { return timers_.earliest(); }
  bool has_output() const { return !outputs_.empty(); }
  std::optional<NeighbourOutput> poll_output();

  std::size_t size() const { return entries_.size(); }
  std::size_t held() const { return held_; }
  /// By interface and address.
  std::vector<NeighbourInfo> list(Instant now) const;

 private:
  enum class Part : std::uint8_t { incomplete, heard, used };
  static constexpr std::size_t kParts = 3;
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Entry {
    IpAddress address;
    IpAddress source;  ///< of the packet that last made us ask
    InterfaceId interface{};
    MacAddress mac;
    NeighbourState state = NeighbourState::incomplete;
    Part part = Part::incomplete;
    bool is_router = false;
    std::uint8_t solicits = 0;  ///< sent in this state
    Instant since{};            ///< last known to be reachable, else when it was made
    Instant reachable_until{};
    Instant last_used{};  ///< or heard of
    Instant listed_at{};  ///< when it came to the end of its part
    Instant next_solicit{};
    std::uint32_t timer = kNone;
    std::uint32_t next_in_bucket = kNone;
    SlotLinks links;
    std::vector<Packet> held;
  };
  struct TimerPlaceOf {
    Slab<Entry>* entries;
    std::uint32_t& operator()(std::uint32_t index) const { return (*entries)[index].timer; }
  };
  struct LinksOf {
    Slab<Entry>* entries;
    SlotLinks& operator()(std::uint32_t index) const { return (*entries)[index].links; }
  };
  struct Timing {
    Duration mean_reachable = kReachableTime;
    Duration retransmit = kRetransTimer;
    Duration reachable{};  ///< drawn around the mean
    Instant drawn_at{};
  };

  // neighbour_table.cpp
  std::size_t bucket_of(InterfaceId interface, const IpAddress& address) const;
  std::uint32_t find(InterfaceId interface, const IpAddress& address) const;
  std::uint32_t add(Instant now, InterfaceId interface, const IpAddress& address, Part part);
  void erase(std::uint32_t index);
  void move_to(Instant now, std::uint32_t index, Part part);
  bool make_room(Instant now, Part part);
  void evict(std::uint32_t index);
  std::uint32_t least_recently_used(Instant now);
  SlotList& list_of(Part part) { return parts_[static_cast<std::size_t>(part)]; }
  std::size_t& size_of(Part part) { return part_sizes_[static_cast<std::size_t>(part)]; }

  // states
  void solicit(Instant now, std::uint32_t index);
  void learn(Instant now, std::uint32_t index, const MacAddress& mac);
  void set_mac(Instant now, std::uint32_t index, const MacAddress& mac);
  void set_reachable(Instant now, std::uint32_t index);
  void fire(Instant now, std::uint32_t index);
  void lose(std::uint32_t index);
  void deliver_held(Entry& entry);
  void give_up_held(Entry& entry, DropReason reason);
  Instant deadline_of(const Entry& entry) const;
  NeighbourState state_at(const Entry& entry, Instant now) const;
  Timing& timing_of(InterfaceId interface);

  Random random_;
  std::array<std::uint64_t, 6> hash_keys_;
  Slab<Entry> entries_;
  std::vector<std::uint32_t> buckets_;  // made with the first entry
  std::array<SlotList, kParts> parts_;
  std::array<std::size_t, kParts> part_sizes_{};
  TimerQueue<TimerPlaceOf> timers_;
  std::vector<Timing> timings_;  // by interface
  TokenBucket solicit_limit_;
  std::deque<NeighbourOutput> outputs_;
  std::size_t held_ = 0;
  std::uint32_t epoch_ = 0;
};

}  // namespace hawser::ip
