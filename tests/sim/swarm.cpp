#include "swarm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "swarm_trace.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// A backlog that the connections of a plan do not fill.
constexpr std::uint32_t kNoCookies = 64;

}  // namespace

Run::Run(Plan drawn, Trace trace)
    : Stage(drawn.seed, drawn.patience(), std::move(trace)),
      plan_(std::move(drawn)),
      a_(add_stack(plan_.tcp_a, plan_.mtu_a, 1)),
      b_(add_stack(plan_.tcp_b, plan_.mtu_b, 2)),
      link_(world_.connect({a_, {}}, {b_, {}}, plan_.a_to_b, plan_.b_to_a)) {}

IpAddress Run::address(bool of_a) const {
  const std::uint8_t number = of_a ? 1 : 2;
  if (plan_.family == Family::ipv4) return IpAddress::v4(10, 0, 0, number);
  return IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number});
}

StackId Run::add_stack(const TcpConfig& config, std::uint32_t mtu, std::uint8_t number) {
  StackConfig stack;
  const std::uint8_t length = plan_.family == Family::ipv4 ? 24 : 64;
  stack.interfaces.push_back({"link", mtu, {Prefix{address(number == 1), length}}});
  stack.tcp = config;
  return world_.add_stack(std::move(stack));
}

bool Run::excuses(Connection& connection, const Side& side, Error error) const {
  const Side& peer = connection.other(side);
  if (peer.left_early()) return true;
  switch (error) {
    case Error::timed_out:
      return plan_.timeouts_possible;
    case Error::connection_refused:
      return connection.plan.simultaneous;
    case Error::connection_reset:
    case Error::broken_pipe: {
      // The listener forgot a handshake whose last ACK never came, or the other end gave up but
      // its program, which still has something to read, does not know yet.
      if (!peer.begun() || plan_.timeouts_possible) return true;
      // The peer had everything, closed, and its TIME-WAIT is over: a late segment is refused.
      const Duration msl = std::min(plan_.tcp_a.msl, plan_.tcp_b.msl);
      return peer.closed_at() && *peer.closed_at() + 2 * msl <= world_.now();
    }
    default:
      return false;
  }
}

bool Run::excuses_silence(const Connection& connection) const {
  return plan_.timeouts_possible || connection.a.left_early() || connection.b.left_early();
}

void Run::listen(StackId stack, SocketHandle& listener) {
  const bool on_a = stack == a_;
  const auto result = world_.stack(stack).tcp_listen({address(on_a), kListenPort}, plan_.backlog);
  if (!result) return fail("listen failed");
  listener = *result;
  world_.on_ready(
      stack, [this, on_a](SocketHandle socket, Ready ready) { on_ready(on_a, socket, ready); });
}

void Run::schedule_connections() {
  Random random(plan_.seed ^ 0x5eed);
  for (const ConnectionPlan& planned : plan_.connections) {
    Connection& connection =
        connections_.emplace_back(*this, connections_.size(), planned, a_, b_, random.next());
    const bool first = planned.a_connects;
    world_.schedule(planned.start, [this, &connection, first] { connect(connection, first); });
    if (!planned.simultaneous) continue;
    world_.schedule(planned.start + planned.second_start,
                    [this, &connection, first] { connect(connection, !first); });
  }
}

void Run::schedule_partitions() {
  for (const Partition& partition : plan_.partitions) {
    world_.schedule(partition.begin, [this] { world_.set_partitioned(link_, true); });
    world_.schedule(partition.begin + partition.length,
                    [this] { world_.set_partitioned(link_, false); });
  }
}

void Run::schedule_changes() {
  const auto change = [this](Direction direction, Impairment to) {
    to.partitioned = world_.impairment(link_, direction).partitioned;
    world_.set_impairment(link_, direction, to);
  };
  for (const PathChange& planned : plan_.changes) {
    world_.schedule(planned.at, [change, &planned] {
      change(Direction::a_to_b, planned.a_to_b);
      change(Direction::b_to_a, planned.b_to_a);
    });
  }
}

void Run::connect(Connection& connection, bool a_connects) {
  const Port fixed{connection.plan.local_port};
  const Port port = connection.plan.simultaneous ? fixed : kListenPort;
  Stage::connect(connection, a_connects, {address(a_connects), fixed},
                 {address(!a_connects), port});
}

void Run::accept_all(bool on_a) {
  Stack& stack = world_.stack(on_a ? a_ : b_);
  while (const auto handle = stack.tcp_accept(on_a ? listener_a_ : listener_b_)) {
    const Endpoint remote = stack.tcp_info(*handle)->remote;
    const auto found = std::ranges::find_if(connections_, [&](const Connection& connection) {
      return connection.opener == remote && !connection.plan.simultaneous;
    });
    if (found == connections_.end()) {
      return fail("accepted a connection from nobody: " + remote.to_string());
    }
    Side& side = on_a ? found->a : found->b;
    if (side.begun() && side.done() && plan_.backlog < kNoCookies) {
      // What the client repeats proves its SYN cookie again, when the reset that told it of the end
      // was lost (RFC 4987 3.6).
      (void)stack.tcp_abort(world_.now(), *handle);
      continue;
    }
    begin_accepted(*found, side, *handle);
  }
}

