// From the two ends of a segment to what the stack keeps of them, in constant time.
//
// A linear hash table (Litwin): it grows and shrinks by one bucket at a time, so that no call ever
// pays for the whole of it, and its size follows the number of flows closely. A bucket is one cache
// line and holds references only; the ends themselves are compared where the flow is kept.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "core/slab.hpp"
#include "tcp/tuple.hpp"

namespace hawser::stack {

enum class FlowKind : std::uint8_t { none, connection, syn_received, time_wait };

/// What is kept of a flow, and where: an index into the slab of its kind.
class Flow {
 public:
  static constexpr std::uint32_t kMaxSlot = (1U << 30) - 1;

  constexpr Flow() = default;
  constexpr Flow(FlowKind kind, std::uint32_t slot)
      : bits_((static_cast<std::uint32_t>(kind) << 30) | slot) {}

  constexpr FlowKind kind() const { return static_cast<FlowKind>(bits_ >> 30); }
  constexpr std::uint32_t slot() const { return bits_ & kMaxSlot; }
  constexpr explicit operator bool() const { return bits_ != 0; }
  friend constexpr bool operator==(Flow, Flow) = default;

 private:
  std::uint32_t bits_ = 0;
};

/// A keyed hash of a tuple: multilinear and so strongly universal (Lemire and Kaser, "Strongly
/// universal string hashing is fast"), which is to say that nobody finds collisions without the
/// key. Its values must not be shown to outsiders.
class TupleHash {
 public:
  explicit TupleHash(Random& random) {
    for (auto& key : keys_) key = random.next();
  }
  std::uint32_t operator()(const tcp::Tuple& tuple) const {
    const auto words = std::bit_cast<std::array<std::uint32_t, 10>>(tuple);
    std::uint64_t sum = keys_.back();
    for (std::size_t i = 0; i < words.size(); ++i) sum += keys_[i] * words[i];
    return static_cast<std::uint32_t>(sum >> 32);
  }

 private:
  std::array<std::uint64_t, 11> keys_;
};

/// `tuple_of(flow)` gives the tuple of a flow in the table; of each tuple there is at most one
/// flow.
template <typename TupleOf>
class Demux {
 public:
  Demux(Random& random, TupleOf tuple_of) : hash_(random), tuple_of_(std::move(tuple_of)) {
    segments_.push_back(std::make_unique<Segment>());
  }

  /// No flow when nothing is known of the tuple.
  Flow find(const tcp::Tuple& tuple) const {
    const std::uint32_t hash = hash_(tuple);
    const Bucket* bucket = &bucket_at(number_of(hash));
    for (;;) {
      for (std::uint64_t hits = bucket->matches(mark_of(hash)); hits != 0; hits &= hits - 1) {
        const Flow flow = bucket->flows[place_of(hits)];
        if (flow && tuple_of_(flow) == tuple) return flow;
      }
      if (bucket->overflow == kNoOverflow) return {};
      bucket = &overflow_[bucket->overflow - 1];
    }
  }

  void insert(Flow flow) {
    add(hash_(tuple_of_(flow)), flow);
    if (++size_ > std::size_t{kMeanLoad} * bucket_count()) split();
  }

  void erase(Flow flow) {
    remove(hash_(tuple_of_(flow)), flow);
    --size_;
    if (size_ < std::size_t{kMeanLoad} / 2 * bucket_count() && bucket_count() > kSegment) merge();
  }

  /// Lets the tuple of `from`, which is also that of `to`, lead to `to`.
  void replace(Flow from, Flow to) {
    Bucket* bucket = &bucket_at(number_of(hash_(tuple_of_(from))));
    for (;;) {
      for (Flow& flow : bucket->flows) {
        if (flow == from) {
          flow = to;
          return;
        }
      }
      if (bucket->overflow == kNoOverflow) return;
      bucket = &overflow_[bucket->overflow - 1];
    }
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kPlaces = 12;
  static constexpr std::uint32_t kMeanLoad = 8;  // of 12 places: few buckets overflow
  static constexpr std::uint32_t kSegment = 16;  // buckets that are allocated together
  static constexpr std::uint32_t kNoOverflow = 0;

  /// The highest bit of each of eight bytes that equals `mark`, and perhaps of bytes behind it.
  static std::uint64_t equal_bytes(const std::uint8_t* bytes, std::uint8_t mark) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    word ^= mark * kOnes;  // where they are equal there is zero, and a zero borrows
    return (word - kOnes) & ~word & (kOnes << 7);
  }
  /// Of the second eight bytes of marks the first four are among the first eight.
  static constexpr std::uint64_t kSeen = 0xffffffff;
  /// The place of the lowest bit of matches(): one of 0 to 7 has the highest bit of a byte, one of
  /// 8 to 11 the fourth bit of the byte that is four lower.
  static std::size_t place_of(std::uint64_t hits) {
    const auto bit = static_cast<std::size_t>(std::countr_zero(hits));
    return bit % 8 == 7 ? bit / 8 : bit / 8 + 4;
  }

