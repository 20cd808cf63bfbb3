// A stack on an Ethernet that configures itself from what routers and other hosts say, frame by
// frame, and two stacks that want the same address.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

#include "hawser/world.hpp"
#include "tests/support/ethernet_script.hpp"

namespace hawser {
namespace {

using namespace testing;

constexpr InterfaceId kEth0{0};
const IpAddress kRouter = *IpAddress::parse("fe80::1");
const IpAddress kGiven = *IpAddress::parse("fd00::2");
const IpAddress kUnspecified;

class Autoconfigured : public EthernetScript {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.interfaces[0].autoconfigure = true;
    config.interfaces[0].detect_duplicates = true;
    config.gateways = {IpAddress::v4(10, 0, 0, 254)};
    return config;
  }
  Autoconfigured() : EthernetScript(config()) {}

  const AddressInfo* info_of(const IpAddress& address) {
    infos_ = stack.addresses();
    const auto found = std::ranges::find(
        infos_, address, [](const AddressInfo& info) { return info.prefix.address; });
    return found == infos_.end() ? nullptr : &*found;
  }
  const AddressInfo* info_of(AddressOrigin origin) {
    infos_ = stack.addresses();
    const auto found = std::ranges::find(infos_, origin, &AddressInfo::origin);
    return found == infos_.end() ? nullptr : &*found;
  }
  /// Messages of neighbour discovery of one kind that left since the last question.
  template <typename Message>
  std::vector<std::pair<Message, wire::IpHeader>> messages() {
    std::vector<std::pair<Message, wire::IpHeader>> found;
    for (SentFrame& frame : sent) {
      if (frame.link.type != wire::EtherType::ipv6) continue;
      const auto header = wire::parse_ip(frame.packet.head(), frame.packet.size());
      EXPECT_TRUE(header);
      Packet message = frame.packet.share();
      message.trim_front(header->header_bytes);
      const auto parsed = wire::parse_neighbour_message(message, header->header);
      if (!parsed) continue;
      if (const auto* one = std::get_if<Message>(&*parsed)) {
        EXPECT_EQ(frame.link.destination, wire::multicast_mac(header->header.destination));
        found.emplace_back(*one, header->header);
      }
    }
    sent.clear();
    return found;
  }
  void start() {
    drain();
    at(5s);
    sent.clear();
  }
  void advertise(wire::RouterAdvertisement told = {}) {
    told.lifetime_seconds = 1800;
    told.source_mac = kPeerMac;
    arrive_neighbour_message(told, kRouter, wire::kAllNodes, wire::multicast_mac(wire::kAllNodes));
  }
  static wire::RouterAdvertisement with_prefix(const char* prefix) {
    wire::RouterAdvertisement told;
    told.prefixes.push_back({.prefix = *Prefix::parse(prefix),
                             .on_link = true,
                             .autonomous = true,
                             .valid_seconds = 86400,
                             .preferred_seconds = 14400});
    return told;
  }
  void arrive_to_group(const wire::NeighbourMessage& message, const IpAddress& source,
                       const IpAddress& group) {
    arrive_neighbour_message(message, source, group, wire::multicast_mac(group));
  }

  std::vector<AddressInfo> infos_;
};

TEST_F(Autoconfigured, AsksBeforeItUsesAnAddress) {  // RFC4862-5.4
  drain();
  const auto asked = messages<wire::NeighbourSolicitation>();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].first.target, kGiven);
  EXPECT_EQ(asked[0].second.source, kUnspecified);
  EXPECT_EQ(asked[0].second.destination, wire::solicited_node(kGiven));
  EXPECT_TRUE(asked[0].first.nonce);  // RFC7527-4.1
  EXPECT_FALSE(asked[0].first.source_mac);
  EXPECT_EQ(info_of(kGiven)->state, AddressState::tentative);
  EXPECT_EQ(stack.tcp_listen({kGiven, Port{80}}, 1).error(), Error::address_not_available);
  EXPECT_EQ(stack.tcp_connect(now, {}, {*IpAddress::parse("fd00::1"), Port{80}}).error(),
            Error::address_not_available);
  // Nobody is answered about it either.
  arrive_to_group(wire::NeighbourSolicitation{.target = kGiven, .source_mac = kPeerMac},
                  *IpAddress::parse("fd00::1"), wire::solicited_node(kGiven));
  EXPECT_TRUE(messages<wire::NeighbourAdvertisement>().empty());
  at(1s);
  EXPECT_EQ(info_of(kGiven)->state, AddressState::preferred);
  EXPECT_TRUE(stack.tcp_listen({kGiven, Port{80}}, 1));
  const auto told = messages<wire::NeighbourAdvertisement>();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told[0].first.target, kGiven);
}

