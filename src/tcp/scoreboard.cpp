#include "tcp/scoreboard.hpp"

#include <algorithm>
#include <vector>

namespace hawser::tcp {

namespace {

struct Range {
  SeqNum begin;
  SeqNum end;
  /// SACKed bytes in all lower ranges, those already forgotten included, modulo 2^32: what lies
  /// between two places is then one subtraction.
  std::uint32_t sacked_before = 0;

  std::uint32_t size() const { return distance(begin, end); }
  std::uint32_t sacked_through() const { return sacked_before + size(); }
};

/// Farther behind SND.UNA than any window reaches nothing can be a duplicate of ours.
constexpr std::int32_t kLargestWindow = 1 << 30;

}  // namespace

/// Sorted and not empty; neighbours do not touch.
struct Scoreboard::State {
  std::vector<Range> ranges;

  /// The first range that ends behind `seq`: it holds `seq` or lies above it.
  auto from(SeqNum seq) const {
    return std::ranges::partition_point(ranges, [seq](const Range& r) { return r.end <= seq; });
  }
  std::uint32_t total() const {
    return ranges.back().sacked_through() - ranges.front().sacked_before;
  }
  /// SACKed bytes below `seq`.
  std::uint32_t below(SeqNum seq) const {
    const auto range = from(seq);
    if (range == ranges.end()) return total();
    const std::uint32_t part = range->begin < seq ? distance(range->begin, seq) : 0;
    return range->sacked_before - ranges.front().sacked_before + part;
  }
};

Scoreboard::Scoreboard() = default;
Scoreboard::~Scoreboard() = default;
Scoreboard::Scoreboard(Scoreboard&&) noexcept = default;
Scoreboard& Scoreboard::operator=(Scoreboard&&) noexcept = default;

Scoreboard::Update Scoreboard::on_sack(SeqNum snd_una, SeqNum snd_nxt,
                                       std::span<const SackBlock> blocks) {
  Update update;
  if (blocks.empty()) return update;
  const SackBlock first = blocks[0];
  const bool below =
      first.begin < first.end && first.end <= snd_una && snd_una - first.begin < kLargestWindow;
  const bool inside = blocks.size() > 1 && first.begin < first.end && first.begin > snd_una &&
                      first.end <= snd_nxt && first.begin >= blocks[1].begin &&
                      first.end <= blocks[1].end;
  if (below || inside) update.dsack = first;
  for (const SackBlock& block : blocks) {
    if (block.begin <= snd_una || block.end > snd_nxt || block.begin >= block.end) continue;
    update.newly_sacked += mark(block);
  }
  return update;
}

/// Notes a block and returns how many of its bytes are new.
std::uint32_t Scoreboard::mark(SackBlock block) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  auto& ranges = state_->ranges;
  const auto first = std::ranges::partition_point(
      ranges, [&](const Range& range) { return range.end < block.begin; });
  const auto last = std::find_if(first, ranges.end(),
                                 [&](const Range& range) { return range.begin > block.end; });
  std::uint32_t added = distance(block.begin, block.end);
  auto rest = first;  // the ranges above
  if (first == last) {
    if (ranges.size() >= kMaxRanges) return 0;
    std::uint32_t before = 0;
    if (first != ranges.end()) {
      before = first->sacked_before;
    } else if (!ranges.empty()) {
      before = ranges.back().sacked_through();
    }
    rest = ranges.insert(first, Range{block.begin, block.end, before}) + 1;
  } else {
    const std::uint32_t had = (last - 1)->sacked_through() - first->sacked_before;
    first->begin = min(first->begin, block.begin);
    first->end = max((last - 1)->end, block.end);
    added = first->size() - had;
    rest = ranges.erase(first + 1, last);
  }
  for (; rest != ranges.end(); ++rest) rest->sacked_before += added;
  return added;
}

void Scoreboard::on_ack(SeqNum snd_una) {
  if (state_ == nullptr) return;
  auto& ranges = state_->ranges;
  const auto kept = state_->from(snd_una);
  if (kept == ranges.end()) {
    state_.reset();
    return;
  }
  ranges.erase(ranges.begin(), kept);
  Range& lowest = ranges.front();
  if (lowest.begin < snd_una) {
    lowest.sacked_before += distance(lowest.begin, snd_una);
    lowest.begin = snd_una;
  }
}

void Scoreboard::clear() { state_.reset(); }

bool Scoreboard::is_sacked(SeqNum seq) const {
  if (state_ == nullptr) return false;
  const auto range = state_->from(seq);
  return range != state_->ranges.end() && range->begin <= seq;
}

std::optional<SackBlock> Scoreboard::next_hole(SeqNum from, SeqNum end) const {
  SackBlock hole{from, end};
  if (state_ != nullptr) {
    auto range = state_->from(from);
    if (range != state_->ranges.end() && range->begin <= from) hole.begin = (range++)->end;
    if (range != state_->ranges.end()) hole.end = min(end, range->begin);
  }
  if (hole.begin >= hole.end) return std::nullopt;
  return hole;
}

SeqNum Scoreboard::highest() const { return state_->ranges.back().end; }

bool Scoreboard::is_lost(SeqNum seq, std::uint32_t mss) const {
  return !is_sacked(seq) && seq < lost_below(seq, mss);
}

SeqNum Scoreboard::lost_below(SeqNum snd_una, std::uint32_t mss) const {
  if (state_ == nullptr) return snd_una;
  const auto& ranges = state_->ranges;
  // What lies before a range is lost when the range and those above it are enough. Three are
  // always, so this looks at three ranges at most.
  std::uint32_t count = 0;
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    const std::uint32_t bytes = ranges.back().sacked_through() - range->sacked_before;
    if (++count >= kDupThresh || bytes > (kDupThresh - 1) * mss) return max(snd_una, range->begin);
  }
  return snd_una;
}

std::uint32_t Scoreboard::pipe(SeqNum snd_una, SeqNum snd_nxt, SeqNum high_rxt,
                               std::uint32_t mss) const {
  const auto in_flight = [&](SeqNum from, SeqNum to) {  // not SACKed
    if (to <= from) return std::uint32_t{0};
    const std::uint32_t sacked = state_ == nullptr ? 0 : state_->below(to) - state_->below(from);
    return distance(from, to) - sacked;
  };
  return in_flight(lost_below(snd_una, mss), snd_nxt) + in_flight(snd_una, high_rxt);
}

std::uint32_t Scoreboard::sacked_bytes() const { return state_ == nullptr ? 0 : state_->total(); }

}  // namespace hawser::tcp
