// ICMP echo as ping and traceroute use it: what is asked, and what came back (RFC 792, RFC 4443 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hawser/address.hpp"
#include "hawser/icmp.hpp"
#include "hawser/interface_id.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// How an echo request is sent.
struct EchoRequest {
  std::uint16_t sequence = 0;
  std::optional<std::uint8_t> hop_limit{};  ///< above zero; unset: as UdpSettings::hop_limit
  std::uint8_t dscp = 0;                    ///< 6 bits
  /// It is not fragmented, here or on the way.
  bool dont_fragment = false;
  std::optional<IpAddress> source{};       ///< one of ours
  std::optional<InterfaceId> interface{};  ///< by which way, whatever the routes say
};

/// What came back for an echo request.
struct EchoAnswer {
  Instant at{};  ///< when it came
  std::uint16_t sequence = 0;
  IpAddress from;  ///< who answered: the destination, or the reporter of an error
  /// Set when it is an ICMP error about the request and no reply.
  std::optional<IcmpErrorReport> error{};
  InterfaceId interface{};     ///< where it came in
  std::uint8_t hop_limit = 0;  ///< with which it arrived
  std::size_t size = 0;        ///< bytes of the reply's data that were copied
  std::size_t length = 0;      ///< bytes that it had
};

/// What an echo socket is and holds.
struct EchoInfo {
  std::uint16_t identifier = 0;      ///< of its requests and their answers
  std::uint32_t receive_queue = 0;   ///< bytes of data of the answers that were not read
  std::uint32_t receive_memory = 0;  ///< bytes of memory that those answers hold
  std::uint32_t send_queue = 0;      ///< bytes of requests that wait to leave
  std::uint64_t answers_received = 0;
  std::uint64_t requests_sent = 0;
  std::uint64_t dropped = 0;  ///< answers that found the receive queue full
};

}  // namespace hawser
