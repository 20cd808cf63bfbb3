// ICMP echo sockets, and whose error it was that a connection met (RFC 792, RFC 4443 4).
#include "tests/support/udp_script.hpp"

namespace hawser {
namespace {

using namespace testing;

class Echo : public UdpScript, public ::testing::WithParamInterface<Family> {
 protected:
  Echo() : UdpScript(default_config(), GetParam()) {}

  bool v4() const { return GetParam() == Family::ipv4; }
  Endpoint them() const { return {peer_address(), Port{}}; }
  IpAddress router() const { return *IpAddress::parse(v4() ? "10.0.0.77" : "fd00::77"); }

  Packet ask(const EchoRequest& request, std::string_view data = "abc") {
    EXPECT_TRUE(stack.icmp_send_echo(now, socket, them(), bytes_of(data), request));
    drain();
    if (other_frames().empty()) {
      ADD_FAILURE() << "nothing left";
      return {};
    }
    Packet frame = std::move(other_frames().front());
    other_frames().erase(other_frames().begin());
    return frame;
  }
  /// What a peer makes of a request.
  void reply_to(const Packet& request, std::uint8_t hop_limit = 57) {
    const auto ip = wire::parse_ip(request.head(), request.size());
    Packet answer = request.share();
    answer.trim_front(ip->header_bytes);
    const auto message = wire::parse_icmp(answer, ip->header.source, ip->header.destination);
    wire::IcmpEcho echo = std::get<wire::IcmpEcho>(*message);
    EXPECT_FALSE(echo.reply);
    echo.reply = true;
    answer.trim_front(wire::kIcmpHeader);
    answer.reserve_headroom(Packet::kHeadroom - 20);
    wire::push_icmp_echo(answer, echo, ip->header.destination, ip->header.source);
    wire::push_ip(answer, {.source = ip->header.destination,
                           .destination = ip->header.source,
                           .protocol = ip->header.protocol,
                           .hop_limit = hop_limit});
    deliver(std::move(answer));
  }
  Result<EchoAnswer> receive() { return stack.icmp_receive(socket, room_); }
  std::string data(std::size_t size) const {
    return {reinterpret_cast<const char*>(room_.data()), size};
  }

