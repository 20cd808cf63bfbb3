// Valid frames of every kind for the host of stack_target.hpp, segments that fit what it sent last,
// and damage to any of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "fuzz/stack_target.hpp"
#include "wire/dhcp.hpp"
#include "wire/membership.hpp"

namespace hawser::fuzz {

using FrameBytes = std::vector<std::byte>;

// The host of stack_target.hpp, and the station that it hears from.
inline const IpAddress kOurs = *IpAddress::parse("10.9.0.2");
inline const IpAddress kPeer = *IpAddress::parse("10.9.0.1");
inline const IpAddress kOurs6 = *IpAddress::parse("fd00:9::2");
inline const IpAddress kPeer6 = *IpAddress::parse("fd00:9::1");
inline const MacAddress kPeerMac = *MacAddress::parse("02:00:00:00:00:01");

inline FrameBytes frame_of(Packet packet, wire::EtherType type) {
  wire::push_ethernet(packet, {StackTarget::mac(), kPeerMac, type});
  FrameBytes bytes(packet.size());
  packet.copy_to(0, bytes);
  return bytes;
}

/// With the router alert of MLD.
inline FrameBytes mld_frame(Packet packet, const IpAddress& source) {
  wire::push_mld_ip(packet, source, wire::kAllNodes);
  return frame_of(std::move(packet), wire::EtherType::ipv6);
}

inline FrameBytes ip_frame(Packet packet, const IpAddress& source, const IpAddress& destination,
                           std::uint8_t protocol, std::uint8_t hop_limit = 64) {
  wire::push_ip(
      packet,
      {.source = source, .destination = destination, .protocol = protocol, .hop_limit = hop_limit});
  return frame_of(std::move(packet),
                  source.is_v4() ? wire::EtherType::ipv4 : wire::EtherType::ipv6);
}

/// Makes frames of an Ethernet; without the first kEthernetHeader bytes they are packets.
class FrameSource {
 public:
  FrameSource() {
    add_arp(wire::ArpOperation::request, kPeer, kOurs);
    add_arp(wire::ArpOperation::reply, kPeer, kOurs);
    add_arp(wire::ArpOperation::request, kPeer, kPeer);
    add_arp(wire::ArpOperation::request, IpAddress::any(Family::ipv4), kOurs);
    for (const bool v6 : {false, true}) add_ip_kinds(v6 ? kPeer6 : kPeer, v6 ? kOurs6 : kOurs);
    add_neighbour_messages();
    add_membership();
    add_dhcp();
  }

  const FrameBytes& any(Random& random) const { return frames_[random.below(frames_.size())]; }
  std::span<const FrameBytes> all() const { return frames_; }

  /// What a server might say to a client that asks for a lease, or in the middle of one.
  FrameBytes reply_to(const wire::DhcpMessage& asked, Random& random) {
    static constexpr std::array<std::uint32_t, 8> kLeases = {0,   9,    10,    60,
                                                             600, 7200, 86400, 0xffffffff};
    const auto seconds = [&] { return kLeases[random.below(kLeases.size())]; };
    wire::DhcpMessage reply;
    reply.type = asked.type == wire::DhcpType::discover ? wire::DhcpType::offer
                 : random.chance(0.8)                   ? wire::DhcpType::ack
                                                        : wire::DhcpType::nak;
    reply.transaction = asked.transaction;
    reply.mac = asked.mac;
    reply.server = kPeer;
    reply.yours = asked.requested && random.chance(0.8)
                      ? *asked.requested
                      : IpAddress::v4(10, 9, 0, static_cast<std::uint8_t>(random.below(8)));
    reply.lease_seconds = seconds();
    reply.prefix_length = static_cast<std::uint8_t>(random.chance(0.8) ? 24 : random.below(33));
    if (random.chance(0.2)) reply.renew_seconds = seconds();
    if (random.chance(0.2)) reply.rebind_seconds = seconds();
    if (random.chance(0.5)) reply.routers = {kPeer};
    if (random.chance(0.5)) reply.dns = {kPeer};
    if (random.chance(0.3)) reply.mtu = static_cast<std::uint16_t>(random.below(3000));
    const IpAddress all = IpAddress::v4(255, 255, 255, 255);
    return ip_frame(datagram(packet_of(pool_, wire::emit_dhcp(reply)),
                             {wire::kDhcpServerPort, wire::kDhcpClientPort}, kPeer, all),
                    kPeer, all, 17);
  }

