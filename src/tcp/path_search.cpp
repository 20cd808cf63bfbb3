#include "tcp/path_search.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hawser::tcp {

namespace {

// Packets of 1500, 1280 and 576 bytes without 40 bytes of headers, or 60.
constexpr std::array<std::uint16_t, 3> kSizesV4 = {1460, 1240, 536};
constexpr std::array<std::uint16_t, 2> kSizesV6 = {1440, 1220};

template <std::size_t kCount>
std::optional<std::uint16_t> next_below(const std::array<std::uint16_t, kCount>& sizes,
                                        std::uint16_t mss) {
  const auto found = std::ranges::find_if(sizes, [mss](std::uint16_t size) { return size < mss; });
  if (found == sizes.end()) return std::nullopt;
  return *found;
}

}  // namespace

std::optional<std::uint16_t> smaller_mss(Family family, std::uint16_t mss) {
  return family == Family::ipv4 ? next_below(kSizesV4, mss) : next_below(kSizesV6, mss);
}

void PathSearch::on_told(Instant now) { finish(now); }

void PathSearch::on_black_hole() {
  guessed_ = true;
  next_at_ = kNever;
  high_ = limit_;
  size_ = 0;
  lost_ = 0;
}

void PathSearch::on_probe_too_big(std::uint16_t mss) {
  high_ = std::min(high_, mss);
  lost_ = kAttempts;
}

std::optional<std::uint16_t> PathSearch::due(Instant now, std::uint16_t mss) const {
  if (is_probing() || now < next_at_ || high_ <= mss) return std::nullopt;
  // The largest first: if it was but an outage, or the path has changed, that is all there is to
  // do.
  if (high_ == limit_) return high_;
  return static_cast<std::uint16_t>(mss + (high_ - mss + 1) / 2);
}

void PathSearch::on_probe_sent(SeqNum begin, SeqNum end, std::uint16_t size) {
  begin_ = begin;
  end_ = end;
  size_ = size;
}

void PathSearch::on_retransmission(Instant now, SeqNum begin, std::uint16_t mss) {
  if (!is_probing() || begin < begin_ || begin >= end_) return;
  const std::uint16_t size = std::exchange(size_, std::uint16_t{0});
  if (++lost_ < kAttempts) return;
  high_ = std::min<std::uint16_t>(high_, static_cast<std::uint16_t>(size - 1));
  narrow(now, mss);
}

std::optional<std::uint16_t> PathSearch::on_ack(Instant now, SeqNum una) {
  if (guessed_) {
    guessed_ = false;
    next_at_ = now;
  }
  if (held_mss_ != 0 && una > held_seq_) held_mss_ = 0;  // RFC5927-7.2: it did arrive
  if (!is_probing() || una < end_) return std::nullopt;
  const std::uint16_t size = std::exchange(size_, std::uint16_t{0});
  narrow(now, size);
  return size;
}

void PathSearch::hold(SeqNum seq, std::uint16_t mss) {
  if (held_mss_ != 0) mss = std::min(mss, held_mss_);
  held_seq_ = seq;
  held_mss_ = mss;
}

std::optional<std::uint16_t> PathSearch::take_held(SeqNum una) {
  if (held_mss_ == 0 || held_seq_ < una) return std::nullopt;
  return std::exchange(held_mss_, std::uint16_t{0});
}

/// After a probe that told something: `mss` fits, `high_` may.
void PathSearch::narrow(Instant now, std::uint16_t mss) {
  lost_ = 0;
  if (high_ >= mss + kPrecision) return;
  found_ = Found{.mss = mss, .larger_is_lost = high_ < limit_};
  finish(now);
}

void PathSearch::finish(Instant now) {
  next_at_ = now + kLifetime;
  high_ = limit_;
  size_ = 0;
  lost_ = 0;
  guessed_ = false;
}

}  // namespace hawser::tcp
