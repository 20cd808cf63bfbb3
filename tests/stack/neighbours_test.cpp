// A stack on an Ethernet, frame by frame: whom it answers, whom it asks, and what it tells the
// sockets.
#include <algorithm>

#include "tests/support/ethernet_script.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/icmp.hpp"

namespace hawser {
namespace {

using namespace testing;
using wire::ArpMessage;
using wire::ArpOperation;
using wire::NeighbourAdvertisement;
using wire::NeighbourSolicitation;

constexpr std::array<std::byte, 3> kData{};
const IpAddress kOurs = *IpAddress::parse("10.0.0.2");
const IpAddress kPeer = *IpAddress::parse("10.0.0.1");
const IpAddress kOurs6 = *IpAddress::parse("fd00::2");
const IpAddress kPeer6 = *IpAddress::parse("fd00::1");

class OnEthernet : public EthernetScript {
 protected:
  explicit OnEthernet(StackConfig config = default_config()) : EthernetScript(std::move(config)) {
    drain();
    sent.clear();  // what it announces
    bytes_sent = 0;
  }

  static ArpMessage arp(ArpOperation operation, const IpAddress& sender = kPeer,
                        const IpAddress& target = kOurs, const MacAddress& mac = kPeerMac) {
    return {.operation = operation,
            .sender_mac = mac,
            .sender = sender,
            .target_mac = operation == ArpOperation::reply ? kOurMac : MacAddress{},
            .target = target};
  }
  SocketHandle connect(const IpAddress& to = kPeer) {
    const auto socket = stack.tcp_connect(now, {}, {to, Port{80}});
    EXPECT_TRUE(socket);
    drain();
    return socket.value_or(SocketHandle{});
  }
  SocketHandle udp() {
    const auto socket = stack.udp_open();
    EXPECT_TRUE(socket);
    return socket.value_or(SocketHandle{});
  }
  /// Completes the handshake of a socket whose SYN has just been read into `syn`.
  void answer(const TcpHeader& syn, const IpAddress& from, const IpAddress& to) {
    TcpHeader header;
    header.source = syn.destination;
    header.destination = syn.source;
    header.flags = TcpFlags(TcpFlag::syn) | TcpFlag::ack;
    header.seq = SeqNum(1000);
    header.ack = syn.seq + 1;
    header.window = 65535;
    header.options.mss = 1460;
    arrive_tcp(header, from, to);
  }
  std::optional<NeighbourInfo> neighbour(const IpAddress& address) {
    for (const NeighbourInfo& info : stack.neighbours(now)) {
      if (info.address == address) return info;
    }
    return std::nullopt;
  }
};

// ---- frames

TEST_F(OnEthernet, TakesFramesForUsAndForAll) {
  struct Case {
    const char* what;
    MacAddress to;
    bool taken;
  };
  const Case cases[] = {
      {"us", kOurMac, true}, {"all", MacAddress::broadcast(), true}, {"another", kThirdMac, false}};
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.what);
    const auto before = dropped(DropReason::other_mac);
    arrive_arp(arp(ArpOperation::request), expected.to);
    EXPECT_EQ(sent.size(), expected.taken ? 1U : 0U);
    EXPECT_EQ(dropped(DropReason::other_mac) - before, expected.taken ? 0U : 1U);
    sent.clear();
  }
}