  /// A segment that comes in reply to `sent`, its numbers at or beside those that are expected.
  FrameBytes reply_to(const SentSegment& sent, Random& random) {
    static constexpr std::array<int, 8> kBeside = {0, 0, 0, 1, -1, 100, 65535, -65536};
    const auto beside = [&] {
      return static_cast<std::uint32_t>(kBeside[random.below(kBeside.size())]);
    };
    const std::uint32_t length = sent.length + (sent.header.flags.has(TcpFlag::syn) ? 1 : 0) +
                                 (sent.header.flags.has(TcpFlag::fin) ? 1 : 0);
    TcpHeader header;
    header.source = sent.header.destination;
    header.destination = sent.header.source;
    header.seq = sent.header.ack + beside();
    header.ack = sent.header.seq + length + beside();
    header.window = static_cast<std::uint16_t>(random.next());
    header.flags = any_flags(random);
    if (sent.header.options.timestamps && random.chance(0.8)) {
      header.options.timestamps = TcpTimestamps{sent.header.options.timestamps->echo + beside(),
                                                sent.header.options.timestamps->value};
    }
    Packet packet = payload(random.chance(0.5) ? 0 : random.below(200));
    wire::push_tcp(packet, header, sent.destination, sent.source);
    return ip_frame(std::move(packet), sent.destination, sent.source, 6, 64);
  }

 private:
  inline static const IpAddress kRouter6 = *IpAddress::parse("fe80::1");

