#include "sim/bottleneck.hpp"

#include <gtest/gtest.h>

#include <variant>

#include "tests/wire/support.hpp"
#include "wire/ethernet.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"

namespace hawser::sim {
namespace {

using wire::testing::Bytes;
using wire::testing::contents;
using wire::testing::received;

class Bottleneck : public ::testing::Test {
 protected:
  Packet packet(bool v4, bool dont_fragment) {
    Packet result = received(pool, Bytes(1400, std::byte{5}));
    wire::push_ip(result, {.source = *IpAddress::parse(v4 ? "10.0.0.1" : "fd00::1"),
                           .destination = *IpAddress::parse(v4 ? "10.0.0.2" : "fd00::2"),
                           .protocol = 17,
                           .identification = 99,
                           .dont_fragment = dont_fragment});
    return result;
  }
  BufferPool pool;
};

TEST_F(Bottleneck, TellsTheSender) {  // RFC1191-4, RFC4443-3.2
  for (const bool v4 : {true, false}) {
    const AtBottleneck result = meet_bottleneck(packet(v4, true), false, 1300, pool);
    EXPECT_TRUE(result.fragments.empty());
    ASSERT_TRUE(result.error);
    const Packet error = received(pool, contents(result.error));
    const auto ip = wire::parse_ip(error.head(), error.size());
    ASSERT_TRUE(ip);
    EXPECT_EQ(ip->header.destination, *IpAddress::parse(v4 ? "10.0.0.1" : "fd00::1"));
    Packet message = received(pool, contents(result.error));
    message.trim_front(ip->header_bytes);
    const auto parsed = wire::parse_icmp(message, ip->header.source, ip->header.destination);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<wire::IcmpError>(*parsed).kind, wire::IcmpErrorKind::packet_too_big);
    EXPECT_EQ(std::get<wire::IcmpError>(*parsed).mtu, 1300U);
  }
}

TEST_F(Bottleneck, CutsWhatMayBeCut) {
  const AtBottleneck result = meet_bottleneck(packet(true, false), false, 800, pool);
  EXPECT_FALSE(result.error);
  ASSERT_EQ(result.fragments.size(), 2U);
  for (const Packet& fragment : result.fragments) {
    EXPECT_LE(fragment.size(), 800U);
    const auto ip = wire::parse_ip(fragment.head(), fragment.size());
    ASSERT_TRUE(ip && ip->fragment);
    EXPECT_EQ(ip->fragment->identification, 99U);
  }
}

TEST_F(Bottleneck, StandsOnAnEthernetToo) {
  const MacAddress us({2, 0, 0, 0, 0, 1});
  const MacAddress router({2, 0, 0, 0, 0, 9});
  Packet frame = packet(true, true);
  wire::push_ethernet(frame, {router, us, wire::EtherType::ipv4});
  const AtBottleneck result = meet_bottleneck(frame, true, 1314, pool);
  ASSERT_TRUE(result.error);
  const auto link = wire::parse_ethernet(result.error.head());
  ASSERT_TRUE(link);
  EXPECT_EQ(link->header.destination, us);
  EXPECT_EQ(link->header.source, router);
  EXPECT_EQ(contents(result.error)[14 + 20 + 6], std::byte{1300 >> 8});
}

}  // namespace
}  // namespace hawser::sim
