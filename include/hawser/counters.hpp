// What a stack has counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hawser/drop.hpp"

namespace hawser {

/// Totals of a stack since it began.
struct StackCounters {
  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t segments_received = 0;
  std::uint64_t segments_sent = 0;
  std::uint64_t resets_sent = 0;
  std::uint64_t retransmits = 0;
  std::uint64_t connections_opened = 0;  ///< active
  std::uint64_t connections_accepted = 0;
  std::uint64_t cookies_sent = 0;
  std::uint64_t cookies_accepted = 0;
  std::uint64_t datagrams_received = 0;  ///< of UDP, whatever became of them
  std::uint64_t datagrams_sent = 0;
  std::uint64_t marks_received = 0;    ///< segments with data that routers marked (RFC 3168)
  std::uint64_t mark_reductions = 0;   ///< of a congestion window, since the peer told of marks
  std::uint64_t echoes_ignored = 0;    ///< tales of marks that no segment of ours can have got
  std::uint64_t packets_too_big = 0;   ///< messages of routers, believed or not
  std::uint64_t path_mtu_lowered = 0;  ///< times that a connection or datagrams followed one
  std::uint64_t black_holes = 0;       ///< times that segments were made smaller on a guess
  std::uint64_t path_probes = 0;       ///< longer segments, sent to find what the path carries
  std::uint64_t fragments_received = 0;
  std::uint64_t datagrams_reassembled = 0;
  std::uint64_t duplicate_addresses = 0;  ///< that others on the link have (RFC 4862 5.4.5)
  std::uint64_t fragments_sent = 0;
  std::uint64_t datagrams_fragmented = 0;
  std::uint64_t icmp_errors_sent = 0;
  std::array<std::uint64_t, kDropReasons> drops{};

  std::uint64_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }
};

}  // namespace hawser
