// A stack with a DHCP client on a switch, with a server that a test plays by hand.
#include "wire/dhcp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using wire::DhcpMessage;
using wire::DhcpType;

const IpAddress kServer = IpAddress::v4(10, 0, 0, 1);
const IpAddress kGiven = IpAddress::v4(10, 0, 0, 50);
const IpAddress kNext = IpAddress::v4(10, 0, 0, 51);
const IpAddress kEverybody = IpAddress::v4(255, 255, 255, 255);

StackConfig host(std::uint8_t number, std::vector<Prefix> addresses) {
  StackConfig config;
  InterfaceConfig interface;
  interface.name = "eth0";
  interface.addresses = std::move(addresses);
  interface.mac = MacAddress({2, 0, 0, 0, 0, number});
  interface.autoconfigure = false;
  config.interfaces.push_back(std::move(interface));
  return config;
}

StackConfig asking_host() {
  StackConfig config = host(9, {});
  config.interfaces[0].dhcp = true;
  config.host_name = "boat";
  return config;
}

class StackDhcpTest : public ::testing::Test {
 protected:
  StackDhcpTest() {
    for (const StackId id : {server, client}) world.connect(Attachment{id, {}}, ethernet);
    socket = world.stack(server).udp_open().value();
    UdpSettings settings;
    settings.broadcast = true;
    EXPECT_TRUE(world.stack(server).udp_set_settings(socket, settings));
    EXPECT_TRUE(world.stack(server).udp_bind(
        socket, {IpAddress::any(Family::ipv4), wire::kDhcpServerPort}));
    world.on_ready(server, [this](SocketHandle, Ready) { serve(); });
  }

  /// Answers each question as a server does whose only address is `offer`.
  void serve() {
    std::array<std::byte, 1500> buffer{};
    while (const auto got = world.stack(server).udp_receive_from(socket, buffer)) {
      const auto question = wire::parse_dhcp(std::span(buffer).first(got->size));
      ASSERT_TRUE(question);
      heard.push_back(question->type);
      if (silent) continue;
      const bool asks = question->type == DhcpType::request;
      if (!asks && question->type != DhcpType::discover) continue;
      DhcpMessage answer;
      answer.type = asks ? DhcpType::ack : DhcpType::offer;
      answer.transaction = question->transaction;
      answer.mac = question->mac;
      answer.yours = offer;
      answer.server = kServer;
      answer.prefix_length = 24;
      answer.routers = {kServer};
      answer.dns = {IpAddress::v4(10, 0, 0, 53)};
      answer.domain = "harbour.example";
      answer.search = {"quay.example", "harbour.example"};
      answer.mtu = mtu;
      answer.lease_seconds = 1000;
      const IpAddress to = question->broadcast ? kEverybody : question->client;
      EXPECT_TRUE(world.stack(server).udp_send_to(world.now(), socket, wire::emit_dhcp(answer),
                                                  {to, wire::kDhcpClientPort}));
    }
  }

  std::vector<AddressInfo> leased() {
    std::vector<AddressInfo> own = world.stack(client).addresses();
    std::erase_if(own, [](const AddressInfo& a) { return a.origin != AddressOrigin::dhcp; });
    return own;
  }
  bool has_default_route() {
    const auto routes = world.stack(client).routes();
    return std::ranges::any_of(routes, [](const RouteInfo& route) {
      return route.destination.length == 0 && route.gateway == kServer &&
             route.origin == RouteOrigin::dhcp;
    });
  }
  std::size_t count(DhcpType type) const {
    return static_cast<std::size_t>(std::ranges::count(heard, type));
  }

  World world{1};
  StackId server = world.add_stack(host(1, {{kServer, 24}}));
  StackId client = world.add_stack(asking_host());
  SwitchId ethernet = world.add_switch();
  SocketHandle socket;
  IpAddress offer = kGiven;
  std::optional<std::uint16_t> mtu;
  bool silent = false;
  std::vector<DhcpType> heard;
};

TEST_F(StackDhcpTest, LeasesAnAddressAndUsesIt) {
  world.run_for(100ms);
  ASSERT_EQ(leased().size(), 1U);
  EXPECT_EQ(leased()[0].state, AddressState::tentative) << "the link is asked first";
  world.run_for(10s);
  ASSERT_EQ(leased().size(), 1U);
  EXPECT_EQ(leased()[0].prefix, (Prefix{kGiven, 24}));
  EXPECT_EQ(leased()[0].state, AddressState::preferred);
  EXPECT_TRUE(has_default_route());
  const auto leases = world.stack(client).leases();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].search, (std::vector<std::string>{"quay.example", "harbour.example"}));
  EXPECT_EQ(world.stack(client).search_domains(), leases[0].search);
  EXPECT_EQ(world.stack(client).dns_servers(),
            (std::vector<Endpoint>{{IpAddress::v4(10, 0, 0, 53), Port{53}}}));

  EXPECT_TRUE(world.stack(server).tcp_listen({kServer, Port{80}}, 1));
  const auto connection = world.stack(client).tcp_connect(
      world.now(), {IpAddress::any(Family::ipv4), {}}, {kServer, Port{80}});
  ASSERT_TRUE(connection);
  world.run_for(1s);
  EXPECT_EQ(world.stack(client).tcp_info(*connection)->state, TcpState::established);
  EXPECT_EQ(world.stack(client).tcp_info(*connection)->local.address, kGiven);
}

