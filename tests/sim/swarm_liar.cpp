#include "swarm_liar.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "swarm_draw.hpp"
#include "wire/arp.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"
#include "wire/neighbour_discovery.hpp"

namespace hawser::swarm {

namespace {

using namespace std::chrono_literals;

/// Between two claims of one address, which make its owner give it up (RFC 5227 2.4).
constexpr Duration kSecondClaim = 3s;
/// In four rounds more than a table of neighbours keeps of those that were only heard of. IPv4 has
/// not so many addresses. Those of hosts, and one that nobody ever has, are left out.
constexpr std::uint8_t kFloodBegin = 5;
constexpr std::uint8_t kFloodEnd = 250;
constexpr std::uint8_t kFloodRounds = 4;

bool is_flood(Spoof::Kind kind) {
  return kind == Spoof::Kind::arp_flood || kind == Spoof::Kind::solicitation_flood;
}

std::uint8_t icmp_of(const IpAddress& address) {
  return static_cast<std::uint8_t>(address.is_v4() ? wire::IpProtocol::icmp
                                                   : wire::IpProtocol::icmpv6);
}

}  // namespace

Liar::Liar(World& world, const NetworkPlan& plan, std::vector<Target> hosts)
    : world_(world), plan_(plan), hosts_(std::move(hosts)), random_(plan.seed ^ 0x11a5) {}

// ---- about neighbours

void Liar::spoof(const Spoof& spoof) {
  if (is_flood(spoof.kind)) return flood(spoof);
  claim(spoof);
  if (spoof.victim != spoof.subject) return;
  world_.schedule(world_.now() + kSecondClaim, [this, spoof] { claim(spoof); });
}

void Liar::claim(const Spoof& spoof) {
  const IpAddress subject = plan_.address(spoof.subject, spoof.net);
  if (spoof.net == Net::ipv4) {
    tell_by_arp(spoof, subject, spoof.station);
  } else {
    tell_by_discovery(spoof, subject, spoof.station);
  }
}

void Liar::flood(const Spoof& spoof) {
  const bool v4 = spoof.net == Net::ipv4;
  for (std::uint8_t round = 0; round < (v4 ? 1 : kFloodRounds); ++round) {
    for (std::uint8_t number = kFloodBegin; number < kFloodEnd; ++number) {
      const MacAddress station({2, 0, 0, 1, round, number});
      auto bytes = plan_.address(0, spoof.net).bytes();
      bytes[14] = round;
      bytes[15] = number;
      if (v4) {
        tell_by_arp(spoof, IpAddress::v4(10, 0, 0, number), station);
      } else {
        tell_by_discovery(spoof, IpAddress::v6(bytes), station);
      }
    }
  }
}

void Liar::tell_by_arp(const Spoof& spoof, const IpAddress& subject, const MacAddress& station) {
  const bool replies = spoof.kind == Spoof::Kind::arp_reply;
  const Target& victim = hosts_[spoof.victim];
  Packet packet = world_.pool().take_packet();
  if (!packet) return;
  wire::push_arp(packet,
                 {.operation = replies ? wire::ArpOperation::reply : wire::ArpOperation::request,
                  .sender_mac = station,
                  .sender = subject,
                  .target_mac = victim.mac,
                  .target = plan_.address(spoof.victim, Net::ipv4)});
  inject(world_, victim, std::move(packet), wire::EtherType::arp, station);
}

void Liar::tell_by_discovery(const Spoof& spoof, const IpAddress& subject,
                             const MacAddress& station) {
  using Kind = Spoof::Kind;
  const IpAddress victim = plan_.address(spoof.victim, spoof.net);
  wire::NeighbourMessage message =
      wire::NeighbourAdvertisement{.target = subject,
                                   .router = false,
                                   .solicited = spoof.kind == Kind::answer,
                                   .override_cache = true,
                                   .target_mac = station};
  if (spoof.kind == Kind::solicitation || spoof.kind == Kind::solicitation_flood) {
    message = wire::NeighbourSolicitation{.target = victim, .source_mac = station};
  }
  // A host does not listen to its own address.
  const IpAddress source =
      subject == victim ? plan_.address((spoof.victim + 1) % hosts_.size(), spoof.net) : subject;
  Packet packet = wire::make_neighbour_message(world_.pool(), message, source, victim);
  if (!packet) return;
  wire::push_ip(packet, {.source = source,
                         .destination = victim,
                         .protocol = icmp_of(source),
                         .hop_limit = wire::kNeighbourHopLimit});
  inject_ip(world_, hosts_[spoof.victim], std::move(packet), station);
}

// ---- about packets

void Liar::on_packet(HostNumber sender, const Packet& packet) {
  if (resting_ || !random_.chance(plan_.icmp_lies) || wire::forbids_icmp_error(packet.head()))
    return;
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  if (!ip || ip->header.destination.is_multicast() || ip->header.source.is_unspecified()) return;
  // A call is copied, which a packet cannot be.
  const auto error = std::make_shared<Packet>(error_about(packet));
  if (!*error) return;
  wire::push_ip(*error, {.source = ip->header.destination,
                         .destination = ip->header.source,
                         .protocol = icmp_of(ip->header.source)});
  world_.schedule(world_.now() + up_to(random_, 20ms), [this, sender, error] {
    inject_ip(world_, hosts_[sender], std::move(*error), plan_.nobody());
  });
}

Packet Liar::error_about(const Packet& packet) {
  using Kind = IcmpErrorKind;
  constexpr std::array kKinds = {
      Kind::network_unreachable, Kind::host_unreachable, Kind::protocol_unreachable,
      Kind::port_unreachable,    Kind::packet_too_big,   Kind::packet_too_big,
      Kind::prohibited,          Kind::time_exceeded,    Kind::parameter_problem};
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  wire::IcmpReport report(one_of(random_, kKinds));
  if (report.kind == Kind::packet_too_big) {
    report.parameter = static_cast<std::uint32_t>(68 + random_.below(plan_.mtu));
  }
  return wire::make_icmp_error(packet, report, ip->header.destination, ip->header.source);
}

}  // namespace hawser::swarm
