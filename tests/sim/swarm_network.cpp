#include "swarm_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "swarm_trace.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// More than there are connections in a plan.
constexpr std::uint32_t kBacklog = 64;
/// What is left of the life of an address that expires.
constexpr Duration kLastsStill = 2s;

}  // namespace

NetworkRun::NetworkRun(NetworkPlan drawn, Trace trace)
    : Stage(drawn.seed, drawn.patience(), std::move(trace), drawn.pool),
      plan_(std::move(drawn)),
      switch_(world_.add_switch()),
      hosts_(add_hosts()),
      datagrams_(*this, plan_.seed, stacks()),
      forger_(world_, plan_, targets(),
              [this](std::uint32_t number) {
                note([&] { return fmt::format("a fragment of {} is forged", number); });
                datagrams_.release(number);
              }),
      liar_(world_, plan_, targets()) {}

std::vector<NetworkRun::Host> NetworkRun::add_hosts() {
  std::vector<Host> hosts;
  for (HostNumber number = 0; number < plan_.hosts.size(); ++number) {
    const HostPlan& planned = plan_.hosts[number];
    InterfaceConfig interface{.name = "eth0", .mtu = plan_.mtu, .addresses = {}};
    interface.mac = NetworkPlan::mac(number);
    interface.autoconfigure = false;
    interface.detect_duplicates = plan_.detect_duplicates;
    for (const Net net : plan_.nets()) {
      interface.addresses.push_back(NetworkPlan::prefix(number, net));
    }
    StackConfig config;
    config.interfaces.push_back(std::move(interface));
    config.ip = plan_.ip;
    config.tcp = planned.tcp;
    const StackId stack = world_.add_stack(std::move(config));
    const LinkId link = world_.connect(Attachment{stack, {}}, switch_, planned.up, planned.down);
    hosts.push_back({.stack = stack, .link = link, .listeners = {}});
  }
  return hosts;
}

std::vector<StackId> NetworkRun::stacks() const {
  std::vector<StackId> stacks;
  for (const Host& host : hosts_) stacks.push_back(host.stack);
  return stacks;
}

std::vector<Target> NetworkRun::targets() const {
  std::vector<Target> targets;
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    targets.push_back({hosts_[host].stack, NetworkPlan::mac(host)});
  }
  return targets;
}

// ---- what may be

const NetworkConnectionPlan& NetworkRun::plan_of(const Connection& connection) const {
  return plan_.connections[connection.number];
}

bool NetworkRun::lost_an_address(const Connection& connection) const {
  const NetworkConnectionPlan& planned = plan_of(connection);
  const std::size_t net = index_of(planned.net);
  return hosts_[planned.a].lost_address[net] || hosts_[planned.b].lost_address[net];
}

bool NetworkRun::excuses(Connection& connection, const Side& side, Error error) const {
  const Side& peer = connection.other(side);
  if (peer.left_early()) return true;
  const NetworkConnectionPlan& planned = plan_of(connection);
  const HostNumber host = &side == &connection.a ? planned.a : planned.b;
  switch (error) {
    case Error::address_not_available:
    case Error::network_unreachable:
      return hosts_[host].lost_address[index_of(planned.net)];
    case Error::host_unreachable:
      // Only an open ends with it (RFC9293-MUST-54).
      return (!peer.begun() || planned.tcp.simultaneous) &&
             !(plan_.is_calm(planned.a) && plan_.is_calm(planned.b));
    case Error::timed_out:
      return plan_.timeouts_possible || lost_an_address(connection);
    case Error::no_buffer_space:
      return plan_.is_short_of_memory();
    case Error::connection_refused:
      return planned.tcp.simultaneous || (!peer.begun() && plan_.icmp_lies > 0);
    case Error::protocol_unreachable:
      return (!peer.begun() || planned.tcp.simultaneous) && plan_.icmp_lies > 0;
    case Error::connection_reset:
    case Error::broken_pipe: {
      if (!peer.begun() || plan_.timeouts_possible || lost_an_address(connection)) return true;
      // The peer had everything, closed, and its TIME-WAIT is over: a late segment is refused.
      const Duration msl = std::min(plan_.hosts[planned.a].tcp.msl, plan_.hosts[planned.b].tcp.msl);
      return peer.closed_at() && *peer.closed_at() + 2 * msl <= world_.now();
    }
    default:
      return false;
  }
}

bool NetworkRun::excuses_silence(const Connection& connection) const {
  // What waits to be sent may have taken all the memory that it would take to receive it.
  return plan_.is_short_of_memory() || plan_.timeouts_possible || lost_an_address(connection) ||
         connection.a.left_early() || connection.b.left_early();
}

