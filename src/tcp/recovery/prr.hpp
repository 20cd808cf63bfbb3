// How much may be sent during fast recovery: in proportion to what arrives, so that ssthresh is in
// flight at its end (RFC 9937).
#pragma once

#include <algorithm>
#include <cstdint>

namespace hawser::tcp {

class Prr {
 public:
  /// What is in flight when recovery begins: SND.NXT - SND.UNA less what was SACKed before, and
  /// what the ACK that begins it acknowledged.
  void start(std::uint32_t flight) {
    flight_ = std::max<std::uint32_t>(flight, 1);
    delivered_ = 0;
    sent_ = 0;
  }
  void on_sent(std::uint32_t bytes) { sent_ += bytes; }
  /// An acknowledgment of `delivered` bytes, by ACK or SACK, has left `pipe` of them in flight.
  /// `safe`: it moved SND.UNA on and told of no further loss. Gives the congestion window.
  std::uint32_t on_ack(std::uint32_t delivered, std::uint32_t pipe, std::uint32_t ssthresh,
                       std::uint32_t mss, bool safe) {
    delivered_ += delivered;
    std::int64_t more = 0;
    if (pipe > ssthresh) {
      const std::uint64_t share = std::uint64_t{delivered_} * ssthresh;
      more = static_cast<std::int64_t>((share + flight_ - 1) / flight_) - sent_;
    } else {
      more = std::max<std::int64_t>(std::int64_t{delivered_} - sent_, delivered);
      if (safe) more += mss;
      more = std::min<std::int64_t>(ssthresh - pipe, more);
    }
    more = std::max<std::int64_t>(more, sent_ == 0 ? mss : 0);  // the fast retransmit
    return pipe + static_cast<std::uint32_t>(more);
  }

 private:
  std::uint32_t flight_ = 1;     ///< RecoverFS
  std::uint32_t delivered_ = 0;  ///< prr_delivered
  std::uint32_t sent_ = 0;       ///< prr_out
};

}  // namespace hawser::tcp
