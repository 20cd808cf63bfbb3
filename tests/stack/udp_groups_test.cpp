// Broadcast and multicast datagrams at a stack with two interfaces (RFC 1112, RFC 1122 3.3.6,
// 4.1.3.3).
#include <algorithm>

#include "ip/fragmentation.hpp"
#include "tests/support/udp_script.hpp"

namespace hawser {
namespace {

using namespace testing;

constexpr InterfaceId kFirst{0};
constexpr InterfaceId kSecond{1};

class UdpGroups : public UdpScript {
 protected:
  UdpGroups() : UdpScript(two_interfaces()) {}

  static StackConfig two_interfaces() {
    StackConfig config = default_config();
    config.interfaces.push_back(
        {.name = "if1",
         .mtu = 1500,
         .addresses = {*Prefix::parse("10.1.0.2/24"), *Prefix::parse("fd01::2/64")}});
    return config;
  }
  void arrives(InterfaceId interface, const Endpoint& from, const Endpoint& to,
               std::string_view text) {
    Packet frame = datagram_frame(from, to, text);
    stack.on_frames(now, interface, std::span(&frame, 1));
    drain();
  }
  static Endpoint end(const char* address, std::uint16_t port) {
    return {*IpAddress::parse(address), Port{port}};
  }

  const Endpoint peer4 = end("10.0.0.1", 9);
};

TEST_F(UdpGroups, ABroadcastNeedsLeaveToBeSent) {  // RFC1122-3.3.6
  socket = open(end("0.0.0.0", 53));
  EXPECT_EQ(send(socket, "x", end("10.0.0.255", 9)).error(), Error::permission_denied);
  EXPECT_EQ(stack.udp_connect(socket, end("255.255.255.255", 9)).error(), Error::permission_denied);
  ASSERT_TRUE(stack.udp_set_settings(socket, {.broadcast = true}));
  ASSERT_TRUE(send(socket, "x", end("10.1.0.255", 9)));
  auto sent = sent_datagram();
  EXPECT_EQ(sent->frame.interface(), kSecond);
  EXPECT_EQ(sent->source, end("10.1.0.2", 53));
  ASSERT_TRUE(send(socket, "x", end("255.255.255.255", 9), {.interface = kSecond}));
  sent = sent_datagram();
  EXPECT_EQ(sent->frame.interface(), kSecond);
  EXPECT_EQ(sent->source, end("10.1.0.2", 53));
}

TEST_F(UdpGroups, ABroadcastReachesAllWhoListen) {  // RFC1122-4.1.3.3
  const SocketHandle one = open(end("0.0.0.0", 53), {.reuse_address = true});
  const SocketHandle two = open(end("::", 53), {.reuse_address = true});
  const SocketHandle bound = open(end("10.0.0.2", 53), {.reuse_address = true});
  for (const char* address : {"10.0.0.255", "255.255.255.255"}) {
    arrives(kFirst, peer4, end(address, 53), "all");
    EXPECT_EQ(receive(one), "all");
    EXPECT_EQ(last->destination, *IpAddress::parse(address));
    EXPECT_EQ(receive(two), "all");
    EXPECT_EQ(receive(bound), std::nullopt);
  }
  // Nobody is told when nobody listens (RFC1122-4.1.3.1).
  arrives(kFirst, peer4, end("10.0.0.255", 54), "none");
  EXPECT_TRUE(other_frames().empty());
  EXPECT_EQ(dropped(DropReason::no_port), 1U);
}

TEST_F(UdpGroups, WhoHasNoAddressMayAskAll) {  // RFC1122-3.2.1.3
  const SocketHandle server = open(end("0.0.0.0", 67));
  arrives(kFirst, end("0.0.0.0", 68), end("255.255.255.255", 67), "discover");
  EXPECT_EQ(receive(server), "discover");
  arrives(kFirst, end("0.0.0.0", 68), end("10.0.0.2", 67), "request");
  EXPECT_EQ(receive(server), std::nullopt);
}

TEST_F(UdpGroups, OurBroadcastsReachOurselvesToo) {
  socket = open(end("0.0.0.0", 53), {.broadcast = true});
  ASSERT_TRUE(send(socket, "echo", end("10.0.0.255", 53)));
  EXPECT_TRUE(sent_datagram());
  EXPECT_EQ(receive(socket), "echo");
}

TEST_F(UdpGroups, AGroupIsHeardWhereItWasJoined) {
  for (const char* group : {"224.0.0.251", "ff02::fb"}) {
    SCOPED_TRACE(group);
    const Endpoint to = end(group, 5353);
    const bool v4 = to.address.is_v4();
    const Endpoint from = v4 ? peer4 : end("fd00::1", 9);
    socket = open(v4 ? end("0.0.0.0", 5353) : end("::", 5353), {.reuse_address = true});
    const SocketHandle stranger =
        open(v4 ? end("0.0.0.0", 5353) : end("::", 5353), {.reuse_address = true});
    arrives(kFirst, from, to, "early");
    EXPECT_EQ(receive(socket), std::nullopt);
    ASSERT_TRUE(stack.udp_join(now, socket, to.address, kFirst));
    EXPECT_EQ(stack.udp_join(now, socket, to.address, kFirst).error(), Error::address_in_use);
    arrives(kFirst, from, to, "joined");
    EXPECT_EQ(receive(socket), "joined");
    EXPECT_EQ(last->destination, to.address);
    EXPECT_EQ(last->interface, kFirst);
    EXPECT_EQ(receive(stranger), std::nullopt);
    arrives(kSecond, v4 ? end("10.1.0.1", 9) : end("fd01::1", 9), to, "elsewhere");
    EXPECT_EQ(receive(socket), std::nullopt);
    ASSERT_TRUE(stack.udp_leave(now, socket, to.address, kFirst));
    EXPECT_EQ(stack.udp_leave(now, socket, to.address, kFirst).error(),
              Error::address_not_available);
    arrives(kFirst, from, to, "late");
    EXPECT_EQ(receive(socket), std::nullopt);
    EXPECT_FALSE(group_reports().empty());
    EXPECT_TRUE(other_frames().empty());
    ASSERT_TRUE(stack.udp_close(now, socket));
    ASSERT_TRUE(stack.udp_close(now, stranger));
  }
  EXPECT_EQ(dropped(DropReason::not_ours), 6U);
}

TEST_F(UdpGroups, AGroupIsLeftWithTheSocket) {
  const Endpoint group = end("224.0.0.251", 5353);
  const SocketHandle one = open(end("0.0.0.0", 5353), {.reuse_address = true});
  const SocketHandle two = open(end("0.0.0.0", 5353), {.reuse_address = true});
  ASSERT_TRUE(stack.udp_join(now, one, group.address, kFirst));
  ASSERT_TRUE(stack.udp_join(now, two, group.address, kFirst));
  ASSERT_TRUE(stack.udp_close(now, one));
  arrives(kFirst, peer4, group, "still");
  EXPECT_EQ(receive(two), "still");
  ASSERT_TRUE(stack.udp_close(now, two));
  arrives(kFirst, peer4, group, "gone");
  EXPECT_EQ(dropped(DropReason::not_ours), 1U);
}

TEST_F(UdpGroups, RoutersAreToldAndAnswered) {  // RFC3376-5.1, RFC3376-5.2
  socket = open(end("0.0.0.0", 5353));
  const IpAddress group = *IpAddress::parse("239.1.2.3");
  ASSERT_TRUE(stack.udp_join(now, socket, group, kSecond));
  drain();
  std::vector<Packet> reports = group_reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].interface(), kSecond);
  const auto ip = wire::parse_ip(reports[0].head(), reports[0].size());
  EXPECT_EQ(ip->header.source, *IpAddress::parse("10.1.0.2"));
  EXPECT_EQ(ip->header.destination, *IpAddress::parse("224.0.0.22"));
  at(5s);
  EXPECT_EQ(group_reports().size(), 1U);
  // A query on this link is answered there, one on the other is not.
  for (const InterfaceId interface : {kFirst, kSecond}) {
    Packet query = pool.take_packet();
    const auto bytes = query.prepend(8);
    std::ranges::fill(bytes, std::byte{0});
    bytes[0] = std::byte{0x11};
    bytes[1] = std::byte{100};
    bytes[2] = std::byte{0xee};
    bytes[3] = std::byte{0x9b};
    wire::push_ip(query, {.source = peer4.address,
                          .destination = *IpAddress::parse("224.0.0.1"),
                          .protocol = 2,
                          .hop_limit = 1});
    stack.on_frames(now, interface, std::span(&query, 1));
    drain();
    EXPECT_TRUE(other_frames().empty());
    after(10s);
    reports = group_reports();
    EXPECT_EQ(reports.size(), interface == kSecond ? 1U : 0U);
  }
  EXPECT_EQ(dropped(DropReason::bad_igmp), 0U);
  const auto answer = wire::parse_ip(reports[0].head(), reports[0].size());
  EXPECT_EQ(answer->header.destination, group);  // in the version of the question
  ASSERT_TRUE(stack.udp_close(now, socket));
  drain();
  EXPECT_EQ(group_reports().size(), 1U);
}

