// One connection: everything from SYN-SENT to LAST-ACK (RFC 9293 3.10).
//
// Passive opens are kept as compact records (syn_received.hpp) until their last ACK and TIME-WAIT
// as another (time_wait.hpp); the stack makes a Connection of the one and one of the other.
//
//   connection.cpp        OPEN, CLOSE, ABORT, states
//   connection_calls.cpp     SEND, RECEIVE, what the application sees
//   connection_input.cpp     SEGMENT ARRIVES: the checks of RFC 9293 3.10.7.3 and 3.10.7.4 in order
//   connection_ack.cpp       what an acknowledgment does: windows, round-trip times
//   connection_recovery.cpp  the repair of losses
//   connection_undo.cpp      and what is done when nothing was lost
//   connection_data.cpp      what payload, URG and FIN do
//   connection_output.cpp    which segment leaves next, and why
//   connection_timers.cpp    TIMEOUTS
//   connection_path.cpp      the MTU of the path
//   connection_ecn.cpp       marks of routers
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "hawser/ready.hpp"
#include "tcp/congestion/congestion.hpp"
#include "tcp/context.hpp"
#include "tcp/extra.hpp"
#include "tcp/handshake.hpp"
#include "tcp/receive_queue.hpp"
#include "tcp/recovery/flight.hpp"
#include "tcp/rtt.hpp"
#include "tcp/send_queue.hpp"
#include "tcp/timers.hpp"
#include "tcp/tuple.hpp"

namespace hawser::tcp {

/// Whether a SYN, or an answer to one, says that its sender takes part in ECN (RFC 3168 6.1.1). A
/// peer that sends back what it does not know is not one (6.1.1.2).
constexpr bool is_ecn_setup(const TcpHeader& syn) {
  return syn.flags.has(TcpFlag::ece) && syn.flags.has(TcpFlag::cwr) != syn.flags.has(TcpFlag::ack);
}

/// A segment as it arrives: its header and what follows it.
struct Segment {
  const TcpHeader& header;
  std::uint32_t length = 0;  ///< bytes of payload
  Ecn ecn{};                 ///< of its IP header

