// Loss found by time: what left before something that has arrived, and for long enough, is lost
// (RFC 8985 6).
#pragma once

#include <algorithm>
#include <cstdint>

#include "hawser/seq_num.hpp"

namespace hawser::tcp {

/// The state of RACK. Times are in microseconds, moments modulo 2^32.
class Rack {
 public:
  static constexpr std::uint8_t kDupThresh = 3;
  /// Recoveries without a D-SACK until the window is small again.
  static constexpr std::uint8_t kPersist = 16;

  /// Whether `a` left before `b`, by the end of their segments when both left at once.
  static bool sent_after(std::uint32_t a_us, SeqNum a_end, std::uint32_t b_us, SeqNum b_end) {
    const auto ahead = static_cast<std::int32_t>(a_us - b_us);
    return ahead > 0 || (ahead == 0 && a_end > b_end);
  }

  /// RFC 8985 6.2 step 2: a segment that left at `sent_us` has arrived, `rtt_us` later.
  void on_delivered(std::uint32_t sent_us, SeqNum end, std::uint32_t rtt_us) {
    if (has_sample_ && !sent_after(sent_us, end, sent_us_, end_)) return;
    has_sample_ = true;
    sent_us_ = sent_us;
    end_ = end;
    rtt_us_ = rtt_us;
  }
  /// Nothing is in flight any more that it could be compared with.
  void forget_sample() { has_sample_ = false; }
  bool has_sample() const { return has_sample_; }
  std::uint32_t rtt_us() const { return rtt_us_; }
  std::uint32_t sent_us() const { return sent_us_; }
  /// Whether something that left after this has arrived.
  bool is_overtaken(std::uint32_t sent_us, SeqNum end) const {
    return has_sample_ && sent_after(sent_us_, end_, sent_us, end);
  }

  // ---- the reordering window (RFC 8985 6.2 steps 3 and 4)

  void on_reordering() { reordering_seen_ = true; }
  bool reordering_seen() const { return reordering_seen_; }
  /// The peer reports a duplicate: the window was too small, once in a round trip.
  void on_duplicate(SeqNum una, SeqNum nxt) {
    if (in_round_ && una < round_end_) return;
    in_round_ = true;
    round_end_ = nxt;
    if (multiplier_ < 255) ++multiplier_;
    persist_ = kPersist;
  }
  void on_ack(SeqNum una) {
    if (una >= round_end_) in_round_ = false;
  }
  void on_recovered() {
    if (persist_ > 0) --persist_;
    if (persist_ == 0) multiplier_ = 1;
  }
  std::uint32_t window_us(bool in_recovery, std::uint32_t sacked, std::uint32_t min_rtt_us,
                          std::uint32_t srtt_us) const {
    if (!reordering_seen_ && (in_recovery || sacked >= kDupThresh)) return 0;
    const std::uint64_t window = std::uint64_t{multiplier_} * min_rtt_us / 4;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(window, srtt_us));
  }
  /// Whether anything was learned of the path that is not to be forgotten.
  bool has_adapted() const { return reordering_seen_ || multiplier_ > 1; }

 private:
  std::uint32_t sent_us_ = 0;  ///< RACK.xmit_ts
  SeqNum end_;                 ///< RACK.end_seq
  std::uint32_t rtt_us_ = 0;   ///< RACK.rtt
  SeqNum round_end_;           ///< RACK.dsack_round, while in_round_
  std::uint8_t multiplier_ = 1;
  std::uint8_t persist_ = 0;
  bool has_sample_ = false;
  bool in_round_ = false;
  bool reordering_seen_ = false;
};

}  // namespace hawser::tcp
