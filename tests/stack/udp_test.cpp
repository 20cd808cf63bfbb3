// UDP at a stack (RFC 768, RFC 1122 4.1): what is delivered to whom, what leaves and how.
#include <algorithm>

#include "core/random.hpp"
#include "tests/support/udp_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class Udp : public UdpScript, public ::testing::WithParamInterface<Family> {
 protected:
  Udp() : UdpScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }
  Endpoint wildcard(std::uint16_t port) const { return {IpAddress::any(GetParam()), Port{port}}; }
  Endpoint ours(std::uint16_t port) const { return {our_address(), Port{port}}; }
  Endpoint theirs(std::uint16_t port) const { return {peer_address(), Port{port}}; }
};
INSTANTIATE_TEST_SUITE_P(Families, Udp, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(Udp, DeliversWithAllThatCameAlong) {  // RFC1122-4.1.3.5, RFC1122-4.1.4
  socket = open(wildcard(53));
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(last.error(), Error::would_block);
  deliver(datagram_frame(theirs(9), ours(53), "question", 17));
  EXPECT_TRUE(any(told(socket) & Ready::readable));
  EXPECT_EQ(receive(socket), "question");
  EXPECT_EQ(last->source, theirs(9));
  EXPECT_EQ(last->destination, our_address());
  EXPECT_EQ(last->hop_limit, 17);
  EXPECT_EQ(last->interface, InterfaceId{0});
  EXPECT_FALSE(last->truncated());
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(stack.counters().datagrams_received, 1U);
}

TEST_P(Udp, SendsWhatIsAsked) {  // RFC768, RFC1122-4.1.4
  UdpSettings settings;
  settings.hop_limit = 33;
  settings.dscp = 46;
  settings.ecn = 1;
  socket = open(wildcard(53), settings);
  EXPECT_EQ(send(socket, "answer", theirs(9)), 6U);
  const auto sent = sent_datagram();
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->source, ours(53));
  EXPECT_EQ(sent->destination, theirs(9));
  EXPECT_EQ(sent->payload, "answer");
  EXPECT_EQ(sent->ip.hop_limit, 33);
  EXPECT_EQ(sent->ip.dscp, 46);
  EXPECT_EQ(sent->ip.ecn, 1);
  EXPECT_EQ(sent->ip.dont_fragment, !v4());
  EXPECT_EQ(send(socket, "", theirs(9), {.hop_limit = 2, .dont_fragment = true}), 0U);
  const auto empty = sent_datagram();
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->payload, "");
  EXPECT_EQ(empty->ip.hop_limit, 2);
  EXPECT_TRUE(empty->ip.dont_fragment);
  EXPECT_EQ(stack.counters().datagrams_sent, 2U);
}

TEST_P(Udp, AnEmptyDatagramIsOneToo) {
  socket = open(wildcard(53));
  datagram_in(theirs(9), ours(53), "");
  EXPECT_TRUE(any(stack.ready(socket) & Ready::readable));
  EXPECT_EQ(receive(socket), "");
  EXPECT_EQ(receive(socket), std::nullopt);
}

TEST_P(Udp, GivesAPortToWhoSendsWithoutOne) {  // RFC6056-3.3.1
  socket = *stack.udp_open();
  EXPECT_EQ(stack.udp_info(socket)->local.port, Port{});
  EXPECT_TRUE(send(socket, "hello", theirs(9)));
  const auto sent = sent_datagram();
  EXPECT_EQ(sent->source.port, stack.udp_info(socket)->local.port);
  EXPECT_GE(to_number(sent->source.port), 32768);
  datagram_in(theirs(9), sent->source, "welcome");
  EXPECT_EQ(receive(socket), "welcome");
}

TEST_P(Udp, SaysWhenADatagramWasCut) {
  socket = open(wildcard(53));
  datagram_in(theirs(9), ours(53), "0123456789");
  std::array<std::byte, 4> room;
  const auto peeked = stack.udp_peek_from(socket, room);
  ASSERT_TRUE(peeked);
  EXPECT_EQ(peeked->size, 4U);
  EXPECT_EQ(peeked->length, 10U);
  const auto received = stack.udp_receive_from(socket, room);
  ASSERT_TRUE(received);
  EXPECT_TRUE(received->truncated());
  EXPECT_EQ(stack.udp_receive_from(socket, room).error(), Error::would_block);  // the rest is gone
}

