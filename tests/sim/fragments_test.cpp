// Datagrams larger than the MTU between two stacks, over links that lose, repeat, mix up and cut.
#include <gtest/gtest.h>

#include <map>
#include <span>
#include <vector>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

StackConfig host(const char* v4, const char* v6, std::uint32_t mtu, std::uint8_t mac) {
  StackConfig config;
  InterfaceConfig interface{
      .name = "link", .mtu = mtu, .addresses = {*Prefix::parse(v4), *Prefix::parse(v6)}};
  interface.detect_duplicates = false;  // the addresses serve at once
  if (mac != 0) interface.mac = MacAddress({2, 0, 0, 0, 0, mac});
  config.interfaces.push_back(interface);
  return config;
}

struct Params {
  Family family;
  bool ethernet;
};

class Datagrams : public ::testing::TestWithParam<Params> {
 protected:
  void connect(const Impairment& link, std::uint64_t seed = 1) {
    const bool ethernet = GetParam().ethernet;
    world = std::make_unique<World>(seed);
    left = world->add_stack(host("10.0.0.1/24", "fd00::1/64", 1500, ethernet ? 1 : 0));
    right = world->add_stack(host("10.0.0.2/24", "fd00::2/64", 1500, ethernet ? 2 : 0));
    world->connect({left, {}}, {right, {}}, link);
    there = {*IpAddress::parse(GetParam().family == Family::ipv4 ? "10.0.0.2" : "fd00::2"),
             Port{4000}};
    UdpSettings settings;
    settings.receive_buffer = 4 << 20;
    receiver = world->stack(right).udp_open(&settings).value();
    ASSERT_TRUE(world->stack(right).udp_bind(receiver, there));
    sender = world->stack(left).udp_open().value();
    // What asks for the neighbour may be lost, which is not what is tested here.
    send(0xffffffff, 4);
    world->run_for(5s);
    receive();
  }
  /// Its number, and then what follows from that and the place.
  static std::vector<std::byte> datagram(std::uint32_t number, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::byte>(i < 4 ? number >> (8 * i) : number * 31 + i * 7 + i / 509);
    }
    return bytes;
  }
  void send(std::uint32_t number, std::size_t size) {
    const auto sent =
        world->stack(left).udp_send_to(world->now(), sender, datagram(number, size), there);
    ASSERT_TRUE(sent);
    EXPECT_EQ(*sent, size);
    sizes_[number] = size;
  }
  /// How many have arrived, each of which must be whole.
  int receive() {
    std::vector<std::byte> bytes(65536);
    int count = 0;
    while (const auto got = world->stack(right).udp_receive_from(receiver, bytes)) {
      std::uint32_t number = 0;
      for (int i = 3; i >= 0; --i)
        number = number << 8 | std::to_integer<std::uint32_t>(bytes[static_cast<std::size_t>(i)]);
      const auto expected = sizes_.find(number);
      EXPECT_NE(expected, sizes_.end());
      if (expected == sizes_.end()) continue;
      EXPECT_EQ(got->size, expected->second);
      const auto sent = datagram(number, expected->second);
      EXPECT_TRUE(std::ranges::equal(sent, std::span(bytes).first(got->size)));
      ++count;
    }
    return count;
  }
  std::size_t largest() const { return GetParam().family == Family::ipv4 ? 65507 : 65527; }

  std::unique_ptr<World> world;
  StackId left{};
  StackId right{};
  SocketHandle sender;
  SocketHandle receiver;
  Endpoint there;
  std::map<std::uint32_t, std::size_t> sizes_;
};
INSTANTIATE_TEST_SUITE_P(Links, Datagrams,
                         ::testing::Values(Params{Family::ipv4, false}, Params{Family::ipv6, false},
                                           Params{Family::ipv4, true}, Params{Family::ipv6, true}),
                         [](const auto& param) {
                           return std::string(param.param.family == Family::ipv4 ? "Ipv4"
                                                                                 : "Ipv6") +
                                  (param.param.ethernet ? "Ethernet" : "");
                         });

