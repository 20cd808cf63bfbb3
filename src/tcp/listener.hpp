// What LISTEN keeps: the settings to inherit, and its two queues (RFC 9293 3.9.1.1, 3.10.7.2).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

#include "hawser/address.hpp"
#include "hawser/ready.hpp"
#include "hawser/tcp.hpp"

namespace hawser::tcp {

struct Listener {
  Listener(const Endpoint& where, std::uint32_t bound, const TcpSettings& inherited)
      : local(where), backlog(std::max(bound, 1U)), settings(inherited) {}

  Endpoint local;
  std::uint32_t backlog;  ///< of each queue; at least one
  TcpSettings settings;
  std::uint32_t syn_received = 0;          ///< records in the SYN queue
  std::deque<std::uint32_t> accept_queue;  ///< slots of connections, the oldest first
  Instant cookies_until{};                 ///< an ACK may hold a cookie that we sent
  bool in_readiness = false;               ///< waits to be told as readable

  bool syn_queue_full() const { return syn_received >= backlog; }
  bool accept_queue_full() const { return accept_queue.size() >= backlog; }
};

/// How long a cookie that leaves now may come back: two full periods of its counter.
inline constexpr Duration kCookieLifetime = std::chrono::minutes(2);

/// How a listener's address matches the destination of a SYN, the best first.
enum class ListenerMatch : std::uint8_t { exact, wildcard, dual_stack, none };
ListenerMatch match(const IpAddress& listening, const IpAddress& destination);

}  // namespace hawser::tcp
