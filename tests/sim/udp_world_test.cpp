// UDP between stacks of a world: over a link with every fault, in fragments, and to groups and to
// all on an Ethernet with a switch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

StackConfig host(int number, bool ethernet) {
  StackConfig config;
  const std::string text = std::to_string(number);
  config.interfaces.push_back({.name = "if0",
                               .mtu = 1500,
                               .addresses = {*Prefix::parse("10.0.0." + text + "/24"),
                                             *Prefix::parse("fd00::" + text + "/64")}});
  if (ethernet) config.interfaces[0].mac = MacAddress::parse("02:00:00:00:00:0" + text);
  return config;
}

Endpoint end(const char* address, std::uint16_t port) {
  return {*IpAddress::parse(address), Port{port}};
}

/// A datagram that says in each byte which it is.
std::vector<std::byte> numbered(std::uint32_t number, std::size_t size) {
  std::vector<std::byte> data(std::max<std::size_t>(size, 4));
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(number * 31 + i);
  std::memcpy(data.data(), &number, sizeof number);
  return data;
}

class UdpWorld : public ::testing::Test {
 protected:
  SocketHandle bound(StackId stack, const Endpoint& local, const UdpSettings& settings = {}) {
    const auto socket = world.stack(stack).udp_open(&settings);
    EXPECT_TRUE(world.stack(stack).udp_bind(*socket, local));
    return *socket;
  }
  /// How often each number arrived; what arrives must be what was sent.
  void read_all(StackId stack, SocketHandle socket, std::map<std::uint32_t, int>& arrived) {
    std::vector<std::byte> room(65536);
    while (const auto got = world.stack(stack).udp_receive_from(socket, room)) {
      ASSERT_GE(got->size, 4U);
      std::uint32_t number = 0;
      std::memcpy(&number, room.data(), sizeof number);
      const auto whole = numbered(number, got->size);
      EXPECT_TRUE(std::equal(whole.begin(), whole.end(), room.begin())) << number;
      ++arrived[number];
    }
  }

  World world{4711};
};

TEST_F(UdpWorld, WhatArrivesIsWhatWasSent) {
  const StackId a = world.add_stack(host(1, false));
  const StackId b = world.add_stack(host(2, false));
  Impairment faults;
  faults.delay = 5ms;
  faults.jitter = 3ms;
  faults.loss = 0.02;
  faults.reorder = 0.05;
  faults.duplicate = 0.02;
  faults.corrupt = 0.02;
  const LinkId link = world.connect({a, {}}, {b, {}}, faults);
  UdpSettings settings;
  settings.receive_buffer = 64U << 20;
  const SocketHandle receiver = bound(b, end("::", 5000), settings);
  const SocketHandle sender = bound(a, end("::", 5001));
  std::map<std::uint32_t, int> arrived;
  constexpr std::uint32_t kCount = 2000;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto to = end(i % 2 == 0 ? "10.0.0.2" : "fd00::2", 5000);
    const std::size_t size = i % 10 == 0 ? 1000 + i * 3 : i % 1400;  // some of them in fragments
    ASSERT_TRUE(world.stack(a).udp_send_to(world.now(), sender, numbered(i, size), to));
    world.run_for(1ms);
    read_all(b, receiver, arrived);
  }
  world.run_for(1s);
  read_all(b, receiver, arrived);
  EXPECT_GT(arrived.size(), kCount * 8 / 10);
  EXPECT_LT(arrived.size(), kCount);
  int twice = 0;
  for (const auto& [number, times] : arrived) {
    EXPECT_LE(times, 2);
    if (times == 2) ++twice;
  }
  EXPECT_GT(twice, 0);
  const StackCounters& counters = world.stack(b).counters();
  EXPECT_GT(counters.dropped(DropReason::bad_udp_checksum), 0U);
  EXPECT_GT(world.counters(link, Direction::a_to_b).frames, kCount);
  EXPECT_EQ(world.stuck_deadlines(), 0U);
}

TEST_F(UdpWorld, ManyHearOneOnAnEthernet) {
  constexpr int kHosts = 5;
  const SwitchId ether = world.add_switch();
  std::vector<StackId> stacks;
  std::vector<SocketHandle> sockets;
  for (int i = 1; i <= kHosts; ++i) {
    stacks.push_back(world.add_stack(host(i, true)));
    world.connect({stacks.back(), {}}, ether);
    sockets.push_back(bound(stacks.back(), end("::", 5000), {.broadcast = true}));
  }
  world.run_for(5s);
  for (const int member : {1, 3}) {
    for (const char* group : {"239.1.2.3", "ff05::1:3"}) {
      const auto m = static_cast<std::size_t>(member);
      ASSERT_TRUE(
          world.stack(stacks[m]).udp_join(world.now(), sockets[m], *IpAddress::parse(group)));
    }
  }
  std::vector<std::map<std::uint32_t, int>> arrived(kHosts);
  std::uint32_t number = 0;
  for (const char* to : {"239.1.2.3", "ff05::1:3", "10.0.0.255", "10.0.0.4", "fd00::4"}) {
    ASSERT_TRUE(world.stack(stacks[0]).udp_send_to(world.now(), sockets[0], numbered(++number, 50),
                                                   end(to, 5000)));
    world.run_for(1s);
  }
  for (std::size_t i = 0; i < kHosts; ++i) read_all(stacks[i], sockets[i], arrived[i]);
  using Numbers = std::map<std::uint32_t, int>;
  EXPECT_EQ(arrived[0], (Numbers{{3, 1}}));  // its own broadcast
  EXPECT_EQ(arrived[1], (Numbers{{1, 1}, {2, 1}, {3, 1}}));
  EXPECT_EQ(arrived[2], (Numbers{{3, 1}}));
  EXPECT_EQ(arrived[3], (Numbers{{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}}));
  EXPECT_EQ(arrived[4], (Numbers{{3, 1}}));
  EXPECT_EQ(world.stuck_deadlines(), 0U);
}

TEST_F(UdpWorld, NobodyAtTheAddressIsAnError) {
  const SwitchId ether = world.add_switch();
  const StackId a = world.add_stack(host(1, true));
  world.connect({a, {}}, ether);
  world.run_for(5s);
  for (const char* nobody : {"10.0.0.9", "fd00::9"}) {
    const SocketHandle socket = *world.stack(a).udp_open();
    ASSERT_TRUE(world.stack(a).udp_connect(socket, end(nobody, 9)));
    ASSERT_TRUE(world.stack(a).udp_send(world.now(), socket, numbered(1, 10)));
    const SocketHandle ping = *world.stack(a).icmp_open();
    ASSERT_TRUE(world.stack(a).icmp_send_echo(world.now(), ping, end(nobody, 0), {}));
    world.run_for(10s);
    EXPECT_EQ(world.stack(a).udp_take_error(socket), Error::host_unreachable) << nobody;
    const auto answer = world.stack(a).icmp_receive(ping, {});
    ASSERT_TRUE(answer) << nobody;
    ASSERT_TRUE(answer->error);
    EXPECT_EQ(answer->error->kind, IcmpErrorKind::host_unreachable);
  }
}

}  // namespace
}  // namespace hawser
