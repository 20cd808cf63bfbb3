// Checks the slow start of RFC 9406 by its rules, and CUBIC's first slow start with it.
#include "tcp/congestion/hystart.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tcp/congestion/cubic.hpp"
#include "tcp/congestion/round_trips.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMss = 1000;

TEST(RoundTrips, EndWhenAllIsAcknowledgedThatWasInFlight) {
  RoundTrips round_trips;
  const auto ack = [&](std::uint32_t acked, std::uint32_t outstanding) {
    AckSample sample;
    sample.acked = acked;
    sample.outstanding = outstanding;
    return round_trips.on_ack(sample);
  };
  EXPECT_FALSE(ack(1, 100)) << "of 101";
  EXPECT_TRUE(ack(100, 100));
  EXPECT_FALSE(ack(60, 160));
  EXPECT_FALSE(ack(39, 199));
  EXPECT_TRUE(ack(1, 200));
  EXPECT_FALSE(ack(199, 200));
  EXPECT_TRUE(ack(100, 0)) << "also if it acknowledges more";
  EXPECT_TRUE(ack(1, 0)) << "a round trip of each segment that is alone";
  EXPECT_FALSE(ack(1, 9)) << "and of all that is sent at once";
  EXPECT_TRUE(ack(9, 3));
}

class Told : public HyStart {
 public:
  std::uint32_t ack(std::optional<Duration> rtt, bool ends = false,
                    std::uint32_t bytes = 2 * kMss) {
    AckSample sample;
    sample.mss = kMss;
    sample.acked = bytes;
    sample.rtt = rtt;
    return on_ack(sample, ends);
  }
  /// A round trip of so many samples, all alike.
  void round(Duration rtt, int samples = 10) {
    for (int i = 1; i < samples; ++i) ack(rtt);
    ack(rtt, true);
  }
};

TEST(HyStart, GrowsByWhatIsAcknowledged) {  // RFC9406-4.2
  Told hystart;
  EXPECT_EQ(hystart.ack(50ms, false, 3 * kMss), 3 * kMss);
  EXPECT_EQ(hystart.ack(50ms, false, 20 * kMss), 8 * kMss) << "L, without pacing";
}

