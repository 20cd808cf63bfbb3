#include "ip/interfaces.hpp"

#include <gtest/gtest.h>

namespace hawser::ip {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }

class InterfacesTest : public ::testing::Test {
 protected:
  static constexpr Route kLan{InterfaceId{0}, 1500};
  static constexpr Route kTunnel{InterfaceId{1}, 1280};

  static Network network(const char* prefix, Route route) {
    return {*Prefix::parse(prefix), route};
  }

  Interfaces interfaces{
      {network("10.0.0.2/8", kLan), network("10.9.0.2/24", kTunnel), network("172.16.0.1/31", kLan),
       network("fe80::2/64", kLan), network("fd00::2/64", kTunnel)},
      {address("10.9.0.1"), address("2001:db8::1")},
      kLan};
};

TEST_F(InterfacesTest, TheLongestPrefixLeads) {
  EXPECT_EQ(interfaces.route(address("10.1.2.3"))->interface, kLan.interface);
  EXPECT_EQ(interfaces.route(address("10.9.0.77"))->interface, kTunnel.interface);
  EXPECT_EQ(interfaces.route(address("10.9.0.77"))->mtu, 1280U);
  EXPECT_EQ(interfaces.source_for(address("10.9.0.77")), address("10.9.0.2"));
}

TEST_F(InterfacesTest, TheRestGoesToTheGatewayOfItsFamily) {
  EXPECT_EQ(interfaces.route(address("8.8.8.8"))->interface, kTunnel.interface);
  EXPECT_EQ(interfaces.source_for(address("8.8.8.8")), address("10.9.0.2"));
  // A gateway that is on none of our networks: by the first interface.
  EXPECT_EQ(interfaces.route(address("2001:db8::77"))->interface, kLan.interface);
  // There only a link-local address would be at hand: rather that of another interface.
  EXPECT_EQ(interfaces.source_for(address("2001:db8::77")), address("fd00::2"));
  const Interfaces lonely({network("10.0.0.2/8", kLan)}, {}, kLan);
  EXPECT_FALSE(lonely.route(address("8.8.8.8")));
  EXPECT_FALSE(lonely.source_for(address("8.8.8.8")));
}

TEST_F(InterfacesTest, WhatIsOursStaysInside) {
  for (const char* own : {"10.0.0.2", "fd00::2", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(interfaces.is_ours(address(own))) << own;
    EXPECT_EQ(interfaces.route(address(own))->interface, kLoopback) << own;
    EXPECT_EQ(interfaces.source_for(address(own)), address(own)) << own;
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

}  // namespace
}  // namespace hawser::ip
