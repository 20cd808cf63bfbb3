// The TCP header as a value: what is read from a segment and what is emitted (RFC 9293 3.1, 3.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "hawser/address.hpp"
#include "hawser/seq_num.hpp"

namespace hawser {

enum class TcpFlag : std::uint16_t {
  fin = 0x001,
  syn = 0x002,
  rst = 0x004,
  psh = 0x008,
  ack = 0x010,
  urg = 0x020,
  ece = 0x040,
  cwr = 0x080,
  ae = 0x100,
};

/// The set of control bits of a segment.
class TcpFlags {
 public:
  constexpr TcpFlags() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a flag is a set of one
  constexpr TcpFlags(TcpFlag flag) : bits_(static_cast<std::uint16_t>(flag)) {}
  constexpr explicit TcpFlags(std::uint16_t bits) : bits_(bits) {}

  constexpr bool has(TcpFlag flag) const { return (bits_ & static_cast<std::uint16_t>(flag)) != 0; }
  constexpr std::uint16_t bits() const { return bits_; }
  constexpr TcpFlags& operator|=(TcpFlags other) {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr TcpFlags operator|(TcpFlags a, TcpFlags b) { return a |= b; }
  friend constexpr bool operator==(TcpFlags, TcpFlags) = default;

  /// "SYN,ACK" in the order in which people say them; "-" for none.
  std::string to_string() const;

 private:
  std::uint16_t bits_ = 0;
};
constexpr TcpFlags operator|(TcpFlag a, TcpFlag b) { return TcpFlags(a) | TcpFlags(b); }

/// Bytes [begin, end) that have arrived out of order (RFC 2018).
struct SackBlock {
  SeqNum begin;
  SeqNum end;
  friend constexpr bool operator==(const SackBlock&, const SackBlock&) = default;
};

/// The timestamps option (RFC 7323 3.2), in ticks of the sender's clock.
struct TcpTimestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
  friend constexpr bool operator==(const TcpTimestamps&, const TcpTimestamps&) = default;
};

/// The options that this stack understands; all others are skipped by their length.
struct TcpOptions {
  std::optional<std::uint16_t> mss;          ///< bytes
  std::optional<std::uint8_t> window_scale;  ///< shift as on the wire, which may exceed 14
  std::optional<TcpTimestamps> timestamps;
  bool sack_permitted = false;
  std::uint8_t sack_count = 0;
  std::array<SackBlock, 4> sack_blocks;

  std::span<const SackBlock> sack() const { return std::span(sack_blocks).first(sack_count); }
};

/// All of a segment but its payload and checksum, in host order.
struct TcpHeader {
  Port source{};
  Port destination{};
  SeqNum seq;
  SeqNum ack;
  TcpFlags flags;
  std::uint16_t window = 0;  ///< as on the wire, unscaled
  std::uint16_t urgent = 0;  ///< offset from seq to the octet behind the urgent data
  TcpOptions options;
};

}  // namespace hawser
