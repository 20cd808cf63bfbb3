// Valid packets with random damage, and plain noise, through every parser: none reads beyond its
// bytes (the sanitizers say so) and what it takes is consistent.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "fuzz/wire_targets.hpp"
#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;

const IpAddress kV4 = IpAddress::v4(10, 9, 0, 2);
const IpAddress kV6 = *IpAddress::parse("fd00:9::2");

Packet segment(BufferPool& pool, TcpFlags flags, const IpAddress& address) {
  Packet packet = testing::received(pool, Bytes(40, std::byte{0xa5}));
  TcpHeader header;
  header.flags = flags;
  header.options.mss = 1460;
  header.options.window_scale = 7;
  header.options.sack_permitted = true;
  header.options.timestamps = TcpTimestamps{1, 2};
  header.options.sack_count = 3;
  push_tcp(packet, header, address, address);
  return packet;
}

Packet datagram(BufferPool& pool, const IpAddress& address) {
  Packet packet = segment(pool, TcpFlag::ack, address);
  IpHeader header;
  header.source = address;
  header.destination = address;
  header.protocol = 6;
  push_ip(packet, header);
  return packet;
}

/// IPv6 with hop-by-hop, routing, fragment and destination options headers.
Bytes extended(BufferPool& pool) {
  Packet packet = testing::received(
      pool, bytes({43, 0, 5, 2, 0, 0, 1, 0, 44, 0, 4, 0, 0, 0, 0, 0, 60, 0, 0, 0, 9, 9, 9, 9,
                   6,  1, 0, 1, 2, 0, 0, 0, 30, 6, 0, 0, 0, 0, 0, 0, 1,  2, 3, 4, 5, 6, 7, 8}));
  IpHeader header;
  header.source = kV6;
  header.destination = kV6;
  header.protocol = 0;
  push_ip(packet, header);
  return testing::contents(packet);
}

void add_neighbours(BufferPool& pool, std::vector<Bytes>& to) {
  const MacAddress mac = *MacAddress::parse("02:00:00:00:00:01");
  RouterAdvertisement router;
  router.mtu = 1400;
  router.source_mac = mac;
  router.prefixes.push_back({.prefix = *Prefix::parse("fd00:9::/64")});
  router.dns_servers.push_back({kV6, 600});
  for (const NeighbourMessage& message : std::initializer_list<NeighbourMessage>{
           NeighbourSolicitation{kV6, mac, Nonce{}}, NeighbourAdvertisement{.target = kV6},
           RouterSolicitation{mac}, router, Redirect{kV6, kV6, mac}}) {
    to.push_back(testing::contents(make_neighbour_message(pool, message, kV6, kAllNodes)));
  }
  Packet arp = pool.take_packet();
  push_arp(arp, {ArpOperation::request, mac, kV4, {}, kV4});
  to.push_back(testing::contents(arp));
  push_ethernet(arp, {MacAddress::broadcast(), mac, EtherType::arp});
  to.push_back(testing::contents(arp));
}

std::vector<Bytes> seeds() {
  BufferPool pool;
  std::vector<Bytes> result;
  for (const IpAddress& address : {kV4, kV6}) {
    const Packet whole = datagram(pool, address);
    result.push_back(testing::contents(whole));
    result.push_back(testing::contents(segment(pool, TcpFlag::ack, address)));
    result.push_back(testing::contents(segment(pool, TcpFlag::syn, address)));
    result.push_back(testing::contents(
        make_icmp_error(whole, IcmpErrorKind::port_unreachable, address, address)));
  }
  add_neighbours(pool, result);
  for (const std::size_t size : {0, 1, 8, 40}) {
    Packet packet = testing::received(pool, Bytes(size, std::byte{0x5a}));
    push_udp(packet, {Port{53}, Port{5353}}, kV4, kV4);
    result.push_back(testing::contents(packet));
  }
  for (const IpAddress& address : {kV4, kV6}) {
    Packet fragment = testing::received(pool, Bytes(64));
    push_fragment(fragment, {.source = address, .destination = address, .protocol = 17},
                  {.identification = 9, .offset = 1024, .more = true});
    result.push_back(testing::contents(fragment));
  }
  // A query of IGMPv3, and one of MLDv2.
  result.push_back(bytes({0x11, 25, 0, 0, 239, 1, 2, 3, 2, 125, 0, 1, 10, 0, 0, 9}));
  result.push_back(bytes(
      {130, 0, 0, 0, 1, 0, 0, 0, 0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 2, 9, 0, 0}));
  result.push_back(extended(pool));
  return result;
}

