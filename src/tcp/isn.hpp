// Initial sequence numbers and initial timestamps (RFC 6528 3, RFC 9293 3.4.1, RFC 7323 5.4, 7.1).
#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "hawser/seq_num.hpp"
#include "hawser/time.hpp"
#include "tcp/tuple.hpp"

namespace hawser::tcp {

/// The clock of our timestamps before the offset of a connection: one tick a millisecond
/// (RFC7323-5.4).
constexpr std::uint32_t timestamp_clock(Instant now) {
  return static_cast<std::uint32_t>(now.time_since_epoch() / std::chrono::milliseconds(1));
}

/// The numbers with which a connection starts: for one tuple they move with the clock, so that an
/// old incarnation's segments lie behind; between tuples they tell outsiders nothing.
class InitialNumbers {
 public:
  explicit InitialNumbers(Random& random) : isn_(random), timestamp_(random) {}

  /// M + F(tuple, secret), where M ticks every 4 microseconds (RFC9293-MUST-8, RFC9293-MUST-9,
  /// RFC9293-SHLD-1).
  SeqNum sequence(Instant now, const Tuple& tuple) const;
  /// What is added to the clock of the timestamps of a connection.
  std::uint32_t timestamp_offset(const Tuple& tuple) const;

 private:
  KeyedHash isn_;
  KeyedHash timestamp_;
};

}  // namespace hawser::tcp
