#include "udp/table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace hawser::udp {
namespace {

const IpAddress kOurs = IpAddress::v4(10, 0, 0, 2);
const IpAddress kOurs6 = *IpAddress::parse("fd00::2");
const IpAddress kAny4 = IpAddress::any(Family::ipv4);
const IpAddress kAny6 = IpAddress::any(Family::ipv6);
const Endpoint kPeer{IpAddress::v4(10, 0, 0, 1), Port{5000}};
const Endpoint kPeer6{*IpAddress::parse("fd00::1"), Port{5000}};
constexpr InterfaceId kFirst{0};
constexpr InterfaceId kSecond{1};

Endpoint at(std::uint16_t port) { return {kOurs, Port{port}}; }

class UdpTable : public ::testing::Test {
 protected:
  std::uint32_t bound(const IpAddress& address, std::uint16_t port, UdpSettings settings = {}) {
    const auto index = table.open(settings);
    EXPECT_TRUE(index);
    const auto result = table.bind(*index, {address, Port{port}});
    EXPECT_TRUE(result) << "to " << address.to_string();
    return *index;
  }
  Error refused(const IpAddress& address, std::uint16_t port, UdpSettings settings = {}) {
    const auto index = table.open(settings);
    const auto result = table.bind(*index, {address, Port{port}});
    EXPECT_FALSE(result) << "to " << address.to_string();
    table.close(*index);
    return result ? Error{} : result.error();
  }
  std::uint32_t receiver(const IpAddress& destination, std::uint16_t port,
                         const Endpoint& source = kPeer, InterfaceId interface = kFirst) {
    return table.find({{destination, Port{port}}, source}, interface);
  }
  std::set<std::uint32_t> receivers(const IpAddress& destination, std::uint16_t port,
                                    InterfaceId interface = kFirst) {
    std::vector<std::uint32_t> found;
    table.find_all({{destination, Port{port}}, kPeer}, interface, found);
    const std::set<std::uint32_t> set(found.begin(), found.end());
    EXPECT_EQ(set.size(), found.size()) << "one of them twice";
    return set;
  }
  Datagram datagram(std::uint32_t bytes) {
    Packet packet = pool.take_packet();
    Slice slice = pool.take(std::max(bytes, 1U));
    slice.extend(bytes);
    packet.append(std::move(slice));
    return {.payload = std::move(packet), .source = kPeer, .destination = kOurs};
  }

