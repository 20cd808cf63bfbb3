// A test written frame by frame: one stack on an Ethernet, in virtual time, with 10.0.0.2 and
// fd00::2 and gateways 10.0.0.254 and fd00::fe.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hawser/stack.hpp"
#include "wire/arp.hpp"
#include "wire/ethernet.hpp"
#include "wire/ip.hpp"
#include "wire/neighbour_discovery.hpp"
#include "wire/tcp.hpp"

namespace hawser::testing {

using namespace std::chrono_literals;

inline const MacAddress kOurMac = *MacAddress::parse("02:00:00:00:00:02");
inline const MacAddress kPeerMac = *MacAddress::parse("02:00:00:00:00:01");
/// Of ff02::16, to which reports of MLDv2 go.
inline const MacAddress kMldRouters = *MacAddress::parse("33:33:00:00:00:16");
inline const MacAddress kThirdMac = *MacAddress::parse("02:00:00:00:00:03");

/// A frame that left the stack.
struct SentFrame {
  Instant at;
  wire::EthernetHeader link;
  Packet packet;  ///< behind the link header
};

class EthernetScript : public ::testing::Test {
 protected:
  static StackConfig default_config() {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "eth0",
         .mtu = 1500,
         .addresses = {*Prefix::parse("10.0.0.2/24"), *Prefix::parse("fd00::2/64")},
         .mac = kOurMac,
         .autoconfigure = false,
         .detect_duplicates = false});
    config.gateways = {*IpAddress::parse("10.0.0.254"), *IpAddress::parse("fd00::fe")};
    return config;
  }

  explicit EthernetScript(StackConfig config = default_config()) : stack(std::move(config), pool) {}

  // ---- time

  /// Goes on to `since_start`: every timer until then fires at its very instant.
  void at(Duration since_start) {
    const Instant end = kStart + since_start;
    ASSERT_GE(end, now) << "time never goes backwards";
    while (stack.next_deadline() <= end) {
      now = std::max(now, stack.next_deadline());
      stack.on_time(now);
      drain();
      ASSERT_LT(++steps_, 1000000) << "the stack does not let time go on";
    }
    now = end;
    stack.on_time(now);
    drain();
  }
  void after(Duration span) { at(now - kStart + span); }

  // ---- frames that arrive

  void deliver(Packet frame) {
    stack.on_frames(now, InterfaceId{0}, std::span(&frame, 1));
    drain();
  }
  /// `packet` in a frame.
  void arrive(Packet packet, wire::EtherType type, const MacAddress& to = kOurMac,
              const MacAddress& from = kPeerMac) {
    wire::push_ethernet(packet, {to, from, type});
    deliver(std::move(packet));
  }
  void arrive_arp(const wire::ArpMessage& message, const MacAddress& to = kOurMac) {
    Packet packet = pool.take_packet();
    wire::push_arp(packet, message);
    arrive(std::move(packet), wire::EtherType::arp, to, message.sender_mac);
  }
  void arrive_ip(Packet payload, const wire::IpHeader& header, const MacAddress& to = kOurMac) {
    wire::push_ip(payload, header);
    arrive(std::move(payload),
           header.source.is_v4() ? wire::EtherType::ipv4 : wire::EtherType::ipv6, to);
  }
  void arrive_neighbour_message(const wire::NeighbourMessage& message, const IpAddress& source,
                                const IpAddress& destination, const MacAddress& to = kOurMac) {
    arrive_ip(wire::make_neighbour_message(pool, message, source, destination),
              {.source = source,
               .destination = destination,
               .protocol = 58,
               .hop_limit = wire::kNeighbourHopLimit},
              to);
  }
  void arrive_tcp(TcpHeader header, const IpAddress& source, const IpAddress& destination,
                  const MacAddress& to = kOurMac) {
    Packet packet = pool.take_packet();
    wire::push_tcp(packet, header, source, destination);
    arrive_ip(std::move(packet), {.source = source, .destination = destination, .protocol = 6}, to);
  }

  // ---- frames that left

  /// The next one; a failure and nothing if there is none.
  SentFrame out() {
    if (sent.empty()) {
      ADD_FAILURE() << "nothing left";
      SentFrame nothing;
      nothing.packet = pool.take_packet();
      return nothing;
    }
    SentFrame frame = std::move(sent.front());
    sent.pop_front();
    return frame;
  }
  wire::ArpMessage out_arp() {
    const SentFrame frame = out();
    EXPECT_EQ(frame.link.type, wire::EtherType::arp);
    const auto parsed = wire::parse_arp(frame.packet.head());
    EXPECT_TRUE(parsed);
    link = frame.link;
    return parsed.value_or(wire::ArpMessage{});
  }
  /// The next one is a message of neighbour discovery; its IP header is left in `ip`.
  wire::NeighbourMessage out_neighbour_message() {
    SentFrame frame = out();
    EXPECT_EQ(frame.link.type, wire::EtherType::ipv6);
    link = frame.link;
    const auto header = wire::parse_ip(frame.packet.head(), frame.packet.size());
    EXPECT_TRUE(header);
    if (!header) return wire::RouterSolicitation{};
    ip = header->header;
    frame.packet.trim_front(header->header_bytes);
    const auto parsed = wire::parse_neighbour_message(frame.packet, ip);
    EXPECT_TRUE(parsed);
    return parsed.value_or(wire::RouterSolicitation{});
  }
  TcpHeader out_tcp() {
    SentFrame frame = out();
    link = frame.link;
    const auto header = wire::parse_ip(frame.packet.head(), frame.packet.size());
    EXPECT_TRUE(header);
    if (!header) return {};
    ip = header->header;
    frame.packet.trim_front(header->header_bytes);
    const auto parsed = wire::parse_tcp(frame.packet.head());
    EXPECT_TRUE(parsed);
    return parsed ? parsed->header : TcpHeader{};
  }
  void quiet() {
    EXPECT_TRUE(sent.empty()) << sent.size() << " frames left that were not expected";
    sent.clear();
  }
  void drain() {
    std::vector<Packet> frames;
    while (stack.poll_frames(now, frames) == 256) {
    }
    for (Packet& frame : frames) {
      const std::uint32_t size = frame.size();
      const auto parsed = wire::parse_ethernet(frame.head());
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->header.source, kOurMac);
      frame.trim_front(parsed->header_bytes);
      if (parsed->header.destination == kMldRouters) {
        ++group_reports;
        continue;
      }
      bytes_sent += size;
      sent.push_back({now, parsed->header, std::move(frame)});
    }
  }

  std::uint64_t dropped(DropReason reason) const { return stack.counters().dropped(reason); }

  static constexpr Instant kStart{std::chrono::hours(1)};

  BufferPool pool;
  Instant now = kStart;
  Stack stack;
  std::deque<SentFrame> sent;
  std::size_t bytes_sent = 0;
  std::size_t group_reports = 0;  ///< of MLD, which are not in `sent`
  wire::EthernetHeader link;      ///< of the frame that was last looked at
  wire::IpHeader ip;

 private:
  int steps_ = 0;
};

}  // namespace hawser::testing
