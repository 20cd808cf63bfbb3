// OPEN: addresses and ports, given or chosen (RFC 9293 3.9.1.1, RFC 6056), and handles.
#include <set>

#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

class Open : public PacketScript {
 protected:
  static StackConfig two_interfaces() {
    StackConfig config = default_config();
    config.interfaces[0].addresses.push_back(*Prefix::parse("10.0.0.3/24"));
    config.interfaces.push_back(
        {.name = "if1",
         .mtu = 1280,
         .addresses = {*Prefix::parse("192.168.7.2/16"), *Prefix::parse("fe80::2/64")}});
    config.gateways = {address("192.168.0.1")};
    config.tcp.ephemeral_first = 50000;
    config.tcp.ephemeral_last = 50009;
    return config;
  }
  Open() : PacketScript(two_interfaces()) {}

  Result<SocketHandle> connect_to(const char* remote, Endpoint local = {},
                                  std::uint16_t port = 80) {
    return stack.tcp_connect(now, local, {address(remote), Port{port}});
  }
};

TEST_F(Open, TheRouteChoosesAddressAndInterface) {  // RFC9293-MUST-44
  const std::array<std::array<const char*, 2>, 3> ways{
      {{"10.0.0.9", "10.0.0.2"}, {"192.168.1.1", "192.168.7.2"}, {"8.8.8.8", "192.168.7.2"}}};
  for (const auto& [remote, source] : ways) {
    const auto handle = connect_to(remote);
    ASSERT_TRUE(handle);
    EXPECT_EQ(stack.tcp_info(*handle)->local.address, address(source));
    drain();
    ASSERT_EQ(sent().size(), 1U);
    EXPECT_EQ(sent()[0].ip.source, address(source));
    const bool second = std::string(source) == "192.168.7.2";
    EXPECT_EQ(sent()[0].frame.interface(),
              InterfaceId{second ? std::uint16_t{1} : std::uint16_t{0}});
    EXPECT_EQ(sent()[0].header.options.mss, second ? 1240 : 1460);  // RFC9293-MUST-67
    sent().clear();
  }
  EXPECT_EQ(connect_to("2001:db8::1").error(), Error::network_unreachable);
}

TEST_F(Open, AGivenAddressIsUsedAndStays) {  // RFC9293-MUST-43, RFC9293-MUST-45
  const Endpoint local{address("10.0.0.3"), Port{4000}};
  const auto handle = connect_to("10.0.0.1", local);
  ASSERT_TRUE(handle);
  socket = *handle;
  peer.local = local;
  peer.remote.port = Port{80};
  drain();
  out(kSyn, Seq{0});
  in(kSyn | kAck, Seq{0}, Ack{1});
  out(kAck, Seq{1}, Ack{1});
  write(100);
  out(kAck | kPsh, Seq{1}, Len{100});

  EXPECT_EQ(connect_to("10.0.0.1", {address("10.0.0.4"), {}}).error(),
            Error::address_not_available);
  EXPECT_EQ(connect_to("10.0.0.1", {address("127.0.0.1"), {}}).error(),
            Error::address_not_available);
  EXPECT_EQ(connect_to("10.0.0.1", {address("fd00::2"), {}}).error(), Error::invalid_argument);
}

TEST_F(Open, ARemoteThatIsNotOneHostIsRefused) {  // RFC9293-MUST-46
  for (const char* remote : {"255.255.255.255", "10.0.0.255", "192.168.255.255", "224.0.0.1",
                             "ff02::1", "0.0.0.0", "::"}) {
    EXPECT_EQ(connect_to(remote).error(), Error::invalid_argument) << remote;
  }
  EXPECT_EQ(connect_to("10.0.0.1", {}, 0).error(), Error::invalid_argument);
  drain();
  quiet();
}

TEST_F(Open, OneLocalPortServesManyRemotes) {
  const Endpoint local{address("10.0.0.2"), Port{4000}};
  ASSERT_TRUE(connect_to("10.0.0.1", local));
  ASSERT_TRUE(connect_to("10.0.0.9", local));
  ASSERT_TRUE(connect_to("10.0.0.1", local, 81));
  EXPECT_EQ(connect_to("10.0.0.1", local).error(), Error::address_in_use);
  drain();
  sent().clear();
}

TEST_F(Open, EphemeralPortsAreRandomInRangeAndRunOut) {
  ASSERT_TRUE(stack.tcp_listen({address("0.0.0.0"), Port{50004}}, 1));
  std::set<Port> ports;
  for (int i = 0; i < 9; ++i) {
    const auto handle = connect_to("10.0.0.1");
    ASSERT_TRUE(handle);
    const Port port = stack.tcp_info(*handle)->local.port;
    EXPECT_GE(port, Port{50000});
    EXPECT_LE(port, Port{50009});
    EXPECT_NE(port, Port{50004});  // somebody listens there
    EXPECT_TRUE(ports.insert(port).second);
  }
  EXPECT_EQ(connect_to("10.0.0.1").error(), Error::address_in_use);
  EXPECT_TRUE(connect_to("10.0.0.9"));  // towards another all are free
  drain();
  sent().clear();
}

TEST_F(Open, TwoListenersOfOneEndpointAreOneTooMany) {  // RFC9293-MUST-41
  const Endpoint any{address("0.0.0.0"), Port{80}};
  const auto first = stack.tcp_listen(any, 4);
  ASSERT_TRUE(first);
  EXPECT_EQ(stack.tcp_listen(any, 4).error(), Error::address_in_use);
  EXPECT_TRUE(stack.tcp_listen({address("10.0.0.3"), Port{80}}, 4));
  EXPECT_EQ(stack.tcp_listen({address("10.0.0.77"), Port{80}}, 4).error(),
            Error::address_not_available);
  ASSERT_TRUE(stack.tcp_close(now, *first));
  EXPECT_TRUE(stack.tcp_listen(any, 4));
}

