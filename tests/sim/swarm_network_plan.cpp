#include "swarm_network_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "swarm_draw.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// All hosts have asked by then whether their addresses are taken, and greeted each other.
constexpr Instant kBegin{10s};
/// In which datagrams are sent and things happen to hosts.
constexpr Duration kStorm = 60s;
/// A queue that nothing in a plan fills.
constexpr std::uint64_t kEndlessQueue = 1U << 30;
/// By which a neighbour that was lied about is asked whether it is there (RFC 4861 10).
constexpr Duration kLieIsBelieved = 60s;
/// By which TCP has found how narrow a path is whose routers are silent.
constexpr Duration kNarrowPathIsFound = 10min;
constexpr std::uint32_t kEthernetHeader = 14;
/// Of the pool: more than anything takes, and less than a storm does.
constexpr std::size_t kLittleMemory = 80'000;
constexpr std::size_t kEnoughMemory = std::size_t{1} << 30;

Instant draw_instant(Random& random) { return kBegin + up_to(random, kStorm); }

Impairment draw_path(Random& random, bool calm) {
  Impairment path;
  constexpr std::array<std::uint64_t, 4> kRates = {0, 10'000'000, 100'000'000, 1'000'000'000};
  path.rate = one_of(random, kRates);
  path.delay = random.chance(0.2) ? 0ms : up_to(random, random.chance(0.1) ? 200ms : 10ms);
  if (random.chance(0.4)) path.jitter = up_to(random, 10ms);
  path.queue = calm || random.chance(0.7) ? kEndlessQueue : 3000 + random.below(100'000);
  if (calm) return path;
  if (random.chance(0.7)) path.loss = one_of(random, std::array{0.005, 0.02, 0.05, 0.15});
  if (random.chance(0.5)) path.reorder = one_of(random, std::array{0.01, 0.1, 0.5});
  path.reorder_delay = 1us + up_to(random, 50ms);
  if (random.chance(0.5)) path.duplicate = one_of(random, std::array{0.01, 0.1, 0.5});
  draw_marks(random, path);
  return path;
}

HostPlan draw_host(Random& random, const NetworkPlan& plan) {
  const bool calm = random.chance(0.4);
  HostPlan host;
  host.tcp = draw_config(random, plan.timeouts_possible);
  host.up = draw_path(random, calm);
  host.down = draw_path(random, calm);
  // As if a router of a narrower network stood there.
  const std::uint32_t least = plan.has_v6 ? 1280 : 576;
  if (!calm && plan.mtu > least && random.chance(0.2)) {
    const std::uint32_t narrow =
        kEthernetHeader + least + static_cast<std::uint32_t>(random.below(plan.mtu - least));
    host.up.mtu = host.down.mtu = narrow;
    host.up.mtu_silent = host.down.mtu_silent = random.chance(0.2);
  }
  return host;
}

Net draw_net(Random& random, const NetworkPlan& plan) {
  const auto nets = plan.nets();
  return nets[random.below(nets.size())];
}

HostNumber other_host(Random& random, const NetworkPlan& plan, HostNumber host) {
  return (host + 1 + random.below(plan.hosts.size() - 1)) % plan.hosts.size();
}

NetworkConnectionPlan draw_network_connection(Random& random, const NetworkPlan& plan,
                                              std::uint16_t index) {
  NetworkConnectionPlan connection;
  connection.a = random.below(plan.hosts.size());
  connection.b = other_host(random, plan, connection.a);
  connection.net = draw_net(random, plan);
  const HostPlan& a = plan.hosts[connection.a];
  const HostPlan& b = plan.hosts[connection.b];
  const Duration round_trip = a.up.delay + b.down.delay + b.up.delay + a.down.delay;
  connection.tcp =
      draw_connection(random, {a.tcp, b.tcp, plan.timeouts_possible, round_trip}, index);
  connection.tcp.start = random.chance(0.5) ? kBegin : draw_instant(random);
  return connection;
}

DatagramPlan draw_datagram(Random& random, const NetworkPlan& plan) {
  DatagramPlan datagram;
  datagram.at = draw_instant(random);
  datagram.from = random.below(plan.hosts.size());
  datagram.to = other_host(random, plan, datagram.from);
  datagram.net = draw_net(random, plan);
  datagram.echo = random.chance(0.4);
  if (!datagram.echo && random.chance(0.2)) datagram.to = kGroup;
  constexpr std::uint32_t kLargest = 65507;
  datagram.bytes =
      random.chance(0.05) ? kLargest : 4 + static_cast<std::uint32_t>(log_uniform(random, 30'000));
  return datagram;
}

Spoof draw_spoof(Random& random, const NetworkPlan& plan) {
  using Kind = Spoof::Kind;
  constexpr std::array kOfArp = {Kind::arp_request, Kind::arp_reply, Kind::arp_flood};
  constexpr std::array kOfDiscovery = {Kind::advertisement, Kind::answer, Kind::solicitation,
                                       Kind::solicitation_flood};
  Spoof spoof;
  spoof.at = draw_instant(random);
  spoof.victim = random.below(plan.hosts.size());
  spoof.subject = random.chance(0.2) ? spoof.victim : other_host(random, plan, spoof.victim);
  spoof.net = draw_net(random, plan);
  spoof.kind = spoof.net == Net::ipv4 ? one_of(random, kOfArp) : one_of(random, kOfDiscovery);
  const HostNumber third = other_host(random, plan, spoof.victim);
  spoof.station =
      random.chance(0.5) || third == spoof.subject ? NetworkPlan::nobody() : plan.mac(third);
  return spoof;
}

Duration draw_length(Random& random) { return 1ms + up_to(random, random.chance(0.5) ? 5s : 60s); }

void draw_events(Random& random, NetworkPlan& plan) {
  const auto some = [&](std::uint64_t most, auto draw) {
    if (!random.chance(0.35)) return;
    for (std::uint64_t left = 1 + random.below(most); left > 0; --left) draw();
  };
  const auto any_host = [&] { return random.below(plan.hosts.size()); };
  some(3, [&] {
    plan.partitions.push_back({any_host(), {draw_instant(random), draw_length(random)}});
  });
  some(3, [&] {
    plan.address_losses.push_back({.at = draw_instant(random),
                                   .length = draw_length(random),
                                   .host = any_host(),
                                   .net = draw_net(random, plan),
                                   .expires = random.chance(0.4)});
  });
  some(6, [&] {
    plan.memberships.push_back(
        {draw_instant(random), draw_length(random), any_host(), draw_net(random, plan)});
  });
  some(5, [&] { plan.spoofs.push_back(draw_spoof(random, plan)); });
}

/// How the stacks are made to want memory.
void draw_scarcity(Random& random, NetworkPlan& plan) {
  plan.pool = kEnoughMemory;
  if (random.chance(0.15)) plan.pool = kLittleMemory + log_uniform(random, 4U << 20);
  if (!random.chance(0.15)) return;
  plan.ip.reassembly_memory = 60'000 + random.below(200'000);
  plan.ip.reassembly_memory_per_source = plan.ip.reassembly_memory / 2;
}

double loss_of(const HostPlan& host) { return 1 - (1 - host.up.loss) * (1 - host.down.loss); }

bool has_faults(const Impairment& path) {
  return path.loss > 0 || path.reorder > 0 || path.duplicate > 0 || path.mtu != 0 ||
         path.queue < kEndlessQueue;
}

std::string_view name_of(Net net) {
  constexpr std::array<std::string_view, kNets> kNames = {"IPv4", "IPv6", "link-local"};
  return kNames[static_cast<std::size_t>(net)];
}

}  // namespace

std::span<const Net> NetworkPlan::nets() const {
  static constexpr std::array kAll = {Net::ipv4, Net::ipv6, Net::link_local};
  return std::span(kAll).first(has_v6 ? kNets : 1);
}

MacAddress NetworkPlan::mac(HostNumber host) {
  return MacAddress({2, 0, 0, 0, 0, static_cast<std::uint8_t>(host + 1)});
}

MacAddress NetworkPlan::nobody() { return MacAddress({2, 0, 0, 0, 0xff, 1}); }

IpAddress NetworkPlan::address(HostNumber host, Net net) {
  const auto number = static_cast<std::uint8_t>(host + 1);
  const bool group = host == kGroup;
  switch (net) {
    case Net::ipv4:
      return group ? IpAddress::v4(239, 1, 2, 3) : IpAddress::v4(10, 0, 0, number);
    case Net::ipv6:
      if (group) return IpAddress::v6({0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3});
      return IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number});
    case Net::link_local:
      if (group) return IpAddress::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3});
      return IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number});
  }
  return {};
}

