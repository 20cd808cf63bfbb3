// A TCP sequence number: 32 bits that wrap, compared modulo 2^32 (RFC 9293 3.4).
#pragma once

#include <cstdint>

namespace hawser {

/// A place in the sequence space. Two numbers compare rightly when less than 2^31 apart.
class SeqNum {
 public:
  constexpr SeqNum() = default;
  constexpr explicit SeqNum(std::uint32_t value) : value_(value) {}

  constexpr std::uint32_t value() const { return value_; }

  constexpr SeqNum& operator+=(std::uint32_t bytes) {
    value_ += bytes;
    return *this;
  }
  constexpr SeqNum& operator-=(std::uint32_t bytes) {
    value_ -= bytes;
    return *this;
  }
  friend constexpr SeqNum operator+(SeqNum a, std::uint32_t bytes) { return a += bytes; }
  friend constexpr SeqNum operator-(SeqNum a, std::uint32_t bytes) { return a -= bytes; }
  /// How far `a` lies ahead of `b`; negative when it lies behind.
  friend constexpr std::int32_t operator-(SeqNum a, SeqNum b) {
    return static_cast<std::int32_t>(a.value_ - b.value_);
  }

  friend constexpr bool operator==(SeqNum, SeqNum) = default;
  friend constexpr bool operator<(SeqNum a, SeqNum b) { return a - b < 0; }
  friend constexpr bool operator>(SeqNum a, SeqNum b) { return a - b > 0; }
  friend constexpr bool operator<=(SeqNum a, SeqNum b) { return a - b <= 0; }
  friend constexpr bool operator>=(SeqNum a, SeqNum b) { return a - b >= 0; }

 private:
  std::uint32_t value_ = 0;
};

constexpr SeqNum max(SeqNum a, SeqNum b) { return a < b ? b : a; }
constexpr SeqNum min(SeqNum a, SeqNum b) { return b < a ? b : a; }

/// How many bytes from `from` up to `to`, which must not lie behind it.
constexpr std::uint32_t distance(SeqNum from, SeqNum to) { return to.value() - from.value(); }

}  // namespace hawser
