// What one measurement of loss recovery is made of: a path, what it does to frames, and the flows
// that cross it. Each has a name by which files and people refer to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/impairment.hpp"
#include "hawser/time.hpp"

namespace hawser::recovery {

/// Payload of a full segment with timestamps on a link with an MTU of 1500, bytes.
inline constexpr double kSegmentPayload = 1448;
inline constexpr double kMtu = 1500;

/// For how long a cell runs: 200 of the longest round trips.
inline constexpr Duration kSpan = std::chrono::seconds(60);

/// How the path loses frames, all at the same mean rate.
enum class Kind : std::uint8_t {
  random,   ///< each for itself
  burst,    ///< runs of four on average (the model of Gilbert)
  reorder,  ///< each for itself; besides, 5 % of the frames are held back and overtaken
};
std::string_view to_string(Kind kind);

struct Cell {
  std::uint64_t rate = 100'000'000;  ///< of the bottleneck, bits a second
  Duration rtt = std::chrono::milliseconds(20);
  double loss = 0;  ///< of data; acknowledgments are never lost
  Kind kind = Kind::random;
  std::vector<std::string> algorithms = {"cubic"};  ///< of congestion control, flows in turn
  std::uint32_t flows = 1;

  /// "100mbit 20ms 1% random cubic"; of several flows "100mbit 20ms 0% random cubic+reno x8".
  std::string name() const;
  /// Bytes on their way when the path is full.
  double bandwidth_delay_product() const;
  /// Bytes that may wait for the bottleneck: one bandwidth-delay product, at least 20 packets.
  std::uint64_t queue() const;
  /// What the data meet.
  Impairment data_path() const;
  /// What the acknowledgments meet: the other half of the round-trip time. Several flows find it
  /// to vary a little, or they would stay in step as no real flows do.
  Impairment ack_path() const;

  /// Bits of payload that the bottleneck carries in a second, beside the headers.
  double capacity() const;
  /// Bits a second that one flow is expected to get, unset where no formula is for it: losses that
  /// are not independent, several flows, other algorithms. It is the average window of Reno,
  /// sqrt(3/2) / sqrt(p) segments (Mathis et al., "The Macroscopic Behavior of the TCP Congestion
  /// Avoidance Algorithm", 1997; RFC 3649 1), and for CUBIC that of RFC 9438 5.1 if it is larger,
  /// in each round-trip time, up to the capacity. Neither knows timeouts, which are the rule above
  /// some percent of loss.
  std::optional<double> expected() const;
};

/// Reads a name; the order of the words is free, and those that are missing have defaults.
Parsed<Cell> parse_cell(std::string_view name);

/// Those of our algorithms that this version of the library has.
std::vector<std::string> known_algorithms();
/// Everything that is measured, in the order in which it is shown.
std::vector<Cell> all_cells();

}  // namespace hawser::recovery
