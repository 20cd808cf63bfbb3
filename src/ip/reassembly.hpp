// Datagrams from their fragments (RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 8200 4.5).
//
// A fragment which contradicts what is there already, by overlapping it or by another end, makes
// the whole datagram void, with what is still to come of it: RFC 5722 asks it of IPv6, and IPv4
// gains as much by it. An exact repetition is the network's doing and is passed over.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "core/random.hpp"
#include "core/slab.hpp"
#include "core/slot_list.hpp"
#include "hawser/address.hpp"
#include "hawser/counters.hpp"
#include "hawser/ip.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"
#include "wire/ip.hpp"

namespace hawser::ip {

class Reassembly {
 public:
  /// Of one datagram. With the smallest MTU of IPv6, the longest datagram comes in 53 pieces; with
  /// the 576 bytes that IPv4 guarantees, in 119.
  static constexpr std::size_t kMaxFragments = 256;

  /// All three outlive this. Drops are counted in `counters`, one for each fragment.
  Reassembly(const IpConfig& config, BufferPool& pool, Random& random, StackCounters& counters);

  /// Takes a fragment: `packet` begins with the IP header that `parsed` describes. Gives the
  /// datagram when it was the last that was missing, as one IP packet without a trace of having
  /// been in pieces; else false.
  Packet on_fragment(Instant now, const wire::ParsedIp& parsed, Packet packet);

  /// A datagram that was given up.
  struct Expired {
    /// As it arrived, with its IP header; false when it did not. Only if it did the sender is told
    /// (RFC 792, RFC 8200 4.5).
    Packet first_fragment;
  };
  /// The next datagram whose time is over by `now`.
  std::optional<Expired> poll_expired(Instant now);
  /// When the next one's time is over; kNever when nothing waits.
  Instant next_deadline() const;

  /// Datagrams that wait for fragments, or keep those of a void datagram away.
  std::size_t datagrams() const { return datagrams_.size(); }
  /// The memory that they take; at most IpConfig::reassembly_memory.
  std::size_t memory() const { return memory_; }

 private:
  struct Key {
    IpAddress source;
    IpAddress destination;
    std::uint32_t identification = 0;
    InterfaceId interface{};    ///< counts for link-local sources only
    std::uint8_t protocol = 0;  ///< part of the identity in IPv4 alone (RFC 791 3.2, RFC 8200 4.5)
    std::uint8_t v4 = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  static_assert(sizeof(Key) == 40, "every byte is hashed");

  struct Hash {
    KeyedHash hash;
    std::size_t operator()(const Key& key) const { return hash(std::as_bytes(std::span(&key, 1))); }
    std::size_t operator()(const IpAddress& address) const {
      return hash(std::as_bytes(std::span(&address, 1)));
    }
  };

  struct Fragment {
    std::uint32_t begin;  ///< of its payload in the datagram's
    std::uint32_t end;
    Packet packet;  ///< the payload; of the first fragment all, with its headers
  };

  struct Datagram {
    Key key;
    IpAddress charged_to;  ///< as in sources_
    Instant deadline;
    SlotLinks by_age;
    SlotLinks by_source;
    std::vector<Fragment> fragments;  ///< in their order, none overlapping
    std::size_t memory = 0;
    std::uint32_t received = 0;             ///< bytes of payload
    std::optional<std::uint32_t> size{};    ///< bytes of payload, once the last fragment has come
    std::uint16_t headers = 0;              ///< bytes before the payload in the first fragment
    std::optional<wire::ParsedIp> first{};  ///< of the first fragment
    std::uint8_t ecn_seen = 0;              ///< a bit for each codepoint
    bool verified = true;                   ///< somebody vouches for the checksum of every fragment
    bool is_void = false;                   ///< contradicts itself: nothing of it is taken
  };

  struct Source {
    SlotList datagrams;  ///< the oldest in front
    std::size_t memory = 0;
  };

  std::optional<std::uint32_t> find_or_create(Instant now, const wire::ParsedIp& parsed,
                                              InterfaceId interface);
  std::optional<DropReason> insert(Datagram& datagram, std::uint32_t index,
                                   const wire::ParsedIp& parsed, Packet packet);
  std::optional<DropReason> check(const Datagram& datagram, const wire::FragmentInfo& info,
                                  std::uint32_t end, const wire::ParsedIp& parsed,
                                  const Packet& packet) const;
  Packet assemble(Datagram& datagram);
  bool make_room(const IpAddress& source, std::size_t memory, std::uint32_t keep);
  void charge(Datagram& datagram, std::size_t memory);
  void make_void(std::uint32_t index, DropReason why);
  void erase(std::uint32_t index, DropReason why);
  void drop(DropReason why, std::size_t fragments = 1) {
    counters_->drops[static_cast<std::size_t>(why)] += fragments;
  }
  Packet compact(Packet packet);
  SlotList& by_age(const Key& key) { return key.v4 != 0 ? by_age_v4_ : by_age_v6_; }
  std::uint32_t oldest(std::uint32_t keep) const;

  const IpConfig* config_;
  BufferPool* pool_;
  StackCounters* counters_;
  Slab<Datagram, 16> datagrams_;
  absl::flat_hash_map<Key, std::uint32_t, Hash> index_;
  absl::flat_hash_map<IpAddress, Source, Hash> sources_;
  SlotList by_age_v4_;  // the oldest in front: all of one family wait equally long
  SlotList by_age_v6_;
  std::size_t memory_ = 0;
};

}  // namespace hawser::ip