TEST_P(Udp, AConnectedSocketHearsItsPeerOnly) {
  socket = open(wildcard(53));
  ASSERT_TRUE(stack.udp_connect(socket, theirs(9)));
  EXPECT_EQ(stack.udp_info(socket)->local, ours(53));
  EXPECT_EQ(stack.udp_info(socket)->remote, theirs(9));
  datagram_in(theirs(8), ours(53), "stranger");
  EXPECT_EQ(other_frames().size(), 1U);  // to whom nobody is here
  other_frames().clear();
  datagram_in(theirs(9), ours(53), "friend");
  EXPECT_EQ(receive(socket), "friend");
  EXPECT_EQ(stack.udp_send(now, socket, bytes_of("yes")), 3U);
  drain();
  EXPECT_EQ(sent_datagram()->destination, theirs(9));
  ASSERT_TRUE(stack.udp_disconnect(socket));
  EXPECT_EQ(stack.udp_send(now, socket, bytes_of("yes")).error(), Error::not_connected);
  datagram_in(theirs(8), ours(53), "stranger");
  EXPECT_EQ(receive(socket), "stranger");
}

TEST_P(Udp, PortUnreachableIsSentWhenNoSocketMatches) {  // RFC1122-4.1.3.1
  datagram_in(theirs(9), ours(53), "anybody?");
  ASSERT_EQ(other_frames().size(), 1U);
  Packet& answer = other_frames()[0];
  const auto ip = wire::parse_ip(answer.head(), answer.size());
  answer.trim_front(ip->header_bytes);
  const auto message = wire::parse_icmp(answer, ip->header.source, ip->header.destination);
  ASSERT_TRUE(message);
  const auto& error = std::get<wire::IcmpError>(*message);
  EXPECT_EQ(error.kind, wire::IcmpErrorKind::port_unreachable);
  EXPECT_EQ(error.source_port, Port{9});
  EXPECT_EQ(error.destination_port, Port{53});
  EXPECT_EQ(dropped(DropReason::no_port), 1U);
}

TEST_P(Udp, ABadChecksumIsDroppedInSilence) {  // RFC1122-4.1.3.4
  socket = open(wildcard(53));
  Packet frame = datagram_frame(theirs(9), ours(53), "broken");
  frame.own_bytes()[frame.own_bytes().size() - 2] ^= std::byte{0x10};
  deliver(std::move(frame));
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(dropped(DropReason::bad_udp_checksum), 1U);
  EXPECT_TRUE(other_frames().empty());
}

TEST_P(Udp, WithoutAChecksumOnlyIpv4IsTaken) {  // RFC768, RFC8200-8.1
  socket = open(wildcard(53));
  Packet frame = datagram_frame(theirs(9), ours(53), "bare");
  const auto own = frame.own_bytes();
  own[own.size() - 1] = own[own.size() - 2] = std::byte{0};
  deliver(std::move(frame));
  EXPECT_EQ(receive(socket).has_value(), v4());
  EXPECT_EQ(dropped(DropReason::bad_udp_checksum), v4() ? 0U : 1U);
}

TEST_P(Udp, BytesBehindTheDatagramAreNotItsOwn) {
  socket = open(wildcard(53));
  Packet packet = pool.take_packet();
  ASSERT_TRUE(packet.append_copy(bytes_of("abc")));
  wire::push_udp(packet, {Port{9}, Port{53}}, peer_address(), our_address());
  ASSERT_TRUE(packet.append_copy(bytes_of("behind")));
  wire::push_ip(packet, {.source = peer_address(), .destination = our_address(), .protocol = 17});
  deliver(std::move(packet));
  EXPECT_EQ(receive(socket), "abc");
}

TEST_P(Udp, AnErrorRefusesAConnectedSocket) {  // RFC1122-4.1.3.3
  socket = open(wildcard(53));
  ASSERT_TRUE(stack.udp_connect(socket, theirs(9)));
  ASSERT_TRUE(stack.udp_send(now, socket, bytes_of("hello")));
  drain();
  (void)told(socket);
  error_in(sent_datagram()->frame, wire::IcmpErrorKind::port_unreachable, peer_address());
  EXPECT_TRUE(any(told(socket) & Ready::error));
  EXPECT_EQ(stack.ready(socket), Ready::readable | Ready::writable | Ready::error);
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(last.error(), Error::connection_refused);
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(last.error(), Error::would_block);  // told once
  ASSERT_TRUE(stack.udp_send(now, socket, bytes_of("hello")));
  drain();
  error_in(sent_datagram()->frame, wire::IcmpErrorKind::host_unreachable, peer_address());
  EXPECT_EQ(stack.udp_send(now, socket, bytes_of("hello")).error(), Error::host_unreachable);
  EXPECT_TRUE(stack.udp_send(now, socket, bytes_of("hello")));
  drain();
  other_frames().clear();
}