TEST_F(OnEthernet, CountsWhatItCannotRead) {
  const auto frame = [&](std::initializer_list<int> from_type) {
    Packet packet = pool.take_packet();
    std::vector<std::byte> bytes;
    for (const int byte : from_type) bytes.push_back(static_cast<std::byte>(byte));
    EXPECT_TRUE(packet.append_copy(bytes));
    std::ranges::copy(std::as_bytes(std::span(kPeerMac.bytes())), packet.prepend(6).begin());
    std::ranges::copy(std::as_bytes(std::span(kOurMac.bytes())), packet.prepend(6).begin());
    return packet;
  };
  deliver(frame({0, 46}));
  EXPECT_EQ(dropped(DropReason::bad_ethernet), 1U);
  deliver(frame({0x81, 0, 0, 7, 8, 0, 0x45}));
  EXPECT_EQ(dropped(DropReason::other_vlan), 1U);
  deliver(frame({0x88, 0xcc, 1}));
  EXPECT_EQ(dropped(DropReason::unknown_ether_type), 1U);
  deliver(frame({8, 0}));
  EXPECT_EQ(dropped(DropReason::truncated), 1U);
  deliver(frame({8}));
  EXPECT_EQ(dropped(DropReason::truncated), 2U);
  deliver(frame({8, 0, 0x60, 0, 0}));
  EXPECT_EQ(dropped(DropReason::bad_ip_version), 1U);
  deliver(frame({8, 6, 0, 1}));
  EXPECT_EQ(dropped(DropReason::truncated), 3U);
  quiet();
}

TEST_F(OnEthernet, SendsAtLeastAHeaderBeforeAPacket) {
  arrive_arp(arp(ArpOperation::request));
  sent.clear();
  Packet data = pool.take_packet();
  wire::push_icmp_echo(data, {.reply = false, .identifier = 1, .sequence = 1}, kPeer, kOurs);
  arrive_ip(std::move(data), {.source = kPeer, .destination = kOurs, .protocol = 1});
  const SentFrame reply = out();
  EXPECT_EQ(reply.link.destination, kPeerMac);
  EXPECT_EQ(reply.link.type, wire::EtherType::ipv4);
}

TEST_F(OnEthernet, WhatAllGetMustBeForAllInIpToo) {  // RFC1122-3.3.6
  Packet data = pool.take_packet();
  wire::push_icmp_echo(data, {.reply = false, .identifier = 1, .sequence = 1}, kPeer, kOurs);
  arrive_ip(std::move(data), {.source = kPeer, .destination = kOurs, .protocol = 1},
            MacAddress::broadcast());
  quiet();
  EXPECT_EQ(dropped(DropReason::not_unicast), 1U);
}

// ---- asked of us

TEST_F(OnEthernet, AnswersWhoAsksForItByArp) {  // RFC 826
  arrive_arp(arp(ArpOperation::request), MacAddress::broadcast());
  const ArpMessage reply = out_arp();
  EXPECT_EQ(reply.operation, ArpOperation::reply);
  EXPECT_EQ(reply.sender, kOurs);
  EXPECT_EQ(reply.sender_mac, kOurMac);
  EXPECT_EQ(reply.target, kPeer);
  EXPECT_EQ(reply.target_mac, kPeerMac);
  EXPECT_EQ(link.destination, kPeerMac);
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::stale);
  after(1h);
  quiet();
}

TEST_F(OnEthernet, AnswersAProbeAndLearnsNothing) {  // RFC 5227 2.1.1
  arrive_arp(arp(ArpOperation::request, IpAddress::v4(0, 0, 0, 0)), MacAddress::broadcast());
  EXPECT_EQ(out_arp().sender, kOurs);
  EXPECT_TRUE(stack.neighbours(now).empty());
}

TEST_F(OnEthernet, AnswersForNobodyElse) {
  arrive_arp(arp(ArpOperation::request, kPeer, IpAddress::v4(10, 0, 0, 9)),
             MacAddress::broadcast());
  arrive_arp(arp(ArpOperation::request, kPeer, IpAddress::v4(127, 0, 0, 1)),
             MacAddress::broadcast());
  arrive_neighbour_message(NeighbourSolicitation{*IpAddress::parse("fd00::9"), kPeerMac}, kPeer6,
                           wire::kAllNodes, wire::multicast_mac(wire::kAllNodes));
  quiet();
  EXPECT_TRUE(stack.neighbours(now).empty());
}

