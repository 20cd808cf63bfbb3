// The search of one connection for the largest segment that its path carries (RFC 4821, and what
// RFC 8899 has learnt since), for when routers do not say it or say it no more.
//
// Nothing is known to be wrong at first, and there is no search. Segments that are lost again and
// again while their timer runs out, or a router's message, lower the MSS; from then on it is tried
// to raise it: with a probe, which is a segment of real data that is longer than the others, and
// whose loss says nothing about congestion. A search ends within few bytes of what the path
// carries, and begins again after a while.
//
// All sizes are MSS as in the option: IP packets without the fixed headers of IP and TCP.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "hawser/address.hpp"
#include "hawser/seq_num.hpp"
#include "hawser/time.hpp"

namespace hawser::tcp {

/// What to go on with when segments of `mss` are lost one timeout after the other: the next of a
/// few sizes that nearly all paths carry (RFC 4821 7.7). Nothing when it is small already.
std::optional<std::uint16_t> smaller_mss(Family family, std::uint16_t mss);

class PathSearch {
 public:
  /// What a search ended with.
  struct Found {
    std::uint16_t mss = 0;        ///< segments of this size arrive
    bool larger_is_lost = false;  ///< and somewhat larger ones do not, though the rest does
  };

  /// A search ends when what is left is not worth a probe.
  static constexpr std::uint16_t kPrecision = 16;
  /// Probes of one size that must be lost before it counts as too large.
  static constexpr std::uint8_t kAttempts = 2;
  /// How long what was found, or what a router said, is relied on (RFC 1191 6.3, RFC 4821 7.4).
  static constexpr Duration kLifetime = std::chrono::minutes(10);

  /// `limit` is what the peer takes and our interface carries.
  explicit PathSearch(std::uint16_t limit) : limit_(limit), high_(limit) {}

  std::uint16_t limit() const { return limit_; }
  /// What the peer takes is known by now.
  void set_limit(std::uint16_t limit) { limit_ = high_ = limit; }
  /// Whether there is anything to remember while segments of `mss` are sent.
  bool is_needed(std::uint16_t mss) const {
    return mss < limit_ || size_ != 0 || held_mss_ != 0 || found_;
  }

  // ---- how the MSS was lowered

  /// A router said so: it is true for a while.
  void on_told(Instant now);
  /// It is a guess: once data arrives again, it is searched what really fits.
  void on_black_hole();
  /// A router said that a probe was too large for a path that carries `mss`.
  void on_probe_too_big(std::uint16_t mss);

  // ---- probes

  /// The size to try now, larger than `mss`, which is what is sent otherwise.
  std::optional<std::uint16_t> due(Instant now, std::uint16_t mss) const;
  /// The segment of these sequence numbers is a probe.
  void on_probe_sent(SeqNum begin, SeqNum end, std::uint16_t size);
  /// What begins at `begin` is sent again: if that is the probe, it was lost.
  void on_retransmission(Instant now, SeqNum begin, std::uint16_t mss);
  /// All before `una` has arrived. Gives the new MSS when that is the probe.
  std::optional<std::uint16_t> on_ack(Instant now, SeqNum una);
  bool is_probing() const { return size_ != 0; }
  /// The end of a search since the last call.
  std::optional<Found> take_found() { return std::exchange(found_, std::nullopt); }
  /// Of the probe; only while is_probing.
  SeqNum probe_begin() const { return begin_; }
  SeqNum probe_end() const { return end_; }

  // ---- messages that may be forged (RFC 5927 7.2)

  /// A router says that the path carries `mss` and that the segment at `seq` was too large, though
  /// such segments have arrived: true only if that one does not.
  void hold(SeqNum seq, std::uint16_t mss);
  /// What was said, if it was of anything from `una` on, now that the timer has expired.
  std::optional<std::uint16_t> take_held(SeqNum una);

 private:
  void finish(Instant now);
  void narrow(Instant now, std::uint16_t mss);

  Instant next_at_ = kNever;  ///< no probe before
  SeqNum begin_;
  SeqNum end_;
  SeqNum held_seq_;
  std::uint16_t limit_;
  std::uint16_t high_;      ///< anything larger is too large
  std::uint16_t size_ = 0;  ///< of the probe on its way; zero: none is
  std::uint16_t held_mss_ = 0;
  std::uint8_t lost_ = 0;  ///< probes of the size that is tried now
  bool guessed_ = false;   ///< whether anything arrives at the size we guessed is not known yet
  std::optional<Found> found_;
};

}  // namespace hawser::tcp