TEST_P(Udp, ErrorsReachAnUnconnectedSocketWhole) {  // RFC1122-4.1.3.3
  const SocketHandle quiet_one = open(wildcard(53));
  send(quiet_one, "hello", theirs(9));
  const auto first = sent_datagram();
  error_in(first->frame, wire::IcmpErrorKind::port_unreachable, peer_address());
  EXPECT_EQ(stack.udp_take_error(quiet_one), std::nullopt);
  UdpSettings settings;
  settings.error_reports = true;
  ASSERT_TRUE(stack.udp_set_settings(quiet_one, settings));
  at(5ms);
  const IpAddress router = *IpAddress::parse(v4() ? "10.0.0.77" : "fd00::77");
  error_in(first->frame, wire::IcmpErrorKind::host_unreachable, router);
  EXPECT_TRUE(any(stack.ready(quiet_one) & Ready::error));
  const auto report = stack.udp_take_error_report(quiet_one);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reporter, router);
  EXPECT_EQ(report->kind, IcmpErrorKind::host_unreachable);
  EXPECT_EQ(report->destination, theirs(9));
  EXPECT_EQ(report->at, now);
  EXPECT_EQ(error_of(report->kind), Error::host_unreachable);
  EXPECT_EQ(stack.udp_take_error_report(quiet_one), std::nullopt);
  EXPECT_EQ(stack.ready(quiet_one), Ready::writable);
  // Only so many are kept, the latest.
  for (int i = 0; i < 100; ++i) {
    error_in(first->frame, wire::IcmpErrorKind::host_unreachable, router);
  }
  int kept = 0;
  while (stack.udp_take_error_report(quiet_one)) ++kept;
  EXPECT_EQ(kept, 64);
}

TEST_P(Udp, AnErrorAboutNothingOfOursIsCounted) {
  socket = open(wildcard(53));
  send(socket, "hello", theirs(9));
  const auto sent = sent_datagram();
  ASSERT_TRUE(stack.udp_close(now, socket));
  error_in(sent->frame, wire::IcmpErrorKind::port_unreachable, peer_address());
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
}

TEST_P(Udp, AnMtuThatCannotBeIsNotToldEither) {  // RFC8201-4, RFC5927-7.2
  socket = open(wildcard(53));
  ASSERT_TRUE(stack.udp_connect(socket, theirs(9)));
  send(socket, std::string(1400, 'x'), theirs(9), {.dont_fragment = true});
  const auto sent = sent_datagram();
  const std::uint32_t impossible = v4() ? sent->frame.size() : 1279;
  error_in(sent->frame, {wire::IcmpErrorKind::packet_too_big, 0, impossible}, peer_address());
  EXPECT_EQ(stack.udp_take_error(socket), std::nullopt);
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
  error_in(sent->frame, {wire::IcmpErrorKind::packet_too_big, 0, 1280}, peer_address());
  EXPECT_EQ(stack.udp_take_error(socket), Error::message_size);
}

TEST_P(Udp, RefusesWhatIsTooLarge) {  // RFC8085-3.2
  socket = open(wildcard(53));
  const std::size_t most = v4() ? 65507 : 65527;
  EXPECT_EQ(send(socket, std::string(most + 1, 'x'), theirs(9)).error(), Error::message_size);
  const std::size_t in_one = 1500U - 8U - (v4() ? 20U : 40U);
  ASSERT_TRUE(send(socket, std::string(in_one + 1, 'x'), theirs(9)));  // in two pieces
  ASSERT_EQ(other_frames().size(), 2U);
  other_frames().clear();
  const UdpSendOptions whole{.dont_fragment = true};
  EXPECT_EQ(send(socket, std::string(in_one + 1, 'x'), theirs(9), whole).error(),
            Error::message_size);
  EXPECT_EQ(send(socket, std::string(in_one, 'x'), theirs(9), whole), in_one);
  EXPECT_EQ(sent_datagram()->payload, std::string(in_one, 'x'));
  // To ourselves all of it may go at once.
  EXPECT_EQ(send(socket, std::string(60000, 'y'), ours(53)), 60000U);
  EXPECT_EQ(receive(socket), std::string(60000, 'y'));
}

