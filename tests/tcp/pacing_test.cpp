// Segments that are spaced, and the rate at which they are seen to arrive.
#include <gtest/gtest.h>

#include <vector>

#include "hawser/congestion.hpp"
#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

constexpr std::uint32_t kMss = 1460;
constexpr std::uint32_t at(std::uint32_t index) { return 1 + kMss * index; }

/// Sends a segment every 5 ms, and remembers the last sample it was told.
struct Metronome {
  static constexpr bool kModelsPath = true;
  static inline AckSample last;  // the test runs alone

  void on_start(const CongestionStart&) {}
  void on_ack(const AckSample& ack) { last = ack; }
  void on_congestion(CongestionSignal, const CongestionState&) {}
  void on_idle(const CongestionState&) {}
  std::uint32_t cwnd() const { return 1'000'000; }
  std::uint32_t ssthresh() const { return 1'000'000; }
  std::uint64_t pacing_rate() const { return std::uint64_t{kMss} * 200; }
};
constexpr auto kMetronome = congestion_algorithm<Metronome>("metronome");

class Pacing : public ::testing::Test {
 protected:
  void establish() {
    script.config.congestion_algorithms.push_back(&kMetronome);
    script.settings.congestion_control = "metronome";
    script.settings.no_delay = true;
    script.establish({.sack = true});
  }
  ConnectionScript script;
};

TEST_F(Pacing, SpacesSegments) {
  establish();
  script.write(10 * kMss);
  std::vector<Instant> times;
  for (std::uint32_t i = 0; i < 10; ++i) {
    times.push_back(script.out_within(1s, {.seq = at(i), .length = kMss}).at);
    if (i + 1 < 10) {
      EXPECT_EQ(script.info().send_blocked, SendBlocked::pacing);
    }
  }
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_EQ(times[i] - times[i - 1], 5ms) << i;
  EXPECT_EQ(script.info().pacing_rate, kMss * 200U);
}

TEST_F(Pacing, SpacesWhatIsSentAgain) {
  establish();
  script.write(10 * kMss);
  script.after(100ms);
  EXPECT_EQ(script.take_all().size(), 10U);
  script.in({.ack = 1, .sack = {{at(3), at(10)}}});
  const Instant first = script.out_within(1s, {.seq = at(0)}).at;
  EXPECT_EQ(script.out_within(1s, {.seq = at(1)}).at - first, 5ms);
  EXPECT_EQ(script.out_within(1s, {.seq = at(2)}).at - first, 10ms);
}

TEST_F(Pacing, LeavesNoTimerBehind) {
  establish();
  script.write(2 * kMss);
  script.after(20ms);
  script.take_all();
  script.in({.ack = at(2)});
  EXPECT_EQ(script.connection().next_deadline(), kNever);
}

TEST_F(Pacing, MeasuresHowFastSegmentsArrive) {  // draft-ietf-ccwg-bbr 4.1
  establish();
  script.write(20 * kMss);
  for (std::uint32_t i = 0; i < 20; ++i) script.out_within(1s, {.seq = at(i)});
  script.after(50ms);
  // They left every 5 ms, and are acknowledged every 10 ms, the last after 145 + 190 ms.
  for (std::uint32_t i = 1; i <= 20; ++i) {
    script.in({.ack = at(i)});
    script.after(10ms);
  }
  const RateSample& rate = Metronome::last.rate;
  EXPECT_EQ(rate.delivered, 20 * kMss) << "nothing had arrived when the last one left";
  EXPECT_EQ(rate.interval, 335ms) << "as long as they took to arrive, not to leave";
  EXPECT_EQ(Metronome::last.total_delivered, 20 * kMss);
  EXPECT_FALSE(rate.app_limited);
}

TEST_F(Pacing, BeginsWithASegmentInFlight) {
  script.config.congestion_algorithms.push_back(&kMetronome);
  script.establish({.sack = true});
  script.write(kMss);
  script.out({.seq = at(0)});
  script.settings.congestion_control = "metronome";
  script.change_settings(script.settings);
  script.after(100ms);
  script.in({.ack = at(1)});
  EXPECT_EQ(Metronome::last.rate.delivered, kMss);
  EXPECT_EQ(Metronome::last.rate.interval, 100ms);
}

TEST_F(Pacing, KnowsWhenTheProgramHadNoMore) {  // draft-ietf-ccwg-bbr 4.1.2.4
  establish();
  script.write(2 * kMss);
  script.after(20ms);
  script.take_all();
  script.write(kMss);
  script.out_within(1s, {.seq = at(2)});
  script.after(100ms);
  script.in({.ack = at(3)});
  EXPECT_TRUE(Metronome::last.rate.app_limited);
}

TEST_F(Pacing, TellsOfLossAndOfWhatIsOnlySacked) {
  establish();
  script.write(10 * kMss);
  script.after(100ms);
  script.take_all();
  script.in({.ack = 1, .sack = {{at(2), at(10)}}});
  EXPECT_EQ(Metronome::last.acked, 0U);
  EXPECT_EQ(Metronome::last.delivered, 8 * kMss);
  EXPECT_EQ(Metronome::last.lost, 2 * kMss);
  EXPECT_EQ(Metronome::last.rate.lost, 2 * kMss);
  EXPECT_EQ(script.info().cwnd, 1'000'000U) << "its window rules in recovery as well";
}

}  // namespace
}  // namespace hawser::tcp