TEST_F(OnEthernet, HearsNobodyWhoClaimsToBeUs) {
  arrive_arp(arp(ArpOperation::request, kOurs, kOurs, kOurMac), MacAddress::broadcast());
  arrive_arp(arp(ArpOperation::request, IpAddress::v4(10, 0, 0, 255)));
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_source), 2U);
  EXPECT_TRUE(stack.neighbours(now).empty());
}

/// Another station has 10.0.0.2 as well.
class Conflict : public OnEthernet {
 protected:
  explicit Conflict(StackConfig config = asking()) : OnEthernet(std::move(config)) {}
  static StackConfig asking() {
    StackConfig config = default_config();
    config.interfaces[0].addresses = {{kOurs, 24}};
    config.interfaces[0].detect_duplicates = true;
    return config;
  }
  void claim() { arrive_arp(arp(ArpOperation::request, kOurs, kPeer), MacAddress::broadcast()); }
  void expect_announcement() {
    const ArpMessage announced = out_arp();
    EXPECT_EQ(announced.operation, ArpOperation::request);
    EXPECT_EQ(announced.sender, kOurs);
    EXPECT_EQ(announced.sender_mac, kOurMac);
    EXPECT_EQ(announced.target, kOurs);
    EXPECT_EQ(link.destination, MacAddress::broadcast());
  }
  AddressState state() const { return stack.addresses().at(0).state; }
};

TEST_F(Conflict, IsAnsweredByOneAnnouncement) {  // RFC5227-2.4
  claim();
  expect_announcement();
  quiet();
  EXPECT_EQ(dropped(DropReason::address_conflict), 1U);
  EXPECT_TRUE(stack.neighbours(now).empty());
  after(10s);
  claim();  // an accident of long ago counts no more
  expect_announcement();
  EXPECT_EQ(state(), AddressState::preferred);
}

TEST_F(Conflict, ThatGoesOnEndsTheAddressAndItsConnections) {  // RFC5227-2.4
  const SocketHandle socket = connect();
  out_arp();
  arrive_arp(arp(ArpOperation::reply));
  answer(out_tcp(), kPeer, kOurs);
  out_tcp();
  claim();
  expect_announcement();
  after(9s);
  claim();
  quiet();
  EXPECT_EQ(state(), AddressState::duplicate);
  EXPECT_EQ(stack.counters().duplicate_addresses, 1U);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::address_not_available);
  claim();
  arrive_arp(arp(ArpOperation::request), MacAddress::broadcast());
  quiet();  // it is the other's now
  EXPECT_EQ(dropped(DropReason::address_conflict), 2U);
}

/// Who never asks about addresses is sure of them.
class LastingConflict : public Conflict {
 protected:
  static StackConfig sure() {
    StackConfig config = asking();
    config.interfaces[0].detect_duplicates = false;
    return config;
  }
  LastingConflict() : Conflict(sure()) {}
};

TEST_F(LastingConflict, IsAnsweredAgainAndAgainButNotOften) {  // RFC5227-2.4
  for (unsigned second = 0; second < 30; ++second, after(1s)) {
    claim();
    if (second % 10 == 0) expect_announcement();
    quiet();
  }
  EXPECT_EQ(state(), AddressState::preferred);
  EXPECT_EQ(dropped(DropReason::address_conflict), 30U);
}

/// What routers of IPv4 say of better gateways.
class IcmpRedirects : public OnEthernet {
 protected:
  static inline const IpAddress kFar = IpAddress::v4(192, 0, 2, 1);
  static inline const IpAddress kRouter = IpAddress::v4(10, 0, 0, 254);
  static inline const IpAddress kBetter = IpAddress::v4(10, 0, 0, 253);