void Run::on_ready(bool on_a, SocketHandle socket, Ready ready) {
  if (socket == (on_a ? listener_a_ : listener_b_)) return accept_all(on_a);
  tell(on_a ? a_ : b_, socket, ready);
}

void Run::watch_frames() {
  world_.on_frame([this](const FrameSighting& sighting) {
    if (sighting.where == FrameSighting::Where::sent) ++frames_;
    if (traces()) trace_frame(sighting);
  });
  if (!traces()) return;
  for (const StackId id : {a_, b_}) {
    world_.on_event(id, [this, id](const Event& event) {
      const std::string text = describe(event);
      if (text.empty()) return;
      trace(fmt::format("{:12.3f} {} {}", in_milliseconds(event.at), id == a_ ? "a" : "b", text));
    });
  }
}

void Run::trace_frame(const FrameSighting& sighting) {
  const bool from_a = sighting.direction == Direction::a_to_b;
  const bool sent = sighting.where == FrameSighting::Where::sent;
  trace(fmt::format("{:12.3f} {} {}{}{}", in_milliseconds(sighting.at), from_a ? "a->b" : "a<-b",
                    sent ? "send " : "     arrive ", describe_packet(sighting.frame),
                    describe(sighting.verdict)));
}

void Run::run_connections() {
  while (!failed() && !all_done()) {
    if (!step()) world_.run_for(patience_ + 1s);  // silence: only patience can end
    check_progress();
  }
}

void Run::wind_down() {
  for (const bool on_a : {true, false}) {
    const auto closed =
        world_.stack(on_a ? a_ : b_).tcp_close(world_.now(), on_a ? listener_a_ : listener_b_);
    if (!closed) fail("closing a listener was refused");
  }
  const Duration msl = std::max(plan_.tcp_a.msl, plan_.tcp_b.msl);
  const Instant last = world_.now() + 2 * patience_ + 2 * msl + plan_.tcp_a.fin_wait_2_timeout;
  const auto empty = [](const StackCensus& census) {
    return census.connections + census.syn_received + census.time_wait == 0;
  };
  while (!failed() && world_.now() < last) {
    const bool over = empty(world_.stack(a_).census()) && empty(world_.stack(b_).census());
    if (over && world_.in_flight() == 0) return;
    if (!step()) return;
  }
}

void Run::check_nothing_left() {
  if (failed()) return;
  for (const bool on_a : {true, false}) {
    const StackCensus census = world_.stack(on_a ? a_ : b_).census();
    if (census.connections + census.listeners + census.syn_received + census.time_wait == 0)
      continue;
    return fail(
        fmt::format("left behind on {}: {} connections, {} listeners, {} in SYN-RECEIVED, {} "
                    "in TIME-WAIT",
                    on_a ? 'a' : 'b', census.connections, census.listeners, census.syn_received,
                    census.time_wait));
  }
  check_nothing_moves();
}

/// Who was never marked tells of no mark, and who was told of one slows down for it once, unless
/// the segment is lost by which the peer would learn that.
void Run::check_marks() {
  const auto may_mark = [](const Impairment& path) {
    // The ECN field of IPv6 is in no checksum.
    return path.mark > 0 || path.mark_above != 0 || path.corrupt > 0;
  };
  bool possible = may_mark(plan_.a_to_b) || may_mark(plan_.b_to_a);
  for (const PathChange& change : plan_.changes) {
    possible = possible || may_mark(change.a_to_b) || may_mark(change.b_to_a);
  }
  const StackCounters& a = world_.stack(a_).counters();
  const StackCounters& b = world_.stack(b_).counters();
  if (!possible && a.marks_received + b.marks_received != 0) fail("marks came from nowhere");
  for (const auto& [sender, receiver] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (sender->mark_reductions > receiver->marks_received + sender->retransmits) {
      fail(fmt::format("the window was reduced {} times for {} marks", sender->mark_reductions,
                       receiver->marks_received));
    }
  }
}

Outcome Run::operator()() {
  if (traces()) trace(plan_.describe());
  watch_frames();
  listen(a_, listener_a_);
  listen(b_, listener_b_);
  schedule_connections();
  schedule_partitions();
  schedule_changes();
  run_connections();
  wind_down();
  // Pauses of programs that have left may still be scheduled.
  if (!failed()) world_.run_for(60s + patience_);
  check_nothing_left();
  check_marks();
  return outcome();
}

Outcome Run::outcome() const {
  Outcome outcome = Stage::outcome(plan_.seed);
  for (const Direction direction : {Direction::a_to_b, Direction::b_to_a}) {
    const PathCounters& counters = world_.counters(link_, direction);
    outcome.frames_lost += counters.frames - counters.of(FrameFate::delivered);
  }
  return outcome;
}

Outcome run_seed(std::uint64_t seed, Trace trace) {
  return Run(draw_plan(seed), std::move(trace))();
}

Outcome run_recovery_seed(std::uint64_t seed, Trace trace) {
  return Run(draw_recovery_plan(seed), std::move(trace))();
}

}  // namespace hawser::swarm
