// Frames of an Ethernet as the tests of devices need them.
#pragma once

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/mac_address.hpp"
#include "tests/link/namespace.hpp"
#include "tests/link/support.hpp"
#include "wire/bytes.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"

namespace hawser::link::testing {

constexpr std::uint32_t kEthernetHeader = 14;
constexpr std::uint16_t kIpv4Type = 0x0800;
constexpr std::uint16_t kArpType = 0x0806;
constexpr std::uint16_t kIpv6Type = 0x86dd;

struct EthernetFrame {
  MacAddress destination;
  MacAddress source;
  std::uint16_t type = 0;
};

inline EthernetFrame ethernet_of(const Packet& frame) {
  std::array<std::byte, kEthernetHeader> bytes{};
  frame.copy_to(0, bytes);
  const auto mac = [&](std::size_t at) {
    std::array<std::uint8_t, 6> address{};
    std::memcpy(address.data(), &bytes[at], address.size());
    return MacAddress(address);
  };
  return {mac(0), mac(6), wire::read16(&bytes[12])};
}

inline void push_ethernet(Packet& packet, const EthernetFrame& header) {
  const std::span<std::byte> room = packet.prepend(kEthernetHeader);
  std::memcpy(room.data(), header.destination.bytes().data(), 6);
  std::memcpy(&room[6], header.source.bytes().data(), 6);
  wire::write16(&room[12], header.type);
}

/// Reads until a frame comes for which `wanted` holds: the kernel may have something of its own to
/// say. Nothing when none came for long.
template <typename Wanted>
Packet read_until(Device& device, BufferPool& pool, Wanted wanted) {
  while (polls(device.descriptor(), POLLIN, kGenerous)) {
    std::vector<Packet> frames;
    device.read(Instant{}, pool, frames, 1);
    for (Packet& frame : frames) {
      if (frame.size() >= kEthernetHeader && wanted(frame)) return std::move(frame);
    }
  }
  return Packet{};
}

/// The byte at `offset`; zero when there is none.
inline std::uint8_t read_u8(const Packet& frame, std::uint32_t offset) {
  std::array<std::byte, 1> byte{};
  if (offset < frame.size()) frame.copy_to(offset, byte);
  return std::to_integer<std::uint8_t>(byte[0]);
}

/// Sends a frame out of an interface as the kernel would. With `offload` it has the header of
/// PACKET_VNET_HDR, which leaves work to a card.
inline void send_raw(const std::string& interface, const Bytes& frame, bool offload = false) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  const int on = offload ? 1 : 0;
  EXPECT_EQ(::setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  EXPECT_EQ(::sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                     sizeof to),
            static_cast<ssize_t>(frame.size()))
      << std::strerror(errno);
  ::close(fd);
}

/// An echo request to `destination` in a frame.
inline Packet echo_frame(BufferPool& pool, const EthernetFrame& ethernet, const IpAddress& source,
                         const IpAddress& destination, const Bytes& data) {
  Packet packet = packet_of(pool, data);
  wire::IpHeader ip;
  ip.source = source;
  ip.destination = destination;
  ip.protocol = source.is_v4() ? 1 : 58;
  wire::push_icmp_echo(packet, {.identifier = 7, .sequence = 9}, source, destination);
  wire::push_ip(packet, ip);
  push_ethernet(packet, ethernet);
  return packet;
}

/// The data of an echo reply in a frame; nothing when it is something else.
inline std::optional<Bytes> echo_reply_data(Packet frame) {
  frame.trim_front(kEthernetHeader);
  const auto ip = wire::parse_ip(frame.head(), frame.size());
  if (!ip) return std::nullopt;
  frame.truncate(ip->header_bytes + ip->payload_bytes);
  frame.trim_front(ip->header_bytes);
  const auto icmp = wire::parse_icmp(frame, ip->header.source, ip->header.destination);
  const auto* echo = icmp ? std::get_if<wire::IcmpEcho>(&*icmp) : nullptr;
  if (echo == nullptr || !echo->reply) return std::nullopt;
  frame.trim_front(wire::kIcmpHeader);
  return contents(frame);
}

}  // namespace hawser::link::testing
