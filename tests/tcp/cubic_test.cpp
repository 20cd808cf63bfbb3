// Checks the congestion window of RFC 9438.
#include "tcp/congestion/cubic.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMss = 1000;

/// Told as a connection would tell it that sends as much as it may.
class Told : public Cubic {
 public:
  explicit Told(double segments) {
    CongestionStart start;
    start.cwnd = static_cast<std::uint32_t>(segments * kMss);
    start.ssthresh = std::numeric_limits<std::uint32_t>::max();
    on_start(start);
  }
  double segments() const { return static_cast<double>(cwnd()) / kMss; }
  Duration now() const { return now_; }

  void ack(std::uint32_t bytes, Duration rtt, bool window_limited = true) {
    AckSample sample;
    sample.now = Instant(now_);
    sample.mss = kMss;
    sample.acked = bytes;
    sample.outstanding = cwnd();
    sample.rtt = rtt;
    sample.window_limited = window_limited;
    on_ack(sample);
  }
  /// A round trip in which each segment of the window is acknowledged.
  void round(Duration rtt, bool window_limited = true) {
    const std::uint32_t acks = cwnd() / kMss;
    for (std::uint32_t i = 0; i < acks; ++i) {
      now_ += rtt / acks;
      ack(kMss, rtt, window_limited);
    }
  }
  void signal(CongestionSignal signal) {
    CongestionState state;
    state.now = Instant(now_);
    state.mss = kMss;
    state.outstanding = cwnd();
    on_congestion(signal, state);
  }

 private:
  Duration now_ = 1h;
};

TEST(Cubic, DoublesInSlowStart) {
  Told cubic(10);
  cubic.round(100ms);
  EXPECT_EQ(cubic.segments(), 20);
}

TEST(Cubic, ComesBackAlongItsCurve) {  // RFC9438-4.2: W(t) = C (t - K)^3 + Wmax
  constexpr Duration kRtt = 300ms;     // long enough that Reno is behind
  Told cubic(100);
  cubic.signal(CongestionSignal::loss);
  ASSERT_EQ(cubic.segments(), 70);
  const Duration began = cubic.now();
  const double k = std::cbrt((100 - 70) / 0.4);
  while (cubic.now() - began < 8s) {
    cubic.round(kRtt);
    // What was sent in a round trip is acknowledged in the next: the window is up to one behind.
    const double t = std::chrono::duration<double>(cubic.now() - began).count();
    const auto curve = [&](double at) { return 0.4 * std::pow(at - k, 3) + 100; };
    EXPECT_LE(cubic.segments(), curve(t + 0.3) + 0.1) << t;
    EXPECT_GE(cubic.segments(), curve(t - 0.3) - 0.1) << t;
  }
  EXPECT_GT(cubic.segments(), 120) << "beyond the plateau it looks for more";
}

TEST(Cubic, TakesNoTimeForGrowthInWhichTheWindowWasNotUsed) {  // RFC9438-5.8
  Told steady(100);
  Told paused(100);
  for (Told* cubic : {&steady, &paused}) {
    cubic->signal(CongestionSignal::loss);
    for (int i = 0; i < 10; ++i) cubic->round(100ms);
  }
  for (int i = 0; i < 100; ++i) paused.round(100ms, false);
  for (Told* cubic : {&steady, &paused}) cubic->round(100ms);
  EXPECT_NEAR(paused.segments(), steady.segments(), 0.5);
}

TEST(Cubic, MakesRoomForOthersWhenItDidNotComeBack) {  // RFC9438-4.7
  Told cubic(100);
  cubic.signal(CongestionSignal::loss);
  cubic.signal(CongestionSignal::loss);  // at 70, below the 100 of the first
  ASSERT_EQ(cubic.segments(), 49);
  // The plateau is 0.85 * 70 = 59.5, reached after K.
  const double k = std::cbrt((59.5 - 49) / 0.4);
  const Duration began = cubic.now();
  while (std::chrono::duration<double>(cubic.now() - began).count() < k) cubic.round(300ms);
  EXPECT_NEAR(cubic.segments(), 59.5, 0.5);
}

TEST(Cubic, GrowsNoSlowerThanReno) {  // RFC9438-4.3
  Told cubic(100);
  cubic.signal(CongestionSignal::loss);
  const double alpha = 3 * 0.3 / 1.7;
  for (int i = 0; i < 40; ++i) cubic.round(1ms);
  EXPECT_NEAR(cubic.segments(), 70 + 40 * alpha, 1) << "in 40 ms the cubic function is still at 70";
  while (cubic.segments() < 100) cubic.round(1ms);
  const double before = cubic.segments();
  for (int i = 0; i < 10; ++i) cubic.round(1ms);
  EXPECT_NEAR(cubic.segments(), before + 10, 0.5) << "by one segment where it was before";
}

TEST(Cubic, BeginsAgainFromOneSegmentAfterATimeout) {  // RFC9438-4.8
  Told cubic(100);
  cubic.signal(CongestionSignal::timeout);
  EXPECT_EQ(cubic.segments(), 1);
  EXPECT_EQ(cubic.ssthresh(), 70 * kMss);
  cubic.signal(CongestionSignal::timeout_again);
  EXPECT_EQ(cubic.ssthresh(), 70 * kMss);
  while (cubic.segments() < 70) cubic.round(100ms);
  // K is zero, and the function begins here: in a second it is 0.4 segments, Reno is ahead.
  const double before = cubic.segments();
  for (int i = 0; i < 10; ++i) cubic.round(100ms);
  EXPECT_NEAR(cubic.segments(), before + 10 * 3 * 0.3 / 1.7, 1);
}

TEST(Cubic, IsNeverBelowTwoSegmentsAfterALoss) {  // RFC9438-4.6
  Told cubic(2);
  cubic.signal(CongestionSignal::loss);
  EXPECT_EQ(cubic.segments(), 2);
}

TEST(Cubic, GrowsByHalfInARoundTripAtMost) {  // RFC9438-4.2
  Told cubic(100);
  cubic.signal(CongestionSignal::loss);
  cubic.round(100ms);
  for (int i = 0; i < 10; ++i) {
    const double before = cubic.segments();
    cubic.round(30s);
    EXPECT_LE(cubic.segments(), before * std::exp(0.5)) << "each ACK by its part of a half";
  }
}

TEST(Cubic, IsChosenByName) {  // RFC9293-MAY-18
  const CongestionAlgorithm* cubic = find_congestion({}, "cubic");
  ASSERT_NE(cubic, nullptr);
  EXPECT_EQ(cubic->name, "cubic");
}

TEST(Cubic, KeepsMoreAfterAMarkThanAfterALoss) {  // RFC8511-3.1
  Told told(100);
  told.signal(CongestionSignal::mark);
  EXPECT_DOUBLE_EQ(told.segments(), 85);
  EXPECT_EQ(told.ssthresh(), 85 * kMss);
  told.signal(CongestionSignal::loss);
  EXPECT_NEAR(told.segments(), 59.5, 0.01);
}

TEST(Cubic, ComesDownToOneSegmentByMarks) {  // RFC9438-4.6
  Told told(2);
  for (int i = 0; i < 9; ++i) told.signal(CongestionSignal::mark);
  EXPECT_DOUBLE_EQ(told.segments(), 1);
  EXPECT_EQ(told.ssthresh(), 2 * kMss);
}

}  // namespace
}  // namespace hawser::tcp