  BufferPool pool;
  Random random{1};
  Table table{random, UdpConfig{.max_sockets = 1000, .max_queued = 1U << 20}, 40000, 40999};
};

TEST_F(UdpTable, FindsTheMostSpecific) {
  const std::uint32_t dual = bound(kAny6, 53, {.reuse_address = true});
  EXPECT_EQ(receiver(kOurs, 53), dual);
  EXPECT_EQ(receiver(kOurs6, 53, kPeer6), dual);
  const std::uint32_t any = bound(kAny4, 53, {.reuse_address = true});
  EXPECT_EQ(receiver(kOurs, 53), any);
  EXPECT_EQ(receiver(kOurs6, 53, kPeer6), dual);
  const std::uint32_t exact = bound(kOurs, 53, {.reuse_address = true});
  EXPECT_EQ(receiver(kOurs, 53), exact);
  const std::uint32_t connected = bound(kOurs, 53, {.reuse_address = true});
  ASSERT_TRUE(table.connect(connected, at(53), kPeer));
  EXPECT_EQ(receiver(kOurs, 53), connected);
  EXPECT_EQ(receiver(kOurs, 53, {kPeer.address, Port{5001}}), exact);
  EXPECT_EQ(receiver(kOurs, 54), Table::kNone);
  table.close(connected);
  EXPECT_EQ(receiver(kOurs, 53), exact);
  table.close(exact);
  table.close(any);
  EXPECT_EQ(receiver(kOurs, 53), dual);
  table.close(dual);
  EXPECT_EQ(receiver(kOurs, 53), Table::kNone);
  EXPECT_FALSE(table.has_port(Port{53}));
}

TEST_F(UdpTable, AV6OnlySocketLeavesIpv4ToOthers) {
  bound(kAny6, 53, {.v6_only = true});
  EXPECT_EQ(receiver(kOurs, 53), Table::kNone);
  const std::uint32_t v4 = bound(kAny4, 53);
  EXPECT_EQ(receiver(kOurs, 53), v4);
}

TEST_F(UdpTable, RefusesAnAddressThatIsTaken) {
  bound(kOurs, 53);
  EXPECT_EQ(refused(kOurs, 53), Error::address_in_use);
  EXPECT_EQ(refused(kAny4, 53), Error::address_in_use);
  EXPECT_EQ(refused(kAny6, 53), Error::address_in_use);
  bound(IpAddress::v4(127, 0, 0, 1), 53);
  bound(kOurs6, 53);
  bound(kAny6, 54);
  EXPECT_EQ(refused(kOurs, 54), Error::address_in_use);
  bound(kAny4, 55);
  EXPECT_EQ(refused(kOurs, 55), Error::address_in_use);
  bound(kAny6, 55, {.v6_only = true});
}

TEST_F(UdpTable, SharesAnAddressOnlyAmongThoseWhoAllAgree) {
  const std::uint32_t first = bound(kAny4, 53, {.reuse_address = true});
  bound(kAny4, 53, {.reuse_address = true});
  EXPECT_EQ(refused(kAny4, 53), Error::address_in_use);
  EXPECT_EQ(refused(kAny4, 53, {.reuse_port = true}), Error::address_in_use);
  const std::uint32_t third = bound(kAny4, 53, {.reuse_address = true, .reuse_port = true});
  EXPECT_EQ(receiver(kOurs, 53), third);  // the last
  // What was bound is what counts, not what the settings say now.
  table[first].settings.reuse_address = false;
  bound(kOurs, 53, {.reuse_address = true});
}

TEST_F(UdpTable, TakesAnAddressAgainOnceItIsClosed) {
  const std::uint32_t stubborn = bound(kAny4, 53);
  EXPECT_EQ(refused(kAny4, 53, {.reuse_address = true}), Error::address_in_use);
  table.close(stubborn);
  const std::uint32_t willing = bound(kAny4, 53, {.reuse_address = true});
  bound(kAny4, 53, {.reuse_address = true});
  table.close(willing);
}

TEST_F(UdpTable, SpreadsDatagramsOverReceiversByTheirEnds) {
  std::set<std::uint32_t> group;
  for (int i = 0; i < 4; ++i) group.insert(bound(kAny4, 53, {.reuse_port = true}));
  std::map<std::uint32_t, int> hits;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    const Endpoint source{kPeer.address, Port{port}};
    const std::uint32_t index = receiver(kOurs, 53, source);
    EXPECT_EQ(receiver(kOurs, 53, source), index);  // always the same
    ++hits[index];
  }
  ASSERT_EQ(hits.size(), 4U);
  for (const auto& [index, count] : hits) {
    EXPECT_TRUE(group.contains(index));
    EXPECT_GT(count, 150);
    EXPECT_LT(count, 350);
  }
}

TEST_F(UdpTable, GivesManyToAllOfThem) {  // RFC1122-4.1.3.3
  const std::uint32_t any = bound(kAny4, 53, {.reuse_address = true});
  const std::uint32_t again = bound(kAny4, 53, {.reuse_address = true});
  const std::uint32_t dual = bound(kAny6, 53, {.reuse_address = true});
  const std::uint32_t group = bound(IpAddress::v4(224, 0, 0, 251), 53, {.reuse_address = true});
  const std::uint32_t ours = bound(kOurs, 53, {.reuse_address = true});
  const std::uint32_t connected = bound(kAny4, 53, {.reuse_address = true});
  ASSERT_TRUE(table.connect(connected, at(53), kPeer));
  EXPECT_EQ(receivers(IpAddress::v4(224, 0, 0, 251), 53), (std::set{any, again, dual, group}));
  EXPECT_EQ(receivers(IpAddress::v4(10, 0, 0, 255), 53), (std::set{any, again, dual}));
  EXPECT_EQ(receiver(kOurs, 53, {kPeer.address, Port{9}}), ours);
}

TEST_F(UdpTable, KeepsToAnInterface) {
  const std::uint32_t any = bound(kAny4, 53, {.reuse_address = true});
  const std::uint32_t second = bound(kAny4, 53, {.reuse_address = true, .interface = kSecond});
  EXPECT_EQ(receiver(kOurs, 53, kPeer, kFirst), any);
  EXPECT_EQ(receiver(kOurs, 53, kPeer, kSecond), second);
  EXPECT_EQ(receivers(IpAddress::v4(10, 0, 0, 255), 53, kFirst), std::set{any});
  EXPECT_EQ(receivers(IpAddress::v4(10, 0, 0, 255), 53, kSecond), (std::set{any, second}));
  ASSERT_TRUE(table.connect(second, at(53), kPeer));
  EXPECT_EQ(receiver(kOurs, 53, kPeer, kFirst), any);
  EXPECT_EQ(receiver(kOurs, 53, kPeer, kSecond), second);
  // On different interfaces the same address is not the same.
  bound(kAny4, 54, {.interface = kFirst});
  bound(kAny4, 54, {.interface = kSecond});
}

