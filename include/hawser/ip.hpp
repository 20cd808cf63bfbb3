// What holds for IP, of both families, in a stack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hawser/time.hpp"

namespace hawser {

/// The two bits of an IP header in which routers say that their queues grow (RFC 3168 5).
enum class Ecn : std::uint8_t {
  not_ect = 0,  ///< the sender does not heed marks: what would mark the packet drops it
  ect1 = 1,
  ect0 = 2,  ///< it may be marked (RFC 3168 asks for this one of the two)
  ce = 3,    ///< it was marked: congestion experienced
};

/// Of packets whose sender has chosen none (RFC 1122 3.2.1.7, and RFC 4861 6.3.2 until a router
/// says otherwise).
inline constexpr std::uint8_t kDefaultHopLimit = 64;

struct IpConfig {
  /// Memory for fragments that wait for the rest of their datagram: of all, and of what claims to
  /// come from one IPv4 address or one /64 of IPv6. The oldest go when there are more. Bytes.
  std::size_t reassembly_memory = std::size_t{4} << 20;
  std::size_t reassembly_memory_per_source = std::size_t{1} << 20;
  /// How long fragments wait. RFC 1122 3.3.2 recommends 60 s, which at today's rates is long enough
  /// for the 16 bits of IPv4's identification to come round (RFC 4963); Linux waits 30 s.
  Duration reassembly_timeout_v4 = std::chrono::seconds(30);
  Duration reassembly_timeout_v6 = std::chrono::seconds(60);  ///< RFC 8200 4.5
  /// Destinations whose path MTU is remembered, the latest, and for how long (RFC 1191 6.3).
  std::size_t max_paths = 4096;
  Duration path_mtu_lifetime = std::chrono::minutes(10);
  std::uint32_t icmp_errors_per_second = 1000;  ///< that we send; RFC 4443 2.4 (f)
  std::uint32_t echo_replies_per_second = 1000;
};

}  // namespace hawser
