// The swarm: from a seed it draws a network with faults and programs that use it badly, lets them
// run in virtual time, and checks that TCP kept what it promises.
#pragma once

#include <cstdint>

#include "hawser/world.hpp"
#include "swarm_plan.hpp"
#include "swarm_stage.hpp"

namespace hawser::swarm {

/// Runs one seed. The same seed gives the same trace.
Outcome run_seed(std::uint64_t seed, Trace trace = {});
/// The same for a plan of draw_recovery_plan.
Outcome run_recovery_seed(std::uint64_t seed, Trace trace = {});

/// One seed as it runs.
class Run : public Stage {
 public:
  Run(Plan plan, Trace trace);

  Outcome operator()();
  bool excuses(Connection& connection, const Side& side, Error error) const override;

 private:
  bool excuses_silence(const Connection& connection) const override;
  StackId add_stack(const TcpConfig& config, std::uint32_t mtu, std::uint8_t number);
  IpAddress address(bool of_a) const;
  void listen(StackId stack, SocketHandle& listener);
  void schedule_connections();
  void schedule_partitions();
  void schedule_changes();
  void connect(Connection& connection, bool a_connects);
  void accept_all(bool on_a);
  void on_ready(bool on_a, SocketHandle socket, Ready ready);
  void watch_frames();
  void trace_frame(const FrameSighting& sighting);

  void run_connections();
  void wind_down();
  void check_nothing_left();
  void check_marks();
  Outcome outcome() const;

  Plan plan_;
  StackId a_;
  StackId b_;
  LinkId link_;
  SocketHandle listener_a_;
  SocketHandle listener_b_;
};

}  // namespace hawser::swarm