TEST_F(Open, AListenerBesideAnOpeningConnectionOnItsPort) {  // RFC9293-MUST-42
  ASSERT_TRUE(connect_to("10.0.0.9", {address("10.0.0.2"), Port{80}}));
  drain();
  sent().clear();
  listen(80);
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
}

TEST_F(Open, TheMostExactListenerGetsTheSyn) {
  const auto dual = stack.tcp_listen({address("::"), Port{80}}, 4);
  const auto v4 = stack.tcp_listen({address("0.0.0.0"), Port{80}}, 4);
  const auto exact = stack.tcp_listen({address("10.0.0.3"), Port{80}}, 4);
  auto open_to = [&](const char* local, const char* remote) {
    static_cast<void>(remote);
    talk_to({{address(local), Port{80}}, {address(remote), Port{5000}}});
    in(kSyn, Seq{0});
    out(kSyn | kAck);
    in(kAck, Seq{1}, Ack{1});
  };
  open_to("10.0.0.3", "10.0.0.1");
  EXPECT_EQ(told(*exact), Ready::readable);
  open_to("10.0.0.2", "10.0.0.1");
  EXPECT_EQ(told(*v4), Ready::readable);
  open_to("fd00::2", "fd00::1");
  EXPECT_EQ(told(*dual), Ready::readable);
  ASSERT_TRUE(stack.tcp_close(now, *v4));
  drain();
  sent().clear();
  open_to("10.0.0.2", "10.0.0.9");
  EXPECT_EQ(told(*dual), Ready::readable);  // :: takes both families
  EXPECT_EQ(stack.tcp_info(*stack.tcp_accept(*dual))->remote.address.family(), Family::ipv6);
  EXPECT_EQ(stack.tcp_info(*stack.tcp_accept(*dual))->remote.address.family(), Family::ipv4);
}

TEST_F(Open, AListenerMayLetThePortBeChosen) {
  const auto handle = stack.tcp_listen({address("0.0.0.0"), Port{}}, 4);
  ASSERT_TRUE(handle);
  const TcpInfo info = *stack.tcp_info(*handle);
  EXPECT_EQ(info.state, TcpState::listen);
  EXPECT_GE(info.local.port, Port{50000});
  EXPECT_LE(info.local.port, Port{50009});
}

TEST_F(Open, TheFlowLabelIsOneForAllSegmentsOfAConnection) {  // RFC6437-3
  std::set<std::uint32_t> labels;
  for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{81}}) {
    const auto handle = connect_to("fd00::1", {}, port);
    ASSERT_TRUE(handle);
    socket = *handle;
    talk_to({stack.tcp_info(socket)->local, {address("fd00::1"), Port{port}}});
    drain();
    const Sent syn = out(kSyn);
    in(kSyn | kAck, Seq{0}, Ack{1});
    EXPECT_EQ(out(kAck).ip.flow_label, syn.ip.flow_label);
    labels.insert(syn.ip.flow_label);
  }
  EXPECT_EQ(labels.size(), 2U);
  EXPECT_FALSE(labels.contains(0));
}

TEST_F(Open, EveryCallOnABadHandleSaysSo) {
  const auto handle = connect_to("10.0.0.1");
  ASSERT_TRUE(stack.tcp_abort(now, *handle));
  std::array<std::byte, 1> data{};
  for (const SocketHandle bad :
       {SocketHandle{}, *handle, SocketHandle{7, 1}, SocketHandle{0x80000003, 9}}) {
    EXPECT_EQ(stack.tcp_accept(bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_send(now, bad, data).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_send_urgent(now, bad, data).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_receive(now, bad, data).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_shutdown_write(now, bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_close(now, bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_abort(now, bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_info(bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_settings(bad).error(), Error::bad_handle);
    EXPECT_EQ(stack.tcp_set_settings(now, bad, {}).error(), Error::bad_handle);
    EXPECT_EQ(stack.ready(bad), Ready::none);
    EXPECT_FALSE(stack.tcp_take_error(bad));
    EXPECT_FALSE(stack.tcp_urgent_mark(bad));
  }
  drain();
  sent().clear();
}

TEST_F(Open, AListenerIsNoConnection) {
  listen(80);
  std::array<std::byte, 1> data{};
  EXPECT_EQ(stack.tcp_send(now, listener, data).error(), Error::not_connected);
  EXPECT_EQ(stack.tcp_receive(now, listener, data).error(), Error::not_connected);
  EXPECT_EQ(stack.tcp_shutdown_write(now, listener).error(), Error::not_connected);
  const auto handle = connect_to("10.0.0.1");
  EXPECT_EQ(stack.tcp_accept(*handle).error(), Error::invalid_argument);
  drain();
  sent().clear();
}

class FewConnections : public PacketScript {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.tcp.max_connections = 2;
    return config;
  }
  FewConnections() : PacketScript(config()) {}
};

TEST_F(FewConnections, TheBoundIsKept) {
  connect(nullptr, 80);
  connect(nullptr, 81);
  EXPECT_EQ(stack.tcp_connect(now, {}, peer.remote).error(), Error::no_buffer_space);
  sent().clear();
  abort();
  connect(nullptr, 82);
  EXPECT_EQ(stack.census().connections, 2U);
  sent().clear();
}

}  // namespace
}  // namespace hawser
