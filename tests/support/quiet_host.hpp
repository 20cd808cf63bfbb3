// A host with a listener, on a link of bare packets or on an Ethernet, in virtual time, of which is
// asked how much leaves it for a packet that it was given, until it is quiet again.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "hawser/stack.hpp"
#include "wire/arp.hpp"
#include "wire/ethernet.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"
#include "wire/neighbour_discovery.hpp"
#include "wire/tcp.hpp"
#include "wire/udp.hpp"

namespace hawser::testing {

using namespace std::chrono_literals;

inline const MacAddress kOurMac = *MacAddress::parse("02:00:00:00:00:02");
inline const MacAddress kTheirMac = *MacAddress::parse("02:00:00:00:00:01");
inline constexpr InterfaceId kInterface{0};
inline constexpr Port kListening{80};
inline constexpr std::uint32_t kBacklog = 4;

/// Bytes that left, and how many packets.
struct Left {
  std::size_t bytes = 0;
  std::size_t packets = 0;
};

/// 10.0.0.2/16 and fd00::2/64, of which `family` is used; all that it tells of itself has left.
class QuietHost {
 public:
  QuietHost(Family family, bool ethernet, std::uint32_t backlog = kBacklog)
      : v6(family == Family::ipv6), stack_(config(ethernet), pool_), ethernet_(ethernet) {
    EXPECT_TRUE(stack_.tcp_listen({IpAddress{}, kListening}, backlog));
    until_quiet();
  }

  const bool v6;
  IpAddress ours() const { return address(2); }
  IpAddress theirs() const { return address(1); }
  IpAddress address(std::uint16_t host) const {
    const auto high = static_cast<std::uint8_t>(host >> 8);
    const auto low = static_cast<std::uint8_t>(host);
    if (!v6) return IpAddress::v4(10, 0, high, low);
    std::array<std::uint8_t, 16> bytes{0xfd};
    bytes[14] = high;
    bytes[15] = low;
    return IpAddress::v6(bytes);
  }
  std::size_t ip_header() const { return v6 ? wire::kIpv6Header : wire::kIpv4MinHeader; }
  std::uint8_t icmp() const { return v6 ? 58 : 1; }
  Stack& stack() { return stack_; }
  Instant now() const { return now_; }

  // ---- packets, with their IP headers

  Packet bytes(std::size_t size) {
    Packet packet = pool_.take_packet();
    if (size == 0) return packet;
    Slice slice = pool_.take(static_cast<std::uint32_t>(size));
    std::memset(slice.spare().data(), 'x', size);
    slice.extend(static_cast<std::uint32_t>(size));
    packet.append(std::move(slice));
    return packet;
  }
  Packet from(const IpAddress& source, Packet payload, std::uint8_t protocol,
              std::uint8_t hop_limit = 64) {
    return between(source, ours(), std::move(payload), protocol, hop_limit);
  }
  static Packet between(const IpAddress& source, const IpAddress& destination, Packet payload,
                        std::uint8_t protocol, std::uint8_t hop_limit = 64) {
    wire::push_ip(payload, {.source = source,
                            .destination = destination,
                            .protocol = protocol,
                            .hop_limit = hop_limit});
    return payload;
  }
  Packet segment(TcpHeader header, std::size_t length = 0) {
    if (header.source == Port{}) header.source = Port{4000};
    if (header.destination == Port{}) header.destination = kListening;
    Packet packet = bytes(length);
    wire::push_tcp(packet, header, theirs(), ours());
    return from(theirs(), std::move(packet), 6);
  }
  Packet syn(std::uint16_t port = 4000) {
    TcpHeader header;
    header.source = Port{port};
    header.flags = TcpFlag::syn;
    return segment(header);
  }
  Packet datagram(Port port, std::size_t length) {
    Packet packet = bytes(length);
    wire::push_udp(packet, {Port{4000}, port}, theirs(), ours());
    return from(theirs(), std::move(packet), 17);
  }
  Packet echo_request(std::size_t length) {
    Packet packet = bytes(length);
    wire::push_icmp_echo(packet, {.reply = false, .identifier = 1, .sequence = 1}, theirs(),
                         ours());
    return from(theirs(), std::move(packet), icmp());
  }
  Packet message(const wire::NeighbourMessage& message, const IpAddress& source,
                 const IpAddress& destination) {
    return between(source, destination,
                   wire::make_neighbour_message(pool_, message, source, destination), 58,
                   wire::kNeighbourHopLimit);
  }
  Packet arp(wire::ArpOperation operation, const IpAddress& sender, const IpAddress& target) {
    Packet packet = pool_.take_packet();
    wire::push_arp(packet, {operation, kTheirMac, sender, {}, target});
    return packet;
  }

  // ---- what happens

  /// Gives one packet, or ARP message.
  void give(Packet packet) {
    if (ethernet_) {
      const bool arp = std::to_integer<unsigned>(packet.head()[0]) == 0;
      const bool v4 = std::to_integer<unsigned>(packet.head()[0]) >> 4 == 4;
      wire::push_ethernet(packet, {kOurMac, kTheirMac,
                                   arp  ? wire::EtherType::arp
                                   : v4 ? wire::EtherType::ipv4
                                        : wire::EtherType::ipv6});
    }
    stack_.on_frames(now_, kInterface, std::span(&packet, 1));
  }
  /// What leaves now.
  Left poll() {
    std::vector<Packet> frames;
    while (stack_.poll_frames(now_, frames) == 256) continue;
    Left left;
    for (Packet& frame : frames) {
      if (ethernet_) frame.trim_front(wire::kEthernetHeader);
      left.bytes += frame.size();
      ++left.packets;
      last = std::move(frame);
    }
    return left;
  }
  Left pass(Duration span) {
    const Instant end = now_ + span;
    Left left = poll();
    while (stack_.next_deadline() <= end) {
      now_ = std::max(now_, stack_.next_deadline());
      stack_.on_time(now_);
      const Left more = poll();
      left.bytes += more.bytes;
      left.packets += more.packets;
    }
    now_ = end;
    return left;
  }
  Left until_quiet() {
    const Left left = pass(1h);
    EXPECT_EQ(stack_.next_deadline(), kNever);
    return left;
  }
  /// All that comes of one packet.
  std::size_t bytes_for(Packet packet) {
    give(std::move(packet));
    return until_quiet().bytes;
  }

  Packet last;  ///< the last packet that left, without the header of an Ethernet

 private:
  static StackConfig config(bool ethernet) {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "link0",
         .mtu = 1500,
         .addresses = {*Prefix::parse("10.0.0.2/16"), *Prefix::parse("fd00::2/64")},
         .autoconfigure = false,
         .detect_duplicates = false});
    if (ethernet) config.interfaces.front().mac = kOurMac;
    return config;
  }

  BufferPool pool_;
  Stack stack_;
  bool ethernet_;
  Instant now_{1h};
};

}  // namespace hawser::testing
