// Randomness from a seed: a fast generator for choices, a keyed hash for what outsiders must not
// guess.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser {

/// xoshiro256++ by Blackman and Vigna, seeded through splitmix64. Same seed, same numbers. Not for
/// secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, bound); `bound` must not be zero.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  /// True with probability `p`.
  bool chance(double p) { return unit() < p; }
  /// A generator of its own, so that one user's draws do not shift another's.
  Random fork() { return Random(next()); }

 private:
  std::array<std::uint64_t, 4> state_;
};

/// SipHash-2-4 by Aumasson and Bernstein under a 128-bit key: what RFC 6528 and RFC 4987 need a PRF
/// for.
class KeyedHash {
 public:
  explicit KeyedHash(Random& random) : key_{random.next(), random.next()} {}
  KeyedHash(std::uint64_t k0, std::uint64_t k1) : key_{k0, k1} {}

  std::uint64_t operator()(std::span<const std::byte> data) const;

 private:
  std::array<std::uint64_t, 2> key_;
};

}  // namespace hawser