TEST_F(UdpGroups, FragmentsForGroupsOfOthersTakeNoMemory) {
  socket = open(end("0.0.0.0", 5000));
  const Endpoint group = end("239.1.2.3", 5000);
  const std::string large(3000, 'x');
  const Packet whole = datagram_frame(end("10.1.0.1", 9), group, large);
  std::vector<Packet> fragments;
  ASSERT_TRUE(ip::fragment(whole, 1500, 7, pool, fragments));
  ASSERT_EQ(fragments.size(), 3U);
  const auto arrive = [&] {
    for (const Packet& fragment : fragments) {
      Packet copy = fragment.share();
      stack.on_frames(now, kSecond, std::span(&copy, 1));
    }
  };
  arrive();
  EXPECT_EQ(dropped(DropReason::not_ours), 3U);
  ASSERT_TRUE(stack.udp_join(now, socket, group.address, kSecond));
  arrive();
  EXPECT_EQ(receive(socket), large);
}

TEST_F(UdpGroups, AGroupIsSentWhereItIsAsked) {  // RFC1112-6.1
  socket = open(end("::", 5000));
  ASSERT_TRUE(send(socket, "x", end("239.1.2.3", 9)));
  auto sent = sent_datagram();
  EXPECT_EQ(sent->frame.interface(), kFirst);
  EXPECT_EQ(sent->source, end("10.0.0.2", 5000));
  EXPECT_EQ(sent->ip.hop_limit, 1);  // no further than the link unless it is asked for
  ASSERT_TRUE(
      stack.udp_set_settings(socket, {.multicast_hop_limit = 5, .multicast_interface = kSecond}));
  ASSERT_TRUE(send(socket, "x", end("239.1.2.3", 9)));
  sent = sent_datagram();
  EXPECT_EQ(sent->frame.interface(), kSecond);
  EXPECT_EQ(sent->source, end("10.1.0.2", 5000));
  EXPECT_EQ(sent->ip.hop_limit, 5);
  ASSERT_TRUE(send(socket, "x", end("ff05::1:3", 9)));
  EXPECT_EQ(sent_datagram()->source, end("fd01::2", 5000));
}

