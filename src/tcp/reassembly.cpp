#include "tcp/reassembly.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace hawser::tcp {

namespace {

/// Bytes without a gap; never empty.
struct Range {
  SeqNum begin;
  std::uint32_t reported = 0;  ///< when a segment last touched it: the larger, the later
  ReceiveQueue bytes;

  SeqNum end() const { return begin + bytes.size(); }
};

}  // namespace

/// Sorted by begin; neighbours do not touch.
struct Reassembly::State {
  std::vector<Range> ranges;
  std::uint32_t bytes = 0;
  std::uint32_t memory_cost = 0;
  std::uint32_t segments = 0;

  bool store(BufferPool& pool, Range& range, const Packet& payload, std::uint32_t offset,
             std::uint32_t length, std::uint32_t limit);
  bool store_apart(BufferPool& pool, std::size_t index, SeqNum begin, const Packet& payload,
                   std::uint32_t offset, std::uint32_t length, std::uint32_t limit);
  void join_with_next(std::size_t index);
};

Reassembly::Reassembly() = default;
Reassembly::~Reassembly() = default;
Reassembly::Reassembly(Reassembly&&) noexcept = default;
Reassembly& Reassembly::operator=(Reassembly&&) noexcept = default;

/// Appends a part of `payload` to `range`, unless that exceeds a bound.
bool Reassembly::State::store(BufferPool& pool, Range& range, const Packet& payload,
                              std::uint32_t offset, std::uint32_t length, std::uint32_t limit) {
  const std::uint32_t others = memory_cost - range.bytes.memory_cost();
  if (!range.bytes.append_part(pool, payload, offset, length)) return false;
  const bool fits = others + range.bytes.memory_cost() <= limit;
  if (fits) {
    bytes += length;
    range.reported = segments;
  } else {
    range.bytes.drop_back(length);
  }
  memory_cost = others + range.bytes.memory_cost();
  return fits;
}

/// The same with a range of its own at `index`.
bool Reassembly::State::store_apart(BufferPool& pool, std::size_t index, SeqNum begin,
                                    const Packet& payload, std::uint32_t offset,
                                    std::uint32_t length, std::uint32_t limit) {
  const bool touches_next = index < ranges.size() && begin + length == ranges[index].begin;
  if (ranges.size() >= kMaxRanges && !touches_next) return false;
  Range range;
  range.begin = begin;
  if (!store(pool, range, payload, offset, length, limit)) return false;
  ranges.insert(ranges.begin() + static_cast<std::ptrdiff_t>(index), std::move(range));
  return true;
}

void Reassembly::State::join_with_next(std::size_t index) {
  if (index + 1 >= ranges.size() || ranges[index].end() != ranges[index + 1].begin) return;
  Range& range = ranges[index];
  Range& next = ranges[index + 1];
  const std::uint32_t others = memory_cost - range.bytes.memory_cost() - next.bytes.memory_cost();
  range.bytes.join(std::move(next.bytes));
  memory_cost = others + range.bytes.memory_cost();
  ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

Reassembly::Inserted Reassembly::insert(BufferPool& pool, SeqNum seq, Packet& payload,
                                        std::uint32_t limit) {
  Inserted result;
  const SeqNum end = seq + payload.size();
  if (state_ == nullptr) state_ = std::make_unique<State>();
  auto& ranges = state_->ranges;
  ++state_->segments;
  const auto first =
      std::ranges::partition_point(ranges, [seq](const Range& range) { return range.end() < seq; });
  auto index = static_cast<std::size_t>(first - ranges.begin());

  for (SeqNum at = seq; at < end;) {
    // ranges[index] is the first that ends at or behind `at`.
    const bool begun = index < ranges.size() && ranges[index].begin <= at;
    if (begun && at < ranges[index].end()) {
      const SeqNum stop = min(end, ranges[index].end());
      if (!result.duplicate) result.duplicate = SackBlock{at, stop};
      ranges[index].reported = state_->segments;
      at = stop;
      continue;
    }
    const std::size_t next = begun ? index + 1 : index;
    const SeqNum stop = next < ranges.size() ? min(end, ranges[next].begin) : end;
    const std::uint32_t offset = distance(seq, at);
    const std::uint32_t length = distance(at, stop);
    const bool stored = begun
                            ? state_->store(pool, ranges[index], payload, offset, length, limit)
                            : state_->store_apart(pool, index, at, payload, offset, length, limit);
    if (!stored) break;
    state_->join_with_next(index);
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
  std::size_t taken = 0;
  for (; taken < ranges.size() && ranges[taken].begin <= rcv_nxt + advance; ++taken) {
    ReceiveQueue& bytes = ranges[taken].bytes;
    const std::uint32_t old = distance(ranges[taken].begin, rcv_nxt + advance);
    state_->bytes -= bytes.size();
    state_->memory_cost -= bytes.memory_cost();
    bytes.drop_front(std::min(old, bytes.size()));
    advance += bytes.size();
    queue.append_all(pool, std::move(bytes));
  }
  ranges.erase(ranges.begin(), ranges.begin() + static_cast<std::ptrdiff_t>(taken));
  if (ranges.empty()) state_.reset();
  return advance;
}

std::uint8_t Reassembly::sack_blocks(std::span<SackBlock> out) const {
  if (state_ == nullptr) return 0;
  std::array<const Range*, std::tuple_size_v<decltype(TcpOptions::sack_blocks)>> newest{};
  const std::size_t most = std::min(out.size(), newest.size());
  std::size_t count = 0;
  for (const Range& range : state_->ranges) {
    std::size_t place = count;
    while (place > 0 && newest[place - 1]->reported < range.reported) --place;
    if (place == most) continue;
    if (count < most) ++count;
    for (std::size_t i = count - 1; i > place; --i) newest[i] = newest[i - 1];
    newest[place] = &range;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = {newest[i]->begin, newest[i]->end()};
  return static_cast<std::uint8_t>(count);
}

std::uint32_t Reassembly::bytes() const { return state_ == nullptr ? 0 : state_->bytes; }
void Reassembly::clear() { state_.reset(); }

}  // namespace hawser::tcp