TEST_F(Autoconfigured, LeavesAnAddressToWhoHasIt) {  // RFC4862-5.4.4, RFC4862-5.4.5
  drain();
  arrive_to_group(wire::NeighbourAdvertisement{.target = kGiven, .target_mac = kPeerMac}, kGiven,
                  wire::kAllNodes);
  EXPECT_EQ(info_of(kGiven)->state, AddressState::duplicate);
  EXPECT_EQ(stack.counters().duplicate_addresses, 1U);
  at(10s);
  EXPECT_EQ(info_of(kGiven)->state, AddressState::duplicate);
  EXPECT_EQ(stack.tcp_listen({kGiven, Port{80}}, 1).error(), Error::address_not_available);
}

TEST_F(Autoconfigured, LeavesAnAddressToWhoWantsItToo) {  // RFC4862-5.4.3
  drain();
  arrive_to_group(wire::NeighbourSolicitation{.target = kGiven}, kUnspecified,
                  wire::solicited_node(kGiven));
  EXPECT_EQ(info_of(kGiven)->state, AddressState::duplicate);
}

TEST_F(Autoconfigured, DefendsAnAddressThatItHas) {
  start();
  arrive_to_group(wire::NeighbourSolicitation{.target = kGiven}, kUnspecified,
                  wire::solicited_node(kGiven));
  const auto told = messages<wire::NeighbourAdvertisement>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].second.destination, wire::kAllNodes);
  EXPECT_EQ(info_of(kGiven)->state, AddressState::preferred);
}

TEST_F(Autoconfigured, AsksForRouters) {  // RFC4861-6.3.7
  drain();
  at(5s);
  const IpAddress ours = info_of(AddressOrigin::link_local)->prefix.address;
  const auto asked = messages<wire::RouterSolicitation>();
  ASSERT_GE(asked.size(), 1U);
  EXPECT_EQ(asked[0].second.source, ours);
  EXPECT_EQ(asked[0].second.destination, wire::kAllRouters);
  EXPECT_EQ(asked[0].first.source_mac, kOurMac);
}

TEST_F(Autoconfigured, TakesAddressRouteAndServersFromARouter) {  // RFC4862-5.5.3, RFC4861-6.3.4
  start();
  wire::RouterAdvertisement told = with_prefix("2001:db8::/64");
  told.mtu = 1400;
  told.dns_servers.push_back({*IpAddress::parse("2001:db8::53"), 600});
  advertise(told);
  at(10s);
  const AddressInfo* made = info_of(AddressOrigin::advertised);
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->state, AddressState::preferred);
  EXPECT_TRUE(Prefix::parse("2001:db8::/64")->contains(made->prefix.address));
  const IpAddress source = made->prefix.address;
  ASSERT_EQ(stack.dns_servers().size(), 1U);
  EXPECT_EQ(stack.dns_servers()[0].address, *IpAddress::parse("2001:db8::53"));
  sent.clear();
  // A connection goes by the router, from the address, with the MTU.
  ASSERT_TRUE(stack.tcp_connect(now, {}, {*IpAddress::parse("2001:db9::1"), Port{80}}));
  drain();
  const TcpHeader syn = out_tcp();
  EXPECT_EQ(link.destination, kPeerMac);
  EXPECT_EQ(ip.source, source);
  EXPECT_EQ(syn.options.mss, 1340);
}

