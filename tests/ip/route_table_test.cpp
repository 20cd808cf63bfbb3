#include "ip/route_table.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "tests/ip/support.hpp"

namespace hawser::ip {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class RouteTableTest : public ::testing::Test {
 protected:
  static RouteInfo via(const char* to, const char* gateway, std::uint32_t metric = 0,
                       InterfaceId interface = kFirst) {
    return {.destination = prefix(to),
            .gateway = address(gateway),
            .interface = interface,
            .metric = metric};
  }
  IpAddress gateway_to(const char* destination, Zone zone = Zone::none) {
    const RouteEntry* route = table.find(address(destination), zone);
    return route == nullptr ? IpAddress{} : route->gateway.value_or(address(destination));
  }

  RouteTable table;
};

TEST_F(RouteTableTest, TheLongestPrefixThenTheLowestMetric) {
  ASSERT_TRUE(table.add(via("0.0.0.0/0", "10.0.0.1")));
  ASSERT_TRUE(table.add(via("192.0.2.0/24", "10.0.0.2", 5)));
  ASSERT_TRUE(table.add(via("192.0.2.0/24", "10.0.0.3", 4)));
  ASSERT_TRUE(table.add(via("192.0.2.128/25", "10.0.0.4", 99)));
  ASSERT_TRUE(table.add(via("192.0.2.77/32", "10.0.0.5")));
  EXPECT_EQ(gateway_to("8.8.8.8"), address("10.0.0.1"));
  EXPECT_EQ(gateway_to("192.0.2.1"), address("10.0.0.3"));
  EXPECT_EQ(gateway_to("192.0.2.129"), address("10.0.0.4"));
  EXPECT_EQ(gateway_to("192.0.2.77"), address("10.0.0.5"));
  EXPECT_EQ(table.find(address("fd00::1")), nullptr) << "a default route is of its family";
}

TEST_F(RouteTableTest, OfEqualsTheFirstThatCame) {
  ASSERT_TRUE(table.add(via("::/0", "fe80::1")));
  ASSERT_TRUE(table.add(via("::/0", "fe80::2")));
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::1"));
  EXPECT_TRUE(table.remove(via("::/0", "fe80::1")));
  EXPECT_FALSE(table.remove(via("::/0", "fe80::1")));
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::2"));
}

TEST_F(RouteTableTest, BitsOfAHostDoNotCount) {
  ASSERT_TRUE(table.add(via("10.1.2.3/8", "10.0.0.1")));
  EXPECT_FALSE(table.add(via("10.9.9.9/8", "10.0.0.1")));
  EXPECT_EQ(gateway_to("10.200.0.1"), address("10.0.0.1"));
}

TEST_F(RouteTableTest, OfOneInterfaceWhenAskedSo) {
  ASSERT_TRUE(table.add(via("10.0.0.0/8", "10.0.0.1", 0, kFirst)));
  ASSERT_TRUE(table.add(via("10.0.0.0/8", "10.0.0.2", 9, kSecond)));
  ASSERT_TRUE(table.add(via("10.1.0.0/16", "10.0.0.3", 0, kFirst)));
  EXPECT_EQ(gateway_to("10.1.0.1"), address("10.0.0.3"));
  EXPECT_EQ(gateway_to("10.1.0.1", zone_of(kSecond)), address("10.0.0.2"));
  EXPECT_EQ(table.find(address("10.1.0.1"), static_cast<Zone>(3)), nullptr);
}

TEST_F(RouteTableTest, AGatewayThatIsSilentComesLast) {  // RFC4861-6.3.6
  for (const char* gateway : {"fe80::1", "fe80::2", "fe80::3"}) {
    ASSERT_TRUE(table.add(via("::/0", gateway)));
  }
  table.set_reachable(kFirst, address("fe80::1"), false);
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::2"));
  table.set_reachable(kSecond, address("fe80::2"), false);
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::2")) << "another host on another link";
  table.set_reachable(kFirst, address("fe80::2"), false);
  table.set_reachable(kFirst, address("fe80::3"), false);
  // None answers: each has its turn.
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::1"));
  table.set_reachable(kFirst, address("fe80::1"), false);
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::2"));
  table.set_reachable(kFirst, address("fe80::3"), true);
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::3"));
}

TEST_F(RouteTableTest, ARouteEndsWithItsLifetime) {
  RouteInfo route = via("::/0", "fe80::1");
  route.valid_until = Instant(10s);
  ASSERT_TRUE(table.add(route));
  EXPECT_EQ(table.next_deadline(), Instant(10s));
  route.valid_until = Instant(20s);
  ASSERT_TRUE(table.renew(route));
  table.on_time(Instant(10s));
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::1"));
  table.on_time(Instant(20s));
  EXPECT_EQ(table.find(address("2001:db8::1")), nullptr);
  EXPECT_EQ(table.next_deadline(), kNever);
}

TEST_F(RouteTableTest, ARouteMayBecomeBetterOrWorse) {
  ASSERT_TRUE(table.add(via("::/0", "fe80::1", 5)));
  ASSERT_TRUE(table.add(via("::/0", "fe80::2", 6)));
  ASSERT_TRUE(table.renew(via("::/0", "fe80::2", 4)));
  EXPECT_EQ(gateway_to("2001:db8::1"), address("fe80::2"));
  EXPECT_FALSE(table.renew(via("::/0", "fe80::3", 4)));
}

TEST_F(RouteTableTest, IsBounded) {
  const auto numbered = [](std::size_t number) {
    return RouteInfo{.destination = {IpAddress::v4(11, static_cast<std::uint8_t>(number >> 16),
                                                   static_cast<std::uint8_t>(number >> 8),
                                                   static_cast<std::uint8_t>(number)),
                                     32}};
  };
  for (std::size_t i = 0; i < RouteTable::kMaxRoutes; ++i) ASSERT_TRUE(table.add(numbered(i)));
  EXPECT_FALSE(table.add(numbered(RouteTable::kMaxRoutes)));
}

TEST_F(RouteTableTest, FindsWhatAPlainSearchFinds) {
  Random random(7);
  std::vector<RouteInfo> plain;
  const auto any_address = [&] {
    return IpAddress::v4(10, static_cast<std::uint8_t>(random.below(4)),
                         static_cast<std::uint8_t>(random.below(4)),
                         static_cast<std::uint8_t>(random.below(256)));
  };
  for (std::uint32_t i = 0; i < 300; ++i) {
    const RouteInfo route{
        .destination = Prefix{any_address(), static_cast<std::uint8_t>(random.below(33))}.network(),
        .metric = i};
    if (table.add(route)) plain.push_back(route);
  }
  for (int i = 0; i < 1000; ++i) {
    const IpAddress to = any_address();
    const RouteInfo* best = nullptr;
    for (const RouteInfo& route : plain) {
      if (!route.destination.contains(to)) continue;
      if (best == nullptr || route.destination.length > best->destination.length) best = &route;
    }
    const RouteEntry* found = table.find(to);
    ASSERT_EQ(found == nullptr, best == nullptr) << to.to_string();
    if (best == nullptr) continue;
    ASSERT_EQ(found->destination, best->destination) << to.to_string();
  }
}

}  // namespace
}  // namespace hawser::ip
