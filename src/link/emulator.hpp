// A bad link between two devices: what arrives at one end leaves at the other, as the same paths
// as in the simulator let it. Without a clock and a loop; its driver is host/link_loop.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/impairment.hpp"
#include "sim/impaired_path.hpp"

namespace hawser::link {

/// Which way: `there` from the first device to the second.
enum class Way : std::uint8_t { there, back };
inline constexpr std::array<Way, 2> kWays = {Way::there, Way::back};

/// A device, and what it knows beyond its frames.
struct EmulatorEnd {
  std::unique_ptr<Device> device;
  /// When the frames of the last read arrived, one for each; not set when nobody knows.
  std::function<std::span<const Instant>()> arrivals{};
};

struct EmulatorConfig {
  std::array<Impairment, 2> impairments{};  ///< by Way
  std::uint64_t seed = 1;                   ///< the same frames at the same times, the same fates
  std::size_t memory_limit = std::size_t{1} << 30;  ///< bytes of frames that are on their way
};

/// Both devices carry frames of an Ethernet, or both carry bare packets.
///
/// A driver that gets the processor late finds many frames at once, which came one after the other:
/// looked at as if all had come now, they would overflow the queue. So what counts is when they
/// arrived, as EmulatorEnd tells; where it tells nothing, they are spread evenly over the time for
/// which the emulator is known to have been late: from the deadline that passed, or from the last
/// turn.
class Emulator {
 public:
  Emulator(EmulatorEnd first, EmulatorEnd second, const EmulatorConfig& config);

  /// Takes what has arrived at both ends and sends what is due. Late and spurious calls are legal.
  void turn(Instant now);
  /// When a frame is due whose device can take it, or a device wants to be asked.
  Instant next_deadline() const;

  /// The device at which frames of that way arrive.
  Device& source(Way way) { return *ends_[index(way)].device; }
  /// Whether frames are taken from it now; else what arrives waits in the device. That is while
  /// the other end is blocked, and when memory has run out.
  bool takes(Way way) const;

  const Impairment& impairment(Way way) const { return directions_[index(way)].path.impairment(); }
  /// For frames that arrive from now on.
  void set_impairment(Way way, const Impairment& impairment) {
    directions_[index(way)].path.set_impairment(impairment);
  }
  const PathCounters& counters(Way way) const { return directions_[index(way)].path.counters(); }
  std::size_t in_flight(Way way) const;
  std::uint64_t seed() const { return seed_; }

 private:
  struct Direction {
    Direction(const Impairment& impairment, Random random, BufferPool& pool, bool ethernet)
        : path(impairment, random, pool, ethernet) {}

    sim::ImpairedPath path;
    std::vector<Packet> leaving{};  // their time has come; the device has yet to take them
  };

  static std::size_t index(Way way) { return static_cast<std::size_t>(way); }
  static Way opposite(Way way) { return way == Way::there ? Way::back : Way::there; }
  void take_in(Way way, Instant from, Instant now);
  void enter(Way way, Instant now, Packet frame, Instant entered);
  void flush(Way way, Instant now);

  BufferPool pool_;  // outlives all that holds packets
  std::size_t memory_limit_;
  std::uint64_t seed_;
  std::array<EmulatorEnd, 2> ends_;
  std::array<Direction, 2> directions_;
  std::vector<Packet> arriving_;  // empty between calls
  Instant last_turn_{};
  Instant was_due_ = kNever;
};

}  // namespace hawser::link
