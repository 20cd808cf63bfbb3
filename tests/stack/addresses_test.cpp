// Addresses and routes of a running stack that come and go.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/packet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

constexpr InterfaceId kIf0{0};

class Addresses : public PacketScript, public ::testing::WithParamInterface<Family> {
 protected:
  Addresses() : PacketScript(default_config(), GetParam()) {}

  Prefix another() const {
    return *Prefix::parse(GetParam() == Family::ipv4 ? "10.0.0.9/24" : "fd00::9/64");
  }
  std::vector<AddressInfo> infos() const { return stack.addresses(); }
};

TEST_P(Addresses, AConnectionEndsWithItsAddress) {
  establish_active();
  write(100);
  out(kAck | kPsh, Seq{1}, Ack{1}, Len{100});
  ASSERT_TRUE(stack.remove_address(now, kIf0, our_address()));
  drain();
  const auto sent = stack.tcp_send(now, socket, {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), Error::address_not_available);
  const auto info = stack.tcp_info(socket);
  EXPECT_EQ(info->state, TcpState::closed);
  EXPECT_EQ(info->close_reason, CloseReason::address_gone);
  in(kAck, Seq{1}, Ack{101});  // no longer for us
  EXPECT_EQ(stack.counters().dropped(DropReason::not_ours), 1U);
  at(300s);
  quiet();
  EXPECT_FALSE(stack.remove_address(now, kIf0, our_address()));
}

TEST_P(Addresses, RecordsOfConnectionsGoWithTheirAddress) {
  listen();
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
  ASSERT_TRUE(stack.remove_address(now, kIf0, our_address()));
  EXPECT_EQ(stack.census().syn_received, 0U);
  at(60s);
  quiet();
}

TEST_P(Addresses, AListenerHearsAgainWhenItsAddressComesBack) {
  listen();
  ASSERT_TRUE(stack.remove_address(now, kIf0, our_address()));
  in(kSyn, Seq{0});
  quiet();
  const auto length = static_cast<std::uint8_t>(GetParam() == Family::ipv4 ? 24 : 64);
  ASSERT_TRUE(stack.add_address(now, kIf0, {our_address(), length}));
  in(kSyn, Seq{0});
  out(kSyn | kAck, Seq{0}, Ack{1});
  EXPECT_EQ(stack.census().listeners, 1U);
}

TEST_P(Addresses, OfManyConnectionsNoneIsLeft) {
  listen();
  ASSERT_TRUE(stack.add_address(now, kIf0, another()));
  std::vector<SocketHandle> sockets;
  for (int i = 0; i < 5000; ++i) {
    const auto made = stack.tcp_connect(now, {i % 2 == 0 ? our_address() : another().address, {}},
                                        {peer_address(), Port{443}});
    ASSERT_TRUE(made);
    sockets.push_back(*made);
  }
  drain();
  sent().clear();
  ASSERT_TRUE(stack.remove_address(now, kIf0, another().address));
  at(100ms);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const auto state = stack.tcp_info(sockets[i])->state;
    ASSERT_EQ(state, i % 2 == 0 ? TcpState::syn_sent : TcpState::closed) << i;
    ASSERT_TRUE(stack.tcp_abort(now, sockets[i]));
  }
  drain();
  sent().clear();
}

TEST_P(Addresses, AnAddressEndsWithItsLifetime) {
  ASSERT_TRUE(
      stack.add_address(now, kIf0, another(), {.lifetime = {.preferred = 10s, .valid = 20s}}));
  EXPECT_EQ(infos().back().state, AddressState::preferred);
  at(10s);
  EXPECT_EQ(infos().back().state, AddressState::deprecated);
  // Given again, it has a new lifetime.
  ASSERT_TRUE(
      stack.add_address(now, kIf0, another(), {.lifetime = {.preferred = 10s, .valid = 20s}}));
  EXPECT_EQ(infos().back().state, AddressState::preferred);
  EXPECT_EQ(infos().size(), 3U);
  const auto made = stack.tcp_connect(now, {another().address, {}}, {peer_address(), Port{443}});
  ASSERT_TRUE(made);
  at(29s);
  EXPECT_EQ(stack.tcp_info(*made)->state, TcpState::syn_sent);
  at(30s);
  EXPECT_EQ(infos().size(), 2U);
  EXPECT_EQ(stack.tcp_info(*made)->close_reason, CloseReason::address_gone);
  sent().clear();
}

