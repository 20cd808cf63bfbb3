// Checks BBR on a small model of a path: one bottleneck with a queue, one flow, an acknowledgment
// for each segment, and the samples of the rate of delivery that a connection would give.
#include "tcp/congestion/bbr.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <limits>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {
namespace {

using namespace std::chrono_literals;
using bbr::State;

constexpr std::uint32_t kMss = 1000;
constexpr Duration kDelay = 40ms;
constexpr double kRate = 1'250'000;  ///< bytes in a second: 10 Mbit/s
constexpr double kBdp = 50'000;

Duration to_duration(double seconds) { return Duration(static_cast<Duration::rep>(seconds * 1e9)); }
double to_seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

class Path {
 public:
  // To be changed at any time.
  double rate = kRate;
  double buffer = 10 * kBdp;         ///< bytes
  std::uint32_t lose_each = 0;       ///< segment of so many, beside those that the queue drops
  double app_rate = bbr::kInfinite;  ///< bytes in a second that there are to send

  Bbr bbr;

  Path() {
    CongestionStart start;
    start.now = now();
    start.mss = kMss;
    start.initial_window = 10 * kMss;
    start.cwnd = start.initial_window;
    bbr.on_start(start);
  }
  Instant now() const { return now_; }
  double delivered() const { return static_cast<double>(delivered_); }
  double inflight() const { return inflight_; }
  std::uint64_t lost() const { return lost_; }
  Duration longest_queue() const { return longest_queue_; }
  void forget_longest_queue() { longest_queue_ = {}; }
  double entered(State state) const { return entered_.at(static_cast<std::size_t>(state)); }

  void run(Duration span) {
    const Instant end = now_ + span;
    while (step(end)) {
    }
    now_ = end;
  }
  /// Until it comes to this state; false when it does not within `patience`.
  bool run_to(State state, Duration patience = 20s) {
    const Instant end = now_ + patience;
    while (bbr.state() != state && step(end)) {
    }
    return bbr.state() == state;
  }
  /// Delivered bytes in a second of the next `span`.
  double goodput(Duration span) {
    const double before = delivered();
    run(span);
    return (delivered() - before) / to_seconds(span);
  }
  /// All that is in flight arrives, and time goes by.
  void idle(Duration span) {
    const double rate_before = app_rate;
    app_rate = 0;
    const Instant end = now_ + span;
    while (step(end)) {
    }
    now_ = end;
    app_rate = rate_before;
    app_ready_ = now_;
    bbr.on_idle(state());
  }
  /// The rate becomes so many times what it was, for what is in the queue too.
  void change_rate(double times) {
    rate *= times;
    const auto stretch = [&](Instant& at) {
      if (at > now_ && at != kNever) at = now_ + to_duration(to_seconds(at - now_) / times);
    };
    for (Segment& segment : segments_) stretch(segment.acked);
    stretch(free_at_);
  }
  CongestionState state() const {
    CongestionState state;
    state.now = now_;
    state.mss = kMss;
    state.initial_window = 10 * kMss;
    state.outstanding = static_cast<std::uint32_t>(inflight_);
    return state;
  }

 private:
  struct Segment {
    Instant sent;
    Instant acked;  ///< or kNever
    std::uint64_t delivered = 0;
    Instant delivered_at;
    Instant first_sent;
    double inflight = 0;
    std::uint64_t lost = 0;
    bool app_limited = false;
  };

  /// The next thing that happens by `end`.
  bool step(Instant end) {
    const bool may_send = inflight_ + kMss <= bbr.cwnd() && app_rate > 0;
    if (!may_send && inflight_ + kMss > bbr.cwnd()) was_limited_ = true;
    const Instant send = may_send ? std::max({now_, next_send_, app_ready_}) : kNever;
    Instant ack = kNever;
    for (const Segment& segment : segments_) {
      if (segment.acked != kNever) {
        ack = segment.acked;
        break;
      }
    }
    if (std::min(send, ack) > end) return false;
    if (send < ack) {
      now_ = send;
      this->send();
    } else {
      now_ = ack;
      on_ack();
    }
    return true;
  }

