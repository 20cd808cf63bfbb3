#include "tcp/recovery/flight.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace hawser::tcp {

namespace {

/// Farther behind SND.UNA than any window reaches nothing can be a duplicate of ours.
constexpr std::int32_t kLargestWindow = 1 << 30;

std::uint32_t to_us(Duration time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}
std::uint32_t to_us(Instant at) { return to_us(at.time_since_epoch()); }

/// RFC 2883 5: a first block that lies below the acknowledgment or within the second reports what
/// was received twice.
std::optional<SackBlock> duplicate_in(const Flight::Ack& ack) {
  if (ack.blocks.empty()) return std::nullopt;
  const SackBlock first = ack.blocks[0];
  if (first.begin >= first.end) return std::nullopt;
  const bool below = first.end <= ack.una && ack.una - first.begin < kLargestWindow;
  const bool inside = ack.blocks.size() > 1 && first.begin > ack.una && first.end <= ack.nxt &&
                      first.begin >= ack.blocks[1].begin && first.end <= ack.blocks[1].end;
  if (!below && !inside) return std::nullopt;
  return first;
}

/// Those that can be true, upwards: the highest comes first on the wire, and is not to make those
/// below it look late.
std::span<SackBlock> believable(const Flight::Ack& ack, std::array<SackBlock, 4>& room) {
  std::size_t count = 0;
  for (const SackBlock& block : ack.blocks) {
    const bool within = block.begin > ack.una && block.end <= ack.nxt && block.begin < block.end;
    if (!within || count == room.size()) continue;
    std::size_t place = count++;
    for (; place > 0 && block.end < room[place - 1].end; --place) room[place] = room[place - 1];
    room[place] = block;
  }
  return {room.data(), count};
}

}  // namespace

// ---- sending

void Flight::on_sent(Instant now, SeqNum end, std::uint32_t full) {
  if (ring_.empty()) rack_.forget_sample();  // its time may be long ago
  if (joins_last(end, full)) {
    on_their_way_.remove(ring_, ring_.last() - 1);
  } else {
    ring_.push_back();
  }
  const std::uint32_t number = ring_.last() - 1;
  ring_[number].end = end;
  stamp(now, number);
}

/// The segment leaves.
void Flight::stamp(Instant now, std::uint32_t number) {
  SentSegment& segment = ring_[number];
  const std::uint32_t length = length_of(number);
  segment.sent_us = to_us(now);
  rate_.on_sent(segment, length, pipe() - length);
  on_their_way_.push_back(ring_, number);
}

bool Flight::joins_last(SeqNum end, std::uint32_t full) const {
  if (ring_.size() < kManySegments) return false;
  const std::uint32_t last = ring_.last() - 1;
  const SentSegment& segment = ring_[last];
  const bool plain = !segment.sacked && !segment.lost && !segment.again;
  return plain && distance(begin_of(last), end) <= full;
}

void Flight::on_resent(Instant now, SeqNum begin, SeqNum end) {
  std::uint32_t last = ring_.find(end - 1U);
  if (ring_[last].end != end) {  // a packet had no room for all of it
    cut_where(kLargestWindow, end);
    last = ring_.find(end - 1U);
  }
  const std::uint32_t first = ring_.find(begin);
  for (std::uint32_t i = first; i != last + 1; ++i) take_off_list(i);
  for (std::uint32_t i = first; i != last; ++i) {
    ring_[i].end = begin;
    ring_[i].merged = true;
  }
  ring_[last].again = true;
  stamp(now, last);
}

/// The first of which anything is left.
std::uint32_t Flight::oldest() const {
  std::uint32_t number = ring_.first();
  while (number != ring_.last() && ring_[number].merged) ++number;
  return number;
}

void Flight::on_oldest_repeated() {
  if (const std::uint32_t number = oldest(); number != ring_.last()) ring_[number].again = true;
}

void Flight::take_off_list(std::uint32_t number) {
  SentSegment& segment = ring_[number];
  if (segment.merged || segment.sacked) return;
  if (segment.lost) {
    lost_.remove(ring_, number);
    lost_bytes_ -= length_of(number);
    segment.lost = false;
  } else {
    on_their_way_.remove(ring_, number);
  }
}

std::optional<Flight::Lost> Flight::next_lost(std::uint32_t full) const {
  if (lost_.empty()) return std::nullopt;
  const std::uint32_t number = lost_.front();
  Lost found{begin_of(number), ring_[number].end, ring_[number].why_again};
  for (std::uint32_t i = number + 1; i != ring_.last(); ++i) {
    if (ring_[i].merged) continue;
    if (!ring_[i].lost || distance(found.begin, ring_[i].end) > full) break;
    found.end = ring_[i].end;
  }
  return found;
}

std::optional<Flight::Lost> Flight::tail() const {
  if (ring_.empty()) return std::nullopt;
  const std::uint32_t last = ring_.last() - 1;
  if (ring_[last].sacked || ring_[last].lost) return std::nullopt;
  return Lost{begin_of(last), ring_[last].end};
}

void Flight::cut(std::uint32_t full) { cut_where(full, una_); }

