// How large a receive buffer is to be that tunes itself: so large that the window never holds up a
// sender which doubles its own in each round trip (dynamic right-sizing, Fisk and Feng 2001).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "hawser/seq_num.hpp"
#include "hawser/time.hpp"

namespace hawser::tcp {

class ReceiveTuning {
 public:
  /// After so long without a measurement what was learned is forgotten.
  static constexpr Duration kForget = std::chrono::seconds(10);
  /// A program that reads less often than this, or than every fourth round trip, is what limits the
  /// connection, and no larger window helps it.
  static constexpr Duration kPause = std::chrono::milliseconds(100);

  bool is_on() const { return size_ != 0; }
  /// Bytes; 0 while it is off.
  std::uint32_t size() const { return size_; }

  /// From a buffer of `size` bytes, of which the program has read up to `read_to`.
  void begin(Instant now, SeqNum read_to, std::uint32_t size) {
    size_ = size;
    measure_from(now, read_to);
  }
  /// The program has read up to `read_to`. What it took in a round trip is to fit twice, and with a
  /// margin; when it does not the size becomes twice what it should be, up to `most`.
  void on_read(Instant now, SeqNum read_to, Duration rtt, std::uint32_t mss, std::uint32_t most) {
    const Duration time = now - began_;
    if (!is_on() || time < rtt) return;
    const std::uint64_t taken = distance(read_, read_to);
    measure_from(now, read_to);
    if (time > std::max(4 * rtt, kPause)) return;
    const std::uint64_t wanted = 2 * taken + std::uint64_t{kMargin} * mss;
    if (wanted <= size_) return;
    size_ = std::max(size_, static_cast<std::uint32_t>(std::min<std::uint64_t>(2 * wanted, most)));
  }
  void forget_if_idle(Instant now) {
    if (now - began_ > kForget) size_ = 0;
  }

 private:
  static constexpr std::uint32_t kMargin = 16;  ///< segments

  void measure_from(Instant now, SeqNum read_to) {
    began_ = now;
    read_ = read_to;
  }

  Instant began_{};  ///< of the measurement
  SeqNum read_;      ///< what had been read then
  std::uint32_t size_ = 0;
};

}  // namespace hawser::tcp