/// Flips bits, sets bytes to values on the edge, cuts, and repeats.
void damage(Random& random, Bytes& bytes) {
  static constexpr std::uint8_t kEdges[] = {0, 1, 2, 4, 0x0f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xff};
  for (std::uint64_t left = 1 + random.below(6); left > 0 && !bytes.empty(); --left) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    std::byte& byte = bytes[static_cast<std::size_t>(at)];
    switch (random.below(5)) {
      case 0:
        byte ^= std::byte{1} << random.below(8);
        break;
      case 1:
        byte = std::byte{kEdges[random.below(std::size(kEdges))]};
        break;
      case 2:
        byte = static_cast<std::byte>(random.next());
        break;
      case 3:
        if (random.chance(0.3)) bytes.resize(static_cast<std::size_t>(at));
        break;
      default:
        bytes.insert(bytes.begin() + at, static_cast<std::byte>(random.next()));
        break;
    }
  }
}

/// Half of the damaged IPv4 headers get a right checksum, lest nothing came past it.
void repair(Random& random, Bytes& packet) {
  if (packet.size() < 20 || packet[0] >> 4 != std::byte{4} || random.chance(0.5)) return;
  const std::size_t header = std::to_integer<std::size_t>(packet[0] & std::byte{15}) * 4;
  if (header < 20 || header > packet.size()) return;
  write16(&packet[10], 0);
  Checksum checksum;
  checksum.add(std::span(packet).first(header));
  write16(&packet[10], checksum.value());
}

using Check = std::function<fuzz::Violation(BufferPool&, std::span<const std::byte>)>;

void run(std::uint64_t seed, const Check& check) {
  Random random(seed);
  BufferPool pool;
  const std::vector<Bytes> originals = seeds();
  for (int round = 0; round < 100000; ++round) {
    Bytes input = random.chance(0.05) ? testing::random_bytes(random, random.below(120))
                                      : originals[random.below(originals.size())];
    damage(random, input);
    repair(random, input);
    input.shrink_to_fit();  // so that a sanitizer sees a read behind its end
    const fuzz::Violation violation = check(pool, input);
    ASSERT_EQ(violation, nullptr) << violation << " in round " << round << " of seed " << seed;
  }
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST(Mutation, BeginsFromValidPackets) {
  const std::vector<Bytes> originals = seeds();
  for (const Bytes& packet : {originals.front(), originals[4], originals.back()}) {
    EXPECT_TRUE(parse_ip(packet, static_cast<std::uint32_t>(packet.size())));
  }
}

TEST(Mutation, OfIpPackets) { run(21, fuzz::check_ip); }
TEST(Mutation, OfTcpSegments) { run(22, fuzz::check_tcp); }
TEST(Mutation, OfUdpDatagrams) {
  run(24, [](BufferPool& pool, std::span<const std::byte> input) {
    const fuzz::Violation violation = fuzz::check_udp(pool, input, false);
    return violation != nullptr ? violation : fuzz::check_udp(pool, input, true);
  });
}
TEST(Mutation, OfDhcpMessages) {
  DhcpMessage ack;
  ack.type = DhcpType::ack;
  ack.yours = kV4;
  ack.prefix_length = 24;
  ack.routers = {kV4};
  ack.dns = {kV4, kV4};
  ack.host_name = "host";
  ack.domain = "example";
  ack.search = {"quay.example"};
  ack.mtu = 1400;
  ack.lease_seconds = 600;
  ack.server = kV4;
  ack.routes = {{*Prefix::parse("10.1.0.0/16"), kV4}};
  const Bytes original = emit_dhcp(ack);
  Random random(30);
  for (int round = 0; round < 100000; ++round) {
    Bytes input = original;
    damage(random, input);
    input.shrink_to_fit();
    const fuzz::Violation violation = fuzz::check_dhcp(input);
    ASSERT_EQ(violation, nullptr) << violation << " in round " << round;
  }
}
TEST(Mutation, OfMembershipMessages) {
  run(29, [](BufferPool& pool, std::span<const std::byte> input) {
    const fuzz::Violation violation = fuzz::check_membership(pool, input, false);
    return violation != nullptr ? violation : fuzz::check_membership(pool, input, true);
  });
}
TEST(Mutation, OfIcmpMessages) {
  run(23, [](BufferPool& pool, std::span<const std::byte> input) {
    const fuzz::Violation violation = fuzz::check_icmp(pool, input, false);
    return violation != nullptr ? violation : fuzz::check_icmp(pool, input, true);
  });
}

TEST(Mutation, OfEthernetFrames) { run(24, fuzz::check_ethernet); }
TEST(Mutation, OfArpMessages) { run(25, fuzz::check_arp); }
TEST(Mutation, OfNeighbourMessages) { run(26, fuzz::check_neighbour_message); }

}  // namespace
}  // namespace hawser::wire