TEST_P(Udp, ChecksWhereItIsSentTo) {
  socket = open(wildcard(53));
  EXPECT_EQ(send(socket, "x", {peer_address(), Port{}}).error(), Error::invalid_argument);
  EXPECT_EQ(send(socket, "x", {IpAddress::any(GetParam()), Port{9}}).error(),
            Error::invalid_argument);
  const IpAddress nowhere = *IpAddress::parse(v4() ? "192.0.2.1" : "2001:db8::1");
  EXPECT_EQ(send(socket, "x", {nowhere, Port{9}}).error(), Error::network_unreachable);
  EXPECT_EQ(send(socket, "x", theirs(9), {.source = nowhere}).error(),
            Error::address_not_available);
  EXPECT_EQ(send(socket, "x", theirs(9), {.interface = InterfaceId{3}}).error(),
            Error::invalid_argument);
  // RFC1122-3.2.1.7; wider values would leave as others
  for (const UdpSendOptions& options :
       {UdpSendOptions{.hop_limit = 0}, UdpSendOptions{.dscp = 64}, UdpSendOptions{.ecn = 4}}) {
    EXPECT_EQ(send(socket, "x", theirs(9), options).error(), Error::invalid_argument);
  }
  EXPECT_EQ(stack.udp_bind(*stack.udp_open(), {nowhere, Port{1}}).error(),
            Error::address_not_available);
  EXPECT_TRUE(other_frames().empty());
}

TEST_P(Udp, SendsFromTheAddressThatIsAskedFor) {  // RFC1122-4.1.3.5
  socket = open(ours(53));
  EXPECT_TRUE(send(socket, "x", theirs(9)));
  EXPECT_EQ(sent_datagram()->source, ours(53));
  const SocketHandle other = open(wildcard(54));
  EXPECT_TRUE(send(other, "x", theirs(9), {.source = our_address()}));
  EXPECT_EQ(sent_datagram()->source, ours(54));
  const SocketHandle loop = open({*IpAddress::parse(v4() ? "127.0.0.1" : "::1"), Port{55}});
  EXPECT_EQ(send(loop, "x", theirs(9)).error(), Error::address_not_available);
}

TEST_P(Udp, TalksToItself) {
  const SocketHandle one = open(wildcard(1));
  const SocketHandle two = open(wildcard(2));
  const IpAddress loopback = *IpAddress::parse(v4() ? "127.0.0.1" : "::1");
  for (const IpAddress& address : {loopback, our_address()}) {
    EXPECT_TRUE(send(one, "knock", {address, Port{2}}));
    EXPECT_EQ(receive(two), "knock");
    EXPECT_EQ(last->source, (Endpoint{address, Port{1}}));
  }
  // And hears at once that nobody is there.
  ASSERT_TRUE(stack.udp_connect(one, {loopback, Port{3}}));
  EXPECT_TRUE(stack.udp_send(now, one, bytes_of("knock")));
  drain();
  EXPECT_EQ(stack.udp_take_error(one), Error::connection_refused);
  EXPECT_TRUE(other_frames().empty());
}

TEST_P(Udp, WaitsWhenTooMuchIsToLeave) {
  UdpSettings settings;
  settings.send_buffer = 1000;
  socket = open(wildcard(53), settings);
  (void)told(socket);
  const std::string payload(400, 'x');
  int taken = 0;
  Result<std::size_t> result = 0U;
  while ((result = stack.udp_send_to(now, socket, bytes_of(payload), theirs(9)))) ++taken;
  EXPECT_EQ(result.error(), Error::would_block);
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(stack.udp_info(socket)->send_queue, 1200U);
  EXPECT_EQ(stack.ready(socket), Ready::none);
  EXPECT_EQ(told(socket), Ready::none);
  drain();
  EXPECT_EQ(told(socket), Ready::writable);
  EXPECT_EQ(stack.ready(socket), Ready::writable);
  EXPECT_EQ(other_frames().size(), 3U);
  other_frames().clear();
}

TEST_P(Udp, WhatWasSentLeavesAfterTheCloseToo) {
  socket = open(wildcard(53));
  ASSERT_TRUE(stack.udp_send_to(now, socket, bytes_of("last words"), theirs(9)));
  ASSERT_TRUE(stack.udp_close(now, socket));
  EXPECT_EQ(stack.udp_close(now, socket).error(), Error::bad_handle);
  drain();
  EXPECT_EQ(sent_datagram()->payload, "last words");
  EXPECT_EQ(stack.census().udp_sockets, 0U);
}

TEST_P(Udp, AFullQueueDropsTheNewest) {
  UdpSettings settings;
  settings.receive_buffer = 150000;  // two of the blocks in which these come
  socket = open(wildcard(53), settings);
  for (const char* text : {"one", "two", "three"}) datagram_in(theirs(9), ours(53), text);
  EXPECT_EQ(dropped(DropReason::receive_queue_full), 1U);
  EXPECT_EQ(stack.udp_info(socket)->dropped, 1U);
  EXPECT_EQ(receive(socket), "one");
  EXPECT_EQ(receive(socket), "two");
  EXPECT_EQ(receive(socket), std::nullopt);
}

