#include "tcp/rtt.hpp"

#include <algorithm>
#include <cstdlib>

namespace hawser::tcp {

namespace {

/// Parts of a microsecond in which the averages are kept, so that small weights are not lost. The
/// longest time that fits is more than 2 minutes.
constexpr std::int64_t kParts = 32;
constexpr Duration kShortest = std::chrono::microseconds(1);
constexpr Duration kLongest = std::chrono::minutes(2);
/// G of RFC 6298: what a timer may be late.
constexpr Duration kClockGranularity = std::chrono::milliseconds(1);
/// RFC6298-5.7.
constexpr Duration kRtoAfterSynLoss = std::chrono::seconds(3);
/// What is counted of timeouts in a row; the timeout has long been the longest.
constexpr std::uint8_t kMostBackoff = 127;

Duration to_duration(std::int64_t parts) { return Duration(parts * 1000 / kParts); }

}  // namespace

void RttEstimator::on_sample(Duration rtt, const TcpConfig& config,
                             std::uint32_t expected_samples) {
  const Duration longest = std::clamp(config.max_rto, kShortest, kLongest);
  const std::int64_t sample = std::clamp(rtt, kShortest, longest).count() * kParts / 1000;
  if (srtt_ == 0) {  // RFC6298-2.2
    srtt_ = static_cast<std::uint32_t>(sample);
    rttvar_ = srtt_ / 2;
  } else {  // RFC6298-2.3: the deviation first, from the old average
    const std::int64_t error = sample - srtt_;
    std::int64_t deviation_step = (std::abs(error) - rttvar_) / 4;
    std::int64_t step = error / 8;
    if (expected_samples > 1) {  // else nothing is divided by a number that varies, which is slow
      deviation_step = (std::abs(error) - rttvar_) / (4 * std::int64_t{expected_samples});
      step = error / (8 * std::int64_t{expected_samples});
    }
    rttvar_ = static_cast<std::uint32_t>(rttvar_ + deviation_step);
    srtt_ = static_cast<std::uint32_t>(srtt_ + step);
  }
  backoff_ = 0;
}

void RttEstimator::on_timeout() {
  if (backoff_ < kMostBackoff) ++backoff_;
}

Duration RttEstimator::rto(const TcpConfig& config) const {
  Duration result = config.initial_rto;
  if (srtt_ != 0) {
    const Duration margin = std::max(kClockGranularity, to_duration(4 * std::int64_t{rttvar_}));
    result = std::max(config.min_rto, to_duration(srtt_) + margin);
  } else if (syn_lost_) {
    result = std::max(result, kRtoAfterSynLoss);
  }
  for (std::uint32_t i = 0; i < backoff_ && result < config.max_rto; ++i) result *= 2;
  return std::min(result, config.max_rto);
}

std::optional<Duration> RttEstimator::srtt() const {
  if (srtt_ == 0) return std::nullopt;
  return to_duration(srtt_);
}

Duration RttEstimator::rttvar() const { return to_duration(rttvar_); }

}  // namespace hawser::tcp
