#include "swarm_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// More steps at one instant than any honest exchange on links without delay takes.
constexpr std::uint64_t kStepsAtOneInstant = 200'000;

}  // namespace

Connection::Connection(Stage& stage, std::size_t index, const ConnectionPlan& planned,
                       StackId stack_a, StackId stack_b, std::uint64_t seed)
    : plan(planned),
      number(index),
      a(stage, *this, planned.a, stack_a, true, seed),
      b(stage, *this, planned.b, stack_b, false, ~seed),
      last_progress(planned.start) {}

Stage::Stage(std::uint64_t seed, Duration patience, Trace trace, std::size_t pool)
    : world_(seed, pool), patience_(patience), trace_(std::move(trace)) {}

double Stage::milliseconds() const {
  return static_cast<double>(world_.now().time_since_epoch().count()) / 1e6;
}

std::string Stage::stamp() const { return fmt::format("{:12.3f} ", milliseconds()); }

void Stage::note(const Side& side, const std::string& what) {
  if (traces()) trace(fmt::format("{}{} {}", stamp(), side.describe(), what));
}

void Stage::fail(const std::string& what) {
  if (failed()) return;
  failure_ = what;
  trace("FAILED: " + failure_);
}

void Stage::fail(const Connection& connection, const std::string& what) {
  fail(fmt::format("connection #{} at {:.3f} ms: {}", connection.number, milliseconds(), what));
}

void Stage::bind(const Side& side, SocketHandle handle) {
  sides_[{side.stack(), handle.index, handle.generation}] = const_cast<Side*>(&side);
}

void Stage::connect(Connection& connection, bool a_connects, const Endpoint& local,
                    const Endpoint& remote) {
  Side& side = a_connects ? connection.a : connection.b;
  const SidePlan& planned = a_connects ? connection.plan.a : connection.plan.b;
  Stack& stack = world_.stack(side.stack());
  const auto handle = stack.tcp_connect(world_.now(), local, remote, &planned.settings);
  if (!handle) return side.fail_to_open(handle.error());
  connection.opener = stack.tcp_info(*handle)->local;
  side.begin(*handle);
}

void Stage::begin_accepted(Connection& connection, Side& side, SocketHandle handle) {
  const SidePlan& planned = &side == &connection.a ? connection.plan.a : connection.plan.b;
  if (side.begun()) return fail(connection, "accepted a second time");
  Stack& stack = world_.stack(side.stack());
  if (!stack.tcp_set_settings(world_.now(), handle, planned.settings)) {
    return fail(connection, "settings refused");
  }
  side.begin(handle);
}

void Stage::tell(StackId stack, SocketHandle socket, Ready ready) {
  const auto found = sides_.find({stack, socket.index, socket.generation});
  if (found != sides_.end()) found->second->on_ready(ready);
}

bool Stage::all_done() const {
  return std::ranges::all_of(connections_, [](const Connection& c) { return c.done(); });
}

void Stage::check_nothing_moves() {
  if (world_.in_flight() != 0) {
    fail(fmt::format("{} frames are still exchanged", world_.in_flight()));
  } else if (world_.pool().bytes_in_use() != 0) {
    fail(fmt::format("{} bytes of memory did not come back", world_.pool().bytes_in_use()));
  } else if (world_.next_deadline() != kNever) {
    fail("a deadline is left though there is nothing to do");
  }
}

void Stage::check_progress() {
  for (Connection& connection : connections_) {
    if (has_memory_to_send()) {
      connection.a.check_not_silent();
      connection.b.check_not_silent();
    }
    if (connection.done() || world_.now() - connection.last_progress <= patience_) continue;
    if (!excuses_silence(connection)) {
      return fail(
          connection,
          fmt::format("no progress for {} s, which no retransmission explains\n    {}\n    {}",
                      patience_ / 1s, connection.a.describe(), connection.b.describe()));
    }
    connection.a.abandon();
    connection.b.abandon();
  }
}

bool Stage::step() {
  const Instant before = world_.now();
  const bool stepped = world_.step();
  steps_at_this_instant_ = world_.now() == before ? steps_at_this_instant_ + 1 : 0;
  check_no_live_lock();
  return stepped;
}

void Stage::check_no_live_lock() {
  if (steps_at_this_instant_ > kStepsAtOneInstant) {
    fail(fmt::format("live-lock: {} steps at {:.3f} ms", steps_at_this_instant_, milliseconds()));
  }
  if (world_.stuck_deadlines() != 0) {
    fail(fmt::format("a deadline in the past at {:.3f} ms", milliseconds()));
  }
}

Outcome Stage::outcome(std::uint64_t seed) const {
  Outcome outcome;
  outcome.seed = seed;
  outcome.failure = failure_;
  outcome.connections = connections_.size();
  for (const Connection& connection : connections_) {
    outcome.bytes += connection.a.received() + connection.b.received();
    if (connection.a.error() || connection.b.error()) ++outcome.failed_connections;
  }
  outcome.frames = frames_;
  outcome.virtual_time = world_.now().time_since_epoch();
  return outcome;
}

}  // namespace hawser::swarm
