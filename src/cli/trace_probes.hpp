// Probes that tell how far they came: echo requests, UDP datagrams to ports where nobody listens,
// or SYNs of TCP, each with a hop limit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/poller.hpp"

namespace hawser::cli {

using TraceClock = std::chrono::steady_clock;

struct ProbeAnswer {
  std::size_t probe = 0;  ///< as it was given to `send`
  IpAddress from;
  TraceClock::time_point at;
  bool is_end = false;  ///< the destination answered, or a router says that nobody comes farther
  bool reached = false;
  std::string mark{};  ///< "!H", as traceroute(8) writes it
};

class Prober {
 public:
  virtual ~Prober() = default;
  /// Probes are numbered from zero on.
  virtual IoResult<void> send(std::size_t probe, std::uint8_t hop_limit) = 0;
  /// What came since the last call.
  virtual std::vector<ProbeAnswer> collect() = 0;
  /// Polls readable when there may be something to collect.
  virtual int descriptor() = 0;
  /// How long to wait for that descriptor at most: not everything shows on it.
  virtual Duration longest_wait() const { return std::chrono::hours(1); }
};

/// Throw std::system_error when there is no socket to be had.
std::unique_ptr<Prober> make_echo_prober(Host& host, const IpAddress& target);
std::unique_ptr<Prober> make_udp_prober(Host& host, const IpAddress& target, Port first);
std::unique_ptr<Prober> make_tcp_prober(Host& host, const IpAddress& target, Port port);

}  // namespace hawser::cli