TEST_F(Autoconfigured, SendsWithTheHopLimitThatARouterSaysUnlessASocketHasItsOwn) {
  const Endpoint far6{*IpAddress::parse("2001:db8:9::9"), Port{9}};
  const Endpoint far4{IpAddress::v4(192, 0, 2, 9), Port{9}};
  start();
  wire::RouterAdvertisement told;
  told.hop_limit = 100;
  advertise(told);
  arrive_arp({wire::ArpOperation::request,
              kPeerMac,
              IpAddress::v4(10, 0, 0, 254),
              {},
              IpAddress::v4(10, 0, 0, 2)});
  const auto hops = [&] {
    drain();
    const SentFrame frame = out();
    return wire::parse_ip(frame.packet.head(), frame.packet.size())->header.hop_limit;
  };
  const SocketHandle udp = *stack.udp_open();
  const SocketHandle echo = *stack.icmp_open(1);
  const auto hops_of_udp = [&](const Endpoint& to, const UdpSendOptions& options = {}) {
    EXPECT_TRUE(stack.udp_send_to(now, udp, {}, to, options));
    return hops();
  };
  const auto hops_of_echo = [&](const EchoRequest& request) {
    EXPECT_TRUE(stack.icmp_send_echo(now, echo, {far6.address, Port{}}, {}, request));
    return hops();
  };
  const auto hops_of_tcp = [&](const TcpSettings& settings) {
    EXPECT_TRUE(stack.tcp_connect(now, {}, far6, &settings));
    return hops();
  };
  sent.clear();
  EXPECT_EQ(hops_of_udp(far6), 100);  // RFC4861-6.3.4
  EXPECT_EQ(hops_of_udp(far6, {.hop_limit = 7}), 7);
  EXPECT_EQ(hops_of_echo({}), 100);
  EXPECT_EQ(hops_of_echo({.hop_limit = 8}), 8);
  TcpSettings settings;
  EXPECT_EQ(hops_of_tcp(settings), 100);
  settings.hop_limit = 9;
  EXPECT_EQ(hops_of_tcp(settings), 9);
  ASSERT_TRUE(stack.udp_set_settings(udp, {.hop_limit = 10}));
  EXPECT_EQ(hops_of_udp(far6), 10);
  ASSERT_TRUE(stack.udp_set_settings(udp, {}));
  // A router of IPv6 says nothing of IPv4, nor of what stays on the link.
  EXPECT_EQ(hops_of_udp({wire::kAllNodes, Port{9}}), 1);
  EXPECT_EQ(hops_of_udp(far4), kDefaultHopLimit);
}

TEST_F(Autoconfigured, ARouterThatIsNoneAnyMoreIsNotUsed) {  // RFC4861-7.2.5
  start();
  advertise(with_prefix("2001:db8::/64"));
  at(10s);
  const auto has_default = [&] {
    return std::ranges::any_of(stack.routes(), [](const RouteInfo& route) {
      return !route.destination.address.is_v4() && route.destination.length == 0;
    });
  };
  EXPECT_TRUE(has_default());
  arrive_to_group(
      wire::NeighbourAdvertisement{
          .target = kRouter, .router = false, .override_cache = true, .target_mac = kPeerMac},
      kRouter, wire::kAllNodes);
  EXPECT_FALSE(has_default());
}

TEST_F(Autoconfigured, FollowsARedirectOfItsRouter) {  // RFC4861-8.3
  start();
  advertise(with_prefix("2001:db8::/64"));
  at(10s);
  const IpAddress ours = info_of(AddressOrigin::link_local)->prefix.address;
  const IpAddress far = *IpAddress::parse("2001:db9::1");
  const wire::Redirect redirect{
      .target = *IpAddress::parse("fe80::3"), .destination = far, .target_mac = kThirdMac};
  arrive_neighbour_message(redirect, *IpAddress::parse("fe80::9"), ours);
  EXPECT_EQ(dropped(DropReason::bad_redirect), 1U) << "not the router in use";
  arrive_neighbour_message(redirect, kRouter, ours);
  sent.clear();
  ASSERT_TRUE(stack.tcp_connect(now, {}, {far, Port{80}}));
  drain();
  out_tcp();
  EXPECT_EQ(link.destination, kThirdMac);
}

TEST_F(Autoconfigured, HostileRoutersCannotFillIt) {
  start();
  for (unsigned i = 0; i < 300; ++i) {
    auto bytes = IpAddress::parse("2001:db8::")->bytes();
    bytes[7] = static_cast<std::uint8_t>(i);
    bytes[6] = static_cast<std::uint8_t>(i >> 8);
    wire::RouterAdvertisement told = with_prefix("2001:db8::/64");
    told.prefixes.begin()->prefix.address = IpAddress::v6(bytes);
    advertise(told);
    sent.clear();
  }
  EXPECT_LE(stack.addresses().size(), 20U);
  EXPECT_LE(stack.routes().size(), 40U);
}

class Silent : public EthernetScript {};

TEST_F(Silent, WhenItIsNotWantedNothingIsAskedOrTaken) {
  drain();
  EXPECT_EQ(stack.addresses().size(), 2U);
  wire::RouterAdvertisement told;
  told.lifetime_seconds = 1800;
  told.prefixes.push_back({.prefix = *Prefix::parse("2001:db8::/64"),
                           .on_link = true,
                           .autonomous = true,
                           .valid_seconds = 86400,
                           .preferred_seconds = 14400});
  arrive_neighbour_message(told, kRouter, wire::kAllNodes, wire::multicast_mac(wire::kAllNodes));
  at(60s);
  EXPECT_EQ(stack.addresses().size(), 2U);
}

