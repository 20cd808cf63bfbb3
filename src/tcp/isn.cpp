#include "tcp/isn.hpp"

#include <span>

namespace hawser::tcp {

namespace {

std::uint32_t hash_of(const KeyedHash& hash, const Tuple& tuple) {
  return static_cast<std::uint32_t>(hash(std::as_bytes(std::span(&tuple, 1))));
}

}  // namespace

SeqNum InitialNumbers::sequence(Instant now, const Tuple& tuple) const {
  const auto ticks = now.time_since_epoch() / std::chrono::microseconds(4);
  return SeqNum(hash_of(isn_, tuple) + static_cast<std::uint32_t>(ticks));
}

std::uint32_t InitialNumbers::timestamp_offset(const Tuple& tuple) const {
  return hash_of(timestamp_, tuple);
}

}  // namespace hawser::tcp