TEST_P(Addresses, WhatCannotBeIsRefused) {
  const auto error_of = [](const Result<void>& result) {
    return result ? Error{} : result.error();
  };
  const Prefix group = *Prefix::parse(GetParam() == Family::ipv4 ? "224.0.0.1/4" : "ff02::1/16");
  EXPECT_EQ(error_of(stack.add_address(now, kIf0, group)), Error::invalid_argument);
  EXPECT_EQ(error_of(stack.add_address(now, InterfaceId{1}, another())), Error::invalid_argument);
  EXPECT_EQ(error_of(stack.remove_address(now, kIf0, another().address)),
            Error::address_not_available);
  RouteConfig route{.destination = *Prefix::parse("2001:db8::/32"), .gateway = group.address};
  EXPECT_EQ(error_of(stack.add_route(route)), Error::invalid_argument);
  EXPECT_EQ(error_of(stack.remove_route(route)), Error::network_unreachable);
}

TEST_P(Addresses, RoutesComeAndGo) {
  const bool v4 = GetParam() == Family::ipv4;
  const Endpoint far{*IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1"), Port{443}};
  EXPECT_EQ(stack.tcp_connect(now, {}, far).error(), Error::network_unreachable);
  const RouteConfig route{.destination = *Prefix::parse(v4 ? "192.0.2.0/24" : "2001:db8::/32"),
                          .gateway = peer_address(),
                          .metric = 7};
  ASSERT_TRUE(stack.add_route(route));
  const auto routes = stack.routes();
  const auto found = std::ranges::find(routes, route.destination, &RouteInfo::destination);
  ASSERT_NE(found, routes.end());
  EXPECT_EQ(found->metric, 7U);
  EXPECT_EQ(found->gateway, peer_address());
  const auto made = stack.tcp_connect(now, {}, far);
  ASSERT_TRUE(made);
  ASSERT_TRUE(stack.tcp_abort(now, *made));
  drain();
  sent().clear();
  ASSERT_TRUE(stack.remove_route(route));
  EXPECT_EQ(stack.tcp_connect(now, {}, far).error(), Error::network_unreachable);
}

INSTANTIATE_TEST_SUITE_P(BothFamilies, Addresses, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& family) {
                           return family.param == Family::ipv4 ? "IPv4" : "IPv6";
                         });

class Routes : public PacketScript {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.interfaces.push_back({.name = "if1", .addresses = {*Prefix::parse("172.16.0.2/24")}});
    config.routes.push_back({.destination = *Prefix::parse("192.0.2.0/24"),
                             .gateway = IpAddress::v4(172, 16, 0, 1),
                             .interface = InterfaceId{1}});
    config.routes.push_back({.destination = *Prefix::parse("198.51.100.0/24")});
    config.routes.push_back(
        {.destination = *Prefix::parse("198.51.100.0/24"), .interface = InterfaceId{7}});
    config.gateways = {IpAddress::v4(10, 0, 0, 1)};
    return config;
  }
  Routes() : PacketScript(config()) {}

  InterfaceId way_to(const char* destination) {
    const auto made = stack.tcp_connect(now, {}, {*IpAddress::parse(destination), Port{443}});
    EXPECT_TRUE(made);
    drain();
    const InterfaceId interface = sent().back().frame.interface();
    EXPECT_TRUE(stack.tcp_abort(now, *made));
    drain();
    sent().clear();
    return interface;
  }
};

TEST_F(Routes, AreThoseOfTheConfiguration) {
  EXPECT_EQ(way_to("192.0.2.1"), InterfaceId{1});
  EXPECT_EQ(way_to("198.51.100.1"), InterfaceId{0});
  EXPECT_EQ(way_to("8.8.8.8"), InterfaceId{0});
  // Three networks of addresses, two routes, one gateway; one of them cannot be.
  EXPECT_EQ(stack.routes().size(), 6U);
}

}  // namespace
}  // namespace hawser