bool NetworkRun::has_address(HostNumber host, Net net) const {
  const auto all = world_.stack(hosts_[host].stack).addresses();
  return std::ranges::any_of(all, [&](const AddressInfo& own) {
    return own.prefix == NetworkPlan::prefix(host, net) &&
           (own.state == AddressState::preferred || own.state == AddressState::deprecated);
  });
}

// ---- what happens

void NetworkRun::listen(HostNumber number) {
  Host& host = hosts_[number];
  std::vector<IpAddress> locals;
  if (plan_.listen_on_any) {
    locals.push_back(IpAddress::any(Family::ipv6));
  } else {
    for (const Net net : plan_.nets()) {
      locals.push_back(NetworkPlan::address(number, net));
    }
  }
  for (const IpAddress& local : locals) {
    const auto listener = world_.stack(host.stack).tcp_listen({local, kListenPort}, kBacklog);
    if (!listener) return fail("listen failed on " + local.to_string());
    host.listeners.push_back(*listener);
  }
  world_.on_ready(host.stack, [this, number](SocketHandle socket, Ready ready) {
    on_ready(number, socket, ready);
  });
}

void NetworkRun::schedule_programs() {
  Random random(plan_.seed ^ 0x5eed);
  for (const NetworkConnectionPlan& planned : plan_.connections) {
    Connection& connection =
        connections_.emplace_back(*this, connections_.size(), planned.tcp, hosts_[planned.a].stack,
                                  hosts_[planned.b].stack, random.next());
    const bool first = planned.tcp.a_connects;
    world_.schedule(planned.tcp.start, [this, &connection, first] { connect(connection, first); });
    if (!planned.tcp.simultaneous) continue;
    world_.schedule(planned.tcp.start + planned.tcp.second_start,
                    [this, &connection, first] { connect(connection, !first); });
  }
  for (const DatagramPlan& planned : plan_.datagrams) {
    world_.schedule(planned.at, [this, &planned] { send(planned, plan_.has_to_arrive(planned)); });
  }
}

void NetworkRun::schedule_events() {
  for (const auto& [host, when] : plan_.partitions) {
    const LinkId link = hosts_[host].link;
    world_.schedule(when.begin, [this, link] { world_.set_partitioned(link, true); });
    world_.schedule(when.begin + when.length,
                    [this, link] { world_.set_partitioned(link, false); });
  }
  for (const AddressLoss& loss : plan_.address_losses) schedule_address_loss(loss);
  for (const Membership& member : plan_.memberships) {
    world_.schedule(member.at, [this, &member] { datagrams_.join(member.host, member.net); });
    world_.schedule(member.at + member.length,
                    [this, &member] { datagrams_.leave(member.host, member.net); });
  }
  for (const Spoof& spoof : plan_.spoofs) {
    world_.schedule(spoof.at, [this, &spoof] {
      if (spoof.victim == spoof.subject) {
        hosts_[spoof.victim].lost_address[index_of(spoof.net)] = true;
      }
      liar_.spoof(spoof);
    });
  }
}

void NetworkRun::schedule_address_loss(const AddressLoss& loss) {
  if (loss.expires) {
    world_.schedule(loss.at - kLastsStill, [this, &loss] { let_address_expire(loss); });
    world_.schedule(loss.at + 1ns, [this, &loss] {
      if (!has_address(loss.host, loss.net)) check_connections_end(loss.host, loss.net);
    });
  } else {
    world_.schedule(loss.at, [this, &loss] { lose_address(loss.host, loss.net); });
  }
  world_.schedule(loss.at + loss.length, [this, &loss] { give_address(loss.host, loss.net); });
}

void NetworkRun::connect(Connection& connection, bool a_connects) {
  const NetworkConnectionPlan& planned = plan_of(connection);
  const HostNumber from = a_connects ? planned.a : planned.b;
  const HostNumber to = a_connects ? planned.b : planned.a;
  const Port fixed{planned.tcp.local_port};
  const Port port = planned.tcp.simultaneous ? fixed : kListenPort;
  Stage::connect(connection, a_connects, {NetworkPlan::address(from, planned.net), fixed},
                 {NetworkPlan::address(to, planned.net), port});
}

void NetworkRun::accept_all(HostNumber number, SocketHandle listener) {
  Stack& stack = world_.stack(hosts_[number].stack);
  while (const auto handle = stack.tcp_accept(listener)) {
    if (meeting_again_) {
      ++met_;
      (void)stack.tcp_abort(world_.now(), *handle);
      continue;
    }
    const Endpoint remote = stack.tcp_info(*handle)->remote;
    const auto found = std::ranges::find_if(connections_, [&](const Connection& connection) {
      return connection.opener == remote && !connection.plan.simultaneous;
    });
    if (found == connections_.end()) {
      return fail("accepted a connection from nobody: " + remote.to_string());
    }
    begin_accepted(*found, plan_of(*found).a == number ? found->a : found->b, *handle);
  }
}