  /// RFC 792, about a datagram from us to `destination`.
  void redirect(const IpAddress& router, const IpAddress& gateway,
                const IpAddress& destination = kFar, const IpAddress& source = kOurs) {
    Packet quote = pool.take_packet();
    ASSERT_TRUE(quote.append_copy(std::array<std::byte, 8>{}));
    wire::push_ip(quote, {.source = source, .destination = destination, .protocol = 17});
    const auto gateway_bytes = gateway.v4_bytes();
    std::array<std::byte, 8> header{std::byte{5}, std::byte{1}};
    std::ranges::transform(gateway_bytes, header.begin() + 4,
                           [](std::uint8_t byte) { return std::byte{byte}; });
    std::ranges::copy(header, quote.prepend(header.size()).begin());
    wire::Checksum checksum;
    checksum.add(quote);
    wire::write16(&quote.own_bytes()[2], checksum.value());
    arrive_ip(std::move(quote), {.source = router, .destination = kOurs, .protocol = 1});
  }
  /// Whom we ask for in order to send to `destination`.
  IpAddress first_hop(const IpAddress& destination) {
    const SocketHandle socket = udp();
    EXPECT_TRUE(stack.udp_send_to(now, socket, kData, {destination, Port{7}}));
    drain();
    const IpAddress asked = out_arp().target;
    EXPECT_TRUE(stack.udp_close(now, socket));
    after(10s);
    sent.clear();
    return asked;
  }
};

TEST_F(IcmpRedirects, LeadToABetterGateway) {  // RFC1122-3.2.2.2
  redirect(kRouter, kBetter);
  EXPECT_EQ(first_hop(kFar), kBetter);
  EXPECT_EQ(first_hop(IpAddress::v4(192, 0, 2, 2)), kRouter) << "only to that host";
  EXPECT_EQ(dropped(DropReason::bad_redirect), 0U);
}

TEST_F(IcmpRedirects, ToASilentGatewayAreForgotten) {  // RFC1122-3.3.1.4
  redirect(kRouter, kBetter);
  EXPECT_EQ(first_hop(kFar), kBetter);
  EXPECT_EQ(first_hop(kFar), kRouter);
}

TEST_F(IcmpRedirects, CountOnlyFromTheGatewayInUseAndToANeighbour) {  // RFC1122-3.2.2.2
  redirect(kPeer, kBetter);                                           // not our gateway
  redirect(kRouter, IpAddress::v4(198, 51, 100, 1));                  // not on the link
  redirect(kRouter, IpAddress::v4(10, 0, 0, 255));                    // not one host
  redirect(kRouter, kOurs);                                           // ourselves
  redirect(kRouter, kBetter, IpAddress::v4(10, 0, 0, 9));             // goes by no gateway
  redirect(kRouter, kBetter, kFar, IpAddress::v4(9, 9, 9, 9));        // not about a packet of ours
  EXPECT_EQ(dropped(DropReason::bad_redirect), 6U);
  EXPECT_EQ(first_hop(kFar), kRouter);
}

TEST_F(OnEthernet, AnswersWhoSolicits) {  // RFC4861-7.2.4
  const IpAddress group = wire::solicited_node(kOurs6);
  arrive_neighbour_message(NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, group,
                           wire::multicast_mac(group));
  const auto answer = std::get<NeighbourAdvertisement>(out_neighbour_message());
  EXPECT_EQ(answer.target, kOurs6);
  EXPECT_EQ(answer.target_mac, kOurMac);
  EXPECT_TRUE(answer.solicited);
  EXPECT_TRUE(answer.override_cache);
  EXPECT_FALSE(answer.router);
  EXPECT_EQ(ip.source, kOurs6);
  EXPECT_EQ(ip.destination, kPeer6);
  EXPECT_EQ(link.destination, kPeerMac);
  EXPECT_EQ(neighbour(kPeer6)->state, NeighbourState::stale);
  after(1h);
  quiet();
}