  void send() {
    // The application held it back, not the pace.
    if (app_ready_ > next_send_ && app_rate != bbr::kInfinite)
      limited_until_ = delivered_ + static_cast<std::uint64_t>(inflight_) + kMss;
    if (inflight_ == 0) first_sent_ = delivered_at_ = now_;
    inflight_ += kMss;
    segments_.push_back({now_, kNever, delivered_, delivered_at_, first_sent_, inflight_, lost_,
                         limited_until_ != 0});
    next_send_ =
        std::max(now_, next_send_) + to_duration(kMss / static_cast<double>(bbr.pacing_rate()));
    if (app_rate != bbr::kInfinite)
      app_ready_ = std::max(app_ready_, now_) + to_duration(kMss / app_rate);
    ++sent_;
    if (lose_each != 0 && sent_ % lose_each == 0) return;
    free_at_ = std::max(free_at_, now_);
    if (to_seconds(free_at_ - now_) * rate + kMss > buffer) return;  // the queue is full
    free_at_ += to_duration(kMss / rate);
    longest_queue_ = std::max(longest_queue_, free_at_ - now_);
    segments_.back().acked = free_at_ + kDelay;
  }

  void on_ack() {
    // What was sent three before what arrives is lost.
    std::size_t at = 0;
    while (segments_[at].acked == kNever) ++at;
    const std::size_t lost = at >= 3 ? at - 2 : 0;
    const Segment segment = segments_[at];
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(at));
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(lost));
    lost_ += lost * kMss;
    delivered_ += kMss;
    delivered_at_ = now_;
    first_sent_ = segment.sent;
    inflight_ -= static_cast<double>(lost + 1) * kMss;
    if (delivered_ > limited_until_) limited_until_ = 0;
    recover(lost > 0);

    AckSample ack;
    static_cast<CongestionState&>(ack) = state();
    ack.recovery = recovers_until_ != 0 ? TcpRecovery::fast : TcpRecovery::none;
    ack.acked = ack.delivered = kMss;
    ack.total_delivered = static_cast<std::uint32_t>(delivered_);
    ack.lost = static_cast<std::uint32_t>(lost) * kMss;
    ack.pipe = ack.outstanding;
    ack.rtt = now_ - segment.sent;
    ack.window_limited = was_limited_;
    ack.rate.delivered = static_cast<std::uint32_t>(delivered_ - segment.delivered);
    ack.rate.interval = std::max(now_ - segment.delivered_at, segment.sent - segment.first_sent);
    ack.rate.prior_delivered = static_cast<std::uint32_t>(segment.delivered);
    ack.rate.in_flight = static_cast<std::uint32_t>(segment.inflight);
    ack.rate.lost = static_cast<std::uint32_t>(lost_ - segment.lost);
    ack.rate.app_limited = segment.app_limited;
    if (delivered_ >= limited_round_) {
      limited_round_ = delivered_ + static_cast<std::uint64_t>(inflight_);
      was_limited_ = false;
    }
    const State before = bbr.state();
    bbr.on_ack(ack);
    if (bbr.state() != before) ++entered_.at(static_cast<std::size_t>(bbr.state()));
  }

  /// Fast recovery, until all is delivered that was in flight.
  void recover(bool lost) {
    if (recovers_until_ != 0 && delivered_ >= recovers_until_) {
      recovers_until_ = 0;
      bbr.on_recovered(state());
    }
    if (!lost || recovers_until_ != 0) return;
    bbr.on_congestion(CongestionSignal::loss, state());
    recovers_until_ = delivered_ + static_cast<std::uint64_t>(inflight_);
  }

  Instant now_{1h};
  std::deque<Segment> segments_;
  Instant next_send_{};
  Instant app_ready_{};
  Instant free_at_{};
  Duration longest_queue_{};
  double inflight_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  Instant delivered_at_{};
  Instant first_sent_{};
  std::uint64_t limited_until_ = 0;
  std::uint64_t limited_round_ = 0;
  bool was_limited_ = false;
  std::uint64_t recovers_until_ = 0;
  std::array<double, 7> entered_{};
};

TEST(BbrModel, RemembersTheGreatestOfSomeRoundTrips) {
  bbr::RoundsFilter filter;
  for (std::uint32_t round = 0; round < 30; ++round) {
    filter.add(round == 5 ? 100 : round == 12 ? 50 : 10, round, 10);
    EXPECT_EQ(filter.max(), round < 5 ? 10 : round < 15 ? 100 : round < 22 ? 50 : 10) << round;
  }
}

TEST(BbrModel, RemembersTheBandwidthOfTwoCycles) {
  bbr::BandwidthFilter filter;
  filter.add(100);
  filter.begin_cycle();
  filter.add(50);
  EXPECT_EQ(filter.max(), 100);
  filter.begin_cycle();
  EXPECT_EQ(filter.max(), 50);
}