void NetworkRun::on_ready(HostNumber number, SocketHandle socket, Ready ready) {
  const Host& host = hosts_[number];
  if (std::ranges::find(host.listeners, socket) != host.listeners.end()) {
    accept_all(number, socket);
  } else if (!datagrams_.on_ready(host.stack, socket)) {
    tell(host.stack, socket, ready);
  }
}

void NetworkRun::send(const DatagramPlan& planned, bool must_arrive) {
  datagrams_.send(planned, {.arrives = must_arrive,
                            .may_hear_errors = plan_.icmp_lies > 0 || plan_.is_narrow(),
                            .may_repeat = plan_.repeats(planned.from, planned.to),
                            .may_be_refused = !has_address(planned.from, planned.net)});
}

void NetworkRun::lose_address(HostNumber number, Net net) {
  Host& host = hosts_[number];
  host.lost_address[index_of(net)] = true;
  // It may be away already.
  (void)world_.stack(host.stack)
      .remove_address(world_.now(), {}, NetworkPlan::address(number, net));
  note([&] { return fmt::format("host {} loses an address", number); });
  check_connections_end(number, net);
}

/// None goes on from an address that is gone.
void NetworkRun::check_connections_end(HostNumber number, Net net) {
  for (const Connection& connection : connections_) {
    const NetworkConnectionPlan& planned = plan_of(connection);
    if (planned.net != net || (planned.a != number && planned.b != number)) continue;
    const Side& side = planned.a == number ? connection.a : connection.b;
    const auto info = world_.stack(side.stack()).tcp_info(side.handle());
    if (!side.done() && info && info->state != TcpState::closed) {
      fail(connection, side.describe() + " has no address and goes on");
    }
  }
}

/// It is for old connections only, and then for none.
void NetworkRun::let_address_expire(const AddressLoss& loss) {
  Host& host = hosts_[loss.host];
  host.lost_address[index_of(loss.net)] = true;
  AddressOptions options;
  options.lifetime = {.preferred = kLastsStill / 2, .valid = kLastsStill};
  options.detect_duplicates = false;
  const Prefix prefix = NetworkPlan::prefix(loss.host, loss.net);
  if (!world_.stack(host.stack).add_address(world_.now(), {}, prefix, options)) {
    fail("a lifetime was refused");
  }
}

void NetworkRun::give_address(HostNumber number, Net net) {
  Stack& stack = world_.stack(hosts_[number].stack);
  const Prefix prefix = NetworkPlan::prefix(number, net);
  const bool has_it = std::ranges::any_of(stack.addresses(), [&](const AddressInfo& own) {
    return own.prefix == prefix && own.state == AddressState::preferred &&
           own.valid_until == kNever;
  });
  if (has_it) return;
  // One that another claimed is still there, but not used.
  lose_address(number, net);
  if (!stack.add_address(world_.now(), {}, prefix)) fail("an address was refused");
  note([&] { return fmt::format("host {} has its address again", number); });
}

void NetworkRun::watch() {
  world_.on_frame([this](const FrameSighting& sighting) {
    const bool sent = sighting.where == FrameSighting::Where::sent;
    if (sent) ++frames_;
    const bool up = sighting.direction == Direction::a_to_b;
    if (sent != up) return;  // what hosts send, and what arrives at them
    const auto found = std::ranges::find(hosts_, sighting.link, &Host::link);
    const auto host = static_cast<HostNumber>(found - hosts_.begin());
    if (sent) show_to_hostile(host, sighting.frame);
    if (!traces()) return;
    trace(fmt::format("{:12.3f} host {} {} {}{}", in_milliseconds(sighting.at), host,
                      sent ? "sends" : "     gets", describe_frame(sighting.frame),
                      sent ? describe(sighting.verdict) : ""));
  });
  if (!traces()) return;
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    world_.on_event(hosts_[host].stack, [this, host](const Event& event) {
      const std::string text = describe(event);
      if (text.empty()) return;
      trace(fmt::format("{:12.3f} host {} {}", in_milliseconds(event.at), host, text));
    });
  }
}

void NetworkRun::show_to_hostile(HostNumber sender, const Packet& frame) {
  if (plan_.forge == 0 && plan_.icmp_lies == 0) return;
  const auto ethernet = wire::parse_ethernet(frame.head());
  if (!ethernet || ethernet->header.type == wire::EtherType::arp) return;
  Packet packet = frame.share();
  if (!packet) return;
  packet.trim_front(ethernet->header_bytes);
  forger_.on_packet(packet);
  liar_.on_packet(sender, packet);
}

}  // namespace hawser::swarm
