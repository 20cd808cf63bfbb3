#include "ip/interfaces.hpp"

#include <gtest/gtest.h>

#include "tests/ip/support.hpp"

namespace hawser::ip {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr InterfaceId kLan{0};
constexpr InterfaceId kTunnel{1};

class InterfacesTest : public ::testing::Test {
 protected:
  InterfacesTest() {
    for (const char* text : {"10.0.0.2/8", "172.16.0.1/31", "fe80::2/64"}) {
      EXPECT_TRUE(interfaces.add_address(own(text, kLan)));
    }
    for (const char* text : {"10.9.0.2/24", "fd00::2/64"}) {
      EXPECT_TRUE(interfaces.add_address(own(text, kTunnel)));
    }
  }
  bool add_default(const char* gateway, InterfaceId interface) {
    const IpAddress via = address(gateway);
    return interfaces.add_route(
        {.destination = {IpAddress::any(via.family()), 0}, .gateway = via, .interface = interface});
  }
  std::optional<IpAddress> source_for(const char* to, Zone zone = Zone::none) {
    return interfaces.source_for(address(to), zone);
  }

  Interfaces interfaces{{{1500, true}, {1280, false}}};
};

TEST_F(InterfacesTest, TheLongestPrefixLeads) {
  EXPECT_EQ(interfaces.route(address("10.1.2.3"))->interface, kLan);
  const auto route = interfaces.route(address("10.9.0.77"));
  EXPECT_EQ(route->interface, kTunnel);
  EXPECT_EQ(route->mtu, 1280U);
  EXPECT_EQ(route->next_hop, address("10.9.0.77"));
  EXPECT_EQ(source_for("10.9.0.77"), address("10.9.0.2"));
  EXPECT_EQ(source_for("10.1.2.3"), address("10.0.0.2"));
}

TEST_F(InterfacesTest, TheRestGoesToTheGatewayOfItsFamily) {
  EXPECT_FALSE(interfaces.route(address("8.8.8.8")));
  EXPECT_FALSE(source_for("8.8.8.8"));
  ASSERT_TRUE(add_default("10.9.0.1", kTunnel));
  ASSERT_TRUE(add_default("2001:db8::1", kLan));
  EXPECT_EQ(interfaces.route(address("8.8.8.8"))->interface, kTunnel);
  EXPECT_EQ(interfaces.route(address("8.8.8.8"))->next_hop, address("10.9.0.1"));
  EXPECT_EQ(source_for("8.8.8.8"), address("10.9.0.2"));
  EXPECT_EQ(interfaces.route(address("2001:db8::77"))->interface, kLan);
  // There only a link-local address would be at hand: rather that of another interface.
  EXPECT_EQ(source_for("2001:db8::77"), address("fd00::2"));
}

TEST_F(InterfacesTest, WhatIsOursStaysInside) {
  for (const char* text : {"10.0.0.2", "fd00::2", "fe80::2", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(interfaces.is_ours(address(text))) << text;
    EXPECT_EQ(interfaces.route(address(text))->interface, kLoopback) << text;
    EXPECT_EQ(source_for(text), address(text)) << text;
  }
  EXPECT_FALSE(interfaces.is_ours(address("10.0.0.3")));
}

TEST_F(InterfacesTest, KnowsBroadcastAndUnicast) {
  for (const char* all : {"255.255.255.255", "10.255.255.255", "10.9.0.255"}) {
    EXPECT_TRUE(interfaces.is_broadcast(address(all))) << all;
    EXPECT_FALSE(interfaces.is_unicast(address(all))) << all;
  }
  for (const char* one : {"10.0.0.255", "172.16.0.1", "172.16.0.0", "8.8.8.255", "fd00::ffff"}) {
    EXPECT_TRUE(interfaces.is_unicast(address(one))) << one;
  }
  for (const char* none : {"0.0.0.0", "::", "224.0.0.1", "ff02::1"}) {
    EXPECT_FALSE(interfaces.is_unicast(address(none))) << none;
  }
}

TEST_F(InterfacesTest, ALinkLocalDestinationIsMeantOnOneLink) {
  // The first interface that has such addresses, Ethernets first.
  EXPECT_EQ(interfaces.route(address("fe80::9"))->interface, kLan);
  EXPECT_EQ(source_for("fe80::9"), address("fe80::2"));
  EXPECT_EQ(interfaces.route(address("fe80::9"), zone_of(kTunnel))->interface, kTunnel);
  // Our address there is on another link, and its owner another host.
  EXPECT_EQ(interfaces.route(address("fe80::2"), zone_of(kTunnel))->interface, kTunnel);
  EXPECT_EQ(interfaces.route(address("fe80::2"), zone_of(kLan))->interface, kLoopback);
  // No default route leads to a link.
  ASSERT_TRUE(add_default("fd00::1", kTunnel));
  EXPECT_EQ(interfaces.route(address("fe80::9"))->next_hop, address("fe80::9"));
  EXPECT_FALSE(interfaces.route(address("fe80::9"), static_cast<Zone>(9)));
}

TEST_F(InterfacesTest, GroupsAreOnEveryLink) {
  for (const char* group : {"224.0.0.251", "255.255.255.255", "ff02::fb", "ff0e::1"}) {
    const auto way = interfaces.route(address(group));
    ASSERT_TRUE(way) << group;
    EXPECT_EQ(way->interface, kLan) << group;
    EXPECT_EQ(way->next_hop, address(group)) << group;
    EXPECT_EQ(interfaces.route(address(group), zone_of(kTunnel))->interface, kTunnel) << group;
  }
  EXPECT_EQ(source_for("ff02::fb"), address("fe80::2"));
  EXPECT_EQ(source_for("ff02::fb", zone_of(kTunnel)), address("fd00::2"));
  EXPECT_EQ(source_for("224.0.0.251", zone_of(kTunnel)), address("10.9.0.2"));
  // Those that are not of the link follow the default route, but are not sent to its gateway.
  ASSERT_TRUE(add_default("10.9.0.1", kTunnel));
  EXPECT_EQ(interfaces.route(address("239.1.1.1"))->interface, kTunnel);
  EXPECT_EQ(interfaces.route(address("239.1.1.1"))->next_hop, address("239.1.1.1"));
}

TEST_F(InterfacesTest, AZoneBindsToAnInterface) {
  ASSERT_TRUE(add_default("10.9.0.1", kTunnel));
  EXPECT_EQ(interfaces.route(address("10.9.0.77"), zone_of(kLan))->interface, kLan);
  EXPECT_FALSE(interfaces.route(address("8.8.8.8"), zone_of(kLan)));
}

TEST_F(InterfacesTest, ARouteToANetworkLivesAsLongAsAnAddressThere) {
  ASSERT_TRUE(interfaces.add_address(own("10.9.0.3/24", kTunnel)));
  EXPECT_FALSE(interfaces.add_address(own("10.9.0.3/24", kTunnel)));
  EXPECT_TRUE(interfaces.remove_address(kTunnel, address("10.9.0.2")));
  EXPECT_EQ(interfaces.route(address("10.9.0.77"))->interface, kTunnel);
  EXPECT_EQ(source_for("10.9.0.77"), address("10.9.0.3"));
  EXPECT_TRUE(interfaces.remove_address(kTunnel, address("10.9.0.3")));
  EXPECT_FALSE(interfaces.remove_address(kTunnel, address("10.9.0.3")));
  EXPECT_EQ(interfaces.route(address("10.9.0.77"))->interface, kLan);
  EXPECT_FALSE(interfaces.is_ours(address("10.9.0.3")));
}

TEST_F(InterfacesTest, AnAddressEndsWithItsLifetime) {
  OwnAddress leased = own("192.0.2.2/24", kLan);
  leased.preferred_until = Instant(5s);
  leased.valid_until = Instant(10s);
  ASSERT_TRUE(interfaces.add_address(leased));
  std::vector<OwnAddress> expired;
  EXPECT_EQ(interfaces.next_deadline(), Instant(5s));
  interfaces.on_time(Instant(5s), expired);
  EXPECT_TRUE(expired.empty());
  EXPECT_TRUE(interfaces.is_ours(address("192.0.2.2")));
  EXPECT_EQ(source_for("192.0.2.7"), address("10.0.0.2")) << "a deprecated one is avoided";
  EXPECT_EQ(interfaces.next_deadline(), Instant(10s));
  interfaces.on_time(Instant(10s), expired);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].prefix, leased.prefix);
  EXPECT_FALSE(interfaces.is_ours(address("192.0.2.2")));
  EXPECT_FALSE(interfaces.route(address("192.0.2.7")));
  EXPECT_EQ(interfaces.next_deadline(), kNever);
}

