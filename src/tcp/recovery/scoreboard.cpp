#include "tcp/recovery/scoreboard.hpp"

#include <algorithm>
#include <vector>

namespace hawser::tcp {

/// Sorted and not empty; neighbours do not touch.
struct Scoreboard::State {
  std::vector<SackBlock> ranges;

  /// The first range that ends behind `seq`: it holds `seq` or lies above it.
  auto from(SeqNum seq) const {
    return std::ranges::partition_point(ranges, [seq](const SackBlock& r) { return r.end <= seq; });
  }
};

Scoreboard::Scoreboard() = default;
Scoreboard::~Scoreboard() = default;

bool Scoreboard::mark(SackBlock range) {
  if (state_ == nullptr) state_ = std::make_unique<State>();
  auto& ranges = state_->ranges;
  const auto first = std::ranges::partition_point(
      ranges, [&](const SackBlock& known) { return known.end < range.begin; });
  const auto last = std::find_if(first, ranges.end(),
                                 [&](const SackBlock& known) { return known.begin > range.end; });
  if (first == last) {
    if (ranges.size() >= kMaxRanges) return false;
    ranges.insert(first, range);
    return true;
  }
  first->begin = min(first->begin, range.begin);
  first->end = max((last - 1)->end, range.end);
  ranges.erase(first + 1, last);
  return true;
}

void Scoreboard::on_ack(SeqNum snd_una) {
  if (state_ == nullptr) return;
  auto& ranges = state_->ranges;
  ranges.erase(ranges.begin(), state_->from(snd_una));
  if (ranges.empty()) {
    state_.reset();
  } else {
    ranges.front().begin = max(ranges.front().begin, snd_una);
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

}  // namespace hawser::tcp
