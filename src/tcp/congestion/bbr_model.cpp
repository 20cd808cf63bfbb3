#include "tcp/congestion/bbr_model.hpp"

#include <chrono>

namespace hawser::tcp::bbr {

namespace {

constexpr double kGrowth = 1.25;  ///< of the bandwidth in a round trip: less is a plateau
constexpr Duration kMinRttWindow = std::chrono::seconds(10);
constexpr Duration kProbeRttInterval = std::chrono::seconds(5);

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

void RoundsFilter::add(Volume value, std::uint32_t round, std::uint32_t length) {
  const Sample sample{value, round};
  if (value >= best_[0].value || round - best_[2].round >= length) {
    best_ = {sample, sample, sample};
    return;
  }
  if (value >= best_[1].value) {
    best_[1] = best_[2] = sample;
  } else if (value >= best_[2].value) {
    best_[2] = sample;
  }
  while (round - best_[0].round >= length) best_ = {best_[1], best_[2], sample};
  // The second and third are to be there when the first expires: from the last three quarters of
  // the window, and its last half.
  const std::uint32_t age = round - best_[0].round;
  if (best_[1].round == best_[0].round && age > length / 4) {
    best_[1] = best_[2] = sample;
  } else if (best_[2].round == best_[1].round && age > length / 2) {
    best_[2] = sample;
  }
}

void FullPipe::restart(Rate baseline) {
  baseline_ = baseline;
  flat_rounds_ = 0;
}

void FullPipe::on_round(Rate rate) {
  if (is_full()) return;
  if (rate >= baseline_ * kGrowth) {
    restart(rate);
  } else {
    ++flat_rounds_;
  }
}

void MinRtt::on_ack(Instant now, std::optional<Duration> sample) {
  due_ = now > probed_at_ + kProbeRttInterval;
  if (sample && (*sample < probed_ || due_)) {
    probed_ = *sample;
    probed_at_ = now;
  }
  if (probed_ == Duration::max()) return;
  if (!value_ || probed_ < *value_ || now > at_ + kMinRttWindow) {
    value_ = probed_;
    at_ = probed_at_;
  }
}

void Aggregation::on_ack(Instant now, Rate bandwidth, Volume newly_acked, Volume most,
                         std::uint32_t round, std::uint32_t length) {
  Volume expected = bandwidth * seconds(now - begins_);
  if (acked_ <= expected) {
    acked_ = 0;
    begins_ = now;
    expected = 0;
  }
  acked_ += newly_acked;
  filter_.add(std::min(acked_ - expected, most), round, length);
}

}  // namespace hawser::tcp::bbr