  std::array<std::byte, 2048> room_{};
};
INSTANTIATE_TEST_SUITE_P(Families, Echo, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(Echo, IsAskedAndAnswered) {
  socket = *stack.icmp_open();
  EXPECT_EQ(stack.census().echo_sockets, 1U);
  EXPECT_EQ(receive().error(), Error::would_block);
  EXPECT_EQ(stack.ready(socket), Ready::writable);
  const Packet request = ask({.sequence = 7, .hop_limit = 9, .dont_fragment = true});
  const auto ip = wire::parse_ip(request.head(), request.size());
  EXPECT_EQ(ip->header.hop_limit, 9);
  EXPECT_TRUE(ip->header.dont_fragment);
  EXPECT_EQ(ip->header.source, our_address());
  at(20ms);
  reply_to(request);
  EXPECT_EQ(told(socket), Ready::readable);
  const auto answer = receive();
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->error);
  EXPECT_EQ(answer->sequence, 7);
  EXPECT_EQ(answer->from, peer_address());
  EXPECT_EQ(answer->hop_limit, 57);
  EXPECT_EQ(answer->at, now);
  EXPECT_EQ(data(answer->size), "abc");
  EXPECT_EQ(answer->length, 3U);
}

TEST_P(Echo, AnErrorSaysWhoSentIt) {
  socket = *stack.icmp_open(77);
  const Packet request = ask({.sequence = 3, .hop_limit = 1});
  for (const auto kind :
       {wire::IcmpErrorKind::time_exceeded, wire::IcmpErrorKind::host_unreachable}) {
    error_in(request, kind, router());
    const auto answer = receive();
    ASSERT_TRUE(answer);
    ASSERT_TRUE(answer->error);
    EXPECT_EQ(answer->error->kind, kind);
    EXPECT_EQ(answer->error->reporter, router());
    EXPECT_EQ(answer->error->destination, them());
    EXPECT_EQ(answer->from, router());
    EXPECT_EQ(answer->sequence, 3);
    EXPECT_EQ(answer->size, 0U);
  }
}

TEST_P(Echo, AnswersGoToWhoAsked) {
  const SocketHandle other = *stack.icmp_open(5);
  EXPECT_EQ(stack.icmp_open(5).error(), Error::address_in_use);
  socket = *stack.icmp_open();
  EXPECT_NE(stack.icmp_info(socket)->identifier, 5);
  EXPECT_EQ(stack.icmp_sockets(), (std::vector{other, socket}));
  const Packet request = ask({.sequence = 1});
  reply_to(request);
  EXPECT_EQ(stack.icmp_receive(other, room_).error(), Error::would_block);
  EXPECT_TRUE(receive());
  ASSERT_TRUE(stack.icmp_close(socket));
  EXPECT_EQ(stack.icmp_close(socket).error(), Error::bad_handle);
  reply_to(request);  // nobody waits any more
  error_in(request, wire::IcmpErrorKind::time_exceeded, router());
  EXPECT_EQ(dropped(DropReason::bad_icmp), 2U);
}

TEST_P(Echo, TellsWhatItHolds) {
  socket = *stack.icmp_open(5);
  ASSERT_TRUE(stack.icmp_send_echo(now, socket, them(), bytes_of("first")));
  EXPECT_EQ(stack.icmp_info(socket)->send_queue, 5U);
  const Packet request = ask({}, "whole");
  EXPECT_EQ(stack.icmp_info(socket)->send_queue, 0U);
  EXPECT_EQ(stack.icmp_info(socket)->requests_sent, 2U);
  reply_to(request);
  reply_to(request);
  EXPECT_EQ(stack.icmp_info(socket)->receive_queue, 10U);
  EXPECT_EQ(stack.icmp_info(socket)->answers_received, 2U);
  EXPECT_GT(stack.icmp_info(socket)->receive_memory, 10U);
  while (receive()) continue;
  EXPECT_EQ(stack.icmp_info(socket)->receive_memory, 0U);
}

TEST_P(Echo, WeAnswerOurselves) {
  socket = *stack.icmp_open();
  const IpAddress loopback = *IpAddress::parse(v4() ? "127.0.0.1" : "::1");
  for (const IpAddress& address : {our_address(), loopback}) {
    ASSERT_TRUE(stack.icmp_send_echo(now, socket, {address, Port{}}, bytes_of("me")));
    drain();
    const auto answer = receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->from, address);
    EXPECT_EQ(data(answer->size), "me");
  }
}

TEST_P(Echo, RefusesWhatCannotBe) {
  socket = *stack.icmp_open();
  const auto refused = [&](const Endpoint& to, std::size_t size, const EchoRequest& request) {
    const std::string payload(size, 'x');
    const auto sent = stack.icmp_send_echo(now, socket, to, bytes_of(payload), request);
    return sent ? Error{} : sent.error();
  };
  EXPECT_EQ(refused(them(), 65536, {}), Error::message_size);
  EXPECT_EQ(refused(them(), 1500, {.dont_fragment = true}), Error::message_size);
  EXPECT_EQ(refused(them(), 1, {.hop_limit = 0}), Error::invalid_argument);
  EXPECT_EQ(refused({IpAddress::any(GetParam()), Port{}}, 1, {}), Error::invalid_argument);
  EXPECT_EQ(refused({*IpAddress::parse(v4() ? "192.0.2.1" : "2001:db8::1"), Port{}}, 1, {}),
            Error::network_unreachable);
  EXPECT_EQ(refused(them(), 1, {.source = peer_address()}), Error::address_not_available);
  if (v4()) {
    EXPECT_EQ(refused({*IpAddress::parse("10.0.0.255"), Port{}}, 1, {}), Error::permission_denied);
  }
  drain();
  EXPECT_TRUE(other_frames().empty());
}

TEST_P(Echo, LargeOnesLeaveInPieces) {
  socket = *stack.icmp_open();
  ASSERT_TRUE(stack.icmp_send_echo(now, socket, them(), bytes_of(std::string(4000, 'x'))));
  drain();
  ASSERT_EQ(other_frames().size(), 3U);
  for (const Packet& frame : other_frames()) EXPECT_LE(frame.size(), 1500U);
  other_frames().clear();
}

TEST_P(Echo, LearnsTheMtuOfItsPathAndKeepsToIt) {  // RFC1191-6.1, RFC8201-4
  socket = *stack.icmp_open();
  const std::string data(1400, 'x');
  const Packet request = ask({.sequence = 1, .dont_fragment = true}, data);
  error_in(request, {wire::IcmpErrorKind::packet_too_big, 0, request.size()}, router());
  EXPECT_EQ(receive().error(), Error::would_block) << "it cannot have been too large";
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
  error_in(request, {wire::IcmpErrorKind::packet_too_big, 0, 1300}, router());
  const auto answer = receive();
  ASSERT_TRUE(answer);
  ASSERT_TRUE(answer->error);
  EXPECT_EQ(answer->error->kind, wire::IcmpErrorKind::packet_too_big);
  EXPECT_EQ(answer->error->mtu, 1300U);
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
  // It holds for what is sent to the same host from now on, by UDP sockets too.
  const SocketHandle other = *stack.udp_open();
  EXPECT_EQ(send(other, data, {peer_address(), Port{9}}, {.dont_fragment = true}).error(),
            Error::message_size);
  const auto again = stack.icmp_send_echo(now, socket, them(), bytes_of(data),
                                          {.sequence = 2, .dont_fragment = true});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), Error::message_size);
  EXPECT_TRUE(stack.icmp_send_echo(now, socket, them(), bytes_of(data), {.sequence = 3}));
  drain();
  EXPECT_EQ(other_frames().size(), 2U);
  other_frames().clear();
}

