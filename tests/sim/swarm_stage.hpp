// What every kind of seed has in common: a world, connections between programs on its stacks, one
// first failure, a trace, and the checks of each step.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "hawser/world.hpp"
#include "swarm_plan.hpp"
#include "swarm_side.hpp"

namespace hawser::swarm {

/// Of all listeners.
inline constexpr Port kListenPort{80};

struct Outcome {
  std::uint64_t seed = 0;
  std::string failure;  ///< empty when all checks passed
  std::uint64_t connections = 0;
  std::uint64_t failed_connections = 0;  ///< ended with an error, as they were allowed to
  std::uint64_t datagrams = 0;           ///< and echo requests
  std::uint64_t datagrams_arrived = 0;   ///< and echoes
  std::uint64_t forged = 0;              ///< fragments
  std::uint64_t bytes = 0;               ///< delivered to programs
  std::uint64_t frames = 0;
  std::uint64_t frames_lost = 0;
  Duration virtual_time{};

  bool ok() const { return failure.empty(); }
};

/// Where a trace goes, line by line; empty: nowhere.
using Trace = std::function<void(const std::string&)>;

/// Two programs and what lies between them.
struct Connection {
  Connection(Stage& stage, std::size_t number, const ConnectionPlan& plan, StackId a, StackId b,
             std::uint64_t seed);

  const ConnectionPlan& plan;
  std::size_t number;
  Side a;
  Side b;
  Endpoint opener;  ///< local endpoint of the end that connected
  Instant last_progress;

  Side& other(const Side& side) { return &side == &a ? b : a; }
  bool done() const { return a.done() && b.done(); }
};

/// One seed as it runs.
class Stage {
 public:
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  World& world() { return world_; }
  void note(const Side& side, const std::string& what);
  /// Notes what `text` gives, which is not asked when nobody reads it.
  template <typename Text>
  void note(Text text) {
    if (traces()) trace(stamp() + text());
  }
  /// The first failure counts.
  void fail(const std::string& what);
  void fail(const Connection& connection, const std::string& what);
  void progress(Connection& connection) { connection.last_progress = world_.now(); }
  /// Whether the program may see this error, for one of the reasons that the plan gives.
  virtual bool excuses(Connection& connection, const Side& side, Error error) const = 0;
  void bind(const Side& side, SocketHandle handle);

 protected:
  /// `pool` bounds the bytes of memory that all stacks and links hold together.
  Stage(std::uint64_t seed, Duration patience, Trace trace,
        std::size_t pool = std::size_t{1} << 30);

  /// Whether nobody need wonder that a connection stands still.
  virtual bool excuses_silence(const Connection& connection) const = 0;
  /// Whether a segment can leave whenever a timer wants it to.
  virtual bool has_memory_to_send() const { return true; }
  bool traces() const { return static_cast<bool>(trace_); }
  void trace(const std::string& line) {
    if (trace_) trace_(line);
  }
  double milliseconds() const;
  /// The time, as a line of the trace begins.
  std::string stamp() const;
  bool failed() const { return !failure_.empty(); }

  void connect(Connection& connection, bool a_connects, const Endpoint& local,
               const Endpoint& remote);
  /// A connection that came to a listener begins at the end that it is for.
  void begin_accepted(Connection& connection, Side& side, SocketHandle handle);
  /// To the program that has the socket, if there is one.
  void tell(StackId stack, SocketHandle socket, Ready ready);

  bool all_done() const;
  /// One step of the world, which is checked for live-lock and missed deadlines. False when nothing
  /// will ever happen.
  bool step();
  /// At the end: no frame, no memory and no timer is left.
  void check_nothing_moves();
  void check_progress();
  Outcome outcome(std::uint64_t seed) const;

  World world_;
  Duration patience_;
  std::deque<Connection> connections_;
  std::uint64_t frames_ = 0;

 private:
  void check_no_live_lock();

  Trace trace_;
  std::map<std::tuple<StackId, std::uint32_t, std::uint32_t>, Side*> sides_;
  std::string failure_;
  std::uint64_t steps_at_this_instant_ = 0;
};

}  // namespace hawser::swarm
