// BBR, version 3 (draft-ietf-ccwg-bbr): sends at the rate that the path is seen to deliver, and
// keeps in flight what that rate fills of a round trip without a queue. Now and then it sends
// faster, to see whether the path delivers more, or holds back, to see its shortest round trip.
//
//        +--> startup ----> drain        rate doubles in each round trip until it grows no more
//        |                    |
//        |                    v
//        |     +--> down ---> cruise     with room left for others, for 2 to 3 seconds
//        |     |     |          |
//        |     |     v          |
//        |    up <-- refill <---+        a quarter faster, until the rate grows no more, or losses
//        |
//        +-- probe_rtt <-- any           every 5 seconds without a low round-trip time
//
// Each acknowledgment is to come with the sample of a rate of delivery (bbr::Ack), also one that
// only SACKs, and what is sent is to be paced.
//
//   bbr.cpp          what it is told, and the window and rate that follow
//   bbr_cycle.cpp    the states
//   bbr_loss.cpp     what losses say of the path
//   bbr_model.cpp    what is measured of it
#pragma once

#include <cstdint>
#include <optional>

#include "hawser/congestion.hpp"
#include "tcp/congestion/bbr_model.hpp"

namespace hawser::tcp {

namespace bbr {

enum class State : std::uint8_t { startup, drain, down, cruise, refill, up, probe_rtt };

}  // namespace bbr

class Bbr {
 public:
  using State = bbr::State;

  static constexpr bool kModelsPath = true;
  static constexpr bool kHeedsMarks = false;  ///< the draft has no answer to them

  void on_start(const CongestionStart& start);
  void on_ack(const AckSample& ack);
  void on_congestion(CongestionSignal signal, const CongestionState& state);
  void on_recovered(const CongestionState& state);
  /// What the last loss changed is taken back.
  void on_spurious(const CongestionState& state);
  void on_idle(const CongestionState& state);

  std::uint32_t cwnd() const;
  /// It knows none.
  std::uint32_t ssthresh() const { return std::numeric_limits<std::uint32_t>::max(); }
  /// Bytes in a second.
  std::uint64_t pacing_rate() const { return static_cast<std::uint64_t>(pacing_rate_); }

  // ---- to look at

  State state() const { return state_; }
  bbr::Rate bandwidth() const { return bandwidth_; }
  std::optional<Duration> min_rtt() const { return min_rtt_.value(); }
  bbr::Volume longterm_inflight() const { return inflight_longterm_; }

 private:
  using Ack = AckSample;
  using Rate = bbr::Rate;
  using Volume = bbr::Volume;
  /// What acknowledgments tell of a probe of the bandwidth.
  enum class Feedback : std::uint8_t { none, refilling, starting, probing, stopping };

  // bbr.cpp
  void update_model(const Ack& ack);
  void update_pacing_rate(double gain);
  void update_cwnd(const Ack& ack);
  Volume bound_by_model() const;
  Volume bdp(Rate rate, double gain) const;
  Volume with_budget(Volume inflight) const;
  Volume target_inflight() const;
  Volume probe_rtt_cwnd() const;
  Volume min_pipe_cwnd() const { return 4.0 * mss_; }
  Rate max_bandwidth() const { return bandwidth_filter_.max(); }
  void save_cwnd(bool in_recovery);
  void restore_cwnd();

  // bbr_cycle.cpp
  bool is_in_probe_bw() const { return state_ >= State::down && state_ <= State::up; }
  bool is_probing_bandwidth() const;
  void check_full_pipe(const Ack& ack);
  void check_drain(const Ack& ack);
  void update_probe_bw(const Ack& ack);
  bool adapt_longterm_model(const Ack& ack);
  void raise_longterm_inflight(const Ack& ack);
  void raise_longterm_slope();
  bool is_time_to_probe(Instant now) const;
  bool is_time_to_cruise(const Ack& ack) const;
  bool is_time_to_go_down(const Ack& ack);
  Volume inflight_with_headroom() const;
  void start_drain();
  void start_down(Instant now);
  void start_refill();
  void start_up(const Ack& ack);
  void check_probe_rtt(const Ack& ack);
  void hold_probe_rtt(const Ack& ack);
  void end_probe_rtt_if_done(Instant now);
  std::uint32_t draw(Instant now);

  // bbr_loss.cpp
  void note_loss(const Ack& ack);
  void save_before_loss(bool in_recovery);
  static bool is_inflight_too_high(const Ack& ack);
  void on_inflight_too_high(const Ack& ack, Volume inflight);
  void check_startup_loss(const Ack& ack);
  void take_latest_delivery(const Ack& ack);
  void adapt_shortterm_model();
  void reset_shortterm_model();
  void reset_congestion_signals();

  // What it controls.
  Volume cwnd_ = 0;
  Volume prior_cwnd_ = 0;  ///< the last that neither a loss nor probe_rtt has narrowed
  Rate pacing_rate_ = 0;
  std::uint32_t mss_ = 0;
  std::uint32_t initial_window_ = 0;

  // The model of the path.
  std::uint32_t delivered_ = 0;  ///< bytes in all, modulo 2^32
  Volume acked_ = 0;             ///< since it began
  bbr::BandwidthFilter bandwidth_filter_;
  bbr::MinRtt min_rtt_;
  bbr::Aggregation aggregation_;
  bbr::FullPipe full_pipe_;
  Rate bandwidth_ = 0;  ///< what it counts on
  Rate bandwidth_shortterm_ = bbr::kInfinite;
  Volume inflight_shortterm_ = bbr::kInfinite;
  Volume inflight_longterm_ = bbr::kInfinite;

  // Round trips.
  bbr::Rounds rounds_;
  std::uint32_t round_count_ = 0;
  bool round_begins_ = false;

  // Losses, and the round trips in which they are judged.
  bbr::Rounds loss_rounds_;
  bool loss_round_begins_ = false;
  bool is_loss_in_round_ = false;
  std::uint8_t loss_events_ = 0;  ///< acknowledgments in this one that told of losses
  std::uint32_t recovery_round_ = 0;
  Rate rate_latest_ = 0;      ///< the greatest of this round trip
  Volume volume_latest_ = 0;  ///< likewise of what was delivered

  // Before the last loss, in case that it was none.
  std::optional<State> undo_state_;
  Rate undo_bandwidth_shortterm_ = 0;
  Volume undo_inflight_shortterm_ = 0;
  Volume undo_inflight_longterm_ = 0;

  // The states.
  State state_ = State::startup;
  bool has_filled_pipe_ = false;
  bool idle_restart_ = false;
  std::uint32_t drain_round_ = 0;  ///< when it began

  Feedback feedback_ = Feedback::none;
  bool samples_probe_ = false;
  bool last_probe_too_high_ = false;
  bool last_probe_cautious_ = false;
  std::uint32_t rounds_since_up_ = 0;
  std::uint8_t up_rounds_ = 0;
  Volume up_acked_ = 0;
  Volume acked_per_raise_ = bbr::kInfinite;
  Instant cycle_begins_{};
  Duration probe_wait_{};
  std::uint32_t drawn_ = 0;

  std::optional<Instant> probe_rtt_ends_;
  bool probe_rtt_round_done_ = false;
  /// What was sent before so much was delivered shows no bandwidth.
  std::optional<std::uint32_t> limited_until_;
};

static_assert(CongestionControl<Bbr>);

}  // namespace hawser::tcp
