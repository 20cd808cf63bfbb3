// The course of a seed of the plan "network", from its beginning to its end.
#include <fmt/format.h>

#include <algorithm>

#include "swarm_network.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// Calls `call(from, to, net)` for all pairs of different hosts.
template <typename Call>
void for_each_pair(const NetworkPlan& plan, Call call) {
  for (HostNumber from = 0; from < plan.hosts.size(); ++from) {
    for (HostNumber to = 0; to < plan.hosts.size(); ++to) {
      if (from == to) continue;
      for (const Net net : plan.nets()) call(from, to, net);
    }
  }
}

}  // namespace

void NetworkRun::run_programs() {
  const Instant last = plan_.last_event();
  while (!failed() && (!all_done() || world_.now() < last)) {
    if (!step()) world_.run_for(patience_ + 1s);  // silence: only patience can end
    check_progress();
  }
}

void NetworkRun::heal() {
  forger_.rest();
  liar_.rest();
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    for (const Direction direction : {Direction::a_to_b, Direction::b_to_a}) {
      world_.set_impairment(hosts_[host].link, direction, {.delay = 1ms});
    }
    for (const Net net : plan_.nets()) give_address(host, net);
  }
}

void NetworkRun::wait(Duration span) {
  const Instant until = world_.now() + span;
  while (!failed() && world_.next_deadline() < until) step();
  world_.run_until(until);
}

/// Whatever was done to the hosts, they find each other again.
void NetworkRun::meet_again() {
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    for (const Net net : plan_.nets()) datagrams_.join(host, net);
  }
  // A neighbour is taken to be reachable for 45 s at most; who is used after that is asked within
  // 5 s, and given up 3 s later (RFC 4861 10). A datagram that contradicts itself is kept away for
  // 60 s.
  wait(5s);
  greet();
  wait(50s);
  greet();
  wait(20s);
  greet_all();
  call_nobody();
  connect_all();
  wait(10s);
  datagrams_.check_arrivals();
}

/// A few words to everybody, which make hosts look for each other.
void NetworkRun::greet() {
  for_each_pair(plan_, [&](HostNumber from, HostNumber to, Net net) {
    for (const bool echo : {false, true}) {
      const DatagramPlan greeting{
          .at = world_.now(), .from = from, .to = to, .net = net, .echo = echo, .bytes = 32};
      send(greeting, plan_.has_to_arrive(greeting));
    }
  });
}

/// What has to arrive, in fragments: to everybody, and to the groups, one after the other.
void NetworkRun::greet_all() {
  constexpr std::uint32_t kBytes = 4000;
  const auto tell = [&](HostNumber from, HostNumber to, Net net, bool echo) {
    send({.at = world_.now(), .from = from, .to = to, .net = net, .echo = echo, .bytes = kBytes},
         true);
    wait(20ms);
  };
  for_each_pair(plan_, [&](HostNumber from, HostNumber to, Net net) {
    tell(from, to, net, false);
    tell(from, to, net, true);
    tell(from, kGroup, net, false);
  });
}

/// Who asks for a host that is not there is told so.
void NetworkRun::call_nobody() {
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    for (const Net net : plan_.nets()) {
      datagrams_.send({.at = world_.now(),
                       .from = host,
                       .to = hosts_.size(),
                       .net = net,
                       .echo = true,
                       .bytes = 32},
                      {.arrives = true, .to_nobody = true});
    }
  }
}

/// Listeners hear again when an address comes back.
void NetworkRun::connect_all() {
  meeting_again_ = true;
  std::size_t opened = 0;
  for_each_pair(plan_, [&](HostNumber from, HostNumber to, Net net) {
    Stack& stack = world_.stack(hosts_[from].stack);
    const Endpoint local{NetworkPlan::address(from, net), Port{}};
    const Endpoint remote{NetworkPlan::address(to, net), kListenPort};
    const auto socket = stack.tcp_connect(world_.now(), local, remote);
    if (!socket) return fail("connecting is refused, though all is well again");
    ++opened;
    world_.schedule(world_.now() + 5s, [this, from, socket] {
      (void)world_.stack(hosts_[from].stack).tcp_abort(world_.now(), *socket);
    });
  });
  world_.schedule(world_.now() + 5s, [this, opened] {
    if (met_ == opened) return;
    fail(fmt::format("{} of {} connections come about, though all is well again", met_, opened));
  });
}

void NetworkRun::wind_down() {
  datagrams_.close();
  Duration longest{};
  for (const Host& host : hosts_) {
    Stack& stack = world_.stack(host.stack);
    for (const SocketHandle listener : host.listeners) {
      if (!stack.tcp_close(world_.now(), listener)) fail("closing a listener was refused");
    }
    const TcpConfig& tcp = stack.config().tcp;
    longest = std::max(longest, 2 * tcp.msl + tcp.fin_wait_2_timeout);
  }
  // By then neighbours, groups and paths are forgotten, too, that nobody uses.
  const Instant last = world_.now() + 2 * patience_ + longest + 3h;
  while (!failed() && world_.now() < last && step()) {
  }
}

void NetworkRun::check_nothing_left() {
  for (HostNumber host = 0; host < hosts_.size() && !failed(); ++host) {
    const Stack& stack = world_.stack(hosts_[host].stack);
    const StackCensus c = stack.census();
    if (c.connections + c.listeners + c.syn_received + c.time_wait + c.udp_sockets +
            c.echo_sockets !=
        0) {
      fail(
          fmt::format("left behind on host {}: {} connections, {} listeners, {} in SYN-RECEIVED, "
                      "{} in TIME-WAIT, {} UDP sockets, {} echo sockets",
                      host, c.connections, c.listeners, c.syn_received, c.time_wait, c.udp_sockets,
                      c.echo_sockets));
    } else if (!stack.neighbours(world_.now()).empty()) {
      fail(fmt::format("host {} never forgets its neighbours", host));
    }
  }
  if (!failed()) check_nothing_moves();
}

Outcome NetworkRun::operator()() {
  if (traces()) trace(plan_.describe());
  watch();
  world_.run_for(4s);  // by then every host has made sure that its addresses are its own
  for (HostNumber host = 0; host < hosts_.size(); ++host) listen(host);
  datagrams_.open();
  greet();
  schedule_programs();
  schedule_events();
  run_programs();
  if (!failed()) heal();
  if (!failed()) meet_again();
  if (!failed()) wind_down();
  check_nothing_left();
  return outcome();
}

Outcome NetworkRun::outcome() const {
  Outcome outcome = Stage::outcome(plan_.seed);
  outcome.datagrams = datagrams_.sent();
  outcome.datagrams_arrived = datagrams_.arrived();
  outcome.bytes += datagrams_.bytes();
  outcome.forged = forger_.forged();
  for (const Host& host : hosts_) {
    for (const Direction direction : {Direction::a_to_b, Direction::b_to_a}) {
      const PathCounters& counters = world_.counters(host.link, direction);
      outcome.frames_lost += counters.frames - counters.of(FrameFate::delivered);
    }
  }
  return outcome;
}

Outcome run_network_seed(std::uint64_t seed, Trace trace) {
  return NetworkRun(draw_network_plan(seed), std::move(trace))();
}

}  // namespace hawser::swarm
