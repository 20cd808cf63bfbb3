// Checks what RFC 7661 makes of a window that is not used, by itself, in CUBIC and by segments.
#include "tcp/congestion/window_validation.hpp"

#include <gtest/gtest.h>

#include "tcp/congestion/cubic.hpp"
#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMss = 1000;
constexpr Duration kRtt = 100ms;

class Told : public WindowValidation {
 public:
  /// A round trip that acknowledges so many segments, in a window of `window`.
  void round(std::uint32_t segments, std::uint32_t window) {
    now += kRtt;
    AckSample ack;
    ack.now = now;
    ack.acked = segments * kMss / 2;
    on_ack(ack, false, kRtt, window * kMss);
    on_ack(ack, true, kRtt, window * kMss);
  }
  Instant now{1h};
};

TEST(WindowValidation, KnowsTheMostThatARoundTripAcknowledgedLately) {  // RFC7661-4.2
  Told validation;
  EXPECT_EQ(validation.used(), 0U);
  validation.round(40, 40);
  validation.round(10, 40);
  EXPECT_EQ(validation.used(), 40 * kMss);
  for (int i = 0; i < 10; ++i) validation.round(10, 40);
  EXPECT_EQ(validation.used(), 10 * kMss) << "a second later";
}

TEST(WindowValidation, AsksForHalfOfTheWindow) {  // RFC7661-4.3
  Told validation;
  EXPECT_TRUE(validation.is_validated()) << "as long as nothing is known";
  validation.round(5, 40);
  EXPECT_TRUE(validation.is_validated()) << "of the round trip before the window is not known";
  for (int i = 0; i < 12; ++i) validation.round(20, 40);
  EXPECT_TRUE(validation.is_validated());
  for (int i = 0; i < 12; ++i) validation.round(19, 40);
  EXPECT_FALSE(validation.is_validated());
  validation.round(20, 40);
  EXPECT_TRUE(validation.is_validated());
}

TEST(WindowValidation, SeesSlowStartAsUse) {
  Told validation;
  for (std::uint32_t window = 10; window < 10'000; window *= 2) {
    validation.round(window, 2 * window);
    EXPECT_TRUE(validation.is_validated()) << window;
  }
}

TEST(WindowValidation, ExpiresEachFiveMinutes) {  // RFC7661-4.4.3
  Told validation;
  for (int i = 0; i < 20; ++i) validation.round(1, 40);
  ASSERT_FALSE(validation.is_validated());
  const Instant begins = validation.now;
  EXPECT_FALSE(validation.take_expiry(begins + 4min));
  EXPECT_TRUE(validation.take_expiry(begins + 5min));
  EXPECT_FALSE(validation.take_expiry(begins + 9min));
  EXPECT_TRUE(validation.take_expiry(begins + 10min));
}

TEST(WindowValidation, CountsAnIdleTimeFromTheLastAcknowledgment) {
  Told validation;
  validation.round(40, 40);
  validation.round(40, 40);
  validation.on_idle(validation.now + 400ms, validation.now, 40 * kMss);
  EXPECT_TRUE(validation.is_validated()) << "what was used is not long ago";
  validation.on_idle(validation.now + 5min, validation.now, 40 * kMss);
  EXPECT_FALSE(validation.is_validated());
  EXPECT_TRUE(validation.take_expiry(validation.now + 5min));
}

TEST(WindowValidation, TakesWhatWasUsedForFlightOnlyWhenTheWindowIsNotValidated) {
  Told validation;  // RFC7661-4.4.1
  for (int i = 0; i < 2; ++i) validation.round(40, 40);
  EXPECT_EQ(validation.loss_flight(kMss), kMss);
  for (int i = 0; i < 20; ++i) validation.round(15, 40);
  EXPECT_EQ(validation.loss_flight(kMss), 15 * kMss);
  EXPECT_EQ(validation.loss_flight(30 * kMss), 30 * kMss);
  validation.reset();
  EXPECT_EQ(validation.loss_flight(kMss), kMss);
  EXPECT_TRUE(validation.is_validated());
}

// ---- in CUBIC

class CubicTold : public Cubic {
 public:
  CubicTold() {
    CongestionStart start;
    start.cwnd = 100 * kMss;
    on_start(start);
    signal();
  }
  double segments() const { return static_cast<double>(cwnd()) / kMss; }
  CongestionState state(std::uint32_t outstanding) const {
    CongestionState state;
    state.now = Instant(now);
    state.mss = kMss;
    state.initial_window = 10 * kMss;
    state.outstanding = outstanding;
    return state;
  }
  void signal(std::uint32_t flight = 100) {
    on_congestion(CongestionSignal::loss, state(flight * kMss));
  }
  void idle(Duration span) {
    now += span;
    on_idle(state(0));
  }
  /// A round trip with so many segments in flight, or the whole window.
  void round(std::uint32_t flight = 0) {
    const bool limited = flight == 0;
    if (limited) flight = cwnd() / kMss;
    for (std::uint32_t i = 1; i <= flight; ++i) {
      now += kRtt / flight;
      AckSample ack{state(limited ? cwnd() : (flight - 1) * kMss), kMss, kRtt, limited};
      on_ack(ack);
    }
  }
  Duration now = 1h;
};

