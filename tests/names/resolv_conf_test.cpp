#include "names/resolv_conf.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace hawser::names {
namespace {

TEST(ResolvConf, NamesServersWithTheirLinks) {
  std::vector<InterfaceConfig> interfaces(2);
  interfaces[0].name = "eth0";
  interfaces[1].name = "wlan0";
  std::istringstream file(
      "# nameserver 192.0.2.1\n"
      "search example\n"
      "nameserver 192.0.2.2\n"
      "\n"
      "nameserver\tfe80::1%wlan0 \n"
      "nameserver fe80::2%eth7\n"
      "nameserver fe80::3\n"
      "nameserver\n"
      "nameserver nonsense\n"
      "options ndots:2\n"
      "nameserver 2001:db8::1");
  const std::vector<Endpoint> expected{
      {*IpAddress::parse("192.0.2.2"), Port{53}},
      {*IpAddress::parse("fe80::1"), Port{53}, zone_of(InterfaceId{1})},
      {*IpAddress::parse("fe80::3"), Port{53}},
      {*IpAddress::parse("2001:db8::1"), Port{53}}};
  EXPECT_EQ(name_servers_in(file, interfaces), expected);
}

}  // namespace
}  // namespace hawser::names