TEST_P(Datagrams, OfAnySizeArrive) {  // RFC1122-3.3.2, RFC1122-3.3.3
  connect({.rate = 100'000'000, .delay = 1ms});
  std::uint32_t number = 1;
  for (const std::size_t size :
       {std::size_t{4}, std::size_t{1452}, std::size_t{1472}, std::size_t{1473}, std::size_t{2000},
        std::size_t{20000}, largest()}) {
    send(number++, size);
    world->run_for(100ms);
  }
  EXPECT_EQ(receive(), 7);
  const StackCounters& sent = world->stack(left).counters();
  const StackCounters& got = world->stack(right).counters();
  EXPECT_EQ(got.datagrams_reassembled, sent.datagrams_fragmented);
  EXPECT_EQ(got.fragments_received, sent.fragments_sent);
  EXPECT_GE(sent.datagrams_fragmented, 4U);
}

TEST_P(Datagrams, AreWholeOrNotThere) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    connect({.rate = 50'000'000,
             .delay = 2ms,
             .jitter = 1ms,
             .loss = 0.01,
             .reorder = 0.05,
             .reorder_delay = 3ms,
             .duplicate = 0.05,
             .corrupt = 0.005},
            seed);
    const std::size_t before = world->pool().bytes_in_use();
    for (std::uint32_t number = 0; number < 100; ++number) {
      send(number, 1000 + number * 97);
      world->run_for(5ms);
    }
    world->run_for(1s);
    const int arrived = receive();
    EXPECT_GT(arrived, 50) << "seed " << seed;
    EXPECT_GT(world->stack(right).counters().dropped(DropReason::fragment_duplicate), 0U);
    world->run_for(120s);
    EXPECT_GT(world->stack(right).counters().dropped(DropReason::fragment_timeout), 0U);
    EXPECT_EQ(world->pool().bytes_in_use(), before) << "nothing is kept of what was lost";
  }
}

TEST_P(Datagrams, CutOnTheWayOrSmallerFromTheBeginning) {  // RFC1191, RFC8201
  const bool v4 = GetParam().family == Family::ipv4;
  connect({.rate = 100'000'000, .delay = 1ms, .mtu = GetParam().ethernet ? 1314U : 1300U});
  for (std::uint32_t number = 0; number < 20; ++number) {
    send(number, 5000);
    world->run_for(100ms);
  }
  // Routers cut IPv4 datagrams. In IPv6 they say how large they may be, which those before the
  // first message did not know.
  const int arrived = receive();
  if (v4) {
    EXPECT_EQ(arrived, 20);
  } else {
    EXPECT_GE(arrived, 18);
    EXPECT_EQ(world->stack(left).counters().path_mtu_lowered, 1U);
  }
}

TEST_P(Datagrams, LargeEchoesGetThroughANarrowHop) {  // RFC8201-5.3
  connect({.rate = 100'000'000, .delay = 1ms, .mtu = GetParam().ethernet ? 1314U : 1300U});
  const SocketHandle socket = world->stack(left).icmp_open().value();
  int answers = 0;
  for (std::uint16_t sequence = 1; sequence <= 5; ++sequence) {
    const auto data = datagram(sequence, 4000);
    ASSERT_TRUE(world->stack(left).icmp_send_echo(world->now(), socket, there, data,
                                                  {.sequence = sequence}));
    world->run_for(100ms);
    std::vector<std::byte> bytes(65536);
    while (const auto answer = world->stack(left).icmp_receive(socket, bytes)) {
      if (!answer->error) ++answers;
    }
  }
  // Replies are cut on their way or, once the first was too large, from the beginning.
  EXPECT_GE(answers, GetParam().family == Family::ipv4 ? 5 : 3);
}

TEST_P(Datagrams, ThatMayNotBeCutAreRefused) {  // RFC8085-3.2
  connect({.rate = 100'000'000, .delay = 1ms, .mtu = GetParam().ethernet ? 1314U : 1300U});
  UdpSendOptions whole;
  whole.dont_fragment = true;
  const auto attempt = [&](std::size_t size) {
    const auto bytes = datagram(1, size);
    sizes_[1] = size;
    return world->stack(left).udp_send_to(world->now(), sender, bytes, there, whole);
  };
  EXPECT_TRUE(attempt(1400)) << "nobody knows yet";
  world->run_for(100ms);
  EXPECT_EQ(attempt(1400).error(), Error::message_size);
  const std::size_t headers = GetParam().family == Family::ipv4 ? 28 : 48;
  EXPECT_TRUE(attempt(1300 - headers));
  world->run_for(100ms);
  EXPECT_EQ(receive(), 1);
}

}  // namespace
}  // namespace hawser
