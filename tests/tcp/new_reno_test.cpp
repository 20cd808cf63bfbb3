// Checks the congestion window of RFC 5681.
#include "tcp/congestion/new_reno.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {
namespace {

constexpr std::uint32_t kMss = 1000;

/// Told as a connection would tell it.
class Told : public NewReno {
 public:
  explicit Told(std::uint32_t window = 10 * kMss) {
    CongestionStart start;
    start.cwnd = window;
    start.ssthresh = std::numeric_limits<std::uint32_t>::max();
    on_start(start);
  }
  void ack(std::uint32_t bytes, bool window_limited = true, std::uint32_t mss = kMss) {
    AckSample sample;
    sample.mss = mss;
    sample.acked = bytes;
    sample.window_limited = window_limited;
    on_ack(sample);
  }
  void signal(CongestionSignal signal, std::uint32_t outstanding) {
    CongestionState state;
    state.mss = kMss;
    state.outstanding = outstanding;
    on_congestion(signal, state);
  }
  void idle() {
    CongestionState state;
    state.mss = kMss;
    state.initial_window = 10 * kMss;
    on_idle(state);
  }
};

TEST(InitialWindow, IsThatOfRfc6928) {  // RFC6928-2
  EXPECT_EQ(initial_window(1460, 10), 14600U);
  EXPECT_EQ(initial_window(536, 10), 5360U);
  EXPECT_EQ(initial_window(9000, 10), 18000U) << "two segments where 14600 are fewer";
  EXPECT_EQ(initial_window(2000, 10), 14600U);
  EXPECT_EQ(initial_window(1460, 1), 1460U);
  EXPECT_EQ(initial_window(9000, 1), 9000U);
}

TEST(NewReno, DoublesInSlowStart) {  // RFC9293-MUST-19
  Told reno;
  for (int i = 0; i < 10; ++i) reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 20 * kMss);
}

TEST(NewReno, CountsBytesAndAtMostTwoSegmentsOfAnAck) {  // RFC3465-2.2, RFC3465-2.3
  Told reno;
  reno.ack(10);
  EXPECT_EQ(reno.cwnd(), 10 * kMss + 10);
  reno.ack(8 * kMss);
  EXPECT_EQ(reno.cwnd(), 12 * kMss + 10);
  reno.signal(CongestionSignal::timeout, 10 * kMss);
  reno.ack(8 * kMss);
  EXPECT_EQ(reno.cwnd(), 2 * kMss) << "one segment after a timeout";
}

TEST(NewReno, GrowsByOneSegmentARoundTripInCongestionAvoidance) {  // RFC9293-MUST-19
  Told reno(40 * kMss);
  reno.signal(CongestionSignal::loss, 40 * kMss);
  ASSERT_EQ(reno.cwnd(), 20 * kMss);
  for (int i = 0; i < 19; ++i) reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 20 * kMss);
  reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 21 * kMss);
  for (int i = 0; i < 21; ++i) reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 22 * kMss);
}

TEST(NewReno, DoesNotGrowAWindowThatIsNotUsed) {
  Told reno;
  reno.ack(kMss, false);
  EXPECT_EQ(reno.cwnd(), 10 * kMss);
  reno.signal(CongestionSignal::loss, 10 * kMss);
  for (int i = 0; i < 100; ++i) reno.ack(kMss, false);
  EXPECT_EQ(reno.cwnd(), 5 * kMss);
}

TEST(NewReno, HalvesOnALoss) {  // RFC5681-3.1 equation 4
  Told reno;
  reno.signal(CongestionSignal::loss, 9 * kMss);
  EXPECT_EQ(reno.ssthresh(), 4500U);
  EXPECT_EQ(reno.cwnd(), 4500U);
  reno.signal(CongestionSignal::loss, kMss);
  EXPECT_EQ(reno.ssthresh(), 2 * kMss) << "never below two segments";
}

TEST(NewReno, CountsNoFlightBeyondItsWindow) {  // RFC5681-3.2 step 2: limited transmit
  Told reno;
  reno.signal(CongestionSignal::loss, 12 * kMss);
  EXPECT_EQ(reno.ssthresh(), 5 * kMss);
}

TEST(NewReno, BeginsAgainOnATimeout) {  // RFC5681-3.1
  Told reno;
  reno.signal(CongestionSignal::timeout, 10 * kMss);
  EXPECT_EQ(reno.cwnd(), kMss);
  EXPECT_EQ(reno.ssthresh(), 5 * kMss);
  reno.signal(CongestionSignal::timeout_again, kMss);
  EXPECT_EQ(reno.ssthresh(), 5 * kMss) << "the same segment again";
  for (int i = 0; i < 4; ++i) reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 5 * kMss) << "slow start up to ssthresh";
  for (int i = 0; i < 4; ++i) reno.ack(kMss);
  EXPECT_EQ(reno.cwnd(), 5 * kMss) << "and not beyond";
}

TEST(NewReno, RestartsAfterAnIdleTime) {  // RFC5681-4.1
  Told reno;
  for (int i = 0; i < 30; ++i) reno.ack(kMss);
  reno.idle();
  EXPECT_EQ(reno.cwnd(), 10 * kMss);
  Told small(3 * kMss);
  small.idle();
  EXPECT_EQ(small.cwnd(), 3 * kMss) << "never grows by being idle";
}

TEST(NewReno, StaysBelowTheLargestWindow) {
  Told reno((1U << 30) - 10);
  reno.ack(60000, true, 60000);
  EXPECT_EQ(reno.cwnd(), 1U << 30);
}

TEST(NewReno, KeepsMoreAfterAMarkThanAfterALoss) {  // RFC8511-3
  Told marked(100 * kMss);
  marked.signal(CongestionSignal::mark, 100 * kMss);
  EXPECT_EQ(marked.cwnd(), 80 * kMss);
  EXPECT_EQ(marked.ssthresh(), 80 * kMss);
  Told lost(100 * kMss);
  lost.signal(CongestionSignal::loss, 100 * kMss);
  EXPECT_EQ(lost.cwnd(), 50 * kMss);
}

TEST(NewReno, ComesDownToOneSegmentByMarks) {  // RFC3168-6.1.2
  Told told(2 * kMss);
  for (int i = 0; i < 9; ++i) told.signal(CongestionSignal::mark, told.cwnd());
  EXPECT_EQ(told.cwnd(), kMss);
  EXPECT_EQ(told.ssthresh(), 2 * kMss);
}

}  // namespace
}  // namespace hawser::tcp