  struct alignas(64) Bucket {
    std::array<std::uint8_t, kPlaces> marks{};  // eight bits of the hash: few tuples are compared
    std::array<Flow, kPlaces> flows{};
    std::uint32_t overflow = kNoOverflow;  // an index into overflow_, plus one

    /// Bits that stand for the places with that mark (place_of), and now and then for one more.
    std::uint64_t matches(std::uint8_t mark) const {
      const std::uint64_t low = equal_bytes(marks.data(), mark);
      const std::uint64_t high = equal_bytes(marks.data() + kPlaces - 8, mark);
      return low | (high & ~kSeen) >> 4;
    }
  };
  static_assert(sizeof(Bucket) == 64);
  using Segment = std::array<Bucket, kSegment>;

  static std::uint8_t mark_of(std::uint32_t hash) { return static_cast<std::uint8_t>(hash >> 24); }
  std::uint32_t bucket_count() const { return round_ + split_; }
  std::uint32_t number_of(std::uint32_t hash) const {
    const std::uint32_t number = hash & (round_ - 1);
    return number < split_ ? hash & (2 * round_ - 1) : number;
  }
  Bucket& bucket_at(std::uint32_t number) {
    return (*segments_[number / kSegment])[number % kSegment];
  }
  const Bucket& bucket_at(std::uint32_t number) const {
    return (*segments_[number / kSegment])[number % kSegment];
  }

  void add(std::uint32_t hash, Flow flow) {
    Bucket* bucket = &bucket_at(number_of(hash));
    for (;;) {
      for (std::uint32_t i = 0; i < kPlaces; ++i) {
        if (bucket->flows[i]) continue;
        bucket->flows[i] = flow;
        bucket->marks[i] = mark_of(hash);
        return;
      }
      if (bucket->overflow == kNoOverflow) bucket->overflow = overflow_.emplace() + 1;
      bucket = &overflow_[bucket->overflow - 1];
    }
  }

  void remove(std::uint32_t hash, Flow flow) {
    std::uint32_t* link = nullptr;
    Bucket* bucket = &bucket_at(number_of(hash));
    for (;;) {
      for (Flow& place : bucket->flows) {
        if (place != flow) continue;
        place = {};
        if (link != nullptr) drop_if_empty(*bucket, *link);
        return;
      }
      if (bucket->overflow == kNoOverflow) return;
      link = &bucket->overflow;
      bucket = &overflow_[*link - 1];
    }
  }

  void drop_if_empty(const Bucket& bucket, std::uint32_t& link) {
    for (const Flow flow : bucket.flows) {
      if (flow) return;
    }
    const std::uint32_t gone = link - 1;
    link = bucket.overflow;
    overflow_.erase(gone);
  }

  /// Adds a bucket and moves to it what belongs there from the one that is next to be split.
  void split() {
    const std::uint32_t from = split_;
    if (bucket_count() % kSegment == 0) segments_.push_back(std::make_unique<Segment>());
    if (++split_ == round_) {
      round_ *= 2;
      split_ = 0;
    }
    redistribute(from);
  }

  /// Takes the last bucket away; what it holds goes back to the one that it was split from.
  void merge() {
    const std::uint32_t gone = bucket_count() - 1;
    if (split_ == 0) {
      round_ /= 2;
      split_ = round_;
    }
    --split_;
    redistribute(gone);
    if (gone % kSegment == 0) segments_.pop_back();
  }

  /// Takes everything out of a bucket and puts it where it now belongs.
  void redistribute(std::uint32_t number) {
    Bucket chain = bucket_at(number);
    bucket_at(number) = Bucket{};
    for (;;) {
      for (const Flow flow : chain.flows) {
        if (flow) add(hash_(tuple_of_(flow)), flow);
      }
      if (chain.overflow == kNoOverflow) return;
      const std::uint32_t next = chain.overflow - 1;
      chain = overflow_[next];
      overflow_.erase(next);
    }
  }

  TupleHash hash_;
  TupleOf tuple_of_;
  std::vector<std::unique_ptr<Segment>> segments_;
  Slab<Bucket> overflow_;
  std::uint32_t round_ = kSegment;  // buckets when this round of splits began, a power of two
  std::uint32_t split_ = 0;         // the next to be split
  std::size_t size_ = 0;
};

}  // namespace hawser::stack