TEST(BbrModel, SeesAPlateauInThreeRoundTrips) {
  bbr::FullPipe pipe;
  for (const double rate : {100.0, 125.0, 157.0, 160.0, 190.0}) pipe.on_round(rate);
  EXPECT_FALSE(pipe.is_full());
  pipe.on_round(197);  // a quarter more than 157
  pipe.on_round(200);
  pipe.on_round(200);
  EXPECT_FALSE(pipe.is_full());
  pipe.on_round(200);
  EXPECT_TRUE(pipe.is_full());
}

TEST(BbrModel, KeepsTheLeastRoundTripForTenSeconds) {
  const Instant begin{1h};
  bbr::MinRtt min_rtt(begin);
  min_rtt.on_ack(begin + 1s, 50ms);
  min_rtt.on_ack(begin + 2s, 40ms);
  min_rtt.on_ack(begin + 6s, 60ms);
  EXPECT_EQ(min_rtt.value(), 40ms);
  EXPECT_FALSE(min_rtt.is_probe_due());
  min_rtt.on_ack(begin + 7s + 1ms, 60ms);
  EXPECT_TRUE(min_rtt.is_probe_due()) << "five seconds after the least";
  min_rtt.on_ack(begin + 12s, 60ms);
  EXPECT_EQ(min_rtt.value(), 40ms);
  min_rtt.on_ack(begin + 12s + 1ms, 60ms);
  EXPECT_EQ(min_rtt.value(), 60ms);
}

