// One connection: everything from SYN-SENT to LAST-ACK (RFC 9293 3.10).
//
// Passive opens are kept as compact records (syn_received.hpp) until their last ACK and TIME-WAIT
// as another (time_wait.hpp); the stack makes a Connection of the one and one of the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hawser/ready.hpp"
#include "tcp/context.hpp"
#include "tcp/handshake.hpp"
#include "tcp/tuple.hpp"

namespace hawser::tcp {

/// A segment as it arrives: its header and what follows it.
struct Segment {
  const TcpHeader& header;
  std::uint32_t length = 0;  ///< bytes of payload

  /// The sequence space it occupies: payload, SYN and FIN.
  std::uint32_t seq_length() const {
    return length + (header.flags.has(TcpFlag::syn) ? 1U : 0U) +
           (header.flags.has(TcpFlag::fin) ? 1U : 0U);
  }
};

class Connection {
 public:
  /// Active OPEN: SYN-SENT, the SYN leaves with the next poll. `mss` is what we advertise and what
  /// the path lets us send, before options (RFC9293-MUST-16).
  Connection(const Context& context, const Tuple& tuple, SeqNum iss, std::uint16_t mss,
             const TcpSettings& settings);
  /// A passive open that its last ACK has completed: ESTABLISHED. The segment that completed it is
  /// passed to on_segment next.
  Connection(const Context& context, const Tuple& tuple, const Handshake& handshake,
             std::uint16_t mss, const TcpSettings& settings);

  // ---- inputs. After each: poll_segment until it gives nothing, take_ready, next_deadline.

  /// RFC 9293 3.10.7.3 and 3.10.7.4. `payload` holds the bytes behind the header and may be taken.
  void on_segment(const Context& context, const Segment& segment, Packet& payload);
  /// Lets the timers fire that are due.
  void on_time(const Context& context);
  /// An ICMP error that quotes a segment of this connection, sent at `quoted`. Hard errors end a
  /// connection in SYN-SENT; in other states all are soft (RFC 5927 4, RFC9293-MUST-54..56).
  void on_icmp_error(const Context& context, SeqNum quoted, Error error, bool hard);

  // ---- calls of the application; errors as the functions of Stack document them

  Result<std::size_t> send(const Context& context, std::span<const std::byte> data, bool urgent);
  Result<std::size_t> receive(const Context& context, std::span<std::byte> out);
  Result<void> shutdown_write(const Context& context);
  /// CLOSE: nobody will read or write any more.
  void close(const Context& context);
  /// ABORT.
  void abort(const Context& context);
  void set_settings(const Context& context, const TcpSettings& settings);

  // ---- outputs

  /// The next segment to leave: TCP header and payload, checksum filled; the stack adds the IP
  /// header. False when there is none, or the pool is exhausted (a timer then tries again).
  Packet poll_segment(const Context& context);
  /// kNever when only an input can change anything.
  Instant next_deadline() const;
  /// What has become possible since the last call.
  Ready take_ready();

  // ---- to look at

  TcpState state() const;
  const Tuple& tuple() const;
  /// The application has closed its handle.
  bool is_released() const;
  /// Entered TIME-WAIT: the stack makes a record of it by `time_wait_facts` and detaches the
  /// connection, which is kept only for what the application still has to read.
  bool is_closed() const;
  const TcpSettings& settings() const;
  /// The level of readiness now.
  Ready ready() const;
  TcpInfo info() const;
  std::optional<Error> take_error();
  std::optional<std::uint32_t> urgent_mark() const;

  /// What TIME-WAIT needs to know.
  struct TimeWaitFacts {
    SeqNum snd_nxt;
    SeqNum rcv_nxt;
    std::uint16_t window = 0;  ///< as last advertised, on the wire
    bool timestamps = false;
    std::uint32_t ts_recent = 0;
    std::uint32_t ts_offset = 0;
  };
  TimeWaitFacts time_wait_facts() const;
};

}  // namespace hawser::tcp