TEST_F(OnEthernet, AnswersAProbeForADuplicateToAll) {  // RFC4861-7.2.4
  const IpAddress group = wire::solicited_node(kOurs6);
  arrive_neighbour_message(NeighbourSolicitation{kOurs6, {}}, {}, group,
                           wire::multicast_mac(group));
  const auto answer = std::get<NeighbourAdvertisement>(out_neighbour_message());
  EXPECT_FALSE(answer.solicited);
  EXPECT_EQ(answer.target_mac, kOurMac);
  EXPECT_EQ(ip.destination, wire::kAllNodes);
  EXPECT_EQ(link.destination, wire::multicast_mac(wire::kAllNodes));
  EXPECT_TRUE(stack.neighbours(now).empty());
}

TEST_F(OnEthernet, AnswersNoMoreThanItWasAskedInBytes) {
  Packet packet = pool.take_packet();
  wire::push_arp(packet, arp(ArpOperation::request));
  const std::size_t asked = wire::kEthernetHeader + packet.size();
  arrive_arp(arp(ArpOperation::request));
  EXPECT_LE(bytes_sent, asked);
  bytes_sent = 0;
  arrive_neighbour_message(NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, kOurs6);
  EXPECT_LE(bytes_sent, 14U + 40 + 32);
  sent.clear();
}

TEST_F(OnEthernet, LimitsItsAnswers) {
  for (int i = 0; i < 5000; ++i) arrive_arp(arp(ArpOperation::request));
  EXPECT_EQ(sent.size(), 1000U);
  sent.clear();
  after(1s);
  arrive_arp(arp(ArpOperation::request));
  EXPECT_EQ(sent.size(), 1U);
  sent.clear();
}

TEST_F(OnEthernet, TakesNoNeighbourMessageFromBehindARouter) {  // RFC4861-7.1.1
  arrive_ip(
      wire::make_neighbour_message(pool, NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, kOurs6),
      {.source = kPeer6, .destination = kOurs6, .protocol = 58, .hop_limit = 254});
  quiet();
  EXPECT_EQ(dropped(DropReason::bad_neighbour_message), 1U);
}

// ---- told by us

TEST(EthernetStart, AnnouncesItsAddresses) {  // RFC 5227 2.3, RFC4861-7.2.6
  class Fresh : public EthernetScript {
   public:
    void TestBody() override {
      drain();
      const ArpMessage announcement = out_arp();
      EXPECT_EQ(announcement.operation, ArpOperation::request);
      EXPECT_TRUE(announcement.is_announcement());
      EXPECT_EQ(announcement.sender, kOurs);
      EXPECT_EQ(link.destination, MacAddress::broadcast());
      const auto told = std::get<NeighbourAdvertisement>(out_neighbour_message());
      EXPECT_EQ(told, (NeighbourAdvertisement{kOurs6, false, false, true, kOurMac}));
      EXPECT_EQ(ip.destination, wire::kAllNodes);
      after(1h);
      quiet();
    }
  };
  Fresh().TestBody();
}

// ---- asked by us

TEST_F(OnEthernet, AsksByArpBeforeItConnects) {
  connect();
  const ArpMessage request = out_arp();
  EXPECT_EQ(request.operation, ArpOperation::request);
  EXPECT_EQ(request.sender, kOurs);
  EXPECT_EQ(request.target, kPeer);
  EXPECT_TRUE(request.target_mac.is_unspecified());
  EXPECT_EQ(link.destination, MacAddress::broadcast());
  quiet();
  arrive_arp(arp(ArpOperation::reply));
  EXPECT_TRUE(out_tcp().flags.has(TcpFlag::syn));
  EXPECT_EQ(link.destination, kPeerMac);
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
}

TEST_F(OnEthernet, SolicitsBeforeItConnects) {  // RFC4861-7.2.2
  connect(kPeer6);
  const auto asked = std::get<NeighbourSolicitation>(out_neighbour_message());
  EXPECT_EQ(asked.target, kPeer6);
  EXPECT_EQ(asked.source_mac, kOurMac);
  EXPECT_EQ(ip.source, kOurs6);
  EXPECT_EQ(ip.destination, wire::solicited_node(kPeer6));
  EXPECT_EQ(link.destination, wire::multicast_mac(ip.destination));
  arrive_neighbour_message(NeighbourAdvertisement{kPeer6, false, true, true, kPeerMac}, kPeer6,
                           kOurs6);
  EXPECT_TRUE(out_tcp().flags.has(TcpFlag::syn));
  EXPECT_EQ(link.destination, kPeerMac);
}

