// How plans draw what they are made of.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/random.hpp"
#include "hawser/impairment.hpp"
#include "hawser/time.hpp"

namespace hawser::swarm {

template <typename T, std::size_t N>
T one_of(Random& random, const std::array<T, N>& choices) {
  return choices[random.below(N)];
}

/// Even in the logarithm, so that small and large are drawn alike; at least 1.
inline std::uint64_t log_uniform(Random& random, std::uint64_t most) {
  const double exponent = random.unit() * std::log(static_cast<double>(most));
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::exp(exponent)), 1, most);
}

inline Duration up_to(Random& random, Duration most) {
  return Duration(
      static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

/// Whether and when a path marks rather than loses.
inline void draw_marks(Random& random, Impairment& path) {
  if (random.chance(0.4)) path.mark = one_of(random, std::array{0.01, 0.1, 0.5, 1.0});
  if (random.chance(0.3)) path.mark_above = 3000 + random.below(30'000);
}

}  // namespace hawser::swarm