  static TcpFlags any_flags(Random& random) {
    switch (random.below(8)) {
      case 0:
        return TcpFlag::ack | TcpFlag::fin;
      case 1:
        return TcpFlag::rst;
      case 2:
        return TcpFlag::syn;
      case 3:
        return TcpFlag::ack | TcpFlag::psh;
      case 4:
        return TcpFlag::ack | TcpFlag::urg;
      default:
        return TcpFlag::ack;
    }
  }
  Packet payload(std::size_t size) { return packet_of(pool_, FrameBytes(size, std::byte{0x5a})); }
  void add_ip(Packet packet, const IpAddress& source, const IpAddress& destination,
              std::uint8_t protocol, std::uint8_t hop_limit = 64) {
    frames_.push_back(ip_frame(std::move(packet), source, destination, protocol, hop_limit));
  }
  void add_arp(wire::ArpOperation operation, const IpAddress& sender, const IpAddress& target) {
    Packet packet = pool_.take_packet();
    wire::push_arp(packet, {operation, kPeerMac, sender, {}, target});
    frames_.push_back(frame_of(std::move(packet), wire::EtherType::arp));
  }
  void add_ip_kinds(const IpAddress& source, const IpAddress& destination) {
    const std::uint8_t icmp = source.is_v4() ? 1 : 58;
    for (const bool with_options : {false, true}) {
      add_tcp(TcpFlag::syn, with_options, source, destination);
      add_tcp(TcpFlag::ack, with_options, source, destination);
    }
    for (const bool reply : {false, true}) {
      Packet echo = payload(40);
      wire::push_icmp_echo(echo, {.reply = reply, .identifier = 1, .sequence = 2}, source,
                           destination);
      add_ip(std::move(echo), source, destination, icmp);
    }
    for (const Port port : {Port{5000}, Port{9}}) {
      add_ip(datagram(payload(30), {Port{4000}, port}, source, destination), source, destination,
             17);
    }
    add_ip(payload(30), source, destination, 99);
    add_icmp_errors(source, destination);
    add_fragments(source, destination);
  }
  static Packet datagram(Packet packet, const wire::UdpHeader& header, const IpAddress& source,
                         const IpAddress& destination) {
    wire::push_udp(packet, header, source, destination);
    return packet;
  }
  /// About a segment and a datagram that might have been sent.
  void add_icmp_errors(const IpAddress& source, const IpAddress& destination) {
    const std::uint8_t icmp = source.is_v4() ? 1 : 58;
    for (const auto kind :
         {wire::IcmpErrorKind::port_unreachable, wire::IcmpErrorKind::packet_too_big,
          wire::IcmpErrorKind::time_exceeded}) {
      TcpHeader header;
      header.source = Port{80};
      header.destination = Port{4000};
      header.flags = TcpFlag::ack;
      Packet quoted = payload(20);
      wire::push_tcp(quoted, header, destination, source);
      wire::push_ip(quoted, {.source = destination, .destination = source, .protocol = 6});
      add_ip(wire::make_icmp_error(quoted, kind, source, destination), source, destination, icmp);
    }
  }
  void add_fragments(const IpAddress& source, const IpAddress& destination) {
    Packet whole =
        datagram(payload(56), {Port{4000}, Port{5000}}, source, destination);  // 64 bytes
    for (const std::uint16_t offset : std::initializer_list<std::uint16_t>{0, 32}) {
      FrameBytes bytes(32);
      whole.copy_to(offset, bytes);
      Packet fragment = packet_of(pool_, bytes);
      wire::push_fragment(fragment, {.source = source, .destination = destination, .protocol = 17},
                          {.identification = 7, .offset = offset, .more = offset == 0});
      frames_.push_back(frame_of(std::move(fragment),
                                 source.is_v4() ? wire::EtherType::ipv4 : wire::EtherType::ipv6));
    }
  }
  void add_tcp(TcpFlags flags, bool with_options, const IpAddress& source,
               const IpAddress& destination) {
    Packet packet = pool_.take_packet();
    TcpHeader header;
    header.source = Port{4000};
    header.destination = Port{80};
    header.flags = flags;
    if (with_options) {
      header.options.mss = 1460;
      header.options.window_scale = 7;
      header.options.sack_permitted = true;
      header.options.timestamps = TcpTimestamps{1, 0};
    }
    wire::push_tcp(packet, header, source, destination);
    add_ip(std::move(packet), source, destination, 6);
  }
  void add_neighbour_messages() {
    wire::RouterAdvertisement advertisement;
    advertisement.lifetime_seconds = 60;
    advertisement.reachable_ms = 1;
    advertisement.retransmit_ms = 1;
    advertisement.mtu = 1400;
    advertisement.source_mac = kPeerMac;
    advertisement.prefixes.push_back({.prefix = *Prefix::parse("2001:db8::/64"),
                                      .on_link = true,
                                      .autonomous = true,
                                      .valid_seconds = 60,
                                      .preferred_seconds = 60});
    advertisement.dns_servers.push_back({kPeer6, 60});
    add_message(wire::NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, kOurs6);
    add_message(wire::NeighbourSolicitation{kOurs6}, {}, wire::solicited_node(kOurs6));
    add_message(wire::NeighbourAdvertisement{kPeer6, true, true, true, kPeerMac}, kPeer6, kOurs6);
    add_message(wire::RouterSolicitation{kPeerMac}, kPeer6, wire::kAllNodes);
    add_message(advertisement, kRouter6, wire::kAllNodes);
    add_message(wire::Redirect{kRouter6, kPeer6, kPeerMac}, kRouter6, kOurs6);
  }
  void add_message(const wire::NeighbourMessage& message, const IpAddress& source,
                   const IpAddress& destination) {
    add_ip(wire::make_neighbour_message(pool_, message, source, destination), source, destination,
           58, wire::kNeighbourHopLimit);
  }
  /// Queries of routers, IGMPv3 and MLDv2; their checksums are repaired below.
  void add_membership() {
    constexpr std::array<std::uint8_t, 12> igmp = {0x11, 100, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0};
    std::array<std::uint8_t, 28> mld{130, 0, 0, 0, 1, 0};
    mld[24] = 2;
    add_ip(packet_of(pool_, std::as_bytes(std::span(igmp))), kPeer, *IpAddress::parse("224.0.0.1"),
           2, 1);
    FrameRepair::apply(frames_.back());
    frames_.push_back(mld_frame(packet_of(pool_, std::as_bytes(std::span(mld))), kRouter6));
    FrameRepair::apply(frames_.back());
  }
  void add_dhcp() {
    wire::DhcpMessage offer;
    offer.type = wire::DhcpType::offer;
    offer.yours = kOurs;
    offer.mac = StackTarget::mac();
    offer.server = kPeer;
    offer.lease_seconds = 600;
    add_ip(datagram(packet_of(pool_, wire::emit_dhcp(offer)),
                    {wire::kDhcpServerPort, wire::kDhcpClientPort}, kPeer, kOurs),
           kPeer, kOurs, 17);
  }

