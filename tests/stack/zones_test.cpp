// Addresses that mean another host on each link (RFC 4007): one host between two links, at the
// other end of each of which is fe80::1.
#include <gtest/gtest.h>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

constexpr InterfaceId kLeft{0};
constexpr InterfaceId kRight{1};
const IpAddress kTheirs = *IpAddress::parse("fe80::1");
const IpAddress kOurs = *IpAddress::parse("fe80::2");

InterfaceConfig ethernet(const char* address, const char* mac) {
  return {.name = "eth",
          .addresses = {*Prefix::parse(address)},
          .mac = MacAddress::parse(mac),
          .autoconfigure = false,
          .detect_duplicates = false};
}

class Zones : public ::testing::Test {
 protected:
  Zones() {
    StackConfig both;
    both.interfaces = {ethernet("fe80::2/64", "02:00:00:00:00:01"),
                       ethernet("fe80::2/64", "02:00:00:00:00:02")};
    middle = world.add_stack(both);
    StackConfig one;
    one.interfaces = {ethernet("fe80::1/64", "02:00:00:00:00:03")};
    left = world.add_stack(one);
    right = world.add_stack(one);
    world.connect({middle, kLeft}, {left, InterfaceId{0}});
    world.connect({middle, kRight}, {right, InterfaceId{0}});
  }
  Stack& at(StackId id) { return world.stack(id); }
  Result<SocketHandle> accepted(StackId id, SocketHandle listener) {
    return at(id).tcp_accept(listener);
  }

  World world{1};
  StackId middle{};
  StackId left{};
  StackId right{};
};

TEST_F(Zones, TheSameEndsOnTwoLinksAreTwoConnections) {
  const auto at_left = *at(left).tcp_listen({kTheirs, Port{80}}, 4);
  const auto at_right = *at(right).tcp_listen({kTheirs, Port{80}}, 4);
  const Endpoint local{kOurs, Port{4000}};
  const auto to_left =
      at(middle).tcp_connect(world.now(), local, {kTheirs, Port{80}, zone_of(kLeft)});
  const auto to_right =
      at(middle).tcp_connect(world.now(), local, {kTheirs, Port{80}, zone_of(kRight)});
  ASSERT_TRUE(to_left);
  ASSERT_TRUE(to_right);
  world.run_for(1s);
  EXPECT_TRUE(accepted(left, at_left));
  EXPECT_TRUE(accepted(right, at_right));
  EXPECT_EQ(at(middle).tcp_info(*to_left)->state, TcpState::established);
  EXPECT_EQ(at(middle).tcp_info(*to_right)->state, TcpState::established);
  EXPECT_EQ(at(middle).tcp_info(*to_right)->remote.zone, zone_of(kRight));
  EXPECT_EQ(at(middle).tcp_info(*to_right)->local.zone, zone_of(kRight));
  // An address that is taken away takes those of its own link along.
  ASSERT_TRUE(at(middle).remove_address(world.now(), kLeft, kOurs));
  world.run_for(1s);
  EXPECT_EQ(at(middle).tcp_info(*to_left)->close_reason, CloseReason::address_gone);
  EXPECT_EQ(at(middle).tcp_info(*to_right)->state, TcpState::established);
}

TEST_F(Zones, WithoutOneTheFirstLinkIsMeant) {
  const auto at_left = *at(left).tcp_listen({kTheirs, Port{80}}, 4);
  ASSERT_TRUE(at(middle).tcp_connect(world.now(), {}, {kTheirs, Port{80}}));
  world.run_for(1s);
  EXPECT_TRUE(accepted(left, at_left));
}

TEST_F(Zones, AListenerHearsItsOwnLink) {
  const auto only_right = at(middle).tcp_listen({kOurs, Port{80}, zone_of(kRight)}, 4);
  ASSERT_TRUE(only_right);
  const auto from_left = *at(left).tcp_connect(world.now(), {}, {kOurs, Port{80}});
  const auto from_right = *at(right).tcp_connect(world.now(), {}, {kOurs, Port{80}});
  world.run_for(1s);
  EXPECT_EQ(at(left).tcp_info(from_left)->close_reason, CloseReason::refused);
  EXPECT_EQ(at(right).tcp_info(from_right)->state, TcpState::established);
  const auto got = accepted(middle, *only_right);
  ASSERT_TRUE(got);
  EXPECT_EQ(at(middle).tcp_info(*got)->remote.zone, zone_of(kRight));
  EXPECT_FALSE(accepted(middle, *only_right));
}

TEST_F(Zones, AnyAddressHearsAllLinks) {
  const auto any = at(middle).tcp_listen({IpAddress{}, Port{80}}, 4);
  const auto from_left = *at(left).tcp_connect(world.now(), {}, {kOurs, Port{80}});
  const auto from_right = *at(right).tcp_connect(world.now(), {}, {kOurs, Port{80}});
  world.run_for(1s);
  EXPECT_EQ(at(left).tcp_info(from_left)->state, TcpState::established);
  EXPECT_EQ(at(right).tcp_info(from_right)->state, TcpState::established);
  EXPECT_TRUE(accepted(middle, *any));
  EXPECT_TRUE(accepted(middle, *any));
}

TEST_F(Zones, AHostTalksToItselfWithinALink) {
  const auto listener = at(middle).tcp_listen({kOurs, Port{80}, zone_of(kRight)}, 4);
  const auto any = at(middle).tcp_listen({IpAddress{}, Port{81}}, 4);
  ASSERT_TRUE(listener);
  const auto made = at(middle).tcp_connect(world.now(), {}, {kOurs, Port{81}, zone_of(kLeft)});
  ASSERT_TRUE(made);
  world.run_for(1s);
  EXPECT_EQ(at(middle).tcp_info(*made)->state, TcpState::established);
  EXPECT_TRUE(accepted(middle, *any));
  EXPECT_FALSE(at(middle).tcp_listen({kTheirs, Port{82}}, 4));
  EXPECT_FALSE(at(middle).tcp_listen({kOurs, Port{82}, static_cast<Zone>(9)}, 4));
}

}  // namespace
}  // namespace hawser
