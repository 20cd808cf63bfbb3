// Two stacks on one Ethernet that loses frames.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "hawser/world.hpp"
#include "wire/ethernet.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

StackConfig host(int number, int mac) {
  StackConfig config;
  config.interfaces.push_back(
      {.name = "eth0",
       .mtu = 1500,
       .addresses = {*Prefix::parse("10.0.0." + std::to_string(number) + "/24"),
                     *Prefix::parse("fd00::" + std::to_string(number) + "/64")},
       .mac = MacAddress::parse("02:00:00:00:00:0" + std::to_string(mac)),
       .autoconfigure = false,
       .detect_duplicates = false});
  return config;
}

const Endpoint kServer4{IpAddress::v4(10, 0, 0, 2), Port{80}};
const Endpoint kServer6{*IpAddress::parse("fd00::2"), Port{80}};

/// A client that sends a pattern and a server that reads it.
struct Transfer {
  Transfer(World& in, StackId from, StackId to, const Endpoint& server, std::size_t size)
      : world(in), client(from), other(to) {
    for (std::size_t i = 0; i < size; ++i) data.push_back(static_cast<std::byte>(i * 7));
    listener = *world.stack(other).tcp_listen(server, 4);
    socket = *world.stack(client).tcp_connect(world.now(), {}, server);
    world.on_ready(client, [this](SocketHandle, Ready) { write(); });
    world.on_ready(other, [this](SocketHandle, Ready) { read(); });
  }
  void write() {
    while (written < data.size()) {
      const auto taken =
          world.stack(client).tcp_send(world.now(), socket, std::span(data).subspan(written));
      if (!taken) return;
      written += *taken;
    }
  }
  void read() {
    if (!accepted) {
      const auto got = world.stack(other).tcp_accept(listener);
      if (!got) return;
      accepted = *got;
    }
    std::vector<std::byte> room(65536);
    for (;;) {
      const auto got = world.stack(other).tcp_receive(world.now(), accepted, room);
      if (!got || *got == 0) return;
      received.insert(received.end(), room.begin(),
                      room.begin() + static_cast<std::ptrdiff_t>(*got));
    }
  }
  bool done() const { return received == data; }

  World& world;
  StackId client, other;
  SocketHandle listener, socket, accepted;
  std::vector<std::byte> data, received;
  std::size_t written = 0;
};

bool is_arp(const Packet& frame) {
  const auto parsed = wire::parse_ethernet(frame.head());
  return parsed && parsed->header.type == wire::EtherType::arp;
}

class EthernetPair : public ::testing::TestWithParam<Family> {
 protected:
  Endpoint server() const { return GetParam() == Family::ipv4 ? kServer4 : kServer6; }
  std::optional<NeighbourInfo> neighbour(const World& world, StackId of, const IpAddress& address) {
    for (const NeighbourInfo& info : world.stack(of).neighbours(world.now())) {
      if (info.address == address) return info;
    }
    return std::nullopt;
  }
};
INSTANTIATE_TEST_SUITE_P(Families, EthernetPair, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(EthernetPair, CarriesAStream) {
  World world(1);
  const StackId a = world.add_stack(host(1, 1));
  const StackId b = world.add_stack(host(2, 2));
  world.connect({a, {}}, {b, {}}, {.rate = 100'000'000, .delay = 1ms});
  Transfer transfer(world, a, b, server(), 1'000'000);
  world.run_for(10s);
  EXPECT_TRUE(transfer.done());
  EXPECT_EQ(neighbour(world, a, server().address)->state, NeighbourState::reachable);
  EXPECT_EQ(world.stuck_deadlines(), 0U);
}

TEST_P(EthernetPair, CarriesAStreamThroughLoss) {
  int resolved = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    World world(seed);
    const StackId a = world.add_stack(host(1, 1));
    const StackId b = world.add_stack(host(2, 2));
    world.connect({a, {}}, {b, {}}, {.delay = 1ms, .loss = 0.1, .reorder = 0.1, .duplicate = 0.1});
    Transfer transfer(world, a, b, server(), 50'000);
    world.run_for(120s);
    if (transfer.done()) {
      ++resolved;
    } else {  // three questions in a row had no answer
      EXPECT_EQ(world.stack(a).tcp_info(transfer.socket)->close_reason, CloseReason::unreachable)
          << "seed " << seed;
    }
  }
  EXPECT_GE(resolved, 45);
}

// ARP has no checksum: what is damaged on the way may teach a wrong station, which must be
// unlearnt.
TEST_P(EthernetPair, UnlearnsWhatDamagedFramesTaught) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    const StackId a = world.add_stack(host(1, 1));
    const StackId b = world.add_stack(host(2, 2));
    const LinkId link = world.connect({a, {}}, {b, {}}, {.delay = 1ms, .corrupt = 0.3});
    Transfer transfer(world, a, b, server(), 100'000);
    world.run_for(60s);
    world.set_impairment(link, Direction::a_to_b, {.delay = 1ms});
    world.set_impairment(link, Direction::b_to_a, {.delay = 1ms});
    world.run_for(300s);
    if (transfer.done()) continue;
    const CloseReason reason = world.stack(a).tcp_info(transfer.socket)->close_reason;
    EXPECT_EQ(reason, CloseReason::unreachable) << "seed " << seed;
  }
}

