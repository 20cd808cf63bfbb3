// The arithmetic of windows: 32 bits wide whatever the header has (RFC9293-REC-1), scaled on the
// wire (RFC 7323 2), and moved by the receiver only in steps worth an acknowledgment
// (RFC 9293 3.8.6.2.2).
#pragma once

#include <algorithm>
#include <cstdint>

namespace hawser::tcp {

/// The largest shift; a larger one from the peer counts as this (RFC7323-2.3).
inline constexpr std::uint8_t kMaxWindowScale = 14;

/// The shift for a receive buffer: the least that lets 16 bits tell its size (0 to 14).
constexpr std::uint8_t window_scale_for(std::uint32_t buffer_bytes) {
  std::uint8_t shift = 0;
  while (shift < kMaxWindowScale && (buffer_bytes >> shift) > 0xffff) ++shift;
  return shift;
}

/// Bytes that a window field means; never negative (RFC9293-MUST-1).
constexpr std::uint32_t unscaled_window(std::uint16_t field, std::uint8_t shift) {
  return std::uint32_t{field} << std::min(shift, kMaxWindowScale);
}

/// The receive window to advertise, in bytes from RCV.NXT, given that `advertised` bytes remain of
/// what was advertised before and `free` bytes of the buffer are free. The right edge moves only by
/// min(buffer / 2, MSS) or more (RFC9293-MUST-39), and never to the left (RFC9293-SHLD-14).
constexpr std::uint32_t receive_window(std::uint32_t free, std::uint32_t advertised,
                                       std::uint32_t buffer, std::uint32_t mss) {
  if (free <= advertised) return advertised;
  const std::uint32_t step = std::max(std::uint32_t{1}, std::min(buffer / 2, mss));
  return free - advertised >= step ? free : advertised;
}

/// The window field for `window` bytes. What the shift cuts off is rounded up, so that the right
/// edge does not move left (RFC9293-SHLD-14), unless that exceeds `limit` bytes: else a peer that
/// sends less than one unit of the shift at a time would push the edge on for ever. RFC 7323 2.4
/// allows either.
constexpr std::uint16_t scaled_window(std::uint32_t window, std::uint32_t limit,
                                      std::uint8_t shift) {
  const std::uint32_t unit = std::uint32_t{1} << shift;
  std::uint32_t field = window >> shift;
  const bool cut = (window & (unit - 1)) != 0;
  if (cut && limit >> shift > field) ++field;
  return static_cast<std::uint16_t>(std::min(field, std::uint32_t{0xffff}));
}

}  // namespace hawser::tcp
