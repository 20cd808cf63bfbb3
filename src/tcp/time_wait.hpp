// A closed connection that keeps its tuple for 2 MSL, as a small record (RFC 9293 3.6.1
// and 3.10.7.4 for TIME-WAIT; RFC 6191; RFC 1337).
#pragma once

#include <cstdint>
#include <optional>

#include "core/slot_list.hpp"
#include "hawser/drop.hpp"
#include "tcp/connection.hpp"
#include "tcp/tuple.hpp"

namespace hawser::tcp {

struct TimeWait {
  Tuple tuple;
  SeqNum snd_nxt;
  SeqNum rcv_nxt;
  std::uint32_t ts_recent = 0;
  std::uint32_t ts_offset = 0;
  std::uint16_t window = 0;  ///< as on the wire
  InterfaceId interface{};
  std::optional<std::uint8_t> hop_limit;
  std::uint8_t dscp = 0;
  bool timestamps = false;
  Instant deadline;
  SlotLinks links;  ///< among all of them, the first to end first
};
static_assert(sizeof(TimeWait) <= 80);

enum class TimeWaitVerdict : std::uint8_t {
  drop,
  acknowledge,
  restart,  ///< the FIN came again: acknowledge it, and wait 2 MSL anew (RFC9293-MUST-13)
};
/// What becomes of a segment that is not a SYN which may reopen. A RST is ignored: it may be an old
/// duplicate (RFC 1337 3, fix F1).
TimeWaitVerdict judge(const TimeWait& record, const Segment& segment);

/// Whether a SYN may begin a new incarnation: by the timestamps of both incarnations, and where
/// these cannot tell by the sequence number (RFC6191-2, RFC9293-SHLD-4, RFC9293-MAY-2).
/// `timestamps_enabled` is whether the new incarnation would use them if the SYN offers them.
bool may_reopen(const TimeWait& record, const TcpHeader& syn, bool timestamps_enabled);

/// Whether an active open may take the tuple at `now`: only with timestamps, which tell the peer
/// the incarnations apart, and only when they have moved on.
bool may_reuse(const TimeWait& record, Instant now, Duration msl, bool timestamps_enabled);

/// An initial sequence number beyond all that the old incarnation used (RFC9293-MAY-2): `wanted`
/// unless it lies behind.
SeqNum isn_beyond(const TimeWait& record, SeqNum wanted);

/// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
TcpHeader ack_of(const TimeWait& record, Instant now);

}  // namespace hawser::tcp
