#include "swarm_forger.hpp"

#include <algorithm>
#include <span>

#include "swarm_datagrams.hpp"
#include "swarm_draw.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// Fragments are cut at multiples of this.
constexpr std::uint32_t kUnit = 8;
/// What is forged is not in the headers of UDP and ICMP, so that it reaches a program if anything
/// does.
constexpr std::uint32_t kHeader = 8;
/// Exchanges two different words of 16 bits: the checksums of UDP and ICMP do not see it. False
/// when all are alike.
bool swap_words(Random& random, std::span<std::byte> bytes) {
  const std::size_t words = bytes.size() / 2;
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::byte* const a = &bytes[2 * random.below(words)];
    std::byte* const b = &bytes[2 * random.below(words)];
    if (std::equal(a, a + 2, b)) continue;
    std::swap_ranges(a, a + 2, b);
    return true;
  }
  return false;
}

}  // namespace

Forger::Forger(World& world, const NetworkPlan& plan, std::vector<Target> hosts, Victim on_victim)
    : world_(world),
      plan_(plan),
      hosts_(std::move(hosts)),
      on_victim_(std::move(on_victim)),
      random_(plan.seed ^ 0xf0f6e) {}

void Forger::on_packet(const Packet& packet) {
  if (resting_ || plan_.forge == 0) return;
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  if (!ip || !ip->fragment) return;
  const wire::FragmentInfo& info = *ip->fragment;
  const Key key{ip->header.source, ip->header.destination, ip->header.protocol,
                info.identification};
  Seen& seen = seen_[key];
  const std::uint32_t end = info.offset + ip->payload_bytes;
  seen.header = ip->header;
  seen.payload.resize(std::max<std::size_t>(seen.payload.size(), end));
  packet.copy_to(ip->header_bytes, std::span(seen.payload).subspan(info.offset, ip->payload_bytes));
  seen.edges.push_back(info.offset);
  if (info.more) return;
  // Fragments leave in their order, but for those that found no room to wait for the neighbour.
  seen.edges.push_back(end);
  const bool is_whole = seen.edges.front() == 0 && seen.edges.size() > 2;
  if (is_whole && random_.chance(plan_.forge)) forge(seen, info.identification);
  seen_.erase(key);
}

/// A fragment of what was seen that differs in two words. It begins or ends inside one that is
/// genuine, so that no datagram can be made of it without an overlap, whatever is lost.
void Forger::forge(const Seen& seen, std::uint32_t identification) {
  const Range range = draw_range(seen);
  if (range.begin == range.end) return;
  std::vector<std::byte> bytes(seen.payload.begin() + range.begin,
                               seen.payload.begin() + range.end);
  const std::uint32_t skip = range.begin == 0 ? kHeader : 0;
  if (!swap_words(random_, std::span(bytes).subspan(skip))) return;
  on_victim_(number_of_datagram(seen.payload));
  ++forged_;
  const wire::FragmentInfo info{.identification = identification,
                                .offset = static_cast<std::uint16_t>(range.begin),
                                .more = range.end != seen.payload.size()};
  // Before all that is genuine, or among it.
  const Duration later =
      random_.chance(0.4) ? 0ms : up_to(random_, random_.chance(0.5) ? 5ms : 50ms);
  world_.schedule(world_.now() + later,
                  [this, info, header = seen.header, bytes] { send(header, info, bytes); });
}

void Forger::send(const wire::IpHeader& header, const wire::FragmentInfo& info,
                  std::span<const std::byte> bytes) {
  for (HostNumber host = 0; host < hosts_.size(); ++host) {
    const bool to_group = header.destination.is_multicast();
    const bool to_it = std::ranges::any_of(
        plan_.nets(), [&](Net net) { return plan_.address(host, net) == header.destination; });
    if (!to_group && !to_it) continue;
    Packet packet = world_.pool().take_packet();
    Slice block = world_.pool().take(static_cast<std::uint32_t>(bytes.size()));
    if (!packet || !block) return;
    std::ranges::copy(bytes, block.spare().begin());
    block.extend(static_cast<std::uint32_t>(bytes.size()));
    packet.append(std::move(block));
    wire::push_fragment(packet, header, info);
    inject_ip(world_, hosts_[host], std::move(packet), plan_.nobody());
  }
}

/// An empty one when there is none: `begin` or `end` is inside a fragment.
Forger::Range Forger::draw_range(const Seen& seen) {
  const auto size = static_cast<std::uint32_t>(seen.payload.size());
  const std::uint32_t units = size / kUnit;
  const auto is_edge = [&](std::uint32_t at) {
    return std::ranges::find(seen.edges, at) != seen.edges.end();
  };
  for (int attempt = 0; attempt < 16; ++attempt) {
    // Half of them begin with a genuine one.
    const std::uint32_t begin = random_.chance(0.5)
                                    ? seen.edges[random_.below(seen.edges.size() - 1)]
                                    : kUnit * static_cast<std::uint32_t>(random_.below(units));
    const std::uint32_t length =
        kUnit * static_cast<std::uint32_t>(2 + random_.below(plan_.mtu / kUnit));
    const std::uint32_t end = std::min(begin + length, size);
    if (end - begin < 2 * kUnit || (is_edge(begin) && is_edge(end))) continue;
    return {begin, end};
  }
  return {};
}

}  // namespace hawser::swarm