TEST_P(Echo, BoundsWhatIsNotRead) {
  socket = *stack.icmp_open();
  const Packet request = ask({.sequence = 1});
  for (int i = 0; i < 10000; ++i) error_in(request, wire::IcmpErrorKind::time_exceeded, router());
  EXPECT_GT(dropped(DropReason::receive_queue_full), 0U);
  int kept = 0;
  while (receive()) ++kept;
  EXPECT_GT(kept, 100);
}

TEST_P(Echo, AConnectionLearnsWhoseErrorItWas) {
  TcpSettings settings;
  settings.hop_limit = 1;
  connect(&settings);
  const Sent syn = out(kSyn);
  EXPECT_EQ(syn.ip.hop_limit, 1);
  EXPECT_FALSE(stack.tcp_error_report(socket));
  Packet forged = syn.frame.share();
  forged.own_bytes()[(v4() ? 20 : 40) + 4] ^= std::byte{1};  // another sequence number
  error_in(forged, wire::IcmpErrorKind::host_unreachable, router());
  EXPECT_EQ(dropped(DropReason::bad_icmp), 1U);
  EXPECT_FALSE(stack.tcp_error_report(socket)) << "RFC5927-4.1";
  error_in(syn.frame, wire::IcmpErrorKind::time_exceeded, router());
  const auto report = stack.tcp_error_report(socket);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->kind, wire::IcmpErrorKind::time_exceeded);
  EXPECT_EQ(report->reporter, router());
  EXPECT_EQ(report->destination, peer.remote);
  abort();
  EXPECT_FALSE(stack.tcp_error_report(socket));
  connect(&settings);  // in the same place
  out(kSyn);
  EXPECT_FALSE(stack.tcp_error_report(socket));
  abort();
}

}  // namespace
}  // namespace hawser
