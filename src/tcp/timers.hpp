// The deadlines of one connection, but for keep-alive (extra.hpp) and the probes of what is in
// flight (recovery/flight.hpp). Re-arming is a store; the stack
// asks for the earliest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "hawser/time.hpp"

namespace hawser::tcp {

/// Timers that never run together share a slot.
enum class TimerSlot : std::uint8_t {
  retransmit,  ///< or persist: nothing to retransmit then; or the end of FIN-WAIT-2, likewise
  delayed_ack,
  count_,
};

class Timers {
 public:
  Timers() { deadlines_.fill(kNever); }

  void set(TimerSlot slot, Instant at) { deadlines_[index(slot)] = at; }
  void clear(TimerSlot slot) { deadlines_[index(slot)] = kNever; }
  void clear_all() { deadlines_.fill(kNever); }
  Instant at(TimerSlot slot) const { return deadlines_[index(slot)]; }
  bool is_set(TimerSlot slot) const { return at(slot) != kNever; }
  Instant earliest() const { return std::ranges::min(deadlines_); }

  /// Clears the slot and returns true when its deadline has come.
  bool take_expired(TimerSlot slot, Instant now) {
    if (deadlines_[index(slot)] > now) return false;
    clear(slot);
    return true;
  }

 private:
  static std::size_t index(TimerSlot slot) { return static_cast<std::size_t>(slot); }

  std::array<Instant, static_cast<std::size_t>(TimerSlot::count_)> deadlines_;
};

}  // namespace hawser::tcp