TEST_F(UdpTable, ConnectsAgainAndNoMore) {
  const std::uint32_t one = bound(kAny4, 53, {.reuse_address = true});
  const std::uint32_t two = bound(kAny4, 53, {.reuse_address = true});
  ASSERT_TRUE(table.connect(one, at(53), kPeer));
  EXPECT_EQ(table.connect(two, at(53), kPeer).error(), Error::address_in_use);
  EXPECT_EQ(receiver(kOurs, 53, kPeer6), two);
  const Endpoint other{kPeer.address, Port{1}};
  ASSERT_TRUE(table.connect(one, at(53), other));
  ASSERT_TRUE(table.connect(two, at(53), kPeer));
  EXPECT_EQ(table.connect(two, at(53), other).error(), Error::address_in_use);
  EXPECT_EQ(receiver(kOurs, 53, other), one);
  EXPECT_EQ(receiver(kOurs, 53), two);  // as before the failure
  table.disconnect(one);
  EXPECT_EQ(receiver(kOurs, 53, other), one);
  EXPECT_EQ(receiver(kOurs, 53), two);
}

TEST_F(UdpTable, ChoosesPortsThatNobodyCanGuess) {  // RFC6056-3.3.1
  std::set<std::uint16_t> ports;
  int neighbours = 0;
  std::uint16_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t index = bound(kAny6, 0);
    const std::uint16_t port = to_number(table[index].local.port);
    EXPECT_GE(port, 40000);
    EXPECT_LE(port, 40999);
    EXPECT_TRUE(ports.insert(port).second);
    if (i < 300 && port == last + 1) ++neighbours;
    last = port;
  }
  EXPECT_LT(neighbours, 10);
  EXPECT_EQ(table.open({}).error(), Error::no_buffer_space);
  table.close(0);
  EXPECT_TRUE(table.open({}));
}

TEST_F(UdpTable, SaysWhenNoPortIsLeft) {
  Table small(random, {}, 40000, 40001);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(small.bind(*small.open({}), {kAny4, Port{}}));
  EXPECT_EQ(small.bind(*small.open({}), {kAny4, Port{}}).error(), Error::address_in_use);
}

TEST_F(UdpTable, BoundsTheMemoryOfEachSocket) {
  const std::uint32_t index = bound(kAny4, 53, {.receive_buffer = 10000});
  int taken = 0;
  while (table.push(index, datagram(1))) ++taken;
  EXPECT_EQ(taken, 3);  // each holds a block of 2 KiB, however small it is
  EXPECT_EQ(table[index].dropped, 1U);
  EXPECT_EQ(table[index].queued_bytes(), 3U);
  EXPECT_EQ(table.queued_memory(), table[index].queued_memory());
  table.pop(index);
  EXPECT_TRUE(table.push(index, datagram(1)));
  table.close(index);
  EXPECT_EQ(table.queued_memory(), 0U);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST_F(UdpTable, TakesOneDatagramHoweverSmallTheBuffer) {
  const std::uint32_t index = bound(kAny4, 53, {.receive_buffer = 1});
  EXPECT_TRUE(table.push(index, datagram(60000)));
  EXPECT_FALSE(table.push(index, datagram(0)));
}

TEST_F(UdpTable, BoundsTheMemoryOfAllSockets) {
  const std::uint32_t one = bound(kAny4, 53, {.receive_buffer = 1U << 30});
  const std::uint32_t two = bound(kAny4, 54);
  while (table.push(one, datagram(60000))) {
  }
  EXPECT_LE(table.queued_memory(), 1U << 20);
  EXPECT_GT(table.queued_memory(), (1U << 20) - (1U << 17));
  EXPECT_FALSE(table.push(two, datagram(60000)));
  EXPECT_EQ(table[two].dropped, 1U);
}

TEST_F(UdpTable, RefusesSettingsThatCannotBe) {
  EXPECT_EQ(table.open({.hop_limit = 0}).error(), Error::invalid_argument);
  EXPECT_EQ(table.open({.dscp = 64}).error(), Error::invalid_argument);
  EXPECT_EQ(table.open({.receive_buffer = 0}).error(), Error::invalid_argument);
}

}  // namespace
}  // namespace hawser::udp
