#include "tcp/congestion/hystart.hpp"

#include <algorithm>
#include <chrono>

namespace hawser::tcp {

namespace {

// RFC 9406 4.3, times in microseconds.
constexpr std::uint32_t kMinRttThreshold = 4000;
constexpr std::uint32_t kMaxRttThreshold = 16000;
constexpr std::uint32_t kMinRttDivisor = 8;
constexpr std::uint8_t kRttSamples = 8;
constexpr std::uint32_t kCssGrowthDivisor = 4;
/// L: segments for which one acknowledgment may widen the window of a sender that is not paced.
constexpr std::uint32_t kLimit = 8;

}  // namespace

std::uint32_t HyStart::on_ack(const AckSample& ack, bool round_ends) {
  if (ack.rtt) {
    const auto rtt = std::chrono::duration_cast<std::chrono::microseconds>(*ack.rtt).count();
    current_min_ = static_cast<Microseconds>(std::min<std::int64_t>(rtt, current_min_));
    if (samples_ < kRttSamples) ++samples_;
    if (samples_ == kRttSamples) judge();
  }
  std::uint32_t growth = std::min(ack.acked, kLimit * ack.mss);
  if (is_conservative()) growth /= kCssGrowthDivisor;
  if (round_ends) {
    if (is_conservative()) ++css_rounds_;  // that in which it began counts as well
    last_min_ = current_min_;
    current_min_ = kNone;
    samples_ = 0;
  }
  return growth;
}

/// RFC 9406 4.2, with samples enough in this round trip.
void HyStart::judge() {
  if (css_baseline_) {
    if (current_min_ >= *css_baseline_) return;
    css_baseline_.reset();  // it was no queue that grew
    css_rounds_ = 0;
  } else if (last_min_ != kNone) {
    const Microseconds rise =
        std::clamp(last_min_ / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
    if (current_min_ >= last_min_ + rise) css_baseline_ = current_min_;
  }
}

}  // namespace hawser::tcp