  bool has(TcpFlag flag) const { return header.flags.has(flag); }
  /// The sequence space it occupies: payload, SYN and FIN.
  std::uint32_t seq_length() const {
    return length + (has(TcpFlag::syn) ? 1U : 0U) + (has(TcpFlag::fin) ? 1U : 0U);
  }
};

class Connection {
 public:
  /// Active OPEN: SYN-SENT, the SYN leaves with the next poll. `mss` is what we advertise and what
  /// the path lets us send, before options (RFC9293-MUST-16).
  Connection(const Context& context, const Tuple& tuple, SeqNum iss, std::uint16_t mss,
             std::uint32_t ts_offset, const TcpSettings& settings);
  /// A passive open that its last ACK has completed: ESTABLISHED. The segment that completed it is
  /// passed to on_segment next.
  Connection(const Context& context, const Tuple& tuple, const Handshake& handshake,
             std::uint16_t mss, const TcpSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // ---- inputs. After each: poll_segment until it gives nothing, take_ready, next_deadline.

  /// RFC 9293 3.10.7.3 and 3.10.7.4. `payload` holds the bytes behind the header and may be taken.
  void on_segment(const Context& context, const Segment& segment, Packet& payload);
  /// Lets the timers fire that are due.
  void on_time(const Context& context);
  /// An ICMP error that quotes a segment of this connection, sent at `quoted`. Hard errors end a
  /// connection in SYN-SENT; in other states all are soft (RFC 5927 4, RFC9293-MUST-54..56).
  /// Whether it is believed: only what quotes data in flight is.
  bool on_icmp_error(const Context& context, SeqNum quoted, Error error, bool hard);
  /// An ICMP error which says that the segment at `quoted`, of `size`, was too large for a path
  /// that carries `mss`; both as the MSS counts. Whether it is believed: what was in flight is then
  /// cut anew and sent again at once, and that is no sign of congestion (RFC 1191 6.4, RFC
  /// 5927 7.2).
  bool on_packet_too_big(const Context& context, SeqNum quoted, std::uint16_t size,
                         std::uint16_t mss);
  /// Before anything is sent but a SYN: the path to the peer is known to carry no more than `mss`.
  void set_path_mss(const Context& context, std::uint16_t mss);
  /// What probes have found of the path since the last call, for connections to come.
  std::optional<PathSearch::Found> take_path_found() {
    PathSearch* path = known_path();
    return path == nullptr ? std::nullopt : path->take_found();
  }

  // ---- calls of the application; errors as the functions of Stack document them

  Result<std::size_t> send(const Context& context, std::span<const std::byte> data, bool urgent);
  Result<std::size_t> receive(const Context& context, std::span<std::byte> out);
  Result<void> shutdown_write(const Context& context);
  /// CLOSE: nobody will read or write any more.
  void close(const Context& context);
  /// ABORT: a reset leaves with the next poll if the peer knows of us.
  void abort(const Context& context);
  /// Our address is no longer ours: it ends, and nothing is sent.
  void on_address_gone(const Context& context);
  void set_settings(const Context& context, const TcpSettings& settings);

  // ---- outputs

  /// The next segment to leave: TCP header and payload with the checksum filled; the stack adds the
  /// IP header. False when there is none, or the pool is exhausted (a timer then tries again).
  Packet poll_segment(const Context& context);
  /// For the IP header of the segment that poll_segment gave last.
  Ecn ecn() const { return flags_.sent_capable ? Ecn::ect0 : Ecn::not_ect; }
  /// kNever when only an input can change anything.
  Instant next_deadline() const {
    Instant earliest = timers_.earliest();
    if (flight_ != nullptr) earliest = std::min(earliest, flight_->next_deadline());
    if (has_single()) earliest = std::min(earliest, single_probe_at());
    return extra_ == nullptr ? earliest : std::min(earliest, extra_->idle_at);
  }
  /// What has become possible since the last call.
  Ready take_ready() { return std::exchange(ready_, Ready::none); }

  // ---- to look at

  TcpState state() const { return state_; }
  const Tuple& tuple() const { return tuple_; }
  const TcpSettings& settings() const { return *settings_; }
  /// The level of readiness now.
  Ready ready() const;
  TcpInfo info(const Context& context) const;
  std::optional<Error> take_error();
  std::optional<std::uint32_t> urgent_mark() const;
  /// Another number than before when something that we sent has arrived, or an answer to it.
  std::uint32_t progress() const { return snd_.una.value() + rcv_.nxt.value(); }
  /// Retransmission timeouts since the last progress.
  std::uint32_t timeouts_in_a_row() const { return rtt_.backoff(); }

  /// The flow label of all its segments (RFC 6437 3), which is the stack's to choose.
  std::uint32_t flow_label() const { return flow_label_; }
  void set_flow_label(std::uint32_t label) { flow_label_ = label; }

  /// What TIME-WAIT needs to know.
  struct TimeWaitFacts {
    SeqNum snd_nxt;
    SeqNum rcv_nxt;
    std::uint16_t window = 0;  ///< as last advertised, on the wire
    bool timestamps = false;
    std::uint32_t ts_recent = 0;
    std::uint32_t ts_offset = 0;
  };
  TimeWaitFacts time_wait_facts() const;

 private:
  /// The send sequence space (RFC 9293 3.3.1).
  struct Snd {
    SeqNum una;  ///< ISS until the SYN is acknowledged
    SeqNum nxt;
    SeqNum wl1;
    SeqNum wl2;
    std::uint32_t wnd = 0;
    std::uint32_t max_wnd = 0;  ///< the largest the peer ever advertised (Max.SND.WND)
  };
  /// The receive sequence space.
  struct Rcv {
    SeqNum nxt;    ///< IRS + 1 until the connection is established
    SeqNum edge;   ///< right edge of the advertised window: never moves left (RFC9293-SHLD-14)
    SeqNum acked;  ///< Last.ACK.sent (RFC 7323 4.3)
  };
  struct Flags {
    bool timestamps : 1 = false;
    bool sack : 1 = false;
    bool window_scale : 1 = false;
    bool ecn_echoes : 1 = false;    ///< of marks on the peer's data it is told
    bool ecn_capable : 1 = false;   ///< our data may be marked. In SYN-SENT: all SYNs asked for it
    bool mark_seen : 1 = false;     ///< ECE goes with every ACK, until CWR comes
    bool cwr_pending : 1 = false;   ///< the window was reduced: CWR goes with the next new data
    bool sent_capable : 1 = false;  ///< what poll_segment gave last may be marked
    bool waits_for_timer : 1 = false;  ///< marked at the least window: nothing new until it fires
    bool passive : 1 = false;          ///< RFC9293-MUST-11
    bool released : 1 = false;         ///< the application has closed
    bool fin_queued : 1 = false;       ///< our FIN follows the send queue
    bool fin_acked : 1 = false;
    bool fin_seen : 1 = false;      ///< the peer's FIN stands at Extra::fin_at
    bool fin_received : 1 = false;  ///< and all before it has arrived
    bool snd_urgent : 1 = false;
    bool rcv_urgent : 1 = false;
    // These six are asked for together (has_nothing_to_send).
    bool syn_pending : 1 = false;  ///< SYN or SYN-ACK must leave (again)
    bool reset_pending : 1 = false;
    bool ack_now : 1 = false;
    bool probe_pending : 1 = false;  ///< the persist timer fired
    bool keep_alive_pending : 1 = false;
    bool tail_probe_pending : 1 = false;  ///< RFC 8985 7.3
    bool reset_answers : 1 = false;     ///< the reset is for one wrong ACK, not for the connection
    bool update_window : 1 = false;     ///< the ACK to send is for the window's sake
    bool challenge : 1 = false;         ///< the ACK to send is a challenge (RFC 5961)
    bool force_retransmit : 1 = false;  ///< fast retransmit goes whatever the window says
    bool probed : 1 = false;            ///< and so what is in flight may not have been taken
    bool override_silly : 1 = false;    ///< send a small segment in spite of RFC 9293 3.8.6.2.1
    bool syn_retransmitted : 1 = false;
    bool syn_lost_twice : 1 = false;
    bool duplicate_pending : 1 = false;  ///< Extra::duplicate must be reported (RFC 2883)
    bool own_settings : 1 = false;
    bool sender_blocked : 1 = false;   ///< a write found no room: tell when there is some
    bool full_size_acked : 1 = false;  ///< segments of the MSS arrive, as far as we can tell
    bool single_is_all : 1 = false;    ///< nothing waited to be sent behind it (has_single)
  };
  /// Part of the sequence space to send: payload, and the FIN when it is reached.
  struct Range {
    SeqNum begin;
    SeqNum end;
    SendReason reason{};
  };

  // connection.cpp
  void set_state(const Context& context, TcpState to);
  static const CongestionAlgorithm& algorithm(const Context& context, const TcpSettings& settings);
  CongestionState congestion_state(const Context& context) const;
  void start_congestion_control(const Context& context, std::uint32_t cwnd, std::uint32_t ssthresh);
  void fail(const Context& context, Error error, CloseReason reason);
  void finish(const Context& context, CloseReason reason);
  void become_established(const Context& context);
  void queue_fin(const Context& context);
  void queue_reset();
  void adopt_settings(const Context& context, const TcpSettings& settings);
  void set_fin_wait_2_timer(const Context& context);
  Extra& extra();
  bool needs_extra(Instant now) const;
  static std::uint32_t seconds(Instant at);
  bool synchronized() const { return state_ >= TcpState::established; }

  // connection_calls.cpp
  void restart_after_idle(const Context& context);
  Error take_failure();
  SendBlocked send_blocked(Instant now) const;

  // connection_input.cpp
  void on_segment_in_syn_sent(const Context& context, const Segment& segment, Packet& payload);
  bool is_as_predicted(const Segment& segment) const;
  bool check_timestamps(const Context& context, const Segment& segment);
  bool check_sequence(const Context& context, const Segment& segment);
  bool check_reset(const Context& context, const Segment& segment);
  bool check_syn(const Context& context, const Segment& segment);
  bool check_ack(const Context& context, const Segment& segment);
  bool complete_simultaneous_open(const Context& context, const Segment& segment);
  void adopt_syn_options(const Context& context, const TcpHeader& syn);
  void remember_timestamp(const Context& context, const Segment& segment);
  void send_challenge(const Context& context);
  void drop(const Context& context, DropReason why, std::uint32_t length);
  void note_heard(Instant now);
  void acknowledge_unacceptable(const Context& context, const Segment& segment);
  void take_content(const Context& context, const Segment& segment, Packet& payload);
  void answer_with_reset(SeqNum seq);

  // connection_ack.cpp
  void on_ack(const Context& context, const Segment& segment);
  bool is_duplicate_ack(const Segment& segment) const;
  void release_acknowledged(std::uint32_t acked);
  bool window_was_full(std::uint32_t flight) const;
  void tell_congestion_control(const Context& context, const Flight::Delivery& delivery,
                               std::uint32_t acked, std::optional<Duration> rtt, bool limited);
  void update_send_window(const Context& context, const Segment& segment);
  Flight::Delivery tell_flight(const Context& context, const Segment& segment);
  Flight::Delivery single_delivered(Instant now) const;
  std::optional<std::chrono::milliseconds> echoed_ticks(const Context& context,
                                                        const Segment& segment) const;
  std::optional<Duration> echoed_age(const Context& context, const Segment& segment) const;
  void sample_handshake(const Context& context, const Segment& segment);
  void note_least_rtt(Duration rtt);
  std::optional<Duration> sample_round_trip(const Context& context, const Segment& segment,
                                            const Flight::Delivery& delivery);
  void on_new_ack(const Context& context, std::uint32_t acked);
  void on_fin_acked(const Context& context);

  // connection_recovery.cpp
  bool may_be_single(const Range& range) const;
  Instant single_probe_at() const;
  void record_single();
  Flight::Path path_now() const;
  void repair_losses(const Context& context, const Segment& segment,
                     const Flight::Delivery& delivery, std::uint32_t acked, bool duplicate);
  void on_duplicate_ack();
  std::uint32_t on_partial_ack(std::uint32_t acked);
  bool begin_recovery_if_lost(const Context& context, std::uint32_t delivered);
  void tell_window(const Context& context) const;
  void cut_lost_probe();
  void advance_window(std::uint32_t delivered, bool safe);
  void advance_recovery(const Context& context, std::uint32_t acked);
  void widen_after_recovery(std::uint32_t acked);
  void leave_recovery(const Context& context);
  void resend_all();
  void enter_timeout_recovery();
  void arm_loss_timer(const Context& context);
  bool may_probe_tail() const;
  Duration tail_probe_timeout(Duration srtt) const;
  void on_loss_timer(const Context& context);
  void judge_tail_probe(const Context& context, const Segment& segment,
                        const Flight::Delivery& delivery, bool is_new);

  // connection_undo.cpp
  void begin_undo(Undo::Frto frto);
  void note_sent_again(const Context& context);
  void judge_recovery(const Context& context, const Segment& segment,
                      const Flight::Delivery& delivery, std::uint32_t acked);
  bool eifel_says_spurious(const Segment& segment);
  bool duplicates_say_spurious(const Flight::Delivery& delivery);
  bool frto_says_spurious(const Flight::Delivery& delivery, std::uint32_t acked);
  void take_back(const Context& context, SpuriousSign how, std::uint32_t acked);

  // connection_ecn.cpp
  void agree_on_ecn(const TcpHeader& syn);
  void note_marks(const Context& context, const Segment& segment);
  bool on_echo(const Context& context, std::uint32_t flight);
  bool has_reduced_for(SeqNum end) const;
  void note_reduction();
  void declare_capable(TcpHeader& header, const Range& range);
  void note_cwr_lost(const Context& context, const Range& range);

  // connection_data.cpp
  void on_urgent(const Segment& segment);
  void on_payload(const Context& context, SeqNum seq, Packet& payload);
  void take_in_order(const Context& context, Packet& payload);
  void tune_receive_buffer(Instant now);
  void keep_out_of_order(const Context& context, SeqNum seq, Packet& payload);
  void schedule_ack(const Context& context);
  void on_fin(const Context& context);
  void enter_time_wait(const Context& context);
  void report_duplicate(SeqNum begin, SeqNum end);

  // connection_output.cpp
  bool has_nothing_to_send() const;
  void note_nothing_to_send();
  bool is_paced(Instant now) const;
  std::optional<Range> next_range(Instant now) const;
  std::optional<Range> next_retransmission() const;
  std::optional<Range> next_tail_probe() const;
  std::optional<Range> next_probe() const;
  std::optional<Range> next_new_data() const;
  bool worth_sending(std::uint32_t length, std::uint32_t unsent) const;
  std::uint32_t pipe() const;
  std::uint32_t room_in_window(SeqNum seq) const;
  std::uint32_t max_payload() const;
  Packet emit_syn(const Context& context);
  Packet emit_range(const Context& context, const Range& range);
  Packet emit_ack(const Context& context, SeqNum seq, SendReason reason);
  Packet emit_reset(const Context& context);
  Packet finish_segment(const Context& context, Packet& packet, TcpHeader& header,
                        std::uint32_t length, SendReason reason);
  void add_ack_fields(const Context& context, TcpHeader& header, std::uint32_t length);
  void on_range_sent(const Context& context, const Range& range, std::uint32_t length);
  void on_sent_again(const Context& context, const Range& range, std::uint32_t length);
  void on_new_data_sent(const Context& context, const Range& range, std::uint32_t length);
  std::size_t room_for_sack(std::uint32_t length) const;
  void arm_persist_if_stuck(const Context& context);
  std::uint32_t receive_buffer() const;
  std::uint32_t send_buffer() const;
  std::uint32_t window_target() const;
  std::uint16_t advertise_window();
  void consider_window_update();
  std::uint32_t ts_now(const Context& context) const;

  // connection_timers.cpp
  void on_retransmission_timer(const Context& context);
  void on_persist_timer(const Context& context);
  void on_retransmission_timeout(const Context& context);
  void arm_retransmission(const Context& context);
  Duration user_timeout(const Context& context) const;
  bool past_user_timeout(const Context& context) const;
  void arm_keep_alive(const Context& context);
  void on_idle_timer(const Context& context);

  // connection_path.cpp
  PathSearch& path_search();
  PathSearch* known_path() const { return extra_ == nullptr ? nullptr : extra_->path.get(); }
  void adopt_mss_limit(std::uint16_t limit);
  void lower_mss(std::uint16_t mss);
  bool believe_held_message(const Context& context);
  void suspect_black_hole(const Context& context);
  void on_path_ack(const Context& context);
  std::optional<Range> next_path_probe(Instant now) const;
  bool lost_probe_alone() const;

  /// Where payload ends and our FIN would stand.
  SeqNum data_end() const {
    // Not by SND.UNA = ISS: after 2^32 octets they are equal again.
    return snd_.una + (synchronized() ? 0U : 1U) + send_queue_.size();
  }
  bool fin_sent() const { return flags_.fin_acked || (flags_.fin_queued && snd_.nxt > data_end()); }
  std::uint32_t in_flight() const { return distance(snd_.una, snd_.nxt); }
  /// What is in flight is one segment that has no record yet: while all that may become of it is to
  /// be acknowledged, what there is to know of it is here.
  bool has_single() const { return flight_ == nullptr && in_flight() > 0 && synchronized(); }
  /// Payload that is in flight.
  std::uint32_t sent_payload() const {
    return synchronized() ? std::min(in_flight(), send_queue_.size()) : 0;
  }
  /// The number for a segment without content: SND.NXT, but no farther than the window goes, beyond
  /// which the peer must not accept it. A probe of a closed window stands there.
  SeqNum acceptable_seq() const {
    return synchronized() ? min(snd_.nxt, snd_.una + snd_.wnd) : snd_.nxt;
  }
  TcpRecovery recovery() const { return extra_ == nullptr ? TcpRecovery::none : extra_->recovery; }
  /// How much may be in flight for the sake of the network.
  std::uint32_t cwnd() const {
    const std::uint32_t window = congestion_.cwnd();
    if (extra_ == nullptr) return window;
    if (extra_->recovery == TcpRecovery::fast && !congestion_.models_path()) {
      return extra_->recovery_window;
    }
    return std::min(window, extra_->window_after_recovery.value_or(window));
  }
  bool peer_window_closed() const { return synchronized() && snd_.wnd == 0; }
  /// What is left of the window that the peer was told of.
  std::uint32_t advertised() const {
    return rcv_.nxt < rcv_.edge ? distance(rcv_.nxt, rcv_.edge) : 0;
  }
  /// Where what was read ends.
  SeqNum read_to() const {
    return rcv_.nxt - (flags_.fin_received ? 1U : 0U) - receive_queue_.size();
  }
  /// Payload that fits a segment: the MSS less the options that every segment carries.
  std::uint32_t effective_mss() const { return mss_ - (flags_.timestamps ? 12U : 0U); }

  // An idle connection is to be small, and one exchange is to touch few cache lines: what is not
  // needed for an exchange on a good path is in Extra.
  Tuple tuple_;
  Snd snd_;
  Rcv rcv_;
  Flags flags_;
  TcpState state_;
  Ready ready_ = Ready::none;
  std::uint8_t snd_wscale_ : 4 = 0;  ///< as the other at most 14 (RFC 7323 2.3)
  std::uint8_t rcv_wscale_ : 4 = 0;
  CloseReason close_reason_ = CloseReason::none;
  std::uint8_t error_ = 0;        ///< why it failed, an Error to report once; or zero
  std::uint16_t local_mss_;       ///< what we advertise
  std::uint32_t min_rtt_us_ = 0;  ///< the least round-trip time ever; 0: no sample yet
  std::uint32_t flow_label_ = 0;
  std::unique_ptr<Flight> flight_;  ///< null: nothing is in flight, or a single segment
  std::unique_ptr<Extra> extra_;    ///< null: nothing of it is needed
  Timers timers_;
  Instant progress_at_;  ///< when an ACK last moved on, or sending began: R2 counts from here
  Instant sent_at_;      ///< when data last left
  SendQueue send_queue_;
  ReceiveQueue receive_queue_;
  const TcpSettings* settings_;  ///< the stack's defaults, or our own copy
  Congestion congestion_;
  // Small members follow this one in what would be padding.
  [[no_unique_address]] RttEstimator rtt_;
  std::uint8_t soft_error_ = 0;  ///< an Error that did not end it (RFC9293-MUST-47); or zero
  std::uint16_t mss_;            ///< the smaller of what the peer takes and the path carries
  std::uint32_t ts_recent_ = 0;
  std::uint32_t ts_recent_at_ = 0;  ///< when ts_recent_ was set, seconds
  std::uint32_t ts_offset_ = 0;
  struct Counters {
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_acked = 0;
    std::uint32_t segments_sent = 0;
    std::uint32_t segments_received = 0;
  } count_;
};

static_assert(sizeof(Connection) <= 256, "what an idle connection costs");

}  // namespace hawser::tcp
