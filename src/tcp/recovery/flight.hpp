// What is in flight: when each segment left, whether it has arrived, and which are lost (RFC 8985
// 6, RFC 6675 4). It decides what is lost; how much may be sent is for others to say.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"
#include "hawser/time.hpp"
#include "tcp/recovery/delivery_rate.hpp"
#include "tcp/recovery/pacer.hpp"
#include "tcp/recovery/rack.hpp"
#include "tcp/recovery/scoreboard.hpp"
#include "tcp/recovery/segment_ring.hpp"

namespace hawser::tcp {

/// Made when something is sent; gone when all is acknowledged, unless it is_worth_keeping.
class Flight {
 public:
  /// Beyond so many segments small ones that follow each other share a record.
  static constexpr std::uint32_t kManySegments = 256;

  /// `una` is SND.UNA; so many bytes have been delivered before, modulo 2^32.
  explicit Flight(SeqNum una, std::uint32_t delivered = 0)
      : rate_(delivered), una_(una), fack_(una) {}

  bool empty() const { return ring_.empty(); }
  SeqNum end() const { return ring_.empty() ? una_ : ring_[ring_.last() - 1].end; }
  std::uint32_t bytes() const { return distance(una_, end()); }
  std::uint32_t sacked_bytes() const { return sacked_bytes_; }
  /// Lost and not sent again since.
  std::uint32_t lost_bytes() const { return lost_bytes_; }
  /// Bytes thought to be in the network.
  std::uint32_t pipe() const { return bytes() - sacked_bytes_ - lost_bytes_; }
  /// What was learned of the path is worth the memory.
  bool is_worth_keeping() const { return rack_.has_adapted(); }

  // ---- sending

  /// New data up to `end` has left; `full` is the payload of a full segment.
  void on_sent(Instant now, SeqNum end, std::uint32_t full);
  /// What lies from `begin`, where a segment begins, up to `end`, where one ends, was sent again.
  void on_resent(Instant now, SeqNum begin, SeqNum end);
  /// Part of the oldest was repeated by a probe of the window: its round trip is not to be timed.
  void on_oldest_repeated();
  /// Segments are to be no longer than `full` from now on, those as well that are to be sent again.
  void cut(std::uint32_t full);

  struct Lost {
    SeqNum begin;
    SeqNum end;
    SendReason why{};
  };
  /// What is to be sent again next: lost segments that fit `full` bytes together, or one.
  std::optional<Lost> next_lost(std::uint32_t full) const;
  /// The last segment that was sent and has not arrived, for a probe of the tail.
  std::optional<Lost> tail() const;

  // ---- acknowledgments

  /// What an acknowledgment says.
  struct Ack {
    Instant now;
    SeqNum una;
    SeqNum nxt;
    std::span<const SackBlock> blocks{};
    /// The segment whose timestamp is echoed left before this.
    std::optional<Instant> echo_before{};
    Duration min_rtt{};
  };
  /// What that tells.
  struct Delivery {
    std::uint32_t bytes = 0;   ///< that have arrived, by ACK or by SACK
    std::uint32_t sacked = 0;  ///< of these by SACK
    /// The end of the first among them that was sent only once.
    std::optional<SeqNum> first_original;
    /// Of what was acknowledged and sent only once the earliest; none if any was sent again.
    std::optional<Duration> rtt;
    /// The least of all that arrived and was sent only once.
    std::optional<Duration> least_rtt;
    std::optional<SackBlock> dsack;  ///< what the peer has received twice (RFC 2883 5)
  };
  Delivery on_ack(const Ack& ack);

  // ---- loss

  /// What is known of the path.
  struct Path {
    bool in_recovery = false;
    Duration min_rtt{};
    Duration srtt{};
  };
  /// RFC 8985 6.2 step 5.
  void detect_losses(Instant now, const Path& path);
  /// When it is to be asked again, though nothing arrives.
  Instant detect_at() const { return detect_at_; }
  /// The timer expired: the oldest is lost and what else left a round trip ago (RFC 8985 6.3).
  void on_timeout(Instant now, const Path& path);
  /// All that has not arrived is to be sent again.
  void lose_all(SendReason why);
  /// The oldest is lost, as duplicate acknowledgments say.
  void lose_oldest(SendReason why);
  /// What is lost is not: it was only late, because the path has `reordered` it or was slow.
  void find_again(bool reordered);
  void on_recovered() { rack_.on_recovered(); }
  /// The peer has thrown away what it had SACKed (RFC 2018 8).
  bool has_reneged() const { return scoreboard_.is_sacked(una_); }
  /// What it had SACKed is to be sent again.
  void lose_sacked();

  /// How fast what the last acknowledgment is news of has arrived.
  RateSample rate_sample(Duration min_rtt) const;
  std::uint32_t total_delivered() const { return rate_.delivered(); }
  /// Found lost since it was last asked for.
  std::uint32_t take_lost();
  /// All has been sent that there is, and more would be allowed.
  void on_nothing_to_send() { rate_.on_nothing_to_send(pipe()); }

  // ---- when what is to be sent may leave

  Pacer& pacer() { return pacer_; }
  const Pacer& pacer() const { return pacer_; }

  // ---- its timer: the end of the reordering window, or a probe of the tail (RFC 8985 6.2, 7.2)

  void set_timer(Instant at) { timer_ = at; }
  Instant timer() const { return timer_; }
  Instant next_deadline() const { return std::min(timer_, pacer_.waits_until()); }

  const Rack& rack() const { return rack_; }
  std::uint32_t sacked_segments() const { return sacked_segments_; }

 private:
  SeqNum begin_of(std::uint32_t number) const {
    return number == ring_.first() ? una_ : ring_[number - 1].end;
  }
  std::uint32_t length_of(std::uint32_t number) const {
    const SeqNum begin = begin_of(number);
    return distance(begin, max(begin, ring_[number].end));
  }
  bool joins_last(SeqNum end, std::uint32_t full) const;
  void stamp(Instant now, std::uint32_t number);
  void advance(const Ack& ack, Delivery& delivery);
  void on_block(const Ack& ack, SackBlock block, Delivery& delivery);
  void on_arrived(const Ack& ack, std::uint32_t number, Delivery& delivery);
  void mark_sacked(const Ack& ack, SackBlock fresh, Delivery& delivery);
  std::uint32_t oldest() const;
  void take_off_list(std::uint32_t number);
  void mark_lost(std::uint32_t number, SendReason why);
  void lose(std::uint32_t number, SendReason why);
  void put_into_lost(std::uint32_t number);
  void cut_where(std::uint32_t full, SeqNum also_at);

  SegmentRing ring_;
  SegmentList on_their_way_;  ///< in the order in which they left last
  SegmentList lost_;          ///< to be sent again, roughly in their order
  std::uint32_t last_lost_ = 0;
  Scoreboard scoreboard_;
  Rack rack_;
  DeliveryRate rate_;
  Pacer pacer_;
  std::uint32_t lost_told_ = 0;
  Instant detect_at_ = kNever;
  Instant timer_ = kNever;
  SeqNum una_;
  SeqNum fack_;  ///< the highest that has arrived (RFC 8985 5.2)
  std::uint32_t sacked_bytes_ = 0;
  std::uint32_t sacked_segments_ = 0;
  std::uint32_t lost_bytes_ = 0;
};

}  // namespace hawser::tcp
