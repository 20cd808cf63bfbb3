// Floods from many forged addresses at a host on an Ethernet with a connection: memory stays within
// its bounds, the counters tell, the connection goes on, and afterwards all memory is given back.
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>

#include "tests/support/ethernet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

const IpAddress kOurs = *IpAddress::parse("10.0.0.2");
const IpAddress kPeer = *IpAddress::parse("10.0.0.1");
const IpAddress kOurs6 = *IpAddress::parse("fd00::2");
constexpr unsigned kFrames = 30000;
constexpr std::uint32_t kBacklog = 16;

IpAddress forged4(unsigned i) {
  return IpAddress::v4(11, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i | 1));
}
IpAddress near4(unsigned i) {
  return IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(3 + i % 250));
}
IpAddress forged6(std::uint8_t first, std::uint8_t second, unsigned i) {
  std::array<std::uint8_t, 16> bytes{first, second};
  bytes[13] = static_cast<std::uint8_t>(i >> 16);
  bytes[14] = static_cast<std::uint8_t>(i >> 8);
  bytes[15] = static_cast<std::uint8_t>(i);
  bytes[12] = 1;  // none of ours
  return IpAddress::v6(bytes);
}

class Floods : public EthernetScript {
 protected:
  explicit Floods(bool autoconfigure = false) : EthernetScript(config(autoconfigure)) {
    after(2s);
    listener_ = stack.tcp_listen({IpAddress{}, Port{80}}, kBacklog).value();
    arrive_arp({wire::ArpOperation::request, kPeerMac, kPeer, {}, kOurs});
    sent.clear();
    segment(TcpFlag::syn, 0);
    const TcpHeader answer = out_tcp();
    ack_ = answer.seq + 1;
    ++seq_;
    segment(TcpFlag::ack, 0);
    socket_ = stack.tcp_accept(listener_).value();
    before_ = pool.bytes_in_use();
  }
  static StackConfig config(bool autoconfigure) {
    StackConfig config = default_config();
    config.interfaces.front().autoconfigure = autoconfigure;
    return config;
  }

  void segment(TcpFlags flags, std::uint32_t length) {
    TcpHeader header;
    header.source = Port{4000};
    header.destination = Port{80};
    header.seq = SeqNum(seq_);
    header.ack = ack_;
    header.flags = flags;
    header.window = 65535;
    Packet packet = bytes(length);
    wire::push_tcp(packet, header, kPeer, kOurs);
    arrive_ip(std::move(packet), {.source = kPeer, .destination = kOurs, .protocol = 6});
    seq_ += length;
  }
  Packet bytes(std::uint32_t length) {
    Packet packet = pool.take_packet();
    if (length == 0) return packet;
    Slice slice = pool.take(length);
    std::memset(slice.spare().data(), 'x', length);
    slice.extend(length);
    packet.append(std::move(slice));
    return packet;
  }

  /// Gives `frame` kFrames times, ten each millisecond, and now and then data to the connection.
  void flood(std::size_t most_memory, const std::function<void(unsigned)>& frame) {
    std::size_t most = 0;
    std::array<std::byte, 200> read{};
    for (unsigned i = 0; i < kFrames; ++i) {
      frame(i);
      if (i % 10 == 9) after(1ms);
      if (i % 1000 == 999) {
        segment(TcpFlag::ack | TcpFlag::psh, 100);
        ASSERT_EQ(stack.tcp_receive(now, socket_, read).value_or(0), 100U) << "in frame " << i;
      }
      sent.clear();
      most = std::max(most, pool.bytes_in_use());
      if (i % 100 == 0) {
        ASSERT_LE(stack.neighbours(now).size(), 1024U);
      }
      ASSERT_LE(stack.census().syn_received, kBacklog);
      ASSERT_EQ(stack.census().connections, 1U);
    }
    EXPECT_LE(most - before_, most_memory);
    after(10min);
    sent.clear();
    EXPECT_EQ(pool.bytes_in_use(), before_);
    EXPECT_EQ(stack.census().syn_received, 0U);
    EXPECT_EQ(stack.tcp_info(socket_)->state, TcpState::established);
  }

  void slow_syns(bool v6);
  void fragments(bool v6) {
    // The bound counts what is kept for the fragments too; the pool, their blocks alone.
    flood(IpConfig{}.reassembly_memory, [&](unsigned i) {
      Packet packet = bytes(800);
      wire::push_fragment(packet,
                          {.source = v6 ? forged6(0x20, 0x01, i) : forged4(i),
                           .destination = v6 ? kOurs6 : kOurs,
                           .protocol = 17},
                          {.identification = i, .offset = 0, .more = true});
      arrive(std::move(packet), v6 ? wire::EtherType::ipv6 : wire::EtherType::ipv4);
    });
    EXPECT_EQ(stack.counters().fragments_received, kFrames);
    EXPECT_EQ(dropped(DropReason::fragment_memory) + dropped(DropReason::fragment_timeout),
              kFrames);
  }

  SocketHandle listener_;
  SocketHandle socket_;
  std::uint32_t seq_ = 1000;
  SeqNum ack_{};
  std::size_t before_ = 0;
};

TEST_F(Floods, OfFragmentsOfIpv4) { fragments(false); }
TEST_F(Floods, OfFragmentsOfIpv6) { fragments(true); }

