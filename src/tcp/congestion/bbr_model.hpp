// What BBR believes of its path: how fast it delivers, how long a round trip takes without a queue,
// and by how much acknowledgments come in lumps (draft-ietf-ccwg-bbr, "Updating Network Path Model
// Parameters").
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "hawser/congestion.hpp"

namespace hawser::tcp::bbr {

/// Bytes in a second.
using Rate = double;
/// Bytes.
using Volume = double;
inline constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// The greatest of the last two cycles of probing.
class BandwidthFilter {
 public:
  void add(Rate sample) { slots_[1] = std::max(slots_[1], sample); }
  void begin_cycle() { slots_ = {slots_[1], 0}; }
  Rate max() const { return std::max(slots_[0], slots_[1]); }

 private:
  std::array<Rate, 2> slots_{};
};

/// The greatest of the last `length` round trips, from three of its samples: the greatest, the
/// greatest after that one, and again.
class RoundsFilter {
 public:
  void add(Volume sample, std::uint32_t round, std::uint32_t length);
  Volume max() const { return best_[0].value; }

 private:
  struct Sample {
    Volume value = 0;
    std::uint32_t round = 0;
  };
  std::array<Sample, 3> best_{};
};

/// Tells round trips apart by what was delivered, in bytes modulo 2^32, when the segment was sent
/// that is acknowledged now.
class Rounds {
 public:
  /// Begins one at what has been delivered by now.
  void begin(std::uint32_t delivered) { next_ = delivered; }
  /// Whether the acknowledgment of a segment that left when `prior` had been delivered begins one.
  bool on_delivery(std::uint32_t prior, std::uint32_t delivered) {
    if (static_cast<std::int32_t>(prior - next_) < 0) return false;
    begin(delivered);
    return true;
  }

 private:
  std::uint32_t next_ = 0;
};

/// Whether the rate of delivery has ceased to grow although the sender sends faster.
class FullPipe {
 public:
  void restart(Rate baseline = 0);
  /// At the end of a round trip that the application did not limit.
  void on_round(Rate rate);
  bool is_full() const { return flat_rounds_ >= kFlatRounds; }

 private:
  static constexpr std::uint8_t kFlatRounds = 3;
  Rate baseline_ = 0;
  std::uint8_t flat_rounds_ = 0;
};

/// The least round-trip time of ten seconds, and when it is time to look for it anew.
class MinRtt {
 public:
  explicit MinRtt(Instant now = {}) : at_(now), probed_at_(now) {}
  void on_ack(Instant now, std::optional<Duration> sample);
  /// It has been looked for now.
  void on_probed(Instant now) { probed_at_ = now; }
  /// Nothing as low was seen for five seconds.
  bool is_probe_due() const { return due_; }
  /// Unset before the first sample.
  std::optional<Duration> value() const { return value_; }

 private:
  std::optional<Duration> value_;
  Instant at_;
  Duration probed_ = Duration::max();  ///< the least since then
  Instant probed_at_;
  bool due_ = false;
};

/// How much more is acknowledged at once than the bandwidth explains.
class Aggregation {
 public:
  void restart(Instant now) { begins_ = now; }
  void on_ack(Instant now, Rate bandwidth, Volume newly_acked, Volume most, std::uint32_t round,
              std::uint32_t length);
  Volume extra() const { return filter_.max(); }

 private:
  RoundsFilter filter_;
  Instant begins_{};
  Volume acked_ = 0;
};

}  // namespace hawser::tcp::bbr
