// TCP as its users see it: states, settings, what a connection says of itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/error.hpp"
#include "hawser/time.hpp"

namespace hawser {

struct CongestionAlgorithm;

/// The states of RFC 9293 3.3.2.
enum class TcpState : std::uint8_t {
  closed,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
};
/// "SYN-SENT", as RFC 9293 writes it.
std::string_view to_string(TcpState state);

/// Why a segment left.
enum class SendReason : std::uint8_t {
  handshake,        ///< SYN or SYN-ACK
  data,             ///< new data or FIN
  ack,              ///< nothing but an acknowledgment
  window_update,    ///< the receive window opened
  retransmit_rto,   ///< the retransmission timer expired (RFC 6298)
  retransmit_fast,  ///< duplicate ACKs or SACK showed a loss (RFC 5681, 6675)
  retransmit_rack,  ///< what was sent later has arrived, and long enough ago (RFC 8985 6)
  tail_loss_probe,  ///< the last segment, or new data, to get an ACK (RFC 8985 7)
  window_probe,     ///< the peer's window is zero (RFC 9293 3.8.6.1)
  keep_alive,       ///< RFC 9293 3.8.4
  challenge_ack,    ///< RFC 5961
  reset,
};
std::string_view to_string(SendReason reason);

/// Where a connection stands in the repair of losses.
enum class TcpRecovery : std::uint8_t {
  none,
  fast,     ///< of losses that acknowledgments showed (RFC 6675, RFC 8985)
  timeout,  ///< of all that was in flight when the retransmission timer expired (RFC 5681 3.1)
};
std::string_view to_string(TcpRecovery recovery);

/// How it was seen that a recovery was for nothing.
enum class SpuriousSign : std::uint8_t {
  timestamps,  ///< what was sent first has been acknowledged (Eifel, RFC 3522)
  duplicates,  ///< all that was sent again was received twice (D-SACK, RFC 3708)
  later_data,  ///< after a timeout, what was not sent again arrives (F-RTO, RFC 5682)
};
std::string_view to_string(SpuriousSign sign);

/// Why a connection is not sending now.
enum class SendBlocked : std::uint8_t {
  nothing_to_send,  ///< the application has written nothing more
  handshake,        ///< not yet established
  congestion_window,
  pacing,  ///< congestion control spaces segments out
  peer_window,
  nagle,         ///< a small segment waits for an ACK (RFC 9293 3.7.4)
  silly_window,  ///< the usable window is too small to be worth it (RFC 9293 3.8.6.2.1)
  closed,
};
std::string_view to_string(SendBlocked reason);

/// Why a connection ended.
enum class CloseReason : std::uint8_t {
  none,      ///< it has not
  finished,  ///< both sides sent FIN
  reset_by_peer,
  refused,
  aborted,       ///< by our application
  timed_out,     ///< R2 or the user timeout passed (RFC 9293 3.8.3)
  keep_alive,    ///< the peer answered no probe
  unreachable,   ///< a hard ICMP error
  address_gone,  ///< our address was taken away
  no_memory,
};
std::string_view to_string(CloseReason reason);

/// Whether marks of routers are asked for in place of losses (RFC 3168), as Linux's tcp_ecn has it.
enum class TcpEcn : std::uint8_t {
  off,
  passive,  ///< when the peer asks for it
  on,       ///< and connections that we open ask for it
};
/// "off", "passive" or "on".
std::string_view to_string(TcpEcn ecn);

/// What a program sets for one connection, or for a listener and so for those it accepts.
struct TcpSettings {
  bool no_delay = false;           ///< TCP_NODELAY: off means Nagle (RFC9293-MUST-17)
  bool keep_alive = false;         ///< SO_KEEPALIVE (RFC9293-MUST-24, RFC9293-MUST-25)
  bool report_soft_errors = true;  ///< RFC9293-SHLD-20
  /// TCP_KEEPIDLE (RFC9293-MUST-27, RFC9293-MUST-28)
  Duration keep_alive_idle = std::chrono::hours(2);
  Duration keep_alive_interval = std::chrono::seconds(75);  ///< TCP_KEEPINTVL
  std::uint8_t keep_alive_count = 9;                        ///< TCP_KEEPCNT
  /// IP_TTL (RFC9293-MUST-49), above zero; unset: what routers of the link advertise for IPv6, else
  /// kDefaultHopLimit.
  std::optional<std::uint8_t> hop_limit;
  std::uint8_t dscp = 0;  ///< 6 bits (RFC9293-MUST-48)
  /// TCP_USER_TIMEOUT: how long data may stay unacknowledged; unset means TcpConfig::user_timeout.
  std::optional<Duration> user_timeout;
  /// SO_LINGER: unset means that close returns at once and the stack finishes in the background;
  /// zero means that close aborts with RST.
  std::optional<Duration> linger;
  /// SO_SNDBUF: bytes that may be written and not acknowledged; SO_RCVBUF: bytes of the largest
  /// window. Set, they are fixed. Unset, the buffer tunes itself to the path, as on Linux: it
  /// begins with kInitialBuffer and grows with the congestion window, or with what arrives in a
  /// round trip, up to the bound below.
  std::optional<std::uint32_t> send_buffer;
  std::optional<std::uint32_t> receive_buffer;
  std::uint32_t max_send_buffer = 4U << 20;     ///< bytes
  std::uint32_t max_receive_buffer = 6U << 20;  ///< bytes; what the window scale is chosen for
  static constexpr std::uint32_t kInitialBuffer = 128U << 10;  ///< bytes
  /// TCP_CONGESTION: the name of an algorithm of the library, "cubic", "reno" or "bbr", or of
  /// one of TcpConfig::congestion_algorithms.
  std::string congestion_control = "cubic";
  /// Before a connection opens. Data of one whose congestion control does not heed marks (BBR) is
  /// not sent as such that may be marked, whatever this says.
  TcpEcn ecn = TcpEcn::passive;