Prefix NetworkPlan::prefix(HostNumber host, Net net) {
  return {address(host, net), static_cast<std::uint8_t>(net == Net::ipv4 ? 24 : 64)};
}

bool NetworkPlan::is_calm(HostNumber host) const {
  const auto is_it = [host](const auto& event) { return event.host == host; };
  return !has_faults(hosts[host].up) && !has_faults(hosts[host].down) &&
         std::ranges::none_of(partitions, is_it) && std::ranges::none_of(address_losses, is_it) &&
         std::ranges::none_of(spoofs, [host](const Spoof& spoof) { return spoof.victim == host; });
}

bool NetworkPlan::is_short_of_memory() const { return pool < kEnoughMemory; }

bool NetworkPlan::is_narrow() const {
  return std::ranges::any_of(hosts, [](const HostPlan& host) { return host.up.mtu != 0; });
}

bool NetworkPlan::has_to_arrive(const DatagramPlan& datagram) const {
  // More fragments than there are of what is not said to be too big.
  constexpr std::uint32_t kLarge = 8000;
  const bool tight = icmp_lies > 0 || ip.reassembly_memory != IpConfig{}.reassembly_memory;
  return datagram.to != kGroup && is_calm(datagram.from) && is_calm(datagram.to) &&
         !is_short_of_memory() && !(tight && datagram.bytes > kLarge);
}