/// All is numbered anew, which is rare enough: segments longer than `full` become several, those
/// that are lost are cut together, and one ends at `also_at`. With kLargestWindow it only ends
/// there.
void Flight::cut_where(std::uint32_t full, SeqNum also_at) {
  SegmentRing ring;
  const std::uint32_t first = ring_.first();
  struct Pieces {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  std::vector<Pieces> pieces(ring_.size());
  SeqNum begin = una_;  // of the next piece
  for (std::uint32_t i = first; i != ring_.last(); ++i) {
    const SentSegment& whole = ring_[i];
    std::uint32_t after = i + 1;
    while (after != ring_.last() && ring_[after].merged) ++after;
    const bool goes_on =
        full != kLargestWindow && whole.lost && after != ring_.last() && ring_[after].lost;
    pieces[i - first].first = ring.last();
    while (begin < whole.end) {
      SeqNum end = min(whole.end, begin + full);
      if (begin < also_at && also_at < end) end = also_at;
      if (end == whole.end && end != also_at && goes_on && distance(begin, end) < full) break;
      SentSegment& piece = ring.push_back();
      piece = whole;
      piece.end = begin = end;
    }
    pieces[i - first].last = ring.last();
  }
  SegmentList on_their_way;
  std::uint32_t i = on_their_way_.front();
  for (std::uint32_t left = on_their_way_.size(); left > 0; --left, i = ring_[i].next) {
    const Pieces& of = pieces[i - first];
    for (std::uint32_t piece = of.first; piece != of.last; ++piece) {
      on_their_way.push_back(ring, piece);
    }
  }
  SegmentList lost;
  sacked_segments_ = 0;
  for (std::uint32_t piece = ring.first(); piece != ring.last(); ++piece) {
    if (ring[piece].lost) lost.push_back(ring, piece);
    if (ring[piece].sacked) ++sacked_segments_;
  }
  on_their_way_ = on_their_way;
  lost_ = lost;
  last_lost_ = ring.first() - 1;  // none
  ring_ = std::move(ring);
}

// ---- acknowledgments

Flight::Delivery Flight::on_ack(const Ack& ack) {
  Delivery delivery;
  rate_.begin();
  delivery.dsack = duplicate_in(ack);
  advance(ack, delivery);
  if (!ack.blocks.empty()) {
    std::array<SackBlock, 4> room;
    for (const SackBlock& block : believable(ack, room)) on_block(ack, block, delivery);
  }
  rate_.on_bytes(delivery.bytes);
  if (delivery.dsack) rack_.on_duplicate(ack.una, ack.nxt);
  return delivery;
}

void Flight::advance(const Ack& ack, Delivery& delivery) {
  bool repaired = false;
  while (!ring_.empty() && una_ < ack.una) {
    const std::uint32_t number = ring_.first();
    SentSegment& segment = ring_[number];
    const std::uint32_t part = distance(una_, max(una_, min(segment.end, ack.una)));
    const bool whole = segment.end <= ack.una;
    if (segment.sacked) {
      sacked_bytes_ -= part;
      if (whole) --sacked_segments_;
    } else if (whole && !segment.merged) {
      repaired |= segment.again;
      if (!delivery.rtt && !segment.again) {
        delivery.rtt = std::chrono::microseconds(to_us(ack.now) - segment.sent_us);
      }
      on_arrived(ack, number, delivery);
    } else {
      if (segment.lost) lost_bytes_ -= part;
      delivery.bytes += part;
    }
    una_ += part;
    if (whole) ring_.pop_front();
  }
  una_ = ack.una;
  rack_.on_ack(una_);
  fack_ = max(fack_, una_);
  if (repaired) delivery.rtt.reset();
  scoreboard_.on_ack(una_);
}

void Flight::on_block(const Ack& ack, SackBlock block, Delivery& delivery) {
  SeqNum from = block.begin;
  while (const auto fresh = scoreboard_.next_hole(from, block.end)) {
    if (scoreboard_.mark(*fresh)) mark_sacked(ack, *fresh, delivery);
    from = fresh->end;
  }
}

/// A segment counts as SACKed when all of it is.
void Flight::mark_sacked(const Ack& ack, SackBlock fresh, Delivery& delivery) {
  if (fresh.begin >= end()) return;
  for (std::uint32_t i = ring_.find(fresh.begin); i != ring_.last(); ++i) {
    const SeqNum begin = begin_of(i);
    if (begin >= fresh.end) return;
    SentSegment& segment = ring_[i];
    if (segment.merged || segment.sacked) continue;
    const bool inside = begin >= fresh.begin && segment.end <= fresh.end;
    if (!inside && scoreboard_.next_hole(begin, segment.end)) continue;
    const std::uint32_t length = length_of(i);
    on_arrived(ack, i, delivery);
    segment.sacked = true;
    sacked_bytes_ += length;
    ++sacked_segments_;
    delivery.sacked += length;
  }
}

void Flight::on_arrived(const Ack& ack, std::uint32_t number, Delivery& delivery) {
  take_off_list(number);
  const SentSegment& segment = ring_[number];
  delivery.bytes += length_of(number);
  rate_.on_arrived(segment, to_us(ack.now));
  const std::uint32_t rtt_us = to_us(ack.now) - segment.sent_us;
  const Duration rtt = std::chrono::microseconds(rtt_us);
  if (!segment.again) {
    delivery.first_original = min(segment.end, delivery.first_original.value_or(segment.end));
    delivery.least_rtt = std::min(rtt, delivery.least_rtt.value_or(rtt));
    rack_.on_delivered(segment.sent_us, segment.end, rtt_us);
    if (segment.end < fack_) rack_.on_reordering();
  } else {
    // RFC 8985 6.2 step 2: it may be the one sent before that has arrived.
    const bool earlier = ack.echo_before &&
                         static_cast<std::int32_t>(segment.sent_us - to_us(*ack.echo_before)) >= 0;
    if (!earlier && rtt >= ack.min_rtt) {
      rack_.on_delivered(segment.sent_us, segment.end, rtt_us);
    }
  }
  fack_ = max(fack_, segment.end);
}

// ---- loss

void Flight::detect_losses(Instant now, const Path& path) {
  detect_at_ = kNever;
  if (!rack_.has_sample()) return;
  const std::uint32_t window =
      rack_.window_us(path.in_recovery, sacked_segments_, to_us(path.min_rtt), to_us(path.srtt));
  const std::uint32_t patience = rack_.rtt_us() + window;
  const SendReason why = window == 0 ? SendReason::retransmit_fast : SendReason::retransmit_rack;
  while (!on_their_way_.empty()) {
    const std::uint32_t number = on_their_way_.front();
    const SentSegment& segment = ring_[number];
    if (!rack_.is_overtaken(segment.sent_us, segment.end)) return;
    if (to_us(now) - segment.sent_us < patience) {
      // By then all that is overtaken has waited long enough.
      const std::uint32_t left = rack_.sent_us() + patience - to_us(now);
      detect_at_ = now + std::chrono::microseconds(left);
      return;
    }
    lose(number, why);
  }
}

void Flight::on_timeout(Instant now, const Path& path) {
  detect_at_ = kNever;
  lose_oldest(SendReason::retransmit_rto);
  const std::uint32_t rtt = rack_.has_sample() ? rack_.rtt_us() : to_us(path.srtt);
  const std::uint32_t window =
      rack_.window_us(true, sacked_segments_, to_us(path.min_rtt), to_us(path.srtt));
  while (!on_their_way_.empty()) {
    const std::uint32_t number = on_their_way_.front();
    if (to_us(now) - ring_[number].sent_us < rtt + window) break;
    lose(number, SendReason::retransmit_rto);
  }
}

void Flight::lose_all(SendReason why) {
  detect_at_ = kNever;
  while (!on_their_way_.empty()) lose(on_their_way_.front(), why);
}

void Flight::lose_oldest(SendReason why) {
  const std::uint32_t number = oldest();
  if (number == ring_.last() || ring_[number].lost || ring_[number].sacked) return;
  lose(number, why);
}

void Flight::lose(std::uint32_t number, SendReason why) {
  take_off_list(number);
  mark_lost(number, why);
}

void Flight::mark_lost(std::uint32_t number, SendReason why) {
  SentSegment& segment = ring_[number];
  segment.lost = true;
  segment.why_again = why;
  const std::uint32_t length = length_of(number);
  lost_bytes_ += length;
  rate_.on_lost(length);
  put_into_lost(number);
}

RateSample Flight::rate_sample(Duration min_rtt) const { return rate_.sample(to_us(min_rtt)); }

std::uint32_t Flight::take_lost() {
  const std::uint32_t lost = rate_.lost() - lost_told_;
  lost_told_ = rate_.lost();
  return lost;
}

/// Losses are found in the order in which segments left, which is mostly that of their numbers:
/// what was sent again is found among them, and stands before.
void Flight::put_into_lost(std::uint32_t number) {
  const auto before = [](std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
  };
  const bool has_last =
      last_lost_ != number && last_lost_ - ring_.first() < ring_.size() && ring_[last_lost_].lost;
  if (lost_.empty() || before(lost_.back(), number)) {
    lost_.push_back(ring_, number);
  } else if (before(number, lost_.front())) {
    lost_.push_front(ring_, number);
  } else {
    const bool behind_last = has_last && before(last_lost_, number);
    lost_.insert_after(ring_, behind_last ? last_lost_ : lost_.front(), number);
  }
  last_lost_ = number;
}

void Flight::find_again(bool reordered) {
  if (reordered) rack_.on_reordering();
  while (!lost_.empty()) {
    const std::uint32_t number = lost_.back();
    take_off_list(number);
    on_their_way_.push_front(ring_, number);
  }
}

void Flight::lose_sacked() {
  scoreboard_.clear();
  for (std::uint32_t i = ring_.first(); i != ring_.last(); ++i) {
    SentSegment& segment = ring_[i];
    if (!segment.sacked) continue;
    segment.sacked = false;
    mark_lost(i, SendReason::retransmit_rto);
  }
  sacked_bytes_ = 0;
  sacked_segments_ = 0;
}

}  // namespace hawser::tcp