TEST_F(OnEthernet, AsksForTheGatewayOfWhatIsFar) {
  connect(*IpAddress::parse("192.0.2.7"));
  EXPECT_EQ(out_arp().target, *IpAddress::parse("10.0.0.254"));
  connect(*IpAddress::parse("2001:db8::7"));
  EXPECT_EQ(std::get<NeighbourSolicitation>(out_neighbour_message()).target,
            *IpAddress::parse("fd00::fe"));
  quiet();
}

TEST_F(OnEthernet, TellsAnOpenThatNobodyAnswers) {
  for (const IpAddress& to : {kPeer, kPeer6}) {
    const SocketHandle socket = connect(to);
    after(2999ms);
    EXPECT_EQ(stack.tcp_info(socket)->state, TcpState::syn_sent);
    EXPECT_EQ(sent.size(), 3U) << "questions";
    sent.clear();
    after(1ms);
    EXPECT_EQ(stack.tcp_info(socket)->state, TcpState::closed);
    EXPECT_EQ(stack.tcp_info(socket)->close_reason, CloseReason::unreachable);
    EXPECT_EQ(stack.tcp_take_error(socket), Error::host_unreachable);
    EXPECT_TRUE(stack.neighbours(now).empty());
    EXPECT_TRUE(stack.tcp_close(now, socket));
    drain();
    quiet();
  }
  EXPECT_GE(dropped(DropReason::no_neighbour), 2U);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST_F(OnEthernet, TellsAnEstablishedConnectionSoftly) {
  const SocketHandle socket = connect();
  out_arp();
  arrive_arp(arp(ArpOperation::reply));
  answer(out_tcp(), kPeer, kOurs);
  ASSERT_EQ(stack.tcp_info(socket)->state, TcpState::established);
  sent.clear();
  after(60s);
  const std::array<std::byte, 10> data{};
  ASSERT_TRUE(stack.tcp_send(now, socket, data));
  drain();
  after(60s);
  EXPECT_EQ(stack.tcp_info(socket)->state, TcpState::established);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::host_unreachable);
  sent.clear();
}

TEST_F(OnEthernet, AnUnansweredGatewayFailsTheConnectionToo) {
  const SocketHandle socket = connect(*IpAddress::parse("192.0.2.7"));
  after(3s);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::host_unreachable);
  sent.clear();
}

TEST_F(OnEthernet, TellsAUdpSocketThatNobodyAnswers) {
  for (const IpAddress& to : {kPeer, kPeer6}) {
    const SocketHandle socket = udp();
    const Endpoint remote{to, Port{53}};
    ASSERT_TRUE(stack.udp_connect(socket, remote));
    ASSERT_TRUE(stack.udp_send(now, socket, kData));
    drain();
    after(3s);
    EXPECT_EQ(stack.udp_take_error(socket), Error::host_unreachable);
    ASSERT_TRUE(stack.udp_close(now, socket));
  }
  sent.clear();
}

TEST_F(OnEthernet, ABurstOfDatagramsWaitsForTheAnswer) {
  const SocketHandle socket = udp();
  for (int i = 0; i < 68; ++i) {
    ASSERT_TRUE(stack.udp_send_to(now, socket, kData, {kPeer, Port{53}}));
  }
  drain();
  out_arp();
  quiet();
  arrive_arp(arp(ArpOperation::reply));
  EXPECT_EQ(sent.size(), 64U);
  EXPECT_EQ(dropped(DropReason::neighbour_queue_full), 4U);
  sent.clear();
}

