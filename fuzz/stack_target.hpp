// What must hold for any frames that a stack on an Ethernet is given: it answers legally, with
// little more than it was given, and remembers little.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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
    apply_to_packet(frame.subspan(at));
  }
  static void apply_to_packet(std::span<std::byte> packet) {
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
    std::uint8_t protocol = wire::read8(&packet[6]);
    std::span<std::byte> bytes = packet.subspan(wire::kIpv6Header, length);
    if (protocol == 0 && bytes.size() > 8) {  // a router alert stands between
      protocol = wire::read8(bytes.data());
      bytes =
          bytes.subspan(std::min<std::size_t>(bytes.size(), (wire::read8(&bytes[1]) + 1U) * 8U));
    }
    transport(bytes, protocol, address(8), address(24));
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

/// A segment that left, as far as one needs to answer it.
struct SentSegment {
  IpAddress source;
  IpAddress destination;
  TcpHeader header;
  std::uint32_t length = 0;
};

/// What became of the frames that a target was given.
struct FrameFates {
  std::uint64_t dropped = 0;   ///< a counter of StackCounters::drops moved
  std::uint64_t answered = 0;  ///< a frame left
  std::uint64_t taken = 0;     ///< neither: it was for a socket, or told of a neighbour or router
  std::uint64_t requests = 0;  ///< of DHCP, for a lease that was offered or held
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;    ///< of answers
  std::uint64_t bytes_later = 0;  ///< that left by themselves: timers, and what a program did
  std::uint64_t most_excess = 0;  ///< bytes by which the answer to one frame was longer than it
  std::uint64_t most_later = 0;   ///< bytes that left by themselves in one window
};

/// A host with a listener and a UDP socket, on an Ethernet, where it also asks for a lease, or on a
/// link of bare IP packets, and a clock that goes on by a millisecond with each frame.
class StackTarget {
 public:
  /// Bytes by which the answer to one frame may be longer than it: 56 of an ICMP error with the
  /// least that it must quote; 98 of an ACK with a FIN of the program that waited for the segment.
  /// A frame that tells of a neighbour lets leave what waited for that.
  static constexpr std::size_t kExcess = 98;
  /// The same of all frames of a window: twenty such errors in a second, and what waited for a
  /// neighbour since the window before.
  static constexpr std::size_t kSlack = 2048;
  /// Bytes that leave by themselves in a window: questions for neighbours and routers, reports of
  /// groups, what is sent again, and what the program does.
  static constexpr std::size_t kMostLater = 16384;
  /// Frames, and so milliseconds, after which no bytes are left to answer with.
  static constexpr std::size_t kWindow = 1000;
  static constexpr std::size_t kMtu = 1500;

  explicit StackTarget(bool ethernet = true, std::uint64_t seed = 1)
      : ethernet_(ethernet), stack_(config(ethernet, seed), pool_) {
    listener_ = stack_.tcp_listen({IpAddress{}, Port{80}}, 16).value();
    udp_ = stack_.udp_open().value();
    static_cast<void>(stack_.udp_bind(udp_, {IpAddress{}, Port{5000}}));
    static_cast<void>(drain(later_));
    static_cast<void>(pass(std::chrono::seconds(5)));  // until its addresses may be used
    later_ = 0;
  }

  static MacAddress mac() { return *MacAddress::parse("02:00:00:00:00:02"); }
  bool is_ethernet() const { return ethernet_; }
  Stack& stack() { return stack_; }
  BufferPool& pool() { return pool_; }
  Instant now() const { return now_; }
  const FrameFates& fates() const { return fates_; }
  /// What was asked of DHCP servers last.
  const std::optional<wire::DhcpMessage>& last_dhcp() const { return last_dhcp_; }
  /// The last segment that left.
  const std::optional<SentSegment>& last_segment() const { return last_segment_; }

  Violation feed(std::span<const std::byte> frame) {
    now_ += std::chrono::milliseconds(1);
    if (stack_.next_deadline() <= now_) {
      stack_.on_time(now_);
      if (const Violation bad = drain(later_)) return bad;
      if (stack_.next_deadline() <= now_) return "a deadline that does not go away";
    }
    if (++in_window_ == kWindow) in_window_ = in_ = out_ = later_ = counted_later_ = 0;
    const std::uint64_t drops = drops_in_all();
    const std::uint64_t received = stack_.counters().frames_received;
    const std::size_t before = out_;
    Packet packet = packet_of(pool_, frame);
    stack_.on_frames(now_, InterfaceId{0}, std::span(&packet, 1));
    const std::size_t size = on_wire(frame.size());
    in_ += size;
    if (const Violation bad = drain_once(out_)) return bad;
    if (stack_.counters().frames_received != received + 1) return "a frame that was not counted";
    account(size, out_ - before, drops_in_all() != drops);
    if (out_ - before > size + kExcess && !tells_of_neighbour(frame)) return "a long answer";
    if (out_ > in_ + kSlack) return "more than it was given";
    if (serve()) {
      if (const Violation bad = drain(later_)) return bad;
    }
    if (const Violation bad = check_later()) return bad;
    return check_memory();
  }
  /// Until nothing is left to wait for but routers, which it asks for again and again, and the ends
  /// of what they told.
  Violation rest() {
    for (const SocketHandle socket : accepted_) static_cast<void>(stack_.tcp_abort(now_, socket));
    accepted_.clear();
    stack_.release_leases(now_);
    if (const Violation bad = drain(later_)) return bad;
    if (const Violation bad = pass(std::chrono::hours(2))) return bad;
    if (!stack_.neighbours(now_).empty()) return "a neighbour that is never forgotten";
    const StackCensus census = stack_.census();
    if (census.connections + census.syn_received + census.time_wait != 0) {
      return "a connection that is never forgotten";
    }
    return pool_.bytes_in_use() == 0 ? nullptr : "memory that is never given back";
  }

 private:
  static constexpr std::size_t kMaxAccepted = 32;

  /// No frame of an Ethernet is shorter than 60 bytes.
  std::size_t on_wire(std::size_t size) const {
    return ethernet_ ? std::max<std::size_t>(size, 60) : size;
  }
  std::uint64_t drops_in_all() const {
    std::uint64_t all = 0;
    for (const std::uint64_t drops : stack_.counters().drops) all += drops;
    return all;
  }
  void account(std::size_t in, std::size_t out, bool dropped) {
    fates_.bytes_in += in;
    fates_.bytes_out += out;
    if (out > in) fates_.most_excess = std::max<std::uint64_t>(fates_.most_excess, out - in);
    ++(out != 0 ? fates_.answered : dropped ? fates_.dropped : fates_.taken);
  }
  Violation check_later() {
    fates_.bytes_later += later_ - counted_later_;
    counted_later_ = later_;
    fates_.most_later = std::max<std::uint64_t>(fates_.most_later, later_);
    return later_ > kMostLater ? "too much by itself" : nullptr;
  }
  /// Whether it may be ARP or neighbour discovery, by the types of frame and packet.
  bool tells_of_neighbour(std::span<const std::byte> frame) const {
    if (!ethernet_ || frame.size() < wire::kEthernetHeader + wire::kIpv6Header) return ethernet_;
    const auto type = static_cast<wire::EtherType>(wire::read16(&frame[12]));
    if (type != wire::EtherType::ipv6) return type != wire::EtherType::ipv4;
    const auto protocol = static_cast<wire::IpProtocol>(wire::read8(&frame[20]));
    return protocol != wire::IpProtocol::tcp && protocol != wire::IpProtocol::udp;
  }
  Violation check_memory() {
    if (in_window_ % 64 == 0 && stack_.neighbours(now_).size() > 1024) return "too many neighbours";
    if (pool_.bytes_in_use() > (std::size_t{64} << 20)) return "too much memory";
    const StackCensus census = stack_.census();
    if (census.syn_received > 16) return "more handshakes than the backlog";
    if (census.connections > 16 + kMaxAccepted + 1024) return "too many connections";
    return nullptr;
  }

  Violation pass(Duration span) {
    const Instant end = now_ + span;
    while (stack_.next_deadline() <= end) {
      now_ = std::max(now_, stack_.next_deadline());
      stack_.on_time(now_);
      if (const Violation bad = drain(later_)) return bad;
    }
    now_ = end;
    return nullptr;
  }
  static StackConfig config(bool ethernet, std::uint64_t seed) {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "eth0",
         .mtu = kMtu,
         .addresses = {*Prefix::parse("10.9.0.2/24"), *Prefix::parse("fd00:9::2/64")}});
    if (ethernet) {
      config.interfaces.front().mac = mac();
      config.interfaces.front().dhcp = true;
    }
    config.seed = seed;
    return config;
  }

  /// Checks all that leaves, and counts its bytes.
  Violation drain_once(std::size_t& bytes) {
    std::vector<Packet> frames;
    while (stack_.poll_frames(now_, frames) == 256) continue;
    for (Packet& frame : frames) {
      bytes += on_wire(frame.size());
      if (const Violation bad = check(frame)) return bad;
    }
    return nullptr;
  }
  /// The same, and lets the program do what there is to do until nothing is left.
  Violation drain(std::size_t& bytes) {
    do {
      if (const Violation bad = drain_once(bytes)) return bad;
    } while (serve());
    return nullptr;
  }
  /// Does what a program would: accepts, reads, and closes the oldest of too many connections.
  bool serve() {
    bool any = false;
    while (const auto readiness = stack_.poll_readiness()) {
      any = true;
      if (readiness->socket == udp_) {
        while (stack_.udp_receive_from(udp_, buffer_)) continue;
        static_cast<void>(stack_.udp_take_error(udp_));
      } else if (readiness->socket == listener_) {
        while (const auto socket = stack_.tcp_accept(listener_)) accepted_.push_back(*socket);
      } else {
        while (stack_.tcp_receive(now_, readiness->socket, buffer_).value_or(0) != 0) continue;
      }
    }
    while (accepted_.size() > kMaxAccepted) {
      static_cast<void>(stack_.tcp_close(now_, accepted_.front()));
      accepted_.erase(accepted_.begin());
    }
    return any;
  }
  Violation check(Packet& frame) {
    if (ethernet_) {
      const auto parsed = wire::parse_ethernet(frame.head());
      if (!parsed) return "a frame that cannot be read";
      if (parsed->header.source != mac()) return "a frame from another";
      frame.trim_front(parsed->header_bytes);
      if (parsed->header.type == wire::EtherType::arp) {
        return wire::parse_arp(frame.head()) ? nullptr : "an ARP message that cannot be read";
      }
    }
    if (frame.size() > kMtu) return "a packet beyond the MTU";
    const auto ip = wire::parse_ip(frame.head(), frame.size());
    if (!ip) return "a packet that cannot be read";
    if (ip->header.source.is_multicast()) return "from a group";
    if (ip->fragment) return nullptr;  // its checksum is that of the whole
    frame.trim_front(ip->header_bytes);
    return check_payload(frame, ip->header);
  }
  Violation check_payload(Packet& payload, const wire::IpHeader& ip) {
    switch (static_cast<wire::IpProtocol>(ip.protocol)) {
      case wire::IpProtocol::tcp: {
        const auto tcp = wire::parse_tcp(payload.head());
        if (!tcp) return "a segment that cannot be read";
        if (!wire::tcp_checksum_ok(payload, ip.source, ip.destination)) {
          return "a segment with a wrong checksum";
        }
        last_segment_ = {ip.source, ip.destination, tcp->header,
                         static_cast<std::uint32_t>(payload.size() - tcp->header_bytes)};
        return nullptr;
      }
      case wire::IpProtocol::udp:
        if (!wire::udp_checksum_ok(payload, 0, ip.source, ip.destination)) {
          return "a datagram with a wrong checksum";
        }
        return check_dhcp(payload);
      case wire::IpProtocol::icmpv6:
        return sums_to_zero(payload, &ip) ? nullptr : "ICMPv6 with a wrong checksum";
      case wire::IpProtocol::icmp:
      case wire::IpProtocol::igmp:
        return sums_to_zero(payload, nullptr) ? nullptr : "ICMP with a wrong checksum";
    }
    return "a protocol that we do not speak";
  }
  /// Nothing but DHCP sends datagrams here.
  Violation check_dhcp(Packet& datagram) {
    std::vector<std::byte> bytes(datagram.size());
    datagram.copy_to(0, bytes);
    const auto message = wire::parse_dhcp(std::span(bytes).subspan(wire::kUdpHeader));
    if (!message) return "a DHCP message that cannot be read";
    last_dhcp_ = *message;
    if (message->type == wire::DhcpType::request) ++fates_.requests;
    return nullptr;
  }
  static bool sums_to_zero(const Packet& message, const wire::IpHeader* pseudo) {
    std::vector<std::byte> bytes(message.size());
    message.copy_to(0, bytes);
    wire::Checksum checksum;
    if (pseudo != nullptr) {
      checksum.add_pseudo_header(pseudo->source, pseudo->destination, pseudo->protocol,
                                 message.size());
    }
    checksum.add(bytes);
    return checksum.value() == 0;
  }

  bool ethernet_;
  BufferPool pool_;
  Stack stack_;
  Instant now_{std::chrono::hours(1)};
  SocketHandle listener_;
  SocketHandle udp_;
  std::vector<SocketHandle> accepted_;
  std::array<std::byte, 4096> buffer_{};
  std::optional<SentSegment> last_segment_;
  std::optional<wire::DhcpMessage> last_dhcp_;
  FrameFates fates_;
  std::size_t in_window_ = 0;
  std::size_t in_ = 0;
  std::size_t out_ = 0;
  std::size_t later_ = 0;
  std::size_t counted_later_ = 0;  // in fates_
};

}  // namespace hawser::fuzz