TEST_P(EthernetPair, OutlivesAPartition) {
  World world(3);
  const StackId a = world.add_stack(host(1, 1));
  const StackId b = world.add_stack(host(2, 2));
  const LinkId link = world.connect({a, {}}, {b, {}}, {.rate = 1'000'000, .delay = 1ms});
  Transfer transfer(world, a, b, server(), 1'000'000);
  world.run_for(2s);
  ASSERT_FALSE(transfer.done());
  world.set_partitioned(link, true);
  world.run_for(40s);
  EXPECT_EQ(world.stack(a).tcp_info(transfer.socket)->state, TcpState::established);
  world.set_partitioned(link, false);
  world.run_for(120s);
  EXPECT_TRUE(transfer.done());
}

TEST_P(EthernetPair, GivesBackAllMemory) {
  World world(4);
  const StackId a = world.add_stack(host(1, 1));
  const StackId b = world.add_stack(host(2, 2));
  world.connect({a, {}}, {b, {}}, {.delay = 1ms, .loss = 0.2});
  {
    Transfer transfer(world, a, b, server(), 20'000);
    world.run_for(60s);
    world.on_ready(a, {});
    world.on_ready(b, {});
    world.stack(a).tcp_abort(world.now(), transfer.socket).value();
    if (transfer.accepted) world.stack(b).tcp_abort(world.now(), transfer.accepted).value();
    world.stack(b).tcp_close(world.now(), transfer.listener).value();
  }
  world.run_for(1h);
  EXPECT_EQ(world.next_deadline(), kNever);
  EXPECT_EQ(world.pool().bytes_in_use(), 0U);
  EXPECT_TRUE(world.stack(a).neighbours(world.now()).empty());
}

TEST(EthernetPairArp, LostQuestionsAreAskedAgain) {
  World world(5);
  const StackId a = world.add_stack(host(1, 1));
  const StackId b = world.add_stack(host(2, 2));
  const LinkId link = world.connect({a, {}}, {b, {}}, {.delay = 1ms});
  world.set_partitioned(link, true);
  Transfer transfer(world, a, b, kServer4, 1000);
  world.run_for(1500ms);
  world.set_partitioned(link, false);
  int questions = 0;
  world.on_frame([&](const FrameSighting& seen) {
    if (seen.where == FrameSighting::Where::sent && is_arp(seen.frame)) ++questions;
  });
  world.run_for(1s);
  EXPECT_TRUE(transfer.done());
  EXPECT_EQ(questions, 2) << "one question, one answer: the answerer has learned from the question";
}

// The peer's card is exchanged for another in the midst of a transfer; nobody announces it.
TEST_P(EthernetPair, APeerWithAnotherCardIsFoundAgain) {
  World world(6);
  const StackId a = world.add_stack(host(1, 1));
  const StackId b = world.add_stack(host(2, 2));
  const LinkId old = world.connect({a, {}}, {b, {}}, {.rate = 1'000'000, .delay = 1ms});
  Transfer transfer(world, a, b, server(), 200'000);
  world.run_for(500ms);
  ASSERT_EQ(neighbour(world, a, server().address)->state, NeighbourState::reachable);
  ASSERT_FALSE(transfer.done());
  world.set_partitioned(old, true);
  // Another host with the address of the old one and a new card: it knows nothing of the
  // connection, and its reset shows that it was found.
  World other(7);
  const StackId c = other.add_stack(host(1, 1));
  const StackId d = other.add_stack(host(2, 3));
  other.connect({c, {}}, {d, {}}, {.delay = 1ms});
  world.on_frame([&](const FrameSighting& seen) {
    if (seen.where != FrameSighting::Where::sent || seen.direction != Direction::a_to_b) return;
    Packet copy = seen.frame.share();
    other.stack(d).on_frames(seen.at, InterfaceId{0}, std::span(&copy, 1));
    std::vector<Packet> answers;
    other.stack(d).poll_frames(seen.at, answers);
    world.schedule(seen.at + 1ms,
                   [&, moved = std::make_shared<std::vector<Packet>>(std::move(answers))] {
                     world.stack(a).on_frames(world.now(), InterfaceId{0}, *moved);
                   });
  });
  world.run_for(30s);
  EXPECT_EQ(neighbour(world, a, server().address)->mac, MacAddress::parse("02:00:00:00:00:03"));
  EXPECT_EQ(world.stack(a).tcp_info(transfer.socket)->close_reason, CloseReason::reset_by_peer);
}

}  // namespace
}  // namespace hawser
