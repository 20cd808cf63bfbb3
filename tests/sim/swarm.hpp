// The swarm: from a seed it draws a network with faults and programs that use it badly, lets them
// run in virtual time, and checks that TCP kept what it promises.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "hawser/world.hpp"
#include "swarm_plan.hpp"
#include "swarm_side.hpp"

namespace hawser::swarm {

struct Outcome {
  std::uint64_t seed = 0;
  std::string failure;  ///< empty when all checks passed
  std::uint64_t connections = 0;
  std::uint64_t failed_connections = 0;  ///< ended with an error, as they were allowed to
  std::uint64_t bytes = 0;               ///< delivered to programs
  std::uint64_t frames = 0;
  std::uint64_t frames_lost = 0;
  Duration virtual_time{};

  bool ok() const { return failure.empty(); }
};

/// Where a trace goes, line by line; empty: nowhere.
using Trace = std::function<void(const std::string&)>;

/// Runs one seed. The same seed gives the same trace.
Outcome run_seed(std::uint64_t seed, Trace trace = {});

/// Two programs and what lies between them.
struct Connection {
  Connection(Run& run, std::size_t number, const ConnectionPlan& plan, StackId a, StackId b,
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
class Run {
 public:
  Run(Plan plan, Trace trace);

  Outcome operator()();

  World& world() { return world_; }
  const Plan& plan() const { return plan_; }
  void note(const Side& side, const std::string& what);
  /// The first failure counts.
  void fail(const Connection& connection, const std::string& what);
  void progress(Connection& connection) { connection.last_progress = world_.now(); }
  /// Whether the program may see this error, for one of the reasons that the plan gives.
  bool excuses(Connection& connection, const Side& side, Error error) const;
  void bind(const Side& side, SocketHandle handle);

 private:
  StackId add_stack(const TcpConfig& config, std::uint32_t mtu, std::uint8_t number);
  IpAddress address(bool of_a) const;
  void listen(StackId stack, SocketHandle& listener);
  void schedule_connections();
  void schedule_partitions();
  void connect(Connection& connection, bool a_connects);
  void accept_all(bool on_a);
  void on_ready(bool on_a, SocketHandle socket, Ready ready);
  void watch_frames();
  void trace_frame(const FrameSighting& sighting);

  void run_connections();
  void check_progress();
  void check_no_live_lock();
  void wind_down();
  void check_nothing_left();
  Outcome outcome() const;

  Plan plan_;
  Trace trace_;
  World world_;
  StackId a_;
  StackId b_;
  LinkId link_;
  SocketHandle listener_a_;
  SocketHandle listener_b_;
  std::deque<Connection> connections_;
  std::map<std::pair<bool, std::pair<std::uint32_t, std::uint32_t>>, Side*> sides_;
  std::string failure_;
  Duration patience_;
  std::uint64_t frames_ = 0;
  std::uint64_t steps_at_this_instant_ = 0;
};

}  // namespace hawser::swarm
