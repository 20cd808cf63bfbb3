// What two ends agree upon while a connection opens, whoever kept it meanwhile: a connection in
// SYN-SENT, a compact SYN-RECEIVED record, or a SYN cookie.
#pragma once

#include <cstdint>

#include "hawser/seq_num.hpp"
#include "hawser/time.hpp"

namespace hawser::tcp {

/// No segment is smaller, whatever the peer says: below this headers would be all there is.
inline constexpr std::uint16_t kMinMss = 48;

struct Handshake {
  SeqNum iss;
  SeqNum irs;
  std::uint16_t peer_mss = 536;  ///< as the peer said, or the default of the family
  std::uint8_t snd_wscale = 0;   ///< shift of the windows that the peer advertises
  std::uint8_t rcv_wscale = 0;   ///< shift of the windows that we advertise
  bool timestamps = false;
  bool sack = false;
  bool ecn_echoes = false;       ///< we tell the peer of marks on its data (RFC 3168 6.1.1)
  bool ecn_capable = false;      ///< our data may be marked
  std::uint32_t ts_recent = 0;   ///< the peer's last timestamp (RFC 7323 4.3)
  std::uint32_t ts_offset = 0;   ///< added to our clock, so that it starts at random
  std::uint16_t syn_window = 0;  ///< SEG.WND of the SYN, unscaled
  bool retransmitted = false;    ///< our SYN or SYN-ACK went more than once
  bool lost_twice = false;       ///< our timer sent it more than once again (RFC 6928 2)
  Instant syn_sent_at;           ///< when the last of them went: an RTT sample if only one did
};

}  // namespace hawser::tcp
