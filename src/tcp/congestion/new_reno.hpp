// Reno as RFC 5681 has it, with byte counting (RFC 3465) and the initial window of RFC 6928. The
// partial acknowledgments of NewReno (RFC 6582) are the connection's, which sends them.
#pragma once

#include <cstdint>
#include <limits>

#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

class NewReno {
 public:
  /// The handshake is done: the initial window of `initial_segments` (RFC 6928 2), or one segment
  /// when the SYN or SYN-ACK was lost more than once (`syn_lost`). `mss` is in bytes, here and
  /// below.
  void on_established(std::uint32_t mss, std::uint16_t initial_segments, bool syn_lost);
  /// `acked` bytes of new data were acknowledged outside loss recovery: slow start below ssthresh,
  /// else congestion avoidance (RFC 5681 3.1, RFC9293-MUST-19). The window grows only when it was
  /// what held the sender back (`window_was_full`; RFC 7661).
  void on_ack(std::uint32_t acked, std::uint32_t mss, bool window_was_full);
  /// A loss was detected without a timeout, with `flight` bytes outstanding (RFC 5681 3.2).
  void on_loss(std::uint32_t flight, std::uint32_t mss);
  /// The retransmission timer has expired; `first`: for the first time for this segment
  /// (RFC 5681 3.1, equation 4).
  void on_timeout(std::uint32_t flight, std::uint32_t mss, bool first);
  /// Nothing was sent for a retransmission timeout: the restart window (RFC 5681 4.1).
  void on_idle(std::uint32_t mss, std::uint16_t initial_segments);

  std::uint32_t cwnd() const { return cwnd_; }
  std::uint32_t ssthresh() const { return ssthresh_; }
  /// For the inflation and deflation of fast recovery (RFC 6582 3.2).
  void set_cwnd(std::uint32_t bytes) { cwnd_ = bytes; }

 private:
  std::uint32_t cwnd_ = 0;
  std::uint32_t ssthresh_ = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t bytes_acked_ = 0;  ///< counted towards the next segment of congestion avoidance
  bool after_timeout_ = false;     ///< in the slow start that follows one
};

static_assert(CongestionControl<NewReno>);
static_assert(sizeof(NewReno) <= 16);

}  // namespace hawser::tcp