TEST(HyStart, SlowsDownWhenTheDelayRisesByAnEighth) {  // RFC9406-4.2
  Told hystart;
  hystart.round(80ms);
  hystart.round(89'999us);
  EXPECT_FALSE(hystart.is_conservative());
  hystart.round(99'999us + 1250us);  // an eighth of 89.999 ms is 11.249 ms
  EXPECT_TRUE(hystart.is_conservative());
  EXPECT_EQ(hystart.ack(101ms), 2 * kMss / 4) << "CSS_GROWTH_DIVISOR";
  EXPECT_FALSE(hystart.is_over());
}

TEST(HyStart, TakesNoRiseBelow4MillisecondsAndAnyOf16) {  // RFC9406-4.3
  struct Case {
    Duration before;
    Duration after;
    bool conservative;
  };
  for (const Case& c : {Case{1ms, 4999us, false}, Case{1ms, 5ms, true},
                        Case{400ms, 415'999us, false}, Case{400ms, 416ms, true}}) {
    Told hystart;
    hystart.round(c.before);
    hystart.round(c.after);
    EXPECT_EQ(hystart.is_conservative(), c.conservative) << c.after.count();
  }
}

TEST(HyStart, JudgesByTheLeastOfEightSamples) {  // RFC9406-4.2
  Told few;
  few.round(50ms);
  few.round(100ms, 7);
  EXPECT_FALSE(few.is_conservative());

  Told one_was_fast;
  one_was_fast.round(50ms);
  one_was_fast.ack(51ms);
  one_was_fast.round(100ms);
  EXPECT_FALSE(one_was_fast.is_conservative());

  Told not_all_tell;
  not_all_tell.round(50ms);
  for (int i = 0; i < 7; ++i) {
    not_all_tell.ack(100ms);
    not_all_tell.ack(std::nullopt);
  }
  EXPECT_FALSE(not_all_tell.is_conservative());
  not_all_tell.ack(100ms);
  EXPECT_TRUE(not_all_tell.is_conservative());
}

TEST(HyStart, ComparesWithTheRoundTripBeforeOnly) {
  Told hystart;
  for (Duration rtt = 50ms; rtt < 100ms; rtt += 5ms) hystart.round(rtt);
  EXPECT_FALSE(hystart.is_conservative()) << "5 ms a round trip are less than an eighth";
  hystart.round(200ms, 1);  // without a verdict of its own, yet what the next is compared with
  hystart.round(200ms);
  EXPECT_FALSE(hystart.is_conservative());
}

TEST(HyStart, EndsAfterFiveRoundTripsOfTheConservativePhase) {  // RFC9406-4.2
  Told hystart;
  hystart.round(50ms);
  hystart.round(60ms);  // that in which it begins counts
  ASSERT_TRUE(hystart.is_conservative());
  for (int i = 2; i <= 4; ++i) {
    hystart.round(60ms);
    EXPECT_FALSE(hystart.is_over()) << i;
  }
  for (int i = 0; i < 9; ++i) hystart.ack(60ms);
  EXPECT_FALSE(hystart.is_over());
  hystart.ack(60ms, true);
  EXPECT_TRUE(hystart.is_over());
}

TEST(HyStart, ResumesWhenTheDelayFallsAgain) {  // RFC9406-4.2
  Told hystart;
  hystart.round(50ms);
  hystart.round(60ms);
  for (int i = 0; i < 3; ++i) hystart.round(60ms);
  for (int i = 0; i < 7; ++i) hystart.ack(59ms);
  EXPECT_TRUE(hystart.is_conservative()) << "not by fewer than eight samples";
  EXPECT_EQ(hystart.ack(59ms), 2 * kMss);
  EXPECT_FALSE(hystart.is_conservative());
  hystart.ack(59ms, true);
  hystart.round(80ms);
  ASSERT_TRUE(hystart.is_conservative()) << "and looks for a rise anew";
  for (int i = 2; i <= 4; ++i) hystart.round(80ms);
  EXPECT_FALSE(hystart.is_over()) << "the round trips count anew, too";
  hystart.round(80ms);
  EXPECT_TRUE(hystart.is_over());
}

// ---- as CUBIC uses it

class CubicTold : public Cubic {
 public:
  explicit CubicTold(std::uint32_t ssthresh = std::numeric_limits<std::uint32_t>::max()) {
    CongestionStart start;
    start.cwnd = 16 * kMss;
    start.ssthresh = ssthresh;
    on_start(start);
  }
  std::uint32_t segments() const { return cwnd() / kMss; }
  /// A round trip in which the window is filled, with an ACK for each segment.
  void round(Duration rtt) {
    const std::uint32_t segments = this->segments();
    AckSample ack;
    ack.mss = kMss;
    ack.acked = kMss;
    ack.rtt = rtt;
    ack.window_limited = true;
    for (std::uint32_t i = 1; i <= segments; ++i) {
      now_ += rtt / segments;
      ack.now = Instant(now_);
      ack.outstanding = cwnd();
      on_ack(ack);
    }
  }

 private:
  Duration now_ = 1h;
};

TEST(CubicsFirstSlowStart, EndsWithoutALossWhereTheQueueGrows) {  // RFC9438-4.10
  CubicTold cubic;
  cubic.round(50ms);
  EXPECT_EQ(cubic.segments(), 32U);
  cubic.round(50ms);
  EXPECT_EQ(cubic.segments(), 64U);
  Duration rtt = 60ms;
  cubic.round(rtt);
  const std::uint32_t slowed = cubic.segments();
  EXPECT_LT(slowed, 64U + 8 + 56 / 4 + 2) << "from the eighth sample on by a quarter";
  for (int i = 0; i < 5; ++i) cubic.round(rtt += 10ms);
  EXPECT_LT(cubic.ssthresh(), cubic.cwnd());
  EXPECT_GT(cubic.ssthresh(), slowed * kMss * 2) << "five round trips by a quarter: 2.4";
  EXPECT_LT(cubic.ssthresh(), slowed * kMss * 3);
  const std::uint32_t ended = cubic.segments();
  cubic.round(100ms);
  EXPECT_LE(cubic.segments(), ended + 1) << "from there on as Reno, at the plateau";
}

TEST(CubicsFirstSlowStart, IsTheOnlyOneThatLooksAtTheDelay) {  // RFC9406-4.3
  CubicTold cubic(500 * kMss);
  cubic.round(50ms);
  cubic.round(50ms);
  cubic.round(200ms);
  EXPECT_EQ(cubic.segments(), 128U);
}

}  // namespace
}  // namespace hawser::tcp
