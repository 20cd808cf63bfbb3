// The plan "network" of the swarm: hosts of both families on an Ethernet, with TCP, datagrams in
// fragments and echoes between them, while neighbours, addresses and fragments are lost and lied
// about. What arrives is right, what fails has its reason, and in the end nothing is left.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hawser/world.hpp"
#include "swarm_datagrams.hpp"
#include "swarm_forger.hpp"
#include "swarm_liar.hpp"
#include "swarm_network_plan.hpp"
#include "swarm_stage.hpp"

namespace hawser::swarm {

/// Runs one seed. The same seed gives the same trace.
Outcome run_network_seed(std::uint64_t seed, Trace trace = {});

/// One seed as it runs.
class NetworkRun : public Stage {
 public:
  NetworkRun(NetworkPlan plan, Trace trace);

  Outcome operator()();
  bool excuses(Connection& connection, const Side& side, Error error) const override;

 private:
  struct Host {
    StackId stack{};
    LinkId link{};
    std::vector<SocketHandle> listeners;
    std::array<bool, kNets> lost_address{};  ///< of each net, at least once
  };

  bool excuses_silence(const Connection& connection) const override;
  bool has_memory_to_send() const override { return !plan_.is_short_of_memory(); }
  std::vector<Host> add_hosts();
  std::vector<StackId> stacks() const;
  std::vector<Target> targets() const;
  const NetworkConnectionPlan& plan_of(const Connection& connection) const;
  bool lost_an_address(const Connection& connection) const;
  bool has_address(HostNumber host, Net net) const;

  // what happens
  void listen(HostNumber host);
  void schedule_programs();
  void schedule_events();
  void schedule_address_loss(const AddressLoss& loss);
  void connect(Connection& connection, bool a_connects);
  void accept_all(HostNumber host, SocketHandle listener);
  void on_ready(HostNumber host, SocketHandle socket, Ready ready);
  void send(const DatagramPlan& planned, bool must_arrive);
  void lose_address(HostNumber host, Net net);
  void let_address_expire(const AddressLoss& loss);
  void check_connections_end(HostNumber host, Net net);
  void give_address(HostNumber host, Net net);
  void watch();
  void show_to_hostile(HostNumber sender, const Packet& frame);

  // from beginning to end
  void run_programs();
  void heal();
  void meet_again();
  void wait(Duration span);
  void greet();
  void greet_all();
  void call_nobody();
  void connect_all();
  void wind_down();
  void check_nothing_left();
  Outcome outcome() const;

  NetworkPlan plan_;
  SwitchId switch_;
  std::vector<Host> hosts_;
  Datagrams datagrams_;
  Forger forger_;
  Liar liar_;
  bool meeting_again_ = false;
  std::size_t met_ = 0;  ///< connections accepted meanwhile
};

}  // namespace hawser::swarm