TEST_F(OnEthernet, BroadcastsAndGroupsNeedNoQuestion) {  // RFC1112-6.4, RFC 2464 7
  EXPECT_FALSE(stack.tcp_connect(now, {}, {IpAddress::v4(10, 0, 0, 255), Port{80}}));
  const SocketHandle socket = udp();
  UdpSettings settings;
  settings.broadcast = true;
  ASSERT_TRUE(stack.udp_set_settings(socket, settings));
  const std::pair<const char*, const char*> cases[] = {{"10.0.0.255", "ff:ff:ff:ff:ff:ff"},
                                                       {"255.255.255.255", "ff:ff:ff:ff:ff:ff"},
                                                       {"224.1.2.3", "01:00:5e:01:02:03"},
                                                       {"ff02::fb", "33:33:00:00:00:fb"}};
  for (const auto& [to, mac] : cases) {
    ASSERT_TRUE(stack.udp_send_to(now, socket, kData, {*IpAddress::parse(to), Port{53}})) << to;
    drain();
    EXPECT_EQ(out().link.destination.to_string(), mac);
  }
  quiet();
}

class TwoGateways : public EthernetScript {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.gateways = {kFirst, kSecond};
    return config;
  }
  TwoGateways() : EthernetScript(config()) {
    drain();
    sent.clear();
  }
  void answers(const IpAddress& gateway, const MacAddress& mac) {
    arrive_arp({.operation = ArpOperation::reply,
                .sender_mac = mac,
                .sender = gateway,
                .target_mac = kOurMac,
                .target = kOurs});
  }

  static inline const IpAddress kFirst = *IpAddress::parse("10.0.0.254");
  static inline const IpAddress kSecond = *IpAddress::parse("10.0.0.253");
  static inline const Endpoint kFar{*IpAddress::parse("192.0.2.7"), Port{80}};
};

TEST_F(TwoGateways, OneThatDoesNotAnswerGivesWay) {  // RFC 1122 3.3.1.4
  ASSERT_TRUE(stack.tcp_connect(now, {}, kFar));
  drain();
  EXPECT_EQ(out_arp().target, kFirst);
  after(3s);
  sent.clear();
  ASSERT_TRUE(stack.tcp_connect(now, {}, kFar));
  drain();
  EXPECT_EQ(out_arp().target, kSecond);
  answers(kSecond, kThirdMac);
  out_tcp();
  EXPECT_EQ(link.destination, kThirdMac);
}

TEST_F(TwoGateways, OneThatFallsSilentGivesWayUnderAConnection) {  // RFC4861-6.3.6, RFC4861-7.3.3
  const auto socket = stack.tcp_connect(now, {}, kFar);
  ASSERT_TRUE(socket);
  drain();
  out_arp();
  answers(kFirst, kPeerMac);
  const TcpHeader syn = out_tcp();
  TcpHeader reply;
  reply.source = syn.destination;
  reply.destination = syn.source;
  reply.flags = TcpFlags(TcpFlag::syn) | TcpFlag::ack;
  reply.seq = SeqNum(1000);
  reply.ack = syn.seq + 1;
  reply.window = 65535;
  arrive_tcp(reply, kFar.address, kOurs);
  ASSERT_EQ(stack.tcp_info(*socket)->state, TcpState::established);
  const std::array<std::byte, 10> data{};
  ASSERT_TRUE(stack.tcp_send(now, *socket, data));
  drain();
  sent.clear();
  // Time-outs make the first doubtful; it is asked, and then the second.
  bool asked_second = false;
  for (int second = 0; second < 30 && !asked_second; ++second) {
    after(1s);
    for (const SentFrame& frame : sent) {
      const auto arp = wire::parse_arp(frame.packet.head());
      asked_second |= frame.link.type == wire::EtherType::arp && arp && arp->target == kSecond;
    }
    sent.clear();
  }
  ASSERT_TRUE(asked_second);
  answers(kSecond, kThirdMac);
  out_tcp();
  EXPECT_EQ(link.destination, kThirdMac);
  EXPECT_EQ(stack.tcp_info(*socket)->state, TcpState::established);
  sent.clear();
}

