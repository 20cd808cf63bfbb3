// Points and spans of time as the core sees them: the driver says what time it is.
#pragma once

#include <chrono>
#include <cstdint>

namespace hawser {

/// A span of time in nanoseconds. The literals of std::chrono (`20ms`) make one.
using Duration = std::chrono::nanoseconds;

/// The clock of the core: it has a type but no `now()`, since the core never reads a clock.
struct CoreClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<CoreClock>;
  static constexpr bool is_steady = true;
};

/// A point in time, in nanoseconds since an epoch that the driver chose.
using Instant = CoreClock::time_point;

/// The deadline of something that waits for no time.
inline constexpr Instant kNever = Instant::max();

}  // namespace hawser