TEST_F(UdpGroups, MembersOnThisHostHearItUnlessTheyShouldNot) {  // RFC1112-6.1
  const Endpoint group = end("239.1.2.3", 5000);
  socket = open(end("0.0.0.0", 5000));
  ASSERT_TRUE(stack.udp_join(now, socket, group.address, kFirst));
  ASSERT_TRUE(send(socket, "me too", group));
  EXPECT_TRUE(sent_datagram());
  EXPECT_EQ(receive(socket), "me too");
  ASSERT_TRUE(stack.udp_set_settings(socket, {.multicast_hop_limit = 0}));
  ASSERT_TRUE(send(socket, "here only", group));
  EXPECT_TRUE(other_frames().empty());
  EXPECT_EQ(receive(socket), "here only");
  ASSERT_TRUE(stack.udp_set_settings(socket, {.multicast_loop = false}));
  ASSERT_TRUE(send(socket, "others only", group));
  EXPECT_TRUE(sent_datagram());
  EXPECT_EQ(receive(socket), std::nullopt);
}

TEST_F(UdpGroups, BoundsTheGroupsOfASocket) {
  socket = open(end("0.0.0.0", 5000));
  for (std::uint8_t i = 0; i < 64; ++i) {
    ASSERT_TRUE(stack.udp_join(now, socket, IpAddress::v4(239, 0, 0, i), kFirst));
  }
  EXPECT_EQ(stack.udp_join(now, socket, IpAddress::v4(239, 0, 1, 0), kFirst).error(),
            Error::no_buffer_space);
  EXPECT_EQ(stack.udp_join(now, socket, *IpAddress::parse("10.0.0.9"), kFirst).error(),
            Error::no_buffer_space);
  ASSERT_TRUE(stack.udp_leave(now, socket, IpAddress::v4(239, 0, 0, 7), kFirst));
  EXPECT_EQ(stack.udp_join(now, socket, *IpAddress::parse("10.0.0.9"), kFirst).error(),
            Error::invalid_argument);
  EXPECT_EQ(stack.udp_join(now, socket, IpAddress::v4(239, 0, 1, 0), InterfaceId{2}).error(),
            Error::invalid_argument);
}

TEST_F(UdpGroups, ASocketOfOneInterfaceStaysThere) {
  socket = open(end("0.0.0.0", 53), {.broadcast = true, .interface = kSecond});
  arrives(kFirst, peer4, end("10.0.0.2", 53), "wrong way");
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(other_frames().size(), 1U);
  other_frames().clear();
  arrives(kSecond, end("10.1.0.1", 9), end("10.1.0.2", 53), "right way");
  EXPECT_EQ(receive(socket), "right way");
  ASSERT_TRUE(send(socket, "x", end("255.255.255.255", 9)));
  EXPECT_EQ(sent_datagram()->frame.interface(), kSecond);
}

class UdpNameless : public UdpScript {
 protected:
  UdpNameless() : UdpScript(nameless()) {}
  static StackConfig nameless() {
    StackConfig config;
    config.interfaces.push_back({.name = "if0", .mtu = 1500, .addresses = {}});
    return config;
  }
};

TEST_F(UdpNameless, AHostWithoutAnAddressMayAskAllOthers) {  // RFC1122-3.2.1.3
  socket = open({IpAddress::any(Family::ipv4), Port{68}}, {.broadcast = true, .interface = kFirst});
  ASSERT_TRUE(send(socket, "discover", {*IpAddress::parse("255.255.255.255"), Port{67}}));
  const auto sent = sent_datagram();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->source, (Endpoint{IpAddress::any(Family::ipv4), Port{68}}));
  datagram_in({*IpAddress::parse("10.0.0.1"), Port{67}},
              {*IpAddress::parse("255.255.255.255"), Port{68}}, "offer");
  EXPECT_EQ(receive(socket), "offer");
}

}  // namespace
}  // namespace hawser
