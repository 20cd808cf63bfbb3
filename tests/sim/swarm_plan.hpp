// What one seed of the swarm means: a network, two stacks and what the programs on them do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "hawser/impairment.hpp"
#include "hawser/stack.hpp"

namespace hawser::swarm {

/// How a program takes leave of its connection.
enum class Ending : std::uint8_t {
  graceful,     ///< shuts down behind its last byte, reads to the end, closes
  answers,      ///< reads to the end first; then its last bytes, then close
  early_close,  ///< closes after some bytes, whether or not there is more to read
  abort,        ///< aborts after some bytes
};

/// The program at one end of a connection.
struct SidePlan {
  std::uint64_t bytes = 0;        ///< to write
  std::uint32_t write_chunk = 1;  ///< at most, in one call
  std::uint32_t read_chunk = 1;   ///< at most, in one call
  Duration write_gap{};           ///< at most, between two writes; zero: as fast as it goes
  Duration read_gap{};            ///< the same for reads
  Duration first_read{};          ///< reads nothing before this long after the start
  Ending ending = Ending::graceful;
  std::uint64_t leave_after = 0;     ///< bytes written, for early_close and abort
  std::optional<Duration> leave_at;  ///< after the start, whatever was written by then
  double urgent = 0;                 ///< probability that a write is urgent
  TcpSettings settings;
};

struct ConnectionPlan {
  Instant start;
  bool a_connects = true;
  bool simultaneous = false;     ///< both connect, from and to fixed ports
  Duration second_start{};       ///< of the other end of a simultaneous open, after `start`
  std::uint16_t local_port = 0;  ///< of the end that connects; zero: the stack chooses
  SidePlan a;
  SidePlan b;
};

/// What a connection has to be drawn for.
struct Ends {
  const TcpConfig& a;
  const TcpConfig& b;
  bool timeouts_possible = false;
  Duration round_trip{};
};
/// `index` tells it from the others of its plan.
ConnectionPlan draw_connection(Random& random, const Ends& ends, std::uint16_t index);
TcpConfig draw_config(Random& random, bool timeouts_possible);

/// How long as many retransmissions take, each backed off, as make it less than one in 10^10 that
/// all are lost.
Duration time_of_retransmissions(double loss, Duration max_rto);
/// How long both programs may do nothing, one after the other.
Duration longest_pause(const ConnectionPlan& connection);

std::string describe(const Impairment& impairment);
std::string describe(const TcpConfig& config);
std::string describe(const ConnectionPlan& connection);

struct Partition {
  Instant begin;
  Duration length;
};

/// What the path is like from a moment on.
struct PathChange {
  Instant at;
  Impairment a_to_b;
  Impairment b_to_a;
};

struct Plan {
  std::uint64_t seed = 0;
  Family family = Family::ipv4;
  std::uint32_t mtu_a = 1500;
  std::uint32_t mtu_b = 1500;
  Impairment a_to_b;
  Impairment b_to_a;
  TcpConfig tcp_a;
  TcpConfig tcp_b;
  std::uint32_t backlog = 0;
  std::vector<ConnectionPlan> connections;
  std::vector<Partition> partitions;
  std::vector<PathChange> changes;
  /// Keep-alive or user timeouts are short enough to end a connection that only has bad luck.
  bool timeouts_possible = false;

  /// How long the longest of all pauses without progress may be: the time of retransmissions, and
  /// all planned pauses.
  Duration patience() const;
  /// Probability that a frame one way or its answer is lost, while that is likeliest.
  double round_trip_loss() const;
  std::string describe() const;
};

Plan draw_plan(std::uint64_t seed);
/// Longer streams, and what makes the repair of losses hard: bursts, heavy loss, loss of one way
/// only, bunches, wide reordering, closed windows, paths that change or become narrow.
Plan draw_recovery_plan(std::uint64_t seed);

}  // namespace hawser::swarm