TEST_P(Udp, ASpoofedSourceIsDropped) {  // RFC1122-4.1.3.6
  socket = open(wildcard(53));
  for (const char* address : {"127.0.0.1", "10.0.0.2", "10.0.0.255", "255.255.255.255", "224.0.0.1",
                              "0.0.0.0", "::", "ff02::1", "fd00::2", "::1"}) {
    const IpAddress source = *IpAddress::parse(address);
    if (source.is_v4() != v4()) continue;
    datagram_in({source, Port{9}}, ours(53), "boo");
  }
  EXPECT_EQ(receive(socket), std::nullopt);
  EXPECT_EQ(dropped(DropReason::bad_source), v4() ? 6U : 4U);
  EXPECT_TRUE(other_frames().empty());
}

TEST_P(Udp, TheSocketsAreListed) {
  const SocketHandle one = open(wildcard(1));
  const SocketHandle two = open(wildcard(2));
  EXPECT_EQ(stack.udp_sockets(), (std::vector{one, two}));
  EXPECT_EQ(stack.census().udp_sockets, 2U);
  EXPECT_EQ(stack.tcp_info(one).error(), Error::bad_handle);
  EXPECT_EQ(stack.udp_info(SocketHandle{}).error(), Error::bad_handle);
}

class UdpBoth : public UdpScript {};

TEST_F(UdpBoth, OneSocketServesBothFamilies) {
  socket = open({IpAddress{}, Port{53}});
  const Endpoint v4{*IpAddress::parse("10.0.0.1"), Port{9}};
  const Endpoint v6{*IpAddress::parse("fd00::1"), Port{9}};
  datagram_in(v4, {*IpAddress::parse("10.0.0.2"), Port{53}}, "four");
  datagram_in(v6, {*IpAddress::parse("fd00::2"), Port{53}}, "six");
  EXPECT_EQ(receive(socket), "four");
  EXPECT_EQ(last->source, v4);
  EXPECT_EQ(receive(socket), "six");
  EXPECT_EQ(last->source, v6);
  EXPECT_TRUE(send(socket, "x", v4));
  EXPECT_EQ(sent_datagram()->source.address, *IpAddress::parse("10.0.0.2"));
  EXPECT_TRUE(send(socket, "x", v6));
  EXPECT_EQ(sent_datagram()->source.address, *IpAddress::parse("fd00::2"));
  const SocketHandle only6 = open({IpAddress{}, Port{54}}, {.v6_only = true});
  EXPECT_EQ(send(only6, "x", v4).error(), Error::invalid_argument);
  const SocketHandle only4 = open({IpAddress::any(Family::ipv4), Port{55}});
  EXPECT_EQ(send(only4, "x", v6).error(), Error::invalid_argument);
}

TEST_F(UdpBoth, HostileDatagramsDoNoHarm) {
  socket = open({IpAddress{}, Port{53}});
  Random random(7);
  for (int round = 0; round < 20000; ++round) {
    const bool v4 = random.chance(0.5);
    std::vector<std::byte> bytes(random.below(40));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
    if (bytes.size() > 3) {
      bytes[2] = std::byte{0};
      bytes[3] = std::byte{53};
    }
    if (bytes.size() > 5 && random.chance(0.7)) {
      bytes[4] = std::byte{0};
      bytes[5] = static_cast<std::byte>(random.below(bytes.size() + 2));
    }
    if (bytes.size() > 7 && random.chance(0.5)) bytes[6] = bytes[7] = std::byte{0};
    Packet packet = pool.take_packet();
    ASSERT_TRUE(packet.append_copy(bytes));
    wire::push_ip(packet, {.source = *IpAddress::parse(v4 ? "10.0.0.1" : "fd00::1"),
                           .destination = *IpAddress::parse(v4 ? "10.0.0.2" : "fd00::2"),
                           .protocol = 17});
    deliver(std::move(packet));
    while (receive(socket)) EXPECT_LT(last->length, 33U);
  }
  EXPECT_GT(dropped(DropReason::bad_udp_header), 100U);
  EXPECT_GT(dropped(DropReason::bad_udp_checksum), 100U);
  EXPECT_GT(dropped(DropReason::truncated), 100U);
  EXPECT_GT(stack.udp_info(socket)->datagrams_received, 100U);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

}  // namespace
}  // namespace hawser