TEST_F(StackDhcpTest, RenewsInTime) {
  world.run_for(3000s);
  EXPECT_EQ(count(DhcpType::discover), 1U);
  EXPECT_GE(count(DhcpType::request), 6U);
  ASSERT_EQ(leased().size(), 1U);
  EXPECT_EQ(leased()[0].state, AddressState::preferred);
  EXPECT_GT(leased()[0].valid_until, world.now() + 450s);
  EXPECT_TRUE(has_default_route());
}

TEST_F(StackDhcpTest, LosesTheAddressWithTheLease) {
  world.run_for(10s);
  silent = true;
  world.run_for(1000s);
  EXPECT_TRUE(leased().empty());
  EXPECT_FALSE(has_default_route());
  EXPECT_TRUE(world.stack(client).leases().empty());
  EXPECT_TRUE(world.stack(client).dns_servers().empty());
  EXPECT_TRUE(world.stack(client).search_domains().empty());
  silent = false;
  world.run_for(100s);
  EXPECT_EQ(leased().size(), 1U);
}

// RFC2131-3.1: step 5.
TEST_F(StackDhcpTest, DeclinesAnAddressThatAnotherHas) {
  const StackId squatter = world.add_stack(host(66, {{kGiven, 24}}));
  world.connect(Attachment{squatter, {}}, ethernet);
  world.run_for(5s);
  EXPECT_EQ(count(DhcpType::decline), 1U);
  EXPECT_TRUE(leased().empty());
  EXPECT_FALSE(has_default_route());
  EXPECT_EQ(world.stack(client).counters().duplicate_addresses, 1U);
  offer = kNext;
  world.run_for(30s);
  ASSERT_EQ(leased().size(), 1U);
  EXPECT_EQ(leased()[0].prefix.address, kNext);
}

// RFC5227-2.4, RFC2131-3.1: step 5.
TEST_F(StackDhcpTest, DeclinesAnAddressThatAnotherTakesLater) {
  world.run_for(10s);
  ASSERT_EQ(leased().size(), 1U);
  offer = kNext;
  const StackId squatter = world.add_stack(host(66, {{kGiven, 24}}));
  world.connect(Attachment{squatter, {}}, ethernet);
  // It announces itself, hears that the address is ours, and does so again.
  world.run_for(1s);
  EXPECT_EQ(count(DhcpType::decline), 1U);
  EXPECT_TRUE(leased().empty());
  world.run_for(30s);
  ASSERT_EQ(leased().size(), 1U);
  EXPECT_EQ(leased()[0].prefix.address, kNext);
  EXPECT_EQ(leased()[0].state, AddressState::preferred);
}

TEST_F(StackDhcpTest, SendsNoLargerPacketsThanTheServerSays) {  // RFC 2132 5.1
  const auto largest = [&] {
    UdpSendOptions whole;
    whole.dont_fragment = true;
    const SocketHandle sender = world.stack(client).udp_open().value();
    std::size_t size = 1472;
    while (!world.stack(client).udp_send_to(world.now(), sender, std::vector<std::byte>(size),
                                            {kServer, Port{9}}, whole)) {
      --size;
    }
    return size + 28;
  };
  for (const auto& [told, expected] :
       {std::pair<std::uint16_t, std::size_t>{1400, 1400}, {68, 576}, {9000, 1500}}) {
    mtu = told;
    world.run_for(600s);  // it renews the lease
    EXPECT_EQ(largest(), expected);
  }
  mtu = 1400;
  world.run_for(600s);
  EXPECT_EQ(largest(), 1400U);
  mtu.reset();
  world.run_for(600s);
  EXPECT_EQ(largest(), 1500U);
}

TEST_F(StackDhcpTest, GivesTheLeaseBack) {
  world.run_for(10s);
  world.stack(client).release_leases(world.now());
  world.run_for(1s);
  EXPECT_EQ(heard.back(), DhcpType::release);
  EXPECT_TRUE(leased().empty());
  EXPECT_FALSE(has_default_route());
  world.run_for(1h);
  EXPECT_EQ(heard.back(), DhcpType::release) << "it asks for nothing more";
}

TEST_F(StackDhcpTest, CountsWhatItDidNotAskFor) {
  world.run_for(10s);
  for (const std::size_t size : {0U, 300U}) {
    EXPECT_TRUE(world.stack(server).udp_send_to(world.now(), socket, std::vector<std::byte>(size),
                                                {kEverybody, wire::kDhcpClientPort}));
  }
  DhcpMessage nak;
  nak.type = DhcpType::nak;
  nak.mac = MacAddress({2, 0, 0, 0, 0, 9});
  EXPECT_TRUE(world.stack(server).udp_send_to(world.now(), socket, wire::emit_dhcp(nak),
                                              {kEverybody, wire::kDhcpClientPort}));
  world.run_for(1s);
  const auto& drops = world.stack(client).counters().drops;
  EXPECT_EQ(drops[static_cast<std::size_t>(DropReason::bad_dhcp)], 2U);
  EXPECT_EQ(drops[static_cast<std::size_t>(DropReason::unexpected_dhcp)], 1U);
  EXPECT_EQ(leased().size(), 1U);
}

TEST_F(StackDhcpTest, KeepsAskingOverALineThatLosesMost) {
  World bad(7);
  const StackId far = bad.add_stack(asking_host());
  const SwitchId hub = bad.add_switch();
  bad.connect(Attachment{far, {}}, hub);
  bad.run_for(1h);
  EXPECT_LT(bad.steps(), 1000U) << "nobody there: once a minute";
  EXPECT_EQ(bad.stuck_deadlines(), 0U);
}

}  // namespace
}  // namespace hawser