TEST(BbrModel, MeasuresByHowMuchAcknowledgmentsComeInLumps) {
  bbr::Aggregation aggregation;
  Instant now{1h};
  aggregation.restart(now);
  for (int i = 0; i < 20; ++i) {  // 1 MB/s: 10 kB each 10 ms, but four at a time
    now += 40ms;
    for (int k = 0; k < 4; ++k) aggregation.on_ack(now, 1e6, 10'000, 1e6, 1, 10);
  }
  EXPECT_NEAR(aggregation.extra(), 40'000, 1);
}

TEST(Bbr, LeavesStartupWhereTheBandwidthGrowsNoMore) {
  Path path;
  EXPECT_EQ(path.bbr.state(), State::startup);
  ASSERT_TRUE(path.run_to(State::drain, 2s));
  EXPECT_NEAR(path.bbr.bandwidth(), kRate, kRate / 50);
  EXPECT_GE(*path.bbr.min_rtt(), kDelay);
  EXPECT_LT(*path.bbr.min_rtt(), kDelay + 2ms);
  EXPECT_EQ(path.lost(), 0U);
}

TEST(Bbr, DrainsTheQueueThatStartupLeft) {
  Path path;
  ASSERT_TRUE(path.run_to(State::drain));
  EXPECT_GT(path.inflight(), 1.5 * kBdp);
  EXPECT_LT(static_cast<double>(path.bbr.pacing_rate()), 0.51 * kRate);
  ASSERT_TRUE(path.run_to(State::cruise, 200ms));
  EXPECT_LT(path.inflight(), 1.1 * kBdp);
}

TEST(Bbr, DrainsForThreeRoundTripsAtMost) {
  Path path;
  ASSERT_TRUE(path.run_to(State::drain));
  path.change_rate(0.2);
  EXPECT_TRUE(path.run_to(State::down, 3s));
  EXPECT_GT(path.inflight(), 1.1 * kBdp) << "the queue is there still";
}

TEST(Bbr, FillsThePathAndLeavesTheQueueShort) {
  Path path;
  path.run(4s);
  path.forget_longest_queue();
  EXPECT_GT(path.goodput(60s), 0.95 * kRate);
  EXPECT_LT(path.longest_queue(), kDelay) << "less than what is in flight anyway";
  EXPECT_GE(path.entered(State::up), 15) << "a probe in at most three seconds";
  EXPECT_EQ(path.lost(), 0U);
}

TEST(Bbr, GoesThroughTheCycle) {
  Path path;
  ASSERT_TRUE(path.run_to(State::cruise, 1s));
  EXPECT_NEAR(static_cast<double>(path.bbr.pacing_rate()), 0.99 * kRate, 0.03 * kRate);
  ASSERT_TRUE(path.run_to(State::refill, 3s));
  ASSERT_TRUE(path.run_to(State::up, 200ms));
  path.run(10ms);
  EXPECT_NEAR(static_cast<double>(path.bbr.pacing_rate()), 1.25 * 0.99 * kRate, 0.03 * kRate);
  ASSERT_TRUE(path.run_to(State::down, 1s)) << "the rate grew no more";
}

TEST(Bbr, LooksForTheShortestRoundTripAfterFiveSeconds) {
  Path path;
  path.run(3s);
  ASSERT_TRUE(path.run_to(State::probe_rtt, 6s));
  const Instant began = path.now();
  path.run(150ms);
  EXPECT_EQ(path.bbr.state(), State::probe_rtt);
  EXPECT_LE(path.inflight(), kBdp / 2 + kMss);
  ASSERT_TRUE(path.run_to(State::cruise, 500ms));
  EXPECT_GE(path.now() - began, 200ms);
  EXPECT_LT(*path.bbr.min_rtt(), kDelay + 2ms);
  path.run(200ms);
  EXPECT_GT(path.inflight(), 0.8 * kBdp) << "as before";
  EXPECT_NEAR(path.bbr.bandwidth(), kRate, kRate / 50) << "the low rate told nothing";
}

TEST(Bbr, NeedsNoSuchProbeAfterAnIdleTime) {
  Path path;
  path.run(3s);
  path.idle(6s);
  path.run(1s);
  EXPECT_EQ(path.entered(State::probe_rtt), 0);
  EXPECT_GT(path.goodput(1s), 0.9 * kRate);
}

TEST(Bbr, FindsMoreBandwidth) {
  Path path;
  path.run(4s);
  path.rate = 8 * kRate;
  path.run(20s);
  EXPECT_GT(path.goodput(5s), 0.9 * 8 * kRate);
}

TEST(Bbr, GivesWayWhenThereIsLess) {
  Path path;
  path.buffer = 2 * kBdp;
  path.run(4s);
  path.rate = kRate / 4;
  path.run(15s);
  EXPECT_NEAR(path.bbr.bandwidth(), kRate / 4, kRate / 4 / 20);
  path.forget_longest_queue();
  EXPECT_GT(path.goodput(5s), 0.9 * kRate / 4);
  EXPECT_LT(path.longest_queue(), 4 * kDelay);
}

TEST(Bbr, IsMovedLittleByLossesBelowItsThreshold) {
  Path path;
  path.lose_each = 100;
  path.run(4s);
  EXPECT_GT(path.goodput(30s), 0.7 * kRate) << "where Reno would have a quarter";
}

TEST(Bbr, LearnsFromLossesHowMuchMayBeInFlight) {
  Path path;
  path.buffer = 0.3 * kBdp;
  path.run(4s);
  const std::uint64_t before = path.lost();
  EXPECT_GT(path.goodput(30s), 0.85 * kRate);
  EXPECT_LT(static_cast<double>(path.lost() - before), 0.02 * 30 * kRate);
  EXPECT_LT(path.bbr.longterm_inflight(), 1.5 * kBdp);
}

TEST(Bbr, StaysInStartupWhileTheApplicationLimitsIt) {
  Path path;
  path.app_rate = kRate / 5;
  path.run(3s);
  EXPECT_EQ(path.bbr.state(), State::startup);
  EXPECT_GE(static_cast<double>(path.bbr.pacing_rate()), kRate / 5);
}

TEST(Bbr, LeavesStartupForLosses) {
  Path path;
  path.app_rate = 0.8 * kRate;
  path.lose_each = 5;
  path.run(3s);
  EXPECT_NE(path.bbr.state(), State::startup);
  EXPECT_LT(path.bbr.longterm_inflight(), kBdp);
}

TEST(Bbr, ComesBackAfterATimeout) {
  Path path;
  path.run(4s);
  const std::uint32_t before = path.bbr.cwnd();
  path.bbr.on_congestion(CongestionSignal::timeout, path.state());
  EXPECT_EQ(path.bbr.cwnd(), kMss);
  path.bbr.on_recovered(path.state());
  EXPECT_EQ(path.bbr.cwnd(), before);
}

TEST(Bbr, TakesBackWhatALossChangedThatWasNone) {
  Path path;
  path.app_rate = 0.8 * kRate;
  path.lose_each = 5;
  ASSERT_TRUE(path.run_to(State::drain));
  ASSERT_LT(path.bbr.longterm_inflight(), kBdp);
  path.bbr.on_spurious(path.state());
  EXPECT_EQ(path.bbr.state(), State::startup);
  EXPECT_EQ(path.bbr.longterm_inflight(), bbr::kInfinite);
}

TEST(Bbr, IsChosenByName) {
  const CongestionAlgorithm* found = find_congestion({}, "bbr");
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->models_path);
  EXPECT_NE(found->pacing_rate, nullptr);
}

}  // namespace
}  // namespace hawser::tcp
