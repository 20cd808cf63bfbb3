// What strangers can make a host send: each row of the table in docs/hostile-input.md, by bytes of
// IP packets (and ARP messages) until the host is quiet again, and the limit of its rate.
#include <algorithm>
#include <array>
#include <vector>

#include "tests/support/quiet_host.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/membership.hpp"

namespace hawser {
namespace {

using namespace testing;

class Amplification : public ::testing::TestWithParam<Family> {
 protected:
  /// Gives a SYN to the listener, and tells its size.
  std::size_t give_syn(const TcpOptions& options) {
    TcpHeader syn;
    syn.flags = TcpFlag::syn;
    syn.options = options;
    Packet packet = host.segment(syn);
    const std::size_t size = packet.size();
    host.give(std::move(packet));
    return size;
  }

  QuietHost host{GetParam(), false};
  const std::size_t header = host.ip_header() + wire::kTcpMinHeader;
};
INSTANTIATE_TEST_SUITE_P(BothFamilies, Amplification, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& given) {
                           return given.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

// ---- TCP

/// Every choice of the options of a SYN.
std::vector<TcpOptions> options_of_syns() {
  std::vector<TcpOptions> all;
  for (unsigned choice = 0; choice < 16; ++choice) {
    TcpOptions& options = all.emplace_back();
    if ((choice & 1U) != 0) options.mss = 1460;
    if ((choice & 2U) != 0) options.window_scale = 7;
    options.sack_permitted = (choice & 4U) != 0;
    if ((choice & 8U) != 0) options.timestamps = TcpTimestamps{1, 0};
  }
  return all;
}

TEST_P(Amplification, ASynIsAnsweredWithTheMssMoreAtMostEightTimes) {
  for (const TcpOptions& options : options_of_syns()) {
    const std::size_t size = give_syn(options);
    const Left first = host.poll();
    EXPECT_EQ(first.packets, 1U);
    EXPECT_LE(first.bytes, size + (options.mss ? 0 : 4)) << "RFC9293-SHLD-5";
    const Left again = host.until_quiet();
    EXPECT_EQ(again.packets, 7U);
    EXPECT_EQ(again.bytes, 7 * first.bytes);
  }
}

TEST_P(Amplification, ASynBeyondTheQueueIsAnsweredOnceAndNotByMore) {
  for (const TcpOptions& options : options_of_syns()) {
    for (std::uint16_t i = 0; i < kBacklog; ++i) host.give(host.syn(i + 1));
    host.poll();
    const std::size_t size = give_syn(options);
    const Left left = host.poll();
    EXPECT_EQ(left.packets, 1U);
    EXPECT_LE(left.bytes, size);
    EXPECT_EQ(host.until_quiet().packets, 7 * kBacklog);
  }
}

TEST_P(Amplification, OfSynAcksThatGoAgainAHundredInASecond) {
  constexpr std::uint16_t kSyns = 4000;
  QuietHost busy(GetParam(), false, kSyns);
  for (std::uint16_t i = 0; i < kSyns; ++i) busy.give(busy.syn(i + 1));
  EXPECT_EQ(busy.poll().packets, kSyns);
  std::size_t packets = 0;
  for (int second = 1; second <= 300; ++second) {
    packets += busy.pass(1s).packets;
    EXPECT_LE(packets, 100U + 100U * static_cast<unsigned>(second));
  }
  EXPECT_GE(packets, 700U);  // the seven instants at which all of them would go
  EXPECT_LE(packets, 7 * 200U);
  EXPECT_EQ(busy.stack().census().syn_received, 0U);
  EXPECT_EQ(busy.stack().counters().dropped(DropReason::rate_limited), 7U * kSyns - packets);
  // A peer that does not hear the answer repeats its SYN, and is answered whatever the limit.
  busy.give(busy.syn());
  busy.give(busy.syn());
  EXPECT_EQ(busy.poll().packets, 2U);
}

TEST_P(Amplification, ASegmentToNoConnectionIsAnsweredByABareReset) {
  for (const TcpFlags flags :
       {TcpFlags{}, TcpFlags(TcpFlag::syn), TcpFlags(TcpFlag::ack), TcpFlag::syn | TcpFlag::ack,
        TcpFlag::fin | TcpFlag::ack, TcpFlag::fin | TcpFlag::psh | TcpFlag::urg}) {
    for (const std::size_t length : {0, 1, 1000}) {
      TcpHeader segment;
      segment.destination = Port{81};
      segment.flags = flags;
      EXPECT_EQ(host.bytes_for(host.segment(segment, length)), header);
    }
  }
  TcpHeader to_listener;
  to_listener.flags = TcpFlag::ack;
  EXPECT_EQ(host.bytes_for(host.segment(to_listener)), header);
  to_listener.flags = TcpFlag::rst;
  EXPECT_EQ(host.bytes_for(host.segment(to_listener)), 0U);
  std::size_t resets = 0;
  for (int i = 0; i < 20000; ++i) {
    TcpHeader segment;
    segment.destination = Port{81};
    segment.flags = TcpFlag::ack;
    host.give(host.segment(segment));
    if (i % 100 == 99) resets += host.poll().packets;
  }
  EXPECT_EQ(resets, 10000U);
}

TEST_P(Amplification, ASegmentThatDoesNotFitIsAnsweredByABareAck) {
  for (const bool timestamps : {false, true}) {
    QuietHost peer(GetParam(), false);
    TcpHeader syn;
    syn.flags = TcpFlag::syn;
    if (timestamps) syn.options.timestamps = TcpTimestamps{1, 0};
    peer.give(peer.segment(syn));
    peer.poll();
    peer.last.trim_front(static_cast<std::uint32_t>(peer.ip_header()));
    TcpHeader ack;
    ack.flags = TcpFlag::ack;
    ack.seq = SeqNum(1);
    ack.ack = wire::parse_tcp(peer.last.head())->header.seq + 1;
    ack.options.timestamps = syn.options.timestamps;
    ack.window = 1000;
    peer.give(peer.segment(ack));
    ASSERT_EQ(peer.stack().counters().connections_accepted, 1U);
    peer.pass(1min);
    // Whoever guesses addresses and ports, but not the numbers.
    TcpHeader forged;
    forged.seq = SeqNum(1000000000);
    forged.flags = TcpFlag::syn;
    peer.give(peer.segment(forged));
    EXPECT_EQ(peer.poll().bytes, header + (timestamps ? 12U : 0U));
    forged.flags = TcpFlag::ack;
    peer.give(peer.segment(forged, 100));
    EXPECT_LE(peer.poll().bytes, header + 100);
    peer.pass(1min);
    std::size_t acks = 0;
    for (int i = 0; i < 1000; ++i) {
      forged.flags = i % 2 == 0 ? TcpFlag::syn : TcpFlag::ack;
      peer.give(peer.segment(forged));
      acks += peer.poll().packets;
    }
    EXPECT_EQ(acks, TcpConfig{}.challenge_acks_per_second);
  }
}

// ---- ICMP

TEST_P(Amplification, AnEchoIsAsLongAsItsRequest) {
  for (const std::size_t length : {0, 1, 56, 1400}) {
    Packet request = host.echo_request(length);
    const std::size_t size = request.size();
    EXPECT_EQ(host.bytes_for(std::move(request)), size);
  }
  for (int i = 0; i < 5000; ++i) host.give(host.echo_request(0));
  EXPECT_EQ(host.poll().packets, IpConfig{}.echo_replies_per_second);
}

TEST_P(Amplification, AnIcmpErrorIsNoLongerThanItsCauseOrTheLeastThatItMustQuote) {
  const std::size_t least = 2 * (host.ip_header() + 8);
  const auto check = [&](Packet cause) {
    const std::size_t size = cause.size();
    const std::size_t left = host.bytes_for(std::move(cause));
    EXPECT_GT(left, 0U);
    EXPECT_LE(left, std::max(size, least));
  };
  for (const std::size_t length : {0, 1, 20, 48, 100, 700, 1400}) {
    check(host.datagram(Port{9}, length));
    check(host.from(host.theirs(), host.bytes(length + 8), 99));
  }
  if (!host.v6) return;
  constexpr std::array<std::byte, 8> kUnknownOption{std::byte{59}, std::byte{0}, std::byte{0x9e},
                                                    std::byte{4}};
  Packet options = host.bytes(0);
  ASSERT_TRUE(options.append_copy(kUnknownOption));
  check(host.from(host.theirs(), std::move(options), 60));  // RFC 8200 4.2: to be reported
}

TEST_P(Amplification, OfLongerIcmpErrorsTwentyInASecondAndOfAllAThousand) {
  for (int i = 0; i < 5000; ++i) host.give(host.datagram(Port{9}, 0));
  const Left longer = host.poll();
  EXPECT_EQ(longer.packets, 20U);
  EXPECT_LE(longer.bytes, 20 * 2 * (host.ip_header() + 8));
  host.pass(1min);
  for (int i = 0; i < 5000; ++i) host.give(host.datagram(Port{9}, 100));
  const Left all = host.poll();
  EXPECT_LE(all.packets, IpConfig{}.icmp_errors_per_second);
  EXPECT_GE(all.packets, IpConfig{}.icmp_errors_per_second / 2);
}

TEST_P(Amplification, AFirstFragmentIsAnsweredAtItsEndByNoMoreThanItself) {
  for (const std::size_t length : {8, 48, 800, 1400}) {
    Packet fragment = host.bytes(length);
    wire::push_fragment(fragment,
                        {.source = host.theirs(), .destination = host.ours(), .protocol = 17},
                        {.identification = 7, .offset = 0, .more = true});
    const std::size_t size = fragment.size();
    const std::size_t least = 2 * (host.ip_header() + 8) + (host.v6 ? 8 : 0);
    const std::size_t left = host.bytes_for(std::move(fragment));
    EXPECT_GT(left, 0U);
    EXPECT_LE(left, std::max(size, least));
  }
  Packet later = host.bytes(800);
  wire::push_fragment(later, {.source = host.theirs(), .destination = host.ours(), .protocol = 17},
                      {.identification = 8, .offset = 800, .more = false});
  EXPECT_EQ(host.bytes_for(std::move(later)), 0U);
}

TEST_P(Amplification, WhatIsForAllOrFromNobodyIsNotAnswered) {
  const IpAddress all = host.v6 ? wire::kAllNodes : IpAddress::v4(10, 0, 255, 255);
  const auto to_all = [&](Packet payload, std::uint8_t protocol) {
    return QuietHost::between(host.theirs(), all, std::move(payload), protocol);
  };
  Packet datagram = host.bytes(100);
  wire::push_udp(datagram, {Port{4000}, Port{9}}, host.theirs(), all);
  EXPECT_EQ(host.bytes_for(to_all(std::move(datagram), 17)), 0U);
  TcpHeader syn;
  syn.source = Port{4000};
  syn.destination = kListening;
  syn.flags = TcpFlag::syn;
  Packet segment = host.bytes(0);
  wire::push_tcp(segment, syn, host.theirs(), all);
  EXPECT_EQ(host.bytes_for(to_all(std::move(segment), 6)), 0U);
  EXPECT_EQ(host.bytes_for(to_all(host.bytes(100), 99)), 0U);
  EXPECT_EQ(host.bytes_for(host.from(IpAddress::any(GetParam()), host.bytes(100), 99)), 0U);
  Packet cause = host.datagram(Port{9}, 100);
  Packet error = wire::make_icmp_error(cause, wire::IcmpErrorKind::port_unreachable, host.theirs(),
                                       host.ours());
  EXPECT_EQ(host.bytes_for(host.from(host.theirs(), std::move(error), host.icmp())), 0U);
}

// ---- neighbours

TEST(AmplificationOnALink, AnArpRequestIsAnsweredByAsMuch) {
  QuietHost host(Family::ipv4, true);
  const IpAddress ours = host.ours();
  EXPECT_EQ(host.bytes_for(host.arp(wire::ArpOperation::request, host.theirs(), ours)), 28U);
  const IpAddress nobody = IpAddress::any(Family::ipv4);
  EXPECT_EQ(host.bytes_for(host.arp(wire::ArpOperation::request, nobody, ours)), 28U);
  EXPECT_EQ(host.bytes_for(host.arp(wire::ArpOperation::reply, host.theirs(), ours)), 0U);
  EXPECT_EQ(host.bytes_for(host.arp(wire::ArpOperation::request, host.theirs(), host.address(3))),
            0U);
}

TEST(AmplificationOnALink, ANeighbourSolicitationIsAnsweredByAsMuchOrWithOurMac) {
  QuietHost host(Family::ipv6, true);
  const IpAddress ours = host.ours();
  const IpAddress group = wire::solicited_node(ours);
  const wire::NeighbourSolicitation named{ours, kTheirMac};
  const wire::NeighbourSolicitation nameless{ours};
  EXPECT_EQ(host.bytes_for(host.message(named, host.theirs(), group)), 72U);  // for 72
  EXPECT_EQ(host.bytes_for(host.message(named, host.theirs(), ours)), 64U);   // for 72
  // RFC4861-7.2.4: of 64 bytes, but a question to a group must be told the address.
  EXPECT_EQ(host.bytes_for(host.message(nameless, {}, group)), 72U);
}

TEST(AmplificationOnALink, OfAnswersToNeighboursAThousandInASecond) {
  QuietHost host(Family::ipv6, true);
  const wire::NeighbourSolicitation asked{host.ours(), kTheirMac};
  for (int i = 0; i < 1000; ++i) {
    host.give(host.message(asked, host.theirs(), host.ours()));
    host.give(host.arp(wire::ArpOperation::request, IpAddress::v4(10, 0, 0, 1),
                       IpAddress::v4(10, 0, 0, 2)));
  }
  EXPECT_EQ(host.poll().packets, 1000U);
}

TEST_P(Amplification, WhoIsNotKnownIsAskedForThreeTimes) {
  QuietHost near(GetParam(), true);
  const std::size_t question = near.v6 ? 72 : 28;
  for (const bool many : {false, true}) {
    for (std::uint16_t i = 0; i < (many ? 100 : 1); ++i) near.give(near.syn(1000 + i));
    // While nobody answers, no SYN-ACK leaves; each that goes again asks again.
    near.pass(500ms);
    const Left first = near.pass(2400ms);
    EXPECT_LE(first.packets, 3U);
    EXPECT_EQ(first.bytes, first.packets * question);
    EXPECT_LE(near.until_quiet().packets, 7 * 3U);
  }
  near.give(near.echo_request(0));
  const Left left = near.until_quiet();
  EXPECT_EQ(left.packets, 3U);
  EXPECT_EQ(left.bytes, 3 * question);
}

TEST_P(Amplification, OfWhoIsNotKnown256AreAskedForAtOnceAnd500InASecond) {
  QuietHost near(GetParam(), true);
  for (std::uint16_t i = 0; i < 2000; ++i) {
    Packet packet = near.bytes(0);
    const IpAddress source = near.address(1000 + i);
    wire::push_icmp_echo(packet, {.reply = false, .identifier = 1, .sequence = 1}, source,
                         near.ours());
    near.give(near.from(source, std::move(packet), near.icmp()));
  }
  EXPECT_EQ(near.poll().packets, 500U);
  EXPECT_LE(near.until_quiet().packets, 3 * 256U);
}

TEST(AmplificationOnALink, AClaimOfOurAddressIsAnsweredOnceInTenSeconds) {
  QuietHost host(Family::ipv4, true);
  Left left;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 10; ++i) {
      host.give(host.arp(wire::ArpOperation::request, host.ours(), host.theirs()));
    }
    const Left more = host.pass(1s);
    left.packets += more.packets;
    left.bytes += more.bytes;
  }
  EXPECT_EQ(left.packets, 6U);
  EXPECT_EQ(left.bytes, 6 * 28U);
}

// ---- groups

/// A question for the members of all groups, to be answered within a tenth of a second.
Packet group_query(QuietHost& host) {
  constexpr std::array<std::uint8_t, 12> kIgmp{0x11, 1, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0};
  constexpr std::array<std::uint8_t, 28> kMld{130, 0, 0, 0, 0, 100};
  std::vector<std::uint8_t> bytes(kIgmp.begin(), kIgmp.end());
  if (host.v6) bytes.assign(kMld.begin(), kMld.end());
  const IpAddress source = host.v6 ? *IpAddress::parse("fe80::1") : host.theirs();
  const IpAddress all = host.v6 ? wire::kAllNodes : IpAddress::v4(224, 0, 0, 1);
  wire::Checksum sum;
  if (host.v6) sum.add_pseudo_header(source, all, 58, static_cast<std::uint32_t>(bytes.size()));
  sum.add(std::as_bytes(std::span(bytes)));
  Packet packet = host.bytes(0);
  EXPECT_TRUE(packet.append_copy(std::as_bytes(std::span(bytes))));
  wire::write16(&packet.own_bytes()[2], sum.value());
  if (!host.v6) return QuietHost::between(source, all, std::move(packet), 2, 1);
  wire::push_mld_ip(packet, source, all);
  return packet;
}

TEST_P(Amplification, AQueryOfGroupsIsAnsweredByOneReportFiftyInASecond) {
  constexpr std::size_t kGroups = 3;
  const SocketHandle socket = host.stack().udp_open().value();
  for (std::uint8_t i = 1; i <= kGroups; ++i) {
    std::array<std::uint8_t, 16> group{0xff, 5};
    group[15] = i;
    ASSERT_TRUE(host.stack().udp_join(host.now(), socket,
                                      host.v6 ? IpAddress::v6(group) : IpAddress::v4(239, 0, 0, i),
                                      kInterface));
  }
  EXPECT_GT(host.until_quiet().packets, 0U);
  host.give(group_query(host));
  const Left once = host.until_quiet();
  EXPECT_EQ(once.packets, 1U);
  EXPECT_EQ(once.bytes, host.v6 ? 48 + 8 + 20 * kGroups : 24 + 8 + 8 * kGroups);
  std::size_t packets = 0;
  for (int i = 0; i < 10000; ++i) {
    host.give(group_query(host));
    packets += host.pass(1ms).packets;
  }
  EXPECT_GT(packets, 100U);
  EXPECT_LE(packets, 500U);
}

}  // namespace
}  // namespace hawser