TEST_F(InterfacesTest, WhatRoutersSayOfTheMtuCountsForIpv6) {
  interfaces.set_mtu_v6(kLan, 1400);
  EXPECT_EQ(interfaces.route(address("fe80::9"))->mtu, 1400U);
  EXPECT_EQ(interfaces.route(address("10.1.2.3"))->mtu, 1500U);
  interfaces.set_mtu_v6(kLan, 9000);
  EXPECT_EQ(interfaces.route(address("fe80::9"))->mtu, 1500U);
}

TEST_F(InterfacesTest, WhatCannotBeIsRefused) {
  for (const char* text : {"0.0.0.0/8", "224.0.0.1/4", "255.255.255.255/32", "127.0.0.1/8", "::/64",
                           "::1/128", "ff02::1/16"}) {
    EXPECT_FALSE(interfaces.add_address(own(text, kLan))) << text;
  }
  EXPECT_FALSE(interfaces.add_address(own("10.0.0.9/8", InterfaceId{2})));
  EXPECT_FALSE(interfaces.add_route({.destination = prefix("1.0.0.0/8"), .interface = kLoopback}));
  EXPECT_FALSE(add_default("224.0.0.1", kLan));
  EXPECT_FALSE(interfaces.add_route(
      {.destination = prefix("1.0.0.0/8"), .gateway = address("fd00::1"), .interface = kLan}));
}

TEST_F(InterfacesTest, TellsWhichDestinationToTryFirst) {
  ASSERT_TRUE(add_default("10.9.0.1", kTunnel));
  // Near things first; unique local addresses are behind IPv4; nothing leads to the last.
  EXPECT_EQ(
      interfaces.in_order_of_promise(addresses({"2001:db8::1", "fd00::9", "8.8.8.8", "127.0.0.1"})),
      addresses({"127.0.0.1", "8.8.8.8", "fd00::9", "2001:db8::1"}));
}

}  // namespace
}  // namespace hawser::ip
