// Protection against wrapped sequence numbers (RFC 7323 5).
#pragma once

#include <chrono>
#include <cstdint>

#include "hawser/time.hpp"

namespace hawser::tcp {

/// How long a remembered timestamp is good: the peer's clock may have gone half around after that
/// (RFC7323-5.5).
inline constexpr Duration kTsRecentLifetime = std::chrono::days(24);

/// Whether timestamp `a` is older than `b`, modulo 2^32.
constexpr bool timestamp_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

/// Whether PAWS rejects a segment with SEG.TSval `value` when TS.Recent is `ts_recent`, taken from
/// a segment that arrived at `ts_recent_at` (RFC7323-5.3, RFC7323-5.5). Resets are not to be
/// asked for.
constexpr bool paws_rejects(std::uint32_t value, std::uint32_t ts_recent, Instant ts_recent_at,
                            Instant now) {
  return timestamp_before(value, ts_recent) && now - ts_recent_at <= kTsRecentLifetime;
}

}  // namespace hawser::tcp
