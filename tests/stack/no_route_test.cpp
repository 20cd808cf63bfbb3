// What has a way when it begins and none later: its host is told, and the link is not asked for
// hosts that are beyond it (RFC 1122 3.3.1.1, RFC 4861 5.2, RFC 4943 3).
#include <array>

#include "tests/support/ethernet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

constexpr std::array<std::byte, 10> kData{};

class WithoutRoute : public EthernetScript, public ::testing::WithParamInterface<Family> {
 protected:
  WithoutRoute() {
    drain();
    // Makes the gateway known.
    if (GetParam() == Family::ipv4) {
      arrive_arp({wire::ArpOperation::request, kPeerMac, gateway, {}, ours});
    } else {
      arrive_neighbour_message(wire::NeighbourSolicitation{ours, kPeerMac}, gateway, ours);
    }
    sent.clear();
  }
  static IpAddress choose(const char* v4, const char* v6) {
    return *IpAddress::parse(GetParam() == Family::ipv4 ? v4 : v6);
  }

  const IpAddress ours = choose("10.0.0.2", "fd00::2");
  const IpAddress gateway = choose("10.0.0.254", "fd00::fe");
  const IpAddress far = choose("192.0.2.7", "2001:db8::7");
  const RouteConfig route{.destination = {IpAddress::any(GetParam()), 0},
                          .gateway = gateway,
                          .interface = InterfaceId{0}};

  TcpHeader open(SocketHandle& socket) {
    socket = stack.tcp_connect(now, {}, {far, Port{80}}).value();
    drain();
    return out_tcp();
  }
};
INSTANTIATE_TEST_SUITE_P(BothFamilies, WithoutRoute, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& given) {
                           return given.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

TEST_P(WithoutRoute, AnOpenEnds) {  // RFC1122-3.3.1.1, RFC4861-5.2, RFC4943-3
  SocketHandle socket;
  open(socket);
  ASSERT_TRUE(stack.remove_route(route));
  after(3s);
  quiet();
  EXPECT_EQ(stack.tcp_info(socket)->close_reason, CloseReason::unreachable);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::network_unreachable);
  EXPECT_EQ(dropped(DropReason::no_route), 1U);
  EXPECT_EQ(stack.tcp_connect(now, {}, {far, Port{80}}).error(), Error::network_unreachable);
}

TEST_P(WithoutRoute, AConnectionIsToldSoftlyAndGoesOnLater) {
  SocketHandle socket;
  const TcpHeader syn = open(socket);
  TcpHeader answer;
  answer.source = syn.destination;
  answer.destination = syn.source;
  answer.flags = TcpFlag::syn | TcpFlag::ack;
  answer.seq = SeqNum(1000);
  answer.ack = syn.seq + 1;
  answer.window = 65535;
  arrive_tcp(answer, far, ours);
  ASSERT_EQ(stack.tcp_info(socket)->state, TcpState::established);
  ASSERT_TRUE(stack.remove_route(route));
  sent.clear();
  ASSERT_TRUE(stack.tcp_send(now, socket, kData));
  drain();
  after(20s);
  quiet();
  EXPECT_EQ(stack.tcp_info(socket)->state, TcpState::established);
  EXPECT_EQ(stack.tcp_take_error(socket), Error::network_unreachable);
  ASSERT_TRUE(stack.add_route(route));
  after(60s);
  EXPECT_FALSE(sent.empty());
  sent.clear();
  EXPECT_EQ(stack.tcp_info(socket)->state, TcpState::established);
}

TEST_P(WithoutRoute, ADatagramThatWaitsIsReported) {
  const SocketHandle socket = stack.udp_open().value();
  ASSERT_TRUE(stack.udp_connect(socket, {far, Port{53}}));
  ASSERT_TRUE(stack.udp_send(now, socket, kData));  // it leaves with the next poll
  ASSERT_TRUE(stack.remove_route(route));
  drain();
  quiet();
  EXPECT_EQ(stack.udp_take_error(socket), Error::network_unreachable);
  EXPECT_EQ(stack.udp_send(now, socket, kData).error(), Error::network_unreachable);
}

TEST_P(WithoutRoute, ASynAckIsDropped) {
  const SocketHandle listener = stack.tcp_listen({IpAddress{}, Port{80}}, 4).value();
  TcpHeader syn;
  syn.source = Port{4000};
  syn.destination = Port{80};
  syn.flags = TcpFlag::syn;
  arrive_tcp(syn, far, ours);
  out_tcp();
  ASSERT_TRUE(stack.remove_route(route));
  after(4s);
  quiet();
  EXPECT_EQ(dropped(DropReason::no_route), 2U);
  EXPECT_EQ(stack.census().syn_received, 1U);
  EXPECT_TRUE(stack.tcp_close(now, listener));
}

}  // namespace
}  // namespace hawser
