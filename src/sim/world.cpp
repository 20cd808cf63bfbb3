#include "hawser/world.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "sim/bottleneck.hpp"
#include "sim/impaired_path.hpp"
#include "sim/learning_switch.hpp"

namespace hawser {

namespace {

constexpr std::size_t index_of(StackId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index_of(LinkId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index_of(SwitchId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index_of(InterfaceId id) { return static_cast<std::size_t>(id); }
constexpr std::size_t index_of(Direction direction) { return static_cast<std::size_t>(direction); }

}  // namespace

class World::Impl {
 public:
  Impl(std::uint64_t seed, std::size_t pool_limit) : pool(pool_limit), random(seed) {}

  struct Outlet {
    LinkId link{};
    Direction direction{};
  };

  struct Host {
    Host(StackConfig config, BufferPool& memory)
        : outlets(config.interfaces.size()), stack(std::move(config), memory) {}

    std::vector<std::optional<Outlet>> outlets;  // by interface
    EventBuffer events;
    ReadyHandler ready_handler;
    EventHandler event_handler;
    bool touched = true;  // may have something to put out
    Stack stack;
  };

  struct Switch {
    explicit Switch(const SwitchConfig& config) : table(config) {}

    sim::LearningSwitch table;
    std::vector<Outlet> ports;
  };
  struct SwitchPort {
    SwitchId id{};
    std::uint32_t port = 0;
  };
  using End = std::variant<Attachment, SwitchPort>;

  struct Path {
    sim::ImpairedPath impaired;
    End destination;
    LinkId link{};
    Direction direction{};
    bool ethernet = false;
  };

  struct Scheduled {
    Instant when;
    std::uint64_t order;
    Call call;
  };
  struct Later {
    bool operator()(const Scheduled& a, const Scheduled& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  Path& path(LinkId link, Direction direction) {
    return paths[2 * index_of(link) + index_of(direction)];
  }
  Host& host(StackId id) { return hosts[index_of(id)]; }

  LinkId add_link(const End& a, const End& b, const Impairment& a_to_b, const Impairment& b_to_a) {
    const LinkId link{static_cast<std::uint32_t>(paths.size() / 2)};
    add_path({link, Direction::a_to_b}, a, b, a_to_b);
    add_path({link, Direction::b_to_a}, b, a, b_to_a);
    return link;
  }
  void add_path(const Outlet& outlet, const End& from, const End& to,
                const Impairment& impairment) {
    const bool ethernet = is_ethernet(from);
    paths.push_back({sim::ImpairedPath(impairment, random.fork(), pool, ethernet), to, outlet.link,
                     outlet.direction, ethernet});
    if (const auto* attachment = std::get_if<Attachment>(&from)) {
      host(attachment->stack).outlets[index_of(attachment->interface)] = outlet;
    } else {
      const auto& [id, port] = std::get<SwitchPort>(from);
      switches[index_of(id)].ports[port] = outlet;
    }
  }
  bool is_ethernet(const End& end) {
    const auto* attachment = std::get_if<Attachment>(&end);
    if (attachment == nullptr) return true;
    const auto& interfaces = host(attachment->stack).stack.config().interfaces;
    return interfaces[index_of(attachment->interface)].mac.has_value();
  }
  End new_port(SwitchId id) {
    std::vector<Outlet>& ports = switches[index_of(id)].ports;
    ports.emplace_back();
    return SwitchPort{id, static_cast<std::uint32_t>(ports.size() - 1)};
  }

  Instant next_deadline() const;
  void call_scheduled();
  void deliver(Path& path);
  void pass_on(const SwitchPort& entry, Packet frame);
  void fire_timers(Host& host);
  void settle();
  void take_frames(Host& host);
  void take_outputs(Host& host);
  void hand_over_events(Host& host);
  void send(const Outlet& outlet, Packet frame);
  void send_through(Path& way, Packet frame);
  void send_around(Path& way, const Packet& frame);

  BufferPool pool;  // outlives all that holds packets
  Random random;
  std::deque<Host> hosts;  // a reference to a host stays good when more are added
  std::vector<Switch> switches;
  std::vector<Path> paths;
  std::vector<Scheduled> scheduled;  // a heap, the earliest first
  std::uint64_t next_order = 0;
  FrameTap tap;
  std::vector<Packet> batch;
  Instant now{};
  std::uint64_t steps = 0;
  std::uint64_t stuck_deadlines = 0;
};

Instant World::Impl::next_deadline() const {
  Instant next = scheduled.empty() ? kNever : scheduled.front().when;
  for (const Path& path : paths) next = std::min(next, path.impaired.next_deadline());
  for (const Host& host : hosts) next = std::min(next, host.stack.next_deadline());
  return next;
}

void World::Impl::call_scheduled() {
  while (!scheduled.empty() && scheduled.front().when <= now) {
    std::ranges::pop_heap(scheduled, Later{});
    const Call call = std::move(scheduled.back().call);
    scheduled.pop_back();
    call();
  }
}

void World::Impl::deliver(Path& path) {
  const auto* entry = std::get_if<SwitchPort>(&path.destination);
  while (sim::Arrival arrival = path.impaired.poll(now)) {
    if (tap) {
      FrameVerdict verdict;
      verdict.serial = arrival.serial;
      verdict.arrives = arrival.at;
      tap({FrameSighting::Where::arrived, now, path.link, path.direction, verdict,
           arrival.duplicate, arrival.frame});
    }
    if (entry != nullptr) {
      pass_on(*entry, std::move(arrival.frame));
    } else {
      batch.push_back(std::move(arrival.frame));
    }
  }
  if (batch.empty()) return;
  const auto& [stack, interface] = std::get<Attachment>(path.destination);
  host(stack).stack.on_frames(now, interface, batch);
  host(stack).touched = true;
  batch.clear();
}

void World::Impl::pass_on(const SwitchPort& entry, Packet frame) {
  Switch& bridge = switches[index_of(entry.id)];
  const sim::LearningSwitch::Decision decision = bridge.table.on_frame(now, entry.port, frame);
  switch (decision.way) {
    case sim::LearningSwitch::Way::to_port:
      send(bridge.ports[decision.port], std::move(frame));
      break;
    case sim::LearningSwitch::Way::to_all:
      for (std::uint32_t port = 0; port < bridge.ports.size(); ++port) {
        if (port == entry.port) continue;
        if (Packet copy = frame.share()) send(bridge.ports[port], std::move(copy));
      }
      break;
    case sim::LearningSwitch::Way::nowhere:
      break;
  }
}

void World::Impl::fire_timers(Host& host) {
  if (host.stack.next_deadline() > now) return;
  host.stack.on_time(now);
  take_frames(host);
  if (host.stack.next_deadline() <= now) ++stuck_deadlines;
  take_outputs(host);
}

void World::Impl::settle() {
  for (bool again = true; again;) {
    again = false;
    for (Host& host : hosts) {
      if (!host.touched) continue;
      take_outputs(host);
      again = true;
    }
  }
}

void World::Impl::take_frames(Host& host) {
  constexpr std::size_t kBatch = 256;
  for (std::size_t taken = kBatch; taken == kBatch;) {
    taken = host.stack.poll_frames(now, batch, kBatch);
    hand_over_events(host);
    for (Packet& frame : batch) {
      // What leaves an interface without a link vanishes.
      const auto& outlet = host.outlets[index_of(frame.interface())];
      if (outlet) send(*outlet, std::move(frame));
    }
    batch.clear();
  }
}

void World::Impl::take_outputs(Host& host) {
  host.touched = false;
  take_frames(host);
  while (const auto ready = host.stack.poll_readiness()) {
    if (host.ready_handler) host.ready_handler(ready->socket, ready->what);
  }
}

void World::Impl::hand_over_events(Host& host) {
  for (const Event& event : host.events) host.event_handler(event);
  host.events.clear();
}

void World::Impl::send(const Outlet& outlet, Packet frame) {
  Path& way = path(outlet.link, outlet.direction);
  const Impairment& impairment = way.impaired.impairment();
  if (impairment.mtu != 0 && frame.size() > impairment.mtu && !impairment.mtu_silent &&
      !impairment.partitioned) {
    send_around(way, frame);
  }
  send_through(way, std::move(frame));
}

void World::Impl::send_through(Path& way, Packet frame) {
  if (!tap) {
    way.impaired.on_frame(now, std::move(frame));
    return;
  }
  const Packet seen = frame.share();
  const FrameVerdict verdict = way.impaired.on_frame(now, std::move(frame));
  if (!seen) return;
  tap({FrameSighting::Where::sent, now, way.link, way.direction, verdict, false, seen});
}

/// What the router in front of a narrow link sends in place of a frame that does not fit.
void World::Impl::send_around(Path& way, const Packet& frame) {
  sim::AtBottleneck answer =
      sim::meet_bottleneck(frame, way.ethernet, way.impaired.impairment().mtu, pool);
  for (Packet& fragment : answer.fragments) send_through(way, std::move(fragment));
  if (!answer.error) return;
  const Direction back = way.direction == Direction::a_to_b ? Direction::b_to_a : Direction::a_to_b;
  send_through(path(way.link, back), std::move(answer.error));
}

World::World(std::uint64_t seed, std::size_t pool_limit)
    : impl_(std::make_unique<Impl>(seed, pool_limit)) {}
World::~World() = default;
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;

StackId World::add_stack(StackConfig config) {
  config.seed = impl_->random.next();
  impl_->hosts.emplace_back(std::move(config), impl_->pool);
  return StackId{static_cast<std::uint32_t>(impl_->hosts.size() - 1)};
}

LinkId World::connect(Attachment a, Attachment b, const Impairment& a_to_b,
                      const Impairment& b_to_a) {
  return impl_->add_link(a, b, a_to_b, b_to_a);
}

LinkId World::connect(Attachment a, Attachment b, const Impairment& both) {
  return connect(a, b, both, both);
}

SwitchId World::add_switch(const SwitchConfig& config) {
  impl_->switches.emplace_back(config);
  return SwitchId{static_cast<std::uint32_t>(impl_->switches.size() - 1)};
}

LinkId World::connect(Attachment a, SwitchId b, const Impairment& a_to_b,
                      const Impairment& b_to_a) {
  return impl_->add_link(a, impl_->new_port(b), a_to_b, b_to_a);
}

LinkId World::connect(Attachment a, SwitchId b, const Impairment& both) {
  return connect(a, b, both, both);
}

LinkId World::connect(SwitchId a, SwitchId b, const Impairment& both) {
  const Impl::End from = impl_->new_port(a);
  return impl_->add_link(from, impl_->new_port(b), both, both);
}

const SwitchCounters& World::counters(SwitchId id) const {
  return impl_->switches[index_of(id)].table.counters();
}

std::size_t World::known_addresses(SwitchId id) const {
  return impl_->switches[index_of(id)].table.known();
}

Stack& World::stack(StackId id) {
  Impl::Host& host = impl_->host(id);
  host.touched = true;
  return host.stack;
}

const Stack& World::stack(StackId id) const { return impl_->host(id).stack; }
BufferPool& World::pool() { return impl_->pool; }

const Impairment& World::impairment(LinkId link, Direction direction) const {
  return impl_->path(link, direction).impaired.impairment();
}

void World::set_impairment(LinkId link, Direction direction, const Impairment& impairment) {
  impl_->path(link, direction).impaired.set_impairment(impairment);
}

void World::set_partitioned(LinkId link, bool partitioned) {
  for (const Direction direction : {Direction::a_to_b, Direction::b_to_a}) {
    Impairment changed = impairment(link, direction);
    changed.partitioned = partitioned;
    set_impairment(link, direction, changed);
  }
}

const PathCounters& World::counters(LinkId link, Direction direction) const {
  return impl_->path(link, direction).impaired.counters();
}

std::size_t World::in_flight() const {
  std::size_t frames = 0;
  for (const Impl::Path& path : impl_->paths) frames += path.impaired.in_flight();
  return frames;
}

void World::on_ready(StackId id, ReadyHandler handler) {
  impl_->host(id).ready_handler = std::move(handler);
}

void World::on_event(StackId id, EventHandler handler) {
  Impl::Host& host = impl_->host(id);
  impl_->hand_over_events(host);
  host.event_handler = std::move(handler);
  host.stack.set_event_buffer(host.event_handler ? &host.events : nullptr);
}

void World::on_frame(FrameTap tap) { impl_->tap = std::move(tap); }

void World::schedule(Instant when, Call call) {
  impl_->scheduled.push_back({std::max(when, impl_->now), impl_->next_order++, std::move(call)});
  std::ranges::push_heap(impl_->scheduled, Impl::Later{});
}

Instant World::now() const { return impl_->now; }

Instant World::next_deadline() {
  impl_->settle();
  return impl_->next_deadline();
}

bool World::step() {
  const Instant next = next_deadline();
  if (next == kNever) return false;
  impl_->now = std::max(impl_->now, next);
  ++impl_->steps;
  impl_->call_scheduled();
  for (Impl::Path& path : impl_->paths) impl_->deliver(path);
  impl_->settle();  // a stack is drained after every input
  for (Impl::Host& host : impl_->hosts) impl_->fire_timers(host);
  impl_->settle();
  return true;
}

void World::run_until(Instant when) {
  while (next_deadline() <= when) step();
  impl_->now = std::max(impl_->now, when);
}

void World::run_for(Duration span) { run_until(impl_->now + span); }
void World::settle() { impl_->settle(); }

std::uint64_t World::steps() const { return impl_->steps; }
std::uint64_t World::stuck_deadlines() const { return impl_->stuck_deadlines; }

}  // namespace hawser
