#include "tcp/time_wait.hpp"

#include <chrono>

#include "tcp/isn.hpp"
#include "tcp/paws.hpp"

namespace hawser::tcp {

TimeWaitVerdict judge(const TimeWait& record, const Segment& segment) {
  using enum TimeWaitVerdict;
  const TcpHeader& header = segment.header;
  if (segment.has(TcpFlag::rst)) return drop;
  if (record.timestamps && header.options.timestamps &&
      timestamp_before(header.options.timestamps->value, record.ts_recent)) {
    return acknowledge;  // PAWS
  }
  // A SYN that may not reopen is answered like any (RFC9293-U-8); an old duplicate tells that the
  // peer has not heard our last ACK.
  if (segment.has(TcpFlag::syn)) return acknowledge;
  const bool ends_at_fin = header.seq + segment.seq_length() == record.rcv_nxt;
  if (segment.has(TcpFlag::fin) && ends_at_fin) return restart;
  if (segment.seq_length() != 0 || header.seq != record.rcv_nxt) return acknowledge;
  return segment.has(TcpFlag::ack) && header.ack > record.snd_nxt ? acknowledge : drop;
}

bool may_reopen(const TimeWait& record, const TcpHeader& syn, bool timestamps_enabled) {
  const bool larger = syn.seq > record.rcv_nxt;
  const bool timestamps = timestamps_enabled && syn.options.timestamps.has_value();
  if (!timestamps) return larger;
  if (!record.timestamps) return true;
  const std::uint32_t value = syn.options.timestamps->value;
  return value == record.ts_recent ? larger : timestamp_before(record.ts_recent, value);
}

bool may_reuse(const TimeWait& record, Instant now, Duration msl, bool timestamps_enabled) {
  const Instant entered = record.deadline - 2 * msl;
  return record.timestamps && timestamps_enabled && now - entered > std::chrono::seconds(1);
}

SeqNum isn_beyond(const TimeWait& record, SeqNum wanted) {
  constexpr std::uint32_t kGap = 65537;  // more than any segment could have held
  const SeqNum least = record.snd_nxt + kGap;
  return wanted > least ? wanted : least;
}

TcpHeader ack_of(const TimeWait& record, Instant now) {
  TcpHeader header;
  header.source = record.tuple.local.port;
  header.destination = record.tuple.remote.port;
  header.seq = record.snd_nxt;
  header.ack = record.rcv_nxt;
  header.flags = TcpFlag::ack;
  header.window = record.window;
  if (record.timestamps) {
    header.options.timestamps =
        TcpTimestamps{.value = timestamp_clock(now) + record.ts_offset, .echo = record.ts_recent};
  }
  return header;
}

}  // namespace hawser::tcp
