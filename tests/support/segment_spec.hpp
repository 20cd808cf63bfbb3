// The words of a packet script: what a segment is, written as a list of its properties.
//
//   in(kSyn, Seq{0}, Mss{1460}, Win{65535});
//   out(kSyn | kAck, Seq{0}, Ack{1}, Mss{1460});
//
// Numbers are relative: zero is the initial sequence number of whoever it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hawser/ip.hpp"
#include "hawser/tcp_header.hpp"
#include "hawser/time.hpp"

namespace hawser::testing {

inline constexpr TcpFlags kNoFlags{};
inline constexpr TcpFlags kSyn = TcpFlag::syn;
inline constexpr TcpFlags kAck = TcpFlag::ack;
inline constexpr TcpFlags kFin = TcpFlag::fin;
inline constexpr TcpFlags kRst = TcpFlag::rst;
inline constexpr TcpFlags kPsh = TcpFlag::psh;
inline constexpr TcpFlags kUrg = TcpFlag::urg;
inline constexpr TcpFlags kEce = TcpFlag::ece;
inline constexpr TcpFlags kCwr = TcpFlag::cwr;

struct Seq {
  std::uint32_t value;
};
struct Ack {
  std::uint32_t value;
};
struct Win {
  std::uint16_t value;  ///< as on the wire
};
struct Urg {
  std::uint16_t value;
};
struct Mss {
  std::uint16_t value;
};
struct Wscale {
  std::uint8_t value;
};
struct SackOk {};
/// Begins and ends of blocks, relative to what the ACK number is relative to.
struct Sack {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
};
/// Timestamps as on the wire.
struct Ts {
  std::uint32_t value;
  std::uint32_t echo;
};
/// That there are timestamps which echo this, whatever their value is (`out` only).
struct TsEcho {
  std::uint32_t echo;
};
/// So many bytes of payload, of the pattern of their stream (see pattern_at).
struct Len {
  std::uint32_t value;
};
/// Payload as text.
struct Data {
  std::string text;
};
/// No option of any kind (`out` only).
struct NoOptions {};
/// Between these many bytes of payload (`out` only).
struct AnyLength {};
/// When it left, since the script began (`out` only); without it: now.
struct LeftAt {
  Duration value;
};

/// The byte at an offset of a stream in the pattern that scripts write and check.
constexpr std::byte pattern_at(std::uint32_t offset) {
  return static_cast<std::byte>((offset * 131U + (offset >> 8) * 7U + 17U) & 0xffU);
}

struct SegmentSpec {
  TcpFlags flags;
  std::optional<std::uint32_t> seq;
  std::optional<std::uint32_t> ack;
  std::optional<std::uint16_t> window;
  std::optional<std::uint16_t> urgent;
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  std::optional<Ts> timestamps;
  std::optional<std::uint32_t> timestamp_echo;
  bool sack_permitted = false;
  std::optional<Sack> sack;
  std::uint32_t length = 0;
  std::optional<std::string> text;
  bool no_options = false;
  bool any_length = false;
  std::optional<Duration> left_at;
  std::optional<Ecn> ecn;  ///< of the IP header

  void set(Seq v) { seq = v.value; }
  void set(Ack v) { ack = v.value; }
  void set(Win v) { window = v.value; }
  void set(Urg v) { urgent = v.value; }
  void set(Mss v) { mss = v.value; }
  void set(Wscale v) { window_scale = v.value; }
  void set(SackOk) { sack_permitted = true; }
  void set(Sack v) { sack = std::move(v); }
  void set(Ts v) { timestamps = v; }
  void set(TsEcho v) { timestamp_echo = v.echo; }
  void set(Len v) { length = v.value; }
  void set(Data v) {
    length = static_cast<std::uint32_t>(v.text.size());
    text = std::move(v.text);
  }
  void set(NoOptions) { no_options = true; }
  void set(AnyLength) { any_length = true; }
  void set(LeftAt v) { left_at = v.value; }
  void set(Ecn v) { ecn = v; }
};

template <typename... Properties>
SegmentSpec segment(TcpFlags flags, Properties... properties) {
  SegmentSpec spec;
  spec.flags = flags;
  (spec.set(std::move(properties)), ...);
  return spec;
}

}  // namespace hawser::testing