// ---- told to us

TEST_F(OnEthernet, ANeighbourThatMovesIsFollowed) {
  const SocketHandle socket = connect();
  out_arp();
  arrive_arp(arp(ArpOperation::reply));
  answer(out_tcp(), kPeer, kOurs);
  sent.clear();
  arrive_arp(arp(ArpOperation::request, kPeer, kPeer, kThirdMac), MacAddress::broadcast());
  EXPECT_EQ(neighbour(kPeer)->mac, kThirdMac);
  const std::array<std::byte, 10> data{};
  ASSERT_TRUE(stack.tcp_send(now, socket, data));
  drain();
  out_tcp();
  EXPECT_EQ(link.destination, kThirdMac);
}

TEST_F(OnEthernet, ProgressOfTcpSparesQuestions) {  // RFC4861-7.3.1
  const SocketHandle socket = connect();
  out_arp();
  arrive_arp(arp(ArpOperation::reply));
  const TcpHeader syn = out_tcp();
  answer(syn, kPeer, kOurs);
  sent.clear();
  SeqNum acknowledged = syn.seq + 1;
  for (int i = 0; i < 60; ++i) {
    after(5s);
    const std::array<std::byte, 10> data{};
    ASSERT_TRUE(stack.tcp_send(now, socket, data));
    drain();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent.front().link.type, wire::EtherType::ipv4) << "no question at " << i;
    sent.clear();
    TcpHeader ack;
    ack.source = syn.destination;
    ack.destination = syn.source;
    ack.flags = TcpFlag::ack;
    ack.seq = SeqNum(1001);
    ack.ack = acknowledged += 10;
    ack.window = 65535;
    arrive_tcp(ack, kPeer, kOurs);
  }
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
}

// ---- floods

TEST_F(OnEthernet, AFloodOfQuestionsIsBounded) {
  connect();
  out_arp();
  arrive_arp(arp(ArpOperation::reply));
  sent.clear();
  for (std::uint32_t i = 256; i < 50000; ++i) {
    const IpAddress sender =
        IpAddress::v4(10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    arrive_arp(arp(ArpOperation::request, sender, kOurs, kThirdMac));
    sent.clear();
  }
  EXPECT_LE(stack.neighbours(now).size(), 300U);
  ASSERT_TRUE(neighbour(kPeer));
  EXPECT_EQ(neighbour(kPeer)->state, NeighbourState::reachable);
  EXPECT_EQ(neighbour(kPeer)->mac, kPeerMac);
  after(1h);
  EXPECT_TRUE(stack.neighbours(now).empty());
  sent.clear();
}

TEST_F(OnEthernet, AFloodOfForgedSynsMakesUsAskWithinBounds) {
  ASSERT_TRUE(stack.tcp_listen({kOurs, Port{80}}, 16));
  for (std::uint32_t i = 0; i < 20000; ++i) {
    TcpHeader syn;
    syn.source = Port{static_cast<std::uint16_t>(1024 + i % 60000)};
    syn.destination = Port{80};
    syn.flags = TcpFlag::syn;
    syn.window = 1000;
    arrive_tcp(syn, IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(3 + i % 250)), kOurs);
  }
  EXPECT_LE(sent.size(), 500U);
  EXPECT_LE(stack.neighbours(now).size(), 256U);
  sent.clear();
  after(1h);
  EXPECT_TRUE(stack.neighbours(now).empty());
  EXPECT_EQ(stack.census().syn_received, 0U);
  sent.clear();
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST_F(OnEthernet, JoinsTheGroupsOfItsAddresses) {  // RFC4291-2.8, RFC4862-5.4.2
  EXPECT_EQ(group_reports, 1U);
  after(2s);
  EXPECT_EQ(group_reports, 2U);  // said twice
  quiet();
}

}  // namespace
}  // namespace hawser
