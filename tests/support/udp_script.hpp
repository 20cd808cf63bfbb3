// Datagrams in and out of one stack, for tests written as packet scripts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/support/packet_script.hpp"
#include "wire/icmp.hpp"
#include "wire/udp.hpp"

namespace hawser::testing {

/// A datagram that left the stack, taken apart.
struct SentDatagram {
  Packet frame;
  wire::IpHeader ip;
  Endpoint source;
  Endpoint destination;
  std::string payload;
};

class UdpScript : public PacketScript {
 protected:
  using PacketScript::PacketScript;

  static std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
  }

  // ---- the other side

  Packet datagram_frame(const Endpoint& from, const Endpoint& to, std::string_view payload,
                        std::uint8_t hop_limit = 64) {
    Packet packet = pool.take_packet();
    Slice slice = pool.take(BufferPool::kFrameBlock);
    std::ranges::copy(bytes_of(payload), slice.spare().begin());
    slice.extend(static_cast<std::uint32_t>(payload.size()));
    if (!payload.empty()) packet.append(std::move(slice));
    wire::push_udp(packet, {from.port, to.port}, from.address, to.address);
    wire::push_ip(packet, {.source = from.address,
                           .destination = to.address,
                           .protocol = 17,
                           .hop_limit = hop_limit});
    return packet;
  }
  void datagram_in(const Endpoint& from, const Endpoint& to, std::string_view payload) {
    deliver(datagram_frame(from, to, payload));
  }
  /// An ICMP error about a frame that the stack has sent, from `reporter`.
  void error_in(const Packet& about, const wire::IcmpReport& report, const IpAddress& reporter) {
    const auto ip = wire::parse_ip(about.head(), about.size());
    Packet message = wire::make_icmp_error(about, report, reporter, ip->header.source);
    wire::push_ip(message, {.source = reporter,
                            .destination = ip->header.source,
                            .protocol = static_cast<std::uint8_t>(reporter.is_v4() ? 1 : 58)});
    deliver(std::move(message));
  }

  // ---- the stack

  SocketHandle open(const Endpoint& local, const UdpSettings& settings = {}) {
    const auto opened = stack.udp_open(&settings);
    EXPECT_TRUE(opened);
    const auto result = stack.udp_bind(*opened, local);
    EXPECT_TRUE(result) << "to " << local.to_string();
    return *opened;
  }
  Result<std::size_t> send(SocketHandle from, std::string_view payload, const Endpoint& to,
                           const UdpSendOptions& options = {}) {
    auto result = stack.udp_send_to(now, from, bytes_of(payload), to, options);
    drain();
    return result;
  }
  /// Takes what was said of groups out of the frames that left.
  std::vector<Packet> group_reports() {
    std::vector<Packet> reports;
    std::vector<Packet> others;
    for (Packet& frame : other_frames()) {
      const auto ip = wire::parse_ip(frame.head(), frame.size());
      const bool is_report =
          ip->header.hop_limit == 1 && (ip->header.protocol == 2 || ip->header.protocol == 58);
      (is_report ? reports : others).push_back(std::move(frame));
    }
    other_frames() = std::move(others);
    return reports;
  }
  /// The next datagram that left; nothing when there is none.
  std::optional<SentDatagram> sent_datagram() {
    (void)group_reports();
    if (other_frames().empty()) return std::nullopt;
    SentDatagram sent;
    sent.frame = std::move(other_frames().front());
    other_frames().erase(other_frames().begin());
    const auto ip = wire::parse_ip(sent.frame.head(), sent.frame.size());
    EXPECT_TRUE(ip);
    sent.ip = ip->header;
    if (ip->header.protocol != 17) return std::nullopt;
    EXPECT_TRUE(
        wire::udp_checksum_ok(sent.frame, ip->header_bytes, sent.ip.source, sent.ip.destination));
    Packet rest = sent.frame.share();
    rest.trim_front(ip->header_bytes);
    std::array<std::byte, wire::kUdpHeader> header{};
    rest.copy_to(0, header);
    const auto parsed = wire::parse_udp(header, rest.size(), sent.ip.source.family());
    EXPECT_TRUE(parsed);
    EXPECT_EQ(parsed->length, rest.size());
    sent.source = {sent.ip.source, parsed->header.source};
    sent.destination = {sent.ip.destination, parsed->header.destination};
    rest.trim_front(wire::kUdpHeader);
    sent.payload.resize(rest.size());
    rest.copy_to(0, std::as_writable_bytes(std::span(sent.payload)));
    return sent;
  }
  /// What reading gives, as text.
  std::optional<std::string> receive(SocketHandle from) {
    std::array<std::byte, 65536> room;
    last = stack.udp_receive_from(from, room);
    if (!last) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(room.data()), last->size);
  }

  Result<UdpReceived> last = std::unexpected(Error::would_block);
};

}  // namespace hawser::testing
