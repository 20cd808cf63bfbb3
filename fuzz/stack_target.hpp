// What must hold for any frames that a stack on an Ethernet is given: it answers legally, with
// little more than it was given, and remembers little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fuzz/wire_targets.hpp"
#include "hawser/stack.hpp"

namespace hawser::fuzz {

/// Makes the checksums of a damaged frame right, so that what stands behind them is reached.
class FrameRepair {
 public:
  static void apply(std::span<std::byte> frame) {
    std::size_t at = wire::kEthernetHeader;
    if (frame.size() < at + 2) return;
    if (wire::read16(&frame[12]) == 0x8100) at += wire::kVlanTag;
    if (frame.size() < at) return;
    const std::span<std::byte> packet = frame.subspan(at);
    if (packet.empty()) return;
    switch (std::to_integer<unsigned>(packet[0]) >> 4) {
      case 4:
        return ipv4(packet);
      case 6:
        return ipv6(packet);
      default:
        return;
    }
  }

 private:
  static void ipv4(std::span<std::byte> packet) {
    if (packet.size() < wire::kIpv4MinHeader) return;
    const std::size_t header = (wire::read8(packet.data()) & 15U) * 4U;
    const std::size_t total = wire::read16(&packet[2]);
    if (header < wire::kIpv4MinHeader || header > total || total > packet.size()) return;
    fill(packet.first(header), 10, {});
    const auto address = [&](std::size_t at) {
      return IpAddress::v4(wire::read8(&packet[at]), wire::read8(&packet[at + 1]),
                           wire::read8(&packet[at + 2]), wire::read8(&packet[at + 3]));
    };
    transport(packet.subspan(header, total - header), wire::read8(&packet[9]), address(12),
              address(16));
  }
  static void ipv6(std::span<std::byte> packet) {
    if (packet.size() < wire::kIpv6Header) return;
    const std::size_t length = wire::read16(&packet[4]);
    if (length > packet.size() - wire::kIpv6Header) return;
    const auto address = [&](std::size_t at) {
      std::array<std::uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &packet[at], bytes.size());
      return IpAddress::v6(bytes);
    };
    transport(packet.subspan(wire::kIpv6Header, length), wire::read8(&packet[6]), address(8),
              address(24));
  }
  static void transport(std::span<std::byte> bytes, std::uint8_t protocol, const IpAddress& source,
                        const IpAddress& destination) {
    wire::Checksum pseudo;
    const auto kind = static_cast<wire::IpProtocol>(protocol);
    if (kind != wire::IpProtocol::icmp && kind != wire::IpProtocol::igmp) {
      pseudo.add_pseudo_header(source, destination, protocol,
                               static_cast<std::uint32_t>(bytes.size()));
    }
    switch (kind) {
      case wire::IpProtocol::tcp:
        return fill(bytes, 16, pseudo);
      case wire::IpProtocol::udp:
        return fill(bytes, 6, pseudo);
      case wire::IpProtocol::icmp:
      case wire::IpProtocol::igmp:
      case wire::IpProtocol::icmpv6:
        return fill(bytes, 2, pseudo);
    }
  }
  static void fill(std::span<std::byte> bytes, std::size_t field, wire::Checksum checksum) {
    if (bytes.size() < field + 2) return;
    wire::write16(&bytes[field], 0);
    checksum.add(bytes);
    wire::write16(&bytes[field], checksum.value());
  }
};

/// A host with a listener, and a clock that goes on by a millisecond with each frame.
class StackTarget {
 public:
  /// Bytes that may leave ahead: headers of ICMP errors about small packets.
  static constexpr std::size_t kSlack = 4096;

  StackTarget() : stack_(config(), pool_) {
    static_cast<void>(stack_.tcp_listen({IpAddress{}, Port{80}}, 16));
    drain();
    pass(std::chrono::seconds(5));  // until its addresses may be used
    out_ = 0;
  }

  static MacAddress mac() { return *MacAddress::parse("02:00:00:00:00:02"); }
  Stack& stack() { return stack_; }
  BufferPool& pool() { return pool_; }
  Instant now() const { return now_; }

  Violation feed(std::span<const std::byte> frame) {
    now_ += std::chrono::milliseconds(1);
    if (stack_.next_deadline() <= now_) {
      stack_.on_time(now_);
      const std::size_t before = out_;
      if (const Violation bad = drain()) return bad;
      out_ = before;  // what is sent again has bounds of its own
      if (stack_.next_deadline() <= now_) return "a deadline that does not go away";
    }
    Packet packet = packet_of(pool_, frame);
    stack_.on_frames(now_, InterfaceId{0}, std::span(&packet, 1));
    in_ += std::max<std::size_t>(frame.size(), 60);  // no frame of an Ethernet is shorter
    if (const Violation bad = drain()) return bad;
    if (out_ > in_ + kSlack) return "more than it was given";
    if (stack_.neighbours(now_).size() > 1024) return "too many neighbours";
    if (pool_.bytes_in_use() > (std::size_t{64} << 20)) return "too much memory";
    return nullptr;
  }
  /// Until nothing is left to wait for but routers, which it asks for again and again, and the ends
  /// of what they told.
  Violation rest() {
    if (const Violation bad = pass(std::chrono::hours(2))) return bad;
    return stack_.neighbours(now_).empty() ? nullptr : "a neighbour that is never forgotten";
  }

 private:
  Violation pass(Duration span) {
    const Instant end = now_ + span;
    while (stack_.next_deadline() <= end) {
      now_ = std::max(now_, stack_.next_deadline());
      stack_.on_time(now_);
      if (const Violation bad = drain()) return bad;
    }
    now_ = end;
    return nullptr;
  }
  static StackConfig config() {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "eth0",
         .mtu = 1500,
         .addresses = {*Prefix::parse("10.9.0.2/24"), *Prefix::parse("fd00:9::2/64")},
         .mac = mac()});
    return config;
  }

  Violation drain() {
    std::vector<Packet> frames;
    while (stack_.poll_frames(now_, frames) == 256) continue;
    for (Packet& frame : frames) {
      out_ += frame.size();
      if (const Violation bad = check(frame)) return bad;
    }
    while (stack_.poll_readiness()) continue;
    return nullptr;
  }
  static Violation check(Packet& frame) {
    const auto parsed = wire::parse_ethernet(frame.head());
    if (!parsed) return "a frame that cannot be read";
    if (parsed->header.source != mac()) return "a frame from another";
    frame.trim_front(parsed->header_bytes);
    if (frame.size() > 1500) return "a frame beyond the MTU";
    if (parsed->header.type == wire::EtherType::arp) {
      return wire::parse_arp(frame.head()) ? nullptr : "an ARP message that cannot be read";
    }
    const auto ip = wire::parse_ip(frame.head(), frame.size());
    if (!ip) return "a packet that cannot be read";
    if (ip->header.source.is_multicast()) return "from a group";
    return nullptr;
  }

  BufferPool pool_;
  Stack stack_;
  Instant now_{std::chrono::hours(1)};
  std::size_t in_ = 0;
  std::size_t out_ = 0;
};

}  // namespace hawser::fuzz
