#include "tcp/reassembly.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace hawser::tcp {

namespace {

/// What a range costs beside its blocks: its place among the others, with what the allocator adds.
constexpr std::uint32_t kRangeCost = 96;

/// Bytes without a gap; never empty. Ranges stay where they are in memory, so that they can be in a
/// list of those that were reported, the newest first.
struct Range {
  SeqNum begin;
  ReceiveQueue bytes;
  Range* newer = nullptr;
  Range* older = nullptr;

  SeqNum end() const { return begin + bytes.size(); }
};

}  // namespace

/// In the order of the sequence space, which is one while all lies in one window. Neighbours do not
/// touch. The key is where a range begins.
struct Reassembly::State {
  struct Before {
    bool operator()(SeqNum a, SeqNum b) const { return a < b; }
  };
  using Ranges = std::map<SeqNum, Range, Before>;
  using Place = Ranges::iterator;

  Ranges ranges;
  Range* newest = nullptr;  ///< a segment touched it last
  std::uint32_t bytes = 0;
  std::uint32_t memory_cost = 0;

  Place first_behind(SeqNum seq);
  bool store(BufferPool& pool, Range& range, const Packet& payload, std::uint32_t offset,
             std::uint32_t length, std::uint32_t limit);
  bool store_apart(BufferPool& pool, Place& next, SeqNum begin, const Packet& payload,
                   std::uint32_t offset, std::uint32_t length, std::uint32_t limit);
  void join_with_next(Place place);
  void report(Range& range);
  void take_off_list(Range& range);
  ReceiveQueue take_out(Place place);
};

Reassembly::Reassembly() = default;
Reassembly::~Reassembly() = default;
Reassembly::Reassembly(Reassembly&&) noexcept = default;
Reassembly& Reassembly::operator=(Reassembly&&) noexcept = default;

/// The first that ends at `seq` or behind it. Most segments come behind all that is there, or make
/// the last range longer.
Reassembly::State::Place Reassembly::State::first_behind(SeqNum seq) {
  if (ranges.empty()) return ranges.end();
  const Place last = std::prev(ranges.end());
  if (last->second.begin <= seq) return last->second.end() < seq ? ranges.end() : last;
  const Place above = ranges.upper_bound(seq);
  if (above == ranges.begin()) return above;
  const Place below = std::prev(above);
  return below->second.end() < seq ? above : below;
}

void Reassembly::State::take_off_list(Range& range) {
  if (range.newer != nullptr) range.newer->older = range.older;
  if (range.older != nullptr) range.older->newer = range.newer;
  if (newest == &range) newest = range.older;
  range.newer = range.older = nullptr;
}

void Reassembly::State::report(Range& range) {
  if (newest == &range) return;
  take_off_list(range);
  range.older = newest;
  if (newest != nullptr) newest->newer = &range;
  newest = &range;
}

/// The range is no more; what it held is the caller's.
ReceiveQueue Reassembly::State::take_out(Place place) {
  take_off_list(place->second);
  ReceiveQueue held = std::move(place->second.bytes);
  memory_cost -= held.memory_cost() + kRangeCost;
  bytes -= held.size();
  ranges.erase(place);
  return held;
}

/// Appends a part of `payload` to `range`, unless that exceeds a bound.
bool Reassembly::State::store(BufferPool& pool, Range& range, const Packet& payload,
                              std::uint32_t offset, std::uint32_t length, std::uint32_t limit) {
  const std::uint32_t others = memory_cost - range.bytes.memory_cost();
  if (!range.bytes.append_part(pool, payload, offset, length)) return false;
  const bool fits = others + range.bytes.memory_cost() <= limit;
  if (fits) {
    bytes += length;
    report(range);
  } else {
    range.bytes.drop_back(length);
  }
  memory_cost = others + range.bytes.memory_cost();
  return fits;
}

/// The same with a range of its own before `next`, which becomes its place.
bool Reassembly::State::store_apart(BufferPool& pool, Place& next, SeqNum begin,
                                    const Packet& payload, std::uint32_t offset,
                                    std::uint32_t length, std::uint32_t limit) {
  const Place place = ranges.try_emplace(next, begin);
  place->second.begin = begin;
  memory_cost += kRangeCost;
  if (!store(pool, place->second, payload, offset, length, limit)) {
    take_out(place);
    return false;
  }
  next = place;
  return true;
}

void Reassembly::State::join_with_next(Place place) {
  const Place next = std::next(place);
  Range& range = place->second;
  if (next == ranges.end() || range.end() != next->second.begin) return;
  memory_cost -= range.bytes.memory_cost();
  bytes += next->second.bytes.size();
  range.bytes.join(take_out(next));
  memory_cost += range.bytes.memory_cost();
}

Reassembly::Inserted Reassembly::insert(BufferPool& pool, SeqNum seq, Packet& payload,
                                        std::uint32_t limit) {
  Inserted result;
  const SeqNum end = seq + payload.size();
  if (state_ == nullptr) state_ = std::make_unique<State>();
  auto& ranges = state_->ranges;
  State::Place place = state_->first_behind(seq);

  for (SeqNum at = seq; at < end;) {
    // `place` is the first that ends at or behind `at`.
    const bool begun = place != ranges.end() && place->second.begin <= at;
    if (begun && at < place->second.end()) {
      const SeqNum stop = min(end, place->second.end());
      if (!result.duplicate) result.duplicate = SackBlock{at, stop};
      state_->report(place->second);
      at = stop;
      continue;
    }
    const State::Place next = begun ? std::next(place) : place;
    const SeqNum stop = next != ranges.end() ? min(end, next->second.begin) : end;
    const std::uint32_t offset = distance(seq, at);
    const std::uint32_t length = distance(at, stop);
    const bool stored = begun
                            ? state_->store(pool, place->second, payload, offset, length, limit)
                            : state_->store_apart(pool, place, at, payload, offset, length, limit);
    if (!stored) break;
    state_->join_with_next(place);
    result.new_bytes += length;
    at = stop;
  }
  if (ranges.empty()) state_.reset();
  return result;
}

std::uint32_t Reassembly::take(BufferPool& pool, SeqNum rcv_nxt, ReceiveQueue& queue) {
  if (state_ == nullptr) return 0;
  auto& ranges = state_->ranges;
  std::uint32_t advance = 0;
  while (!ranges.empty() && ranges.begin()->first <= rcv_nxt + advance) {
    const std::uint32_t old = distance(ranges.begin()->first, rcv_nxt + advance);
    ReceiveQueue bytes = state_->take_out(ranges.begin());
    bytes.drop_front(std::min(old, bytes.size()));
    advance += bytes.size();
    queue.append_all(pool, std::move(bytes));
  }
  if (ranges.empty()) state_.reset();
  return advance;
}

std::uint8_t Reassembly::sack_blocks(std::span<SackBlock> out) const {
  std::uint8_t count = 0;
  const Range* range = state_ == nullptr ? nullptr : state_->newest;
  for (; range != nullptr && count < out.size(); range = range->older) {
    out[count++] = {range->begin, range->end()};
  }
  return count;
}

std::uint32_t Reassembly::bytes() const { return state_ == nullptr ? 0 : state_->bytes; }
void Reassembly::clear() { state_.reset(); }

}  // namespace hawser::tcp