  /// Whether every value is one that can be: buffers of 1 byte to 1 GiB, durations above zero
  /// (linger from zero), at least one probe, 6 bits of DSCP, a hop limit above zero. Whether there
  /// is such an algorithm of congestion control the stack knows.
  bool is_valid() const;
  /// The receive buffer at first, and the largest that it becomes; bytes.
  std::uint32_t initial_receive_buffer() const {
    return receive_buffer.value_or(std::min(kInitialBuffer, max_receive_buffer));
  }
  std::uint32_t largest_receive_buffer() const {
    return receive_buffer.value_or(max_receive_buffer);
  }

  friend bool operator==(const TcpSettings&, const TcpSettings&) = default;
};

/// What holds for all connections of a stack. Defaults are those of the RFC that is named.
struct TcpConfig {
  TcpSettings defaults;                               ///< of a new socket
  Duration msl = std::chrono::seconds(30);            ///< TIME-WAIT lasts 2 MSL (RFC9293-MUST-13)
  Duration initial_rto = std::chrono::seconds(1);     ///< RFC 6298 2.1
  Duration min_rto = std::chrono::milliseconds(200);  ///< RFC 6298 2.4 says 1 s; Linux 200 ms
  Duration max_rto = std::chrono::seconds(120);       ///< RFC 6298 2.5: at least 60 s
  Duration delayed_ack = std::chrono::milliseconds(40);  ///< RFC9293-MUST-40: below 0.5 s
  Duration user_timeout = std::chrono::minutes(5);       ///< R2 for data; RFC9293-SHLD-11
  Duration syn_timeout = std::chrono::seconds(190);      ///< R2 for SYN; RFC9293-MUST-23: >= 180 s
  std::uint8_t r1 = 3;                                   ///< RFC9293-SHLD-10
  Duration fin_wait_2_timeout = std::chrono::seconds(60);  ///< for connections that nobody holds
  std::uint16_t initial_window = 10;                       ///< segments; RFC 6928
  bool window_scaling = true;                              ///< RFC 7323 2
  bool timestamps = true;                                  ///< RFC 7323 3
  bool sack = true;                                        ///< RFC 2018
  /// When timeouts follow each other, try smaller segments, and later larger ones again: for paths
  /// that drop what is too large without a word (RFC 4821).
  bool path_mtu_search = true;
  /// Further algorithms of congestion control (hawser/congestion.hpp), which outlive the stack. A
  /// name of ours among them means theirs.
  std::vector<const CongestionAlgorithm*> congestion_algorithms;
  std::uint16_t challenge_acks_per_second = 10;  ///< of one connection; RFC 5961 7
  std::uint16_t ephemeral_first = 32768;         ///< RFC 6056 3.2
  std::uint16_t ephemeral_last = 60999;
  std::uint32_t max_connections = 1U << 20;
  std::uint32_t max_time_wait = 1U << 17;  ///< the oldest goes when there are more
};

/// A connection seen from outside, as TCP_INFO shows it.
struct TcpInfo {
  TcpState state = TcpState::closed;
  Endpoint local;
  Endpoint remote;
  CloseReason close_reason = CloseReason::none;
  SendBlocked send_blocked = SendBlocked::nothing_to_send;
  std::uint16_t mss = 0;  ///< effective send MSS, bytes of payload
  std::uint8_t snd_wscale = 0;
  std::uint8_t rcv_wscale = 0;
  bool timestamps = false;
  bool sack = false;
  bool ecn_echoes = false;       ///< we tell the peer of marks that its data got (RFC 3168)
  bool ecn_capable = false;      ///< our data may be marked, and we heed what the peer tells of it
  std::optional<Duration> srtt;  ///< unset before the first sample
  std::optional<Duration> min_rtt;  ///< the least ever seen
  Duration rttvar{};
  Duration rto{};
  std::uint32_t backoff = 0;  ///< successive timeouts
  TcpRecovery recovery{};
  std::string_view congestion_control;  ///< the name of the algorithm, which the stack keeps
  std::uint32_t cwnd = 0;               ///< bytes
  std::uint32_t ssthresh = 0;           ///< bytes
  std::uint64_t pacing_rate = 0;        ///< bytes a second; 0: segments leave as they may
  std::uint64_t delivery_rate = 0;      ///< bytes a second at the last ACK; 0: nothing in flight
  std::uint32_t snd_wnd = 0;            ///< the peer's window, bytes
  std::uint32_t rcv_wnd = 0;            ///< the window we advertised, bytes
  std::uint32_t in_flight = 0;          ///< bytes sent and not acknowledged
  std::uint32_t send_queue = 0;         ///< bytes written and not acknowledged
  std::uint32_t receive_queue = 0;      ///< bytes in order and not read
  std::uint32_t out_of_order = 0;       ///< bytes held for reassembly
  std::uint32_t send_buffer = 0;        ///< bytes that may be written now, fixed or tuned
  std::uint32_t receive_buffer = 0;     ///< bytes of the largest window now, fixed or tuned
  std::uint64_t bytes_sent = 0;         ///< payload, retransmissions included
  std::uint64_t bytes_acked = 0;
  std::uint64_t bytes_received = 0;  ///< in order
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_received = 0;
  std::uint32_t retransmits = 0;  ///< segments
  std::uint32_t timeouts = 0;     ///< expiries of the retransmission timer
  std::uint32_t fast_recoveries = 0;
  std::uint32_t spurious_recoveries = 0;  ///< of these and of timeouts: nothing had been lost
  std::uint32_t duplicate_segments = 0;   ///< received again
  std::uint32_t marks_received = 0;       ///< segments with data that routers marked
  std::uint32_t echoes_received = 0;      ///< segments that tell of marks on our data
  std::uint32_t mark_reductions = 0;      ///< of the congestion window, for these
};

/// A listener, a connection, or the small record of one that opens or has closed, in a list of all.
struct TcpSocketInfo {
  TcpInfo info;
  bool held = false;  ///< by a program; what else there is the stack opens or finishes by itself
  std::uint32_t syn_queue = 0;     ///< of a listener: handshakes under way
  std::uint32_t accept_queue = 0;  ///< of a listener: connections that wait to be accepted
  std::uint32_t backlog = 0;       ///< of a listener: the bound of each queue
  Instant until = kNever;          ///< when TIME-WAIT ends
};

}  // namespace hawser
