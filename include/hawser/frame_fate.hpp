// What becomes of a frame on a link, and how often each thing happened.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hawser/time.hpp"

namespace hawser {

enum class FrameFate : std::uint8_t {
  delivered,       ///< it arrives, perhaps changed, late or twice
  lost,            ///< by chance
  queue_overflow,  ///< too many bytes wait for the link
  partitioned,     ///< the link is cut
  too_big,         ///< larger than the MTU of the link
  no_memory,       ///< the pool's bound
  count_,
};
inline constexpr std::size_t kFrameFates = static_cast<std::size_t>(FrameFate::count_);

/// The fate as in the enum, with spaces: "queue overflow".
std::string_view to_string(FrameFate fate);

/// What a link decided about a frame when it took it.
struct FrameVerdict {
  std::uint64_t serial = 0;  ///< counts the frames that one direction of a link was given
  FrameFate fate = FrameFate::delivered;
  bool corrupted = false;
  bool duplicated = false;
  bool marked = false;     ///< congestion experienced (RFC 3168)
  bool reordered = false;  ///< held back, so that later frames may overtake it
  Instant arrives;         ///< of a frame that is delivered
};

/// Totals of one direction of a link.
struct PathCounters {
  std::uint64_t frames = 0;  ///< given to the link: the sum of all fates
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, kFrameFates> fates{};
  std::uint64_t corrupted = 0;   ///< of those delivered, as the next three
  std::uint64_t marked = 0;      ///< as congestion experienced
  std::uint64_t duplicated = 0;  ///< frames, not copies
  std::uint64_t reordered = 0;

  std::uint64_t of(FrameFate fate) const { return fates[static_cast<std::size_t>(fate)]; }
};

}  // namespace hawser
