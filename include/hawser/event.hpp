// The one stream of what happens inside a stack. Ladder, trace, pcapng and metrics are readers of
// it.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/ip.hpp"
#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"
#include "hawser/time.hpp"

namespace hawser {

struct SegmentSent {
  TcpHeader header;
  std::uint32_t length = 0;  ///< bytes of payload
  SendReason reason{};
  Ecn ecn{};
};

struct SegmentReceived {
  TcpHeader header;
  std::uint32_t length = 0;
  Ecn ecn{};
};

struct StateChanged {
  TcpState from{};
  TcpState to{};
};

enum class TcpTimer : std::uint8_t {
  retransmit,
  reordering,       ///< the window ends in which what is missing may just be late (RFC 8985 6.2)
  tail_loss_probe,  ///< RFC 8985 7.2
  persist,
  delayed_ack,
  keep_alive,
  user_timeout,
  fin_wait_2,
  time_wait,
};
std::string_view to_string(TcpTimer timer);

struct TimerFired {
  TcpTimer timer{};
};

/// A loss was noticed: bytes [begin, end) are sent again.
struct LossDetected {
  SeqNum begin;
  SeqNum end;
  SendReason how{};
};

/// Nothing had been lost: the reduction of the window is taken back.
struct SpuriousRecovery {
  SpuriousSign how{};
};

/// The peer told of a mark on what was in flight, bytes [begin, end): the window is reduced, once
/// for all of it (RFC 3168 6.1.2).
struct MarkHeeded {
  SeqNum begin;
  SeqNum end;
};

struct CongestionChanged {
  std::uint32_t cwnd = 0;      ///< bytes
  std::uint32_t ssthresh = 0;  ///< bytes
};

struct Dropped {
  DropReason reason{};
  std::uint32_t length = 0;  ///< bytes of the frame or payload
};

struct Closed {
  CloseReason reason{};
};

struct Event {
  Instant at;
  Endpoint local;
  Endpoint remote;  ///< unspecified when it belongs to no connection
  std::variant<SegmentSent, SegmentReceived, StateChanged, TimerFired, LossDetected,
               SpuriousRecovery, MarkHeeded, CongestionChanged, Dropped, Closed>
      what;
};

/// Where a stack puts its events when somebody wants them; the driver takes them out after each
/// input.
using EventBuffer = std::vector<Event>;

}  // namespace hawser