bool NetworkPlan::repeats(HostNumber from, HostNumber to) const {
  const auto does = [](const HostPlan& host) {
    return host.up.duplicate > 0 || host.down.duplicate > 0;
  };
  return to == kGroup ? std::ranges::any_of(hosts, does) : does(hosts[from]) || does(hosts[to]);
}

Instant NetworkPlan::last_event() const {
  Instant last = kBegin + kStorm + 10s;
  for (const auto& [host, when] : partitions) last = std::max(last, when.begin + when.length);
  for (const AddressLoss& loss : address_losses) last = std::max(last, loss.at + loss.length);
  for (const Membership& member : memberships) last = std::max(last, member.at + member.length);
  return last;
}

Duration NetworkPlan::patience() const {
  double worst = 0;
  for (const HostPlan& host : hosts) worst = std::max(worst, loss_of(host));
  // Both ends may be as bad as that, and each attempt may first have to find its neighbour.
  const double attempt = 1 - (1 - worst) * (1 - worst) * (1 - worst) * (1 - worst);
  const Duration max_rto = hosts.front().tcp.max_rto;
  Duration total = time_of_retransmissions(std::max(attempt, 0.01), max_rto);
  for (const auto& [host, when] : partitions) total += 2 * when.length + max_rto;
  total += static_cast<Duration::rep>(spoofs.size()) * (kLieIsBelieved + max_rto);
  total += kNarrowPathIsFound;
  for (const NetworkConnectionPlan& connection : connections) {
    total += longest_pause(connection.tcp);
  }
  return total + 60s;
}

