// Reno as RFC 5681 has it, with byte counting (RFC 3465) and the initial window of RFC 6928. The
// partial acknowledgments of NewReno (RFC 6582) are the connection's, which sends them.
#pragma once

#include <cstdint>
#include <limits>

#include "hawser/congestion.hpp"

namespace hawser::tcp {

class NewReno {
 public:
  void on_start(const CongestionStart& start);
  /// Slow start below ssthresh, else congestion avoidance (RFC 5681 3.1, RFC9293-MUST-19); nothing
  /// in fast recovery.
  void on_ack(const AckSample& ack);
  /// RFC 5681 3.1 (equation 4) and 3.2; marks leave more (RFC 8511), down to one segment.
  void on_congestion(CongestionSignal signal, const CongestionState& state);
  /// The restart window (RFC 5681 4.1).
  void on_idle(const CongestionState& state);

  std::uint32_t cwnd() const { return cwnd_; }
  std::uint32_t ssthresh() const { return ssthresh_; }

 private:
  std::uint32_t cwnd_ = 0;
  std::uint32_t ssthresh_ = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t bytes_acked_ = 0;  ///< counted towards the next segment of congestion avoidance
  bool after_timeout_ = false;     ///< in the slow start that follows one
};

static_assert(CongestionControl<NewReno>);
static_assert(sizeof(NewReno) <= CongestionAlgorithm::kRoom, "an idle connection is to be small");

}  // namespace hawser::tcp
