// What a connection needs only now and then: to repair a loss, to wait for a gap to be filled, for
// urgent data, keep-alive and challenges. It is made on demand and goes when nothing of it is
// needed any more, so that a connection that is idle, or whose path is good, is small and stays in
// few cache lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hawser/seq_num.hpp"
#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"
#include "hawser/time.hpp"
#include "tcp/path_search.hpp"
#include "tcp/reassembly.hpp"
#include "tcp/receive_tuning.hpp"
#include "tcp/recovery/prr.hpp"
#include "tcp/recovery/undo.hpp"

namespace hawser::tcp {

/// A probe of the tail whose effect is not known yet.
struct TailProbe {
  SeqNum end;          ///< SND.NXT when it was sent
  bool again = false;  ///< it repeated what was in flight
};

struct Extra {
  /// Made while `una` is SND.UNA: nothing is known to be lost.
  explicit Extra(SeqNum una) : recover(una - 1U) {}

  // The sender's repair of losses (RFC 5681, RFC 6582, RFC 8985, RFC 9937).
  SeqNum recover;  ///< the end of what was sent when recovery began (RFC 6582 3.2)
  Prr prr;
  std::uint32_t recovery_window = 0;  ///< in fast recovery: what may be in flight
  std::uint32_t dup_bytes = 0;  ///< without SACK: what duplicate ACKs say has left the network
  std::uint32_t retransmitted_ts = 0;  ///< our timestamp when data was last sent again
  std::uint8_t dup_acks = 0;
  TcpRecovery recovery = TcpRecovery::none;
  /// After fast recovery, until the congestion window is no larger: what may be in flight, so that
  /// no burst follows it (RFC 6582 3.2 step 3, full acknowledgment (1)).
  std::optional<std::uint32_t> window_after_recovery;
  std::unique_ptr<Undo> undo;           ///< of the recovery under way, or the last one
  std::optional<TailProbe> tail_probe;  ///< one is out (RFC 8985 7.4)
  /// Where the segment with CWR stands, until all of it is acknowledged: what was sent before it
  /// leads to no other reduction.
  std::optional<SeqNum> cwr_at;

  // The receiver's gaps.
  std::uint8_t acks_owed = 0;  ///< duplicate ACKs to send, one for each segment out of order
  Reassembly reassembly;
  SackBlock duplicate;  ///< to be reported (RFC 2883), while Flags::duplicate_pending
  SeqNum fin_at;        ///< where the peer's FIN stands, while Flags::fin_seen

  ReceiveTuning tuning;  ///< on while much arrives and the receive buffer is not fixed

  SeqNum snd_up;     ///< SND.UP: behind the last urgent octet; while Flags::snd_urgent
  SeqNum rcv_up;     ///< RCV.UP likewise; while Flags::rcv_urgent
  SeqNum reset_seq;  ///< where the reset stands that is to be sent; while Flags::reset_pending

  // Keep-alive, while idle_at is set (RFC 9293 3.8.4).
  Instant idle_at = kNever;
  Instant heard_at{};  ///< when the peer was last heard
  std::uint8_t keep_alive_probes = 0;

  /// Once anything is known of the path's MTU but that our interface and the peer take more.
  std::unique_ptr<PathSearch> path;

  std::uint8_t challenges = 0;  ///< sent in challenge_second (RFC 5961 7)
  std::uint32_t challenge_second = 0;

  /// What a good path never counts. Unless all are zero the block stays.
  struct Counters {
    /// Payload that was sent but not as what was acknowledged: again, or without success.
    std::uint64_t bytes_in_vain = 0;
    std::uint32_t retransmits = 0;
    std::uint32_t timeouts = 0;
    std::uint32_t fast_recoveries = 0;
    std::uint32_t spurious_recoveries = 0;
    std::uint32_t duplicate_segments = 0;
    std::uint32_t marks_received = 0;
    std::uint32_t echoes_received = 0;
    std::uint32_t mark_reductions = 0;
    friend bool operator==(const Counters&, const Counters&) = default;
  } count;

  bool has_sent_again() const { return count.retransmits > 0 || count.bytes_in_vain > 0; }
};

}  // namespace hawser::tcp
