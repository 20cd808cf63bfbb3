// How plans draw what they are made of.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/random.hpp"
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

}  // namespace hawser::swarm
