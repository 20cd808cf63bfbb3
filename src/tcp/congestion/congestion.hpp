// What an algorithm of congestion control is to a connection (RFC 5681). Detection of loss lies
// outside: the algorithm learns that data was lost and answers with a window.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace hawser::tcp {

/// The shape that all algorithms share, so that a connection can hold any of them by value. All
/// windows are in bytes.
template <typename T>
concept CongestionControl = requires(T t, const T c, std::uint32_t bytes, std::uint32_t mss,
                                     std::uint16_t segments, bool flag) {
  t.on_established(mss, segments, flag);
  t.on_ack(bytes, mss, flag);
  t.on_loss(bytes, mss);
  t.on_timeout(bytes, mss, flag);
  t.on_idle(mss, segments);
  t.set_cwnd(bytes);
  { c.cwnd() } -> std::same_as<std::uint32_t>;
  { c.ssthresh() } -> std::same_as<std::uint32_t>;
};

/// The initial window of RFC 6928 2 for `segments` (there 10) of them, in bytes:
/// min(10 * MSS, max(2 * MSS, 14600)).
constexpr std::uint32_t initial_window(std::uint32_t mss, std::uint16_t segments) {
  const std::uint32_t full = std::uint32_t{segments} * mss;
  const std::uint32_t ethernet = std::uint32_t{segments} * 1460;
  return std::max(mss, std::min(full, std::max(2 * mss, ethernet)));
}

}  // namespace hawser::tcp
