// Checks the retransmission timeout of RFC 6298.
#include "tcp/rtt.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;

TEST(RttEstimator, BeginsWithTheInitialTimeout) {  // RFC6298-2.1
  const TcpConfig config;
  const RttEstimator rtt;
  EXPECT_EQ(rtt.rto(config), 1s);
  EXPECT_EQ(rtt.srtt(), std::nullopt);
  EXPECT_EQ(rtt.rttvar(), 0s);
}

TEST(RttEstimator, TakesTheFirstSampleWhole) {  // RFC6298-2.2
  const TcpConfig config;
  RttEstimator rtt;
  rtt.on_sample(200ms, config);
  EXPECT_EQ(rtt.srtt(), 200ms);
  EXPECT_EQ(rtt.rttvar(), 100ms);
  EXPECT_EQ(rtt.rto(config), 600ms);
}

TEST(RttEstimator, AveragesFurtherSamples) {  // RFC6298-2.3
  const TcpConfig config;
  RttEstimator rtt;
  rtt.on_sample(200ms, config);
  rtt.on_sample(280ms, config);
  EXPECT_EQ(rtt.rttvar(), 95ms) << "3/4 * 100 + 1/4 * |200 - 280|, from the old average";
  EXPECT_EQ(rtt.srtt(), 210ms) << "7/8 * 200 + 1/8 * 280";
  EXPECT_EQ(rtt.rto(config), 590ms);
}

TEST(RttEstimator, KeepsTheTimeoutWithinItsBounds) {  // RFC6298-2.4, RFC6298-2.5
  TcpConfig config;
  RttEstimator rtt;
  rtt.on_sample(1ms, config);
  EXPECT_EQ(rtt.rto(config), config.min_rto);
  config.min_rto = 1s;
  EXPECT_EQ(rtt.rto(config), 1s);
  rtt.on_sample(500s, config);
  rtt.on_sample(500s, config);
  EXPECT_EQ(rtt.rto(config), config.max_rto);
}

TEST(RttEstimator, DoublesTheTimeoutWithEveryExpiry) {  // RFC6298-5.5
  const TcpConfig config;
  RttEstimator rtt;
  rtt.on_sample(100ms, config);
  ASSERT_EQ(rtt.rto(config), 300ms);
  rtt.on_timeout();
  EXPECT_EQ(rtt.rto(config), 600ms);
  rtt.on_timeout();
  EXPECT_EQ(rtt.rto(config), 1200ms);
  EXPECT_EQ(rtt.backoff(), 2U);
  for (int i = 0; i < 1000; ++i) rtt.on_timeout();
  EXPECT_EQ(rtt.rto(config), config.max_rto) << "neither over the ceiling nor around";
  rtt.reset_backoff();
  EXPECT_EQ(rtt.rto(config), 300ms);
}

TEST(RttEstimator, EndsTheBackOffWithASample) {
  const TcpConfig config;
  RttEstimator rtt;
  rtt.on_sample(100ms, config);
  rtt.on_timeout();
  rtt.on_sample(100ms, config);
  EXPECT_EQ(rtt.backoff(), 0U);
  EXPECT_EQ(rtt.rto(config), 250ms);
}

TEST(RttEstimator, WaitsThreeSecondsAfterALostSyn) {  // RFC6298-5.7
  const TcpConfig config;
  RttEstimator rtt;
  rtt.assume_syn_loss();
  EXPECT_EQ(rtt.rto(config), 3s);
  rtt.on_sample(100ms, config);
  EXPECT_EQ(rtt.rto(config), 300ms);
}

TEST(RttEstimator, SurvivesRoundTripsBelowAMicrosecond) {
  TcpConfig config;
  config.min_rto = 0s;
  RttEstimator rtt;
  for (int i = 0; i < 1000; ++i) rtt.on_sample(Duration(i % 3), config);
  EXPECT_EQ(rtt.srtt(), 1us);
  EXPECT_GE(rtt.rto(config), 1ms) << "the clock granularity";
  rtt.on_sample(-5s, config);
  EXPECT_EQ(rtt.srtt(), 1us);
}

// RFC 7323 G: many samples in a round trip, each with less weight, give about the memory that one
// sample a round trip has.
TEST(RttEstimator, WeighsSamplesByTheirNumberInARoundTrip) {
  const TcpConfig config;
  RttEstimator one;
  RttEstimator many;
  one.on_sample(100ms, config);
  many.on_sample(100ms, config);
  one.on_sample(200ms, config);
  for (int i = 0; i < 50; ++i) many.on_sample(200ms, config, 50);
  EXPECT_NEAR(static_cast<double>(many.srtt()->count()), static_cast<double>(one.srtt()->count()),
              static_cast<double>(Duration(2ms).count()));
  RttEstimator none;
  none.on_sample(100ms, config, 0);
  none.on_sample(180ms, config, 0);
  EXPECT_EQ(none.srtt(), 110ms) << "zero counts as one";
}

TEST(RttEstimator, StaysAmongItsSamples) {
  const TcpConfig config;
  Random random(9);
  for (int round = 0; round < 200; ++round) {
    RttEstimator rtt;
    const std::uint64_t scale = std::uint64_t{1} << random.below(38);
    for (int i = 0; i < 200; ++i) {
      const Duration sample(static_cast<Duration::rep>(scale + random.below(scale)));
      rtt.on_sample(sample, config, static_cast<std::uint32_t>(random.below(3) * random.next()));
      ASSERT_GE(*rtt.srtt(),
                std::clamp<Duration>(Duration(scale) - 1us, 1us, config.max_rto - 1us));
      ASSERT_LE(*rtt.srtt(), std::clamp<Duration>(Duration(2 * scale), 1us, config.max_rto));
      ASSERT_LE(rtt.rttvar(), std::max<Duration>(Duration(scale), 1us));
      ASSERT_GE(rtt.rto(config), config.min_rto);
      ASSERT_LE(rtt.rto(config), config.max_rto);
    }
  }
}

}  // namespace
}  // namespace hawser::tcp
