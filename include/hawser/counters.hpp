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
  std::uint64_t packets_too_big = 0;  ///< as ICMP told; the path MTU is not followed
  std::uint64_t fragments_received = 0;
  std::uint64_t datagrams_reassembled = 0;
  std::uint64_t duplicate_addresses = 0;  ///< that others on the link have (RFC 4862 5.4.5)
  std::array<std::uint64_t, kDropReasons> drops{};

  std::uint64_t dropped(DropReason reason) const { return drops[static_cast<std::size_t>(reason)]; }
};

}  // namespace hawser