TEST_F(Silent, AnIpv4AddressIsAskedAboutOnRequest) {  // RFC5227-2.1.1
  drain();
  sent.clear();
  const Prefix wanted = *Prefix::parse("10.0.0.9/24");
  ASSERT_TRUE(stack.add_address(now, kEth0, wanted,
                                {.origin = AddressOrigin::dhcp, .detect_duplicates = true}));
  drain();
  at(1s);
  const wire::ArpMessage probe = out_arp();
  EXPECT_TRUE(probe.sender.is_unspecified());
  EXPECT_EQ(probe.target, wanted.address);
  EXPECT_TRUE(link.destination.is_broadcast());
  arrive_arp({.operation = wire::ArpOperation::reply,
              .sender_mac = kPeerMac,
              .sender = wanted.address,
              .target_mac = kOurMac,
              .target = IpAddress::any(Family::ipv4)});
  EXPECT_EQ(stack.addresses().back().state, AddressState::duplicate);
  sent.clear();
  ASSERT_TRUE(stack.remove_address(now, kEth0, wanted.address));
  ASSERT_TRUE(stack.add_address(now, kEth0, wanted, {.detect_duplicates = true}));
  at(20s);
  EXPECT_EQ(stack.addresses().back().state, AddressState::preferred);
  EXPECT_TRUE(stack.tcp_listen({wanted.address, Port{80}}, 1));
  sent.clear();
}

// ---- two stacks

StackConfig configured_alike(const char* mac) {
  StackConfig config;
  config.interfaces.push_back(
      {.name = "eth0", .addresses = {*Prefix::parse("fd00::5/64")}, .mac = MacAddress::parse(mac)});
  return config;
}

AddressState state_of(const Stack& stack, const char* address) {
  for (const AddressInfo& info : stack.addresses()) {
    if (info.prefix.address == *IpAddress::parse(address)) return info.state;
  }
  ADD_FAILURE() << "no " << address;
  return {};
}

TEST(TwoStacksOnAnEthernet, OnlyOneGetsAnAddress) {
  World world(1);
  const StackId first = world.add_stack(configured_alike("02:00:00:00:00:01"));
  const StackId second = world.add_stack(configured_alike("02:00:00:00:00:02"));
  Impairment cable;
  cable.delay = 1ms;
  const LinkId link = world.connect({first, kEth0}, {second, kEth0}, cable);
  world.set_partitioned(link, true);
  world.stack(first);
  world.run_for(3s);  // alone, both get it
  EXPECT_EQ(state_of(world.stack(first), "fd00::5"), AddressState::preferred);
  ASSERT_TRUE(world.stack(second).remove_address(world.now(), kEth0, *IpAddress::parse("fd00::5")));
  world.set_partitioned(link, false);
  ASSERT_TRUE(world.stack(second).add_address(world.now(), kEth0, *Prefix::parse("fd00::5/64")));
  world.run_for(3s);
  EXPECT_EQ(state_of(world.stack(first), "fd00::5"), AddressState::preferred);
  EXPECT_EQ(state_of(world.stack(second), "fd00::5"), AddressState::duplicate);
  EXPECT_EQ(world.stack(second).counters().duplicate_addresses, 1U);
  EXPECT_EQ(world.stuck_deadlines(), 0U);
}

TEST(TwoStacksOnAnEthernet, WhoAskAtOnceBothGoWithout) {
  World world(2);
  const StackId first = world.add_stack(configured_alike("02:00:00:00:00:01"));
  const StackId second = world.add_stack(configured_alike("02:00:00:00:00:02"));
  Impairment cable;
  cable.delay = 1ms;
  world.connect({first, kEth0}, {second, kEth0}, cable);
  world.run_for(3s);
  EXPECT_EQ(state_of(world.stack(first), "fd00::5"), AddressState::duplicate);
  EXPECT_EQ(state_of(world.stack(second), "fd00::5"), AddressState::duplicate);
  // Their addresses of the link differ.
  for (const StackId id : {first, second}) {
    const auto all = world.stack(id).addresses();
    const auto own = std::ranges::find(all, AddressOrigin::link_local, &AddressInfo::origin);
    ASSERT_NE(own, all.end());
    EXPECT_EQ(own->state, AddressState::preferred);
  }
}

}  // namespace
}  // namespace hawser