  BufferPool pool_;
  std::vector<FrameBytes> frames_;
};

/// Flips bits, writes values on the edge, cuts, lengthens, splices, and moves addresses.
inline void damage(Random& random, FrameBytes& frame, const FrameBytes& other) {
  static constexpr std::array<std::uint8_t, 8> kEdges = {0, 1, 2, 0x0f, 0x45, 0x7f, 0x80, 0xff};
  for (std::uint64_t left = 1 + random.below(4); left > 0 && !frame.empty(); --left) {
    const std::size_t at = random.below(frame.size());
    switch (random.below(8)) {
      case 0:
        frame[at] ^= std::byte{1} << random.below(8);
        break;
      case 1:
        frame[at] = std::byte{kEdges[random.below(kEdges.size())]};
        break;
      case 2:
        frame[at] = static_cast<std::byte>(random.next());
        break;
      case 3:
        if (random.chance(0.2)) frame.resize(at);
        break;
      case 4:
        if (random.chance(0.2)) frame.resize(frame.size() + random.below(64));
        break;
      case 5:
        if (at + 2 <= frame.size()) {
          wire::write16(&frame[at], random.chance(0.5) ? 0 : 0xffff);
        }
        break;
      case 6:
        if (random.chance(0.1) && at < other.size()) {
          frame.resize(at);
          frame.insert(frame.end(), other.begin() + static_cast<std::ptrdiff_t>(at), other.end());
        }
        break;
      default:  // in the last bytes of an address: many neighbours
        if (frame.size() > 41) frame[random.chance(0.5) ? 29 : 31] ^= std::byte{1};
        break;
    }
  }
}

/// The next frame for a target: a reply to its last segment or DHCP message, or one of all kinds,
/// mostly damaged, and mostly with right checksums nevertheless.
inline FrameBytes next_frame(FrameSource& source, const StackTarget& target, Random& random) {
  const bool leases = target.last_dhcp() && random.chance(0.02);
  const bool reply = leases || (target.last_segment() && random.chance(0.3));
  FrameBytes frame = leases  ? source.reply_to(*target.last_dhcp(), random)
                     : reply ? source.reply_to(*target.last_segment(), random)
                             : source.any(random);
  if (random.chance(reply ? 0.3 : 0.9)) {
    damage(random, frame, source.any(random));
    if (random.chance(0.8)) FrameRepair::apply(frame);
  }
  if (!target.is_ethernet()) {
    frame.erase(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(
                                                   std::min(frame.size(), wire::kEthernetHeader)));
  }
  frame.shrink_to_fit();  // so that a sanitizer sees a read behind its end
  return frame;
}

}  // namespace hawser::fuzz