std::string NetworkPlan::describe() const {
  const auto ms = [](Instant at) { return at.time_since_epoch() / 1ms; };
  std::string text = fmt::format(
      "seed {}: {} hosts, mtu {}, {}{}{}, listens on {}, forges {:.0f}%, lies {:.0f}%, memory {}, "
      "of fragments {}\n",
      seed, hosts.size(), mtu, has_v6 ? "both families" : "IPv4",
      detect_duplicates ? ", detects duplicates" : "", timeouts_possible ? ", short timeouts" : "",
      listen_on_any ? "any address" : "each address", forge * 100, icmp_lies * 100, pool,
      ip.reassembly_memory);
  for (HostNumber host = 0; host < hosts.size(); ++host) {
    const HostPlan& h = hosts[host];
    text += fmt::format("  host {}: {}{}\n    up {}\n    down {}\n", host, swarm::describe(h.tcp),
                        h.up.mtu == 0 ? "" : fmt::format(", frames to {} B", h.up.mtu),
                        swarm::describe(h.up), swarm::describe(h.down));
  }
  for (std::size_t i = 0; i < connections.size(); ++i) {
    const NetworkConnectionPlan& c = connections[i];
    text += fmt::format("  #{} a = host {}, b = host {}, {}, {}", i, c.a, c.b, name_of(c.net),
                        swarm::describe(c.tcp));
  }
  for (const auto& [host, when] : partitions) {
    text += fmt::format("  host {} cut off at {} ms for {} ms\n", host, ms(when.begin),
                        when.length / 1ms);
  }
  for (const AddressLoss& loss : address_losses) {
    text += fmt::format("  host {} loses its {} address at {} ms for {} ms{}\n", loss.host,
                        name_of(loss.net), ms(loss.at), loss.length / 1ms,
                        loss.expires ? ", which expires" : "");
  }
  for (const Spoof& spoof : spoofs) {
    text += fmt::format("  host {} is told at {} ms that the {} address of host {} is at {}\n",
                        spoof.victim, ms(spoof.at), name_of(spoof.net), spoof.subject,
                        spoof.station.to_string());
  }
  return text;
}

NetworkPlan draw_network_plan(std::uint64_t seed) {
  Random random(seed);
  NetworkPlan plan;
  plan.seed = seed;
  plan.has_v6 = random.chance(0.7);
  const std::uint32_t least = plan.has_v6 ? 1280 : 576;
  plan.mtu =
      random.chance(0.3) ? 1500 : least + static_cast<std::uint32_t>(random.below(1501 - least));
  plan.detect_duplicates = random.chance(0.5);
  plan.listen_on_any = random.chance(0.5);
  plan.timeouts_possible = random.chance(0.15);
  if (random.chance(0.3)) plan.icmp_lies = one_of(random, std::array{0.003, 0.03});
  for (std::uint64_t left = 2 + random.below(2); left > 0; --left) {
    plan.hosts.push_back(draw_host(random, plan));
  }
  // A router that cuts datagrams anew may cut them where what is forged begins and ends.
  const bool cuts =
      std::ranges::any_of(plan.hosts, [](const HostPlan& h) { return h.up.mtu != 0; });
  if (!cuts && random.chance(0.5)) plan.forge = one_of(random, std::array{0.1, 0.5, 1.0});
  draw_events(random, plan);
  draw_scarcity(random, plan);
  const auto connections = static_cast<std::uint16_t>(log_uniform(random, 8));
  for (std::uint16_t i = 0; i < connections; ++i) {
    plan.connections.push_back(draw_network_connection(random, plan, i));
  }
  for (std::uint64_t left = log_uniform(random, 60); left > 0; --left) {
    plan.datagrams.push_back(draw_datagram(random, plan));
  }
  return plan;
}

}  // namespace hawser::swarm