TEST(CubicOfAnApplication, DoesNotGrowAndIsHalvedAfterFiveMinutes) {  // RFC7661-4.4
  CubicTold cubic;
  for (int i = 0; i < 60; ++i) cubic.round();
  const double before = cubic.segments();
  for (int i = 0; i < 2990; ++i) cubic.round(10);
  EXPECT_EQ(cubic.segments(), before);
  for (int i = 0; i < 30; ++i) cubic.round(10);
  EXPECT_NEAR(cubic.segments(), before / 2, 0.01);
  EXPECT_NEAR(cubic.ssthresh() / 1000.0, before * 3 / 4, 0.01);
}

TEST(CubicOfAnApplication, GrowsOnlyOnceHalfOfTheWindowIsUsedAgain) {  // RFC7661-4.3
  CubicTold cubic;
  for (int i = 0; i < 10; ++i) cubic.round();
  for (int i = 0; i < 20; ++i) cubic.round(10);
  const double before = cubic.segments();
  cubic.round();
  EXPECT_EQ(cubic.segments(), before) << "the first round trip shows that the path takes it";
  cubic.round();
  EXPECT_GT(cubic.segments(), before);
}

TEST(CubicOfAnApplication, FallsToWhatWasUsedWhenASegmentIsLost) {  // RFC7661-4.4.1
  CubicTold cubic;
  for (int i = 0; i < 10; ++i) cubic.round();
  for (int i = 0; i < 20; ++i) cubic.round(20);
  cubic.signal(1);
  EXPECT_NEAR(cubic.segments(), 0.7 * 20, 0.8);
}

TEST(CubicOfAnApplication, ComesBackFromAPauseBySlowStartAndGoesOnWithItsCurve) {  // RFC9438-5.8
  CubicTold steady;
  CubicTold paused;
  for (CubicTold* cubic : {&steady, &paused}) {
    for (int i = 0; i < 10; ++i) cubic->round();
  }
  const double before = paused.segments();
  paused.idle(2min);
  EXPECT_EQ(paused.segments(), 10) << "no burst";
  EXPECT_EQ(paused.ssthresh(), static_cast<std::uint32_t>(before * 1000));
  for (int i = 0; i < 3; ++i) paused.round();
  EXPECT_EQ(paused.segments(), 80);
  for (CubicTold* cubic : {&steady, &paused}) cubic->round();
  EXPECT_NEAR(paused.segments(), steady.segments(), 1.5);
}

TEST(CubicOfAnApplication, ForgetsTheWindowInALongPause) {  // RFC7661-4.4.3
  CubicTold cubic;
  for (int i = 0; i < 60; ++i) cubic.round();
  const double before = cubic.segments();
  cubic.idle(11min);
  EXPECT_EQ(cubic.segments(), 10);
  EXPECT_NEAR(cubic.ssthresh() / 1000.0, before * 3 / 4, 0.01);
  cubic.idle(24h * 365 * 100);
  EXPECT_EQ(cubic.segments(), 10);
}

// ---- by segments

TEST(ConnectionOfAnApplication, KeepsAWindowThatItDoesNotUse) {
  test::ConnectionScript script;
  script.settings.congestion_control = "cubic";
  script.settings.send_buffer = 1 << 20;
  script.establish({.window_scale = 8});
  std::uint32_t acked = 1;
  const auto send = [&](std::uint32_t bytes) {
    script.write(bytes);
    while (script.waiting() > 0) {
      const auto sent = script.take_all();
      script.after(50ms);
      for (const auto& segment : sent) {
        acked = segment.end();
        script.in({.ack = acked});
      }
    }
  };
  send(300'000);
  const std::uint32_t full = script.info().cwnd;
  ASSERT_GT(full, 100'000U);
  for (int i = 0; i < 100; ++i) {
    send(14'600);
    script.after(50ms);
  }
  EXPECT_EQ(script.info().cwnd, full) << "ten segments at a time say nothing of more";
  script.after(10s);
  script.write(300'000);
  EXPECT_EQ(script.waiting(), 10U) << "no burst after a pause";
  script.take_all();
}

}  // namespace
}  // namespace hawser::tcp
