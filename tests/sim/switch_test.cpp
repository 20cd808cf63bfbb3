// Hosts of an Ethernet on the switches of a World.
#include <gtest/gtest.h>

#include <map>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

IpAddress address(std::uint8_t number) { return IpAddress::v4(10, 0, 0, number); }

StackConfig host(std::uint8_t number) {
  StackConfig config;
  InterfaceConfig interface;
  interface.name = "eth0";
  interface.addresses = {{address(number), 24}};
  interface.mac = MacAddress({2, 0, 0, 0, 0, number});
  interface.autoconfigure = false;  // nobody speaks without being asked
  config.interfaces.push_back(std::move(interface));
  return config;
}

/// one, two and three on a switch; two and three listen. Frames that reach a host are counted.
class SwitchTest : public ::testing::Test {
 protected:
  SwitchTest() {
    for (const StackId id : {two, three}) {
      EXPECT_TRUE(world.stack(id).tcp_listen({IpAddress::any(Family::ipv4), Port{80}}, 16));
    }
    world.on_frame([this](const FrameSighting& seen) {
      if (seen.where == FrameSighting::Where::arrived && seen.direction == Direction::b_to_a) {
        ++arrived[seen.link];
      }
    });
    world.run_for(1s);  // each has announced its address
    arrived.clear();
  }

  SocketHandle connect(StackId from, std::uint8_t to) {
    return world.stack(from)
        .tcp_connect(world.now(), {IpAddress::any(Family::ipv4), Port{}}, {address(to), Port{80}})
        .value();
  }
  bool is_established(StackId id, SocketHandle socket) const {
    const auto info = world.stack(id).tcp_info(socket);
    return info && info->state == TcpState::established;
  }

  World world{1};
  StackId one = world.add_stack(host(1));
  StackId two = world.add_stack(host(2));
  StackId three = world.add_stack(host(3));
  SwitchId ethernet = world.add_switch();
  LinkId to_one = world.connect(Attachment{one, {}}, ethernet, {.delay = 1ms});
  LinkId to_two = world.connect(Attachment{two, {}}, ethernet, {.delay = 1ms});
  LinkId to_three = world.connect(Attachment{three, {}}, ethernet, {.delay = 1ms});
  std::map<LinkId, int> arrived;
};

TEST_F(SwitchTest, OthersHearOnlyWhatIsForAll) {
  EXPECT_EQ(world.known_addresses(ethernet), 3U);
  const SocketHandle socket = connect(one, 2);
  world.run_for(1s);
  EXPECT_TRUE(is_established(one, socket));
  EXPECT_GE(arrived[to_one], 2);
  EXPECT_GE(arrived[to_two], 3);
  EXPECT_EQ(arrived[to_three], 1) << "the question who has the address, and nothing else";
  EXPECT_GT(world.counters(ethernet).forwarded, 0U);
}

TEST_F(SwitchTest, APortHasImpairmentsOfItsOwn) {
  world.set_partitioned(to_two, true);
  const SocketHandle cut = connect(one, 2);
  const SocketHandle whole = connect(one, 3);
  world.run_for(1s);
  EXPECT_FALSE(is_established(one, cut));
  EXPECT_TRUE(is_established(one, whole));
}

TEST_F(SwitchTest, CarriesFramesAcrossASecondSwitch) {
  const SwitchId further = world.add_switch();
  const LinkId trunk = world.connect(ethernet, further);
  const StackId four = world.add_stack(host(4));
  world.connect(Attachment{four, {}}, further);
  const SocketHandle socket = connect(four, 2);
  world.run_for(1s);
  EXPECT_TRUE(is_established(four, socket));
  EXPECT_GT(world.counters(trunk, Direction::a_to_b).frames, 0U);
  EXPECT_GE(world.known_addresses(further), 2U);
}

// A host that moves to another port, as a virtual machine does, is found there once it is heard.
TEST_F(SwitchTest, FindsAHostThatMoved) {
  const SwitchId further = world.add_switch();
  world.connect(ethernet, further);
  const StackId moved = world.add_stack(host(2));  // the same addresses as two
  world.set_partitioned(to_two, true);
  EXPECT_TRUE(world.stack(moved).tcp_listen({IpAddress::any(Family::ipv4), Port{80}}, 16));
  world.connect(Attachment{moved, {}}, further);
  world.run_for(1s);
  EXPECT_EQ(world.counters(ethernet).moved, 1U);
  const SocketHandle socket = connect(one, 2);
  world.run_for(1s);
  EXPECT_TRUE(is_established(one, socket));
}

TEST_F(SwitchTest, ForgetsInTime) {
  world.run_for(10min);
  connect(one, 2);
  world.run_for(1s);
  EXPECT_EQ(world.known_addresses(ethernet), 2U) << "three was not heard for long";
}

}  // namespace
}  // namespace hawser