TEST_F(Floods, OfSyns) {
  flood(std::size_t{1} << 20, [&](unsigned i) {
    TcpHeader header;
    header.source = Port{static_cast<std::uint16_t>(1024 + i % 60000)};
    header.destination = Port{80};
    header.seq = SeqNum(i);
    header.flags = TcpFlag::syn;
    arrive_tcp(header, forged4(i), kOurs);
  });
  EXPECT_GT(stack.counters().cookies_sent, kFrames - 100 * kBacklog);
}

/// Five minutes of SYNs, in which the records of handshakes are sent again, end, and are replaced;
/// what is more gets cookies.
void Floods::slow_syns(bool v6) {
  const IpAddress gateway = *IpAddress::parse(v6 ? "fd00::fe" : "10.0.0.254");
  flood(std::size_t{1} << 20, [&](unsigned i) {
    after(10ms);
    if (i % 100 == 0 && v6) {
      arrive_neighbour_message(wire::NeighbourAdvertisement{gateway, true, true, true, kThirdMac},
                               gateway, kOurs6);
      arrive_neighbour_message(wire::NeighbourSolicitation{kOurs6, kThirdMac}, gateway, kOurs6);
    } else if (i % 100 == 0) {
      arrive_arp({wire::ArpOperation::request, kThirdMac, gateway, {}, kOurs});
    }
    TcpHeader header;
    header.source = Port{static_cast<std::uint16_t>(1024 + i % 60000)};
    header.destination = Port{80};
    header.seq = SeqNum(i);
    header.flags = TcpFlag::syn;
    arrive_tcp(header, v6 ? forged6(0x20, 0x01, i) : forged4(i), v6 ? kOurs6 : kOurs);
  });
  EXPECT_GE(stack.counters().retransmits, 7U * kBacklog);
  EXPECT_LE(stack.counters().retransmits, 3 * 7U * kBacklog);
  EXPECT_GT(stack.counters().cookies_sent, kFrames - 3 * kBacklog);
}
TEST_F(Floods, OfSynsForMinutes) { slow_syns(false); }
TEST_F(Floods, OfSynsForMinutesOverIpv6) { slow_syns(true); }

TEST_F(Floods, OfArpRequests) {
  flood(std::size_t{1} << 20, [&](unsigned i) {
    arrive_arp({wire::ArpOperation::request, kThirdMac, near4(i), {}, kOurs});
  });
  EXPECT_GT(dropped(DropReason::rate_limited), kFrames / 2);
}

TEST_F(Floods, OfArpRepliesThatNobodyAskedFor) {
  flood(0, [&](unsigned i) {
    arrive_arp({wire::ArpOperation::reply, kThirdMac, near4(i), kOurMac, kOurs});
  });
}

TEST_F(Floods, OfNeighbourSolicitations) {
  flood(std::size_t{1} << 20, [&](unsigned i) {
    arrive_neighbour_message(wire::NeighbourSolicitation{kOurs6, kThirdMac}, forged6(0xfd, 0, i),
                             kOurs6);
  });
  EXPECT_GT(dropped(DropReason::rate_limited), kFrames / 2);
}

TEST_F(Floods, OfNeighbourSolicitationsThatMakeUsAsk) {
  flood(std::size_t{2} << 20, [&](unsigned i) {
    arrive_neighbour_message(wire::NeighbourSolicitation{kOurs6}, forged6(0xfd, 0, i), kOurs6);
  });
  EXPECT_GT(dropped(DropReason::rate_limited), kFrames / 2);
}

TEST_F(Floods, OfNeighbourAdvertisements) {
  flood(0, [&](unsigned i) {
    const IpAddress source = forged6(0xfd, 0, i);
    arrive_neighbour_message(wire::NeighbourAdvertisement{source, false, false, true, kThirdMac},
                             source, kOurs6);
  });
}

class FloodsOfRouters : public Floods {
 protected:
  FloodsOfRouters() : Floods(true) {}
};

TEST_F(FloodsOfRouters, EachWithPrefixesOfItsOwn) {
  flood(std::size_t{1} << 20, [&](unsigned i) {
    wire::RouterAdvertisement advertisement;
    advertisement.lifetime_seconds = 60;
    advertisement.source_mac = kThirdMac;
    const std::array<std::uint8_t, 16> bytes{0x20,
                                             0x01,
                                             0x0d,
                                             0xb8,
                                             static_cast<std::uint8_t>(i >> 16),
                                             static_cast<std::uint8_t>(i >> 8),
                                             static_cast<std::uint8_t>(i)};
    advertisement.prefixes.push_back({.prefix = {IpAddress::v6(bytes), 64},
                                      .on_link = true,
                                      .autonomous = true,
                                      .valid_seconds = 60,
                                      .preferred_seconds = 60});
    advertisement.dns_servers.push_back({forged6(0x20, 0x01, i), 60});
    arrive_neighbour_message(advertisement, forged6(0xfe, 0x80, i), wire::kAllNodes,
                             wire::multicast_mac(wire::kAllNodes));
    ASSERT_LE(stack.addresses().size(), 64U);
    ASSERT_LE(stack.routes().size(), 256U);
    ASSERT_LE(stack.dns_servers().size(), 16U);
  });
}

}  // namespace
}  // namespace hawser
