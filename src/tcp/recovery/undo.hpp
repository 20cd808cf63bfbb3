// What is needed to take back a reduction of the congestion window, should it turn out that nothing
// was lost: by timestamps (Eifel, RFC 3522), by D-SACK (RFC 3708), or by what a timeout is followed
// by (F-RTO, RFC 5682).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hawser/seq_num.hpp"
#include "tcp/congestion/congestion.hpp"

namespace hawser::tcp {

/// Of one recovery, from its beginning until no report about it can come any more.
struct Undo {
  /// The steps of F-RTO (RFC 5682 3.1): the oldest segment was sent again; then, in place of
  /// others, new data is sent, to see what is acknowledged next.
  enum class Frto : std::uint8_t { off, sent_again, sent_new };

  std::unique_ptr<Congestion> before;  ///< null: the algorithm sees to itself
  SeqNum begin;                        ///< SND.UNA and SND.NXT when recovery began
  SeqNum end;
  std::optional<SeqNum> watched_until;          ///< set when recovery is over
  std::optional<std::uint32_t> first_again_ts;  ///< our timestamp when it first sent anything again
  /// Segments sent again that the peer has not reported to have received twice.
  std::uint32_t unreported = 0;
  bool cwr_pending = false;  ///< as they were before (RFC 3168 6.1.2)
  std::optional<SeqNum> cwr_at;
  bool eifel_open = true;  ///< no ACK has told yet which of the two it answers
  Frto frto = Frto::off;
};

}  // namespace hawser::tcp
