// World: order, determinism, partitions, and that it drives stacks by their contract.
#include "hawser/world.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace hawser {
namespace {

using namespace std::chrono_literals;

const IpAddress kLeft = IpAddress::v4(10, 0, 0, 1);
const IpAddress kRight = IpAddress::v4(10, 0, 0, 2);

StackConfig host(IpAddress address) {
  StackConfig config;
  config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
  return config;
}

/// left --- right; right listens on port 80.
class WorldTest : public ::testing::Test {
 protected:
  struct Pair {
    explicit Pair(std::uint64_t seed, const Impairment& link = {})
        : world(seed),
          left(world.add_stack(host(kLeft))),
          right(world.add_stack(host(kRight))),
          wire(world.connect({left, {}}, {right, {}}, link)) {
      listener = world.stack(right).tcp_listen({kRight, Port{80}}, 16).value();
    }

    SocketHandle connect() {
      return world.stack(left)
          .tcp_connect(world.now(), {kLeft, Port{}}, {kRight, Port{80}})
          .value();
    }
    TcpState state(SocketHandle socket) const { return world.stack(left).tcp_info(socket)->state; }

    World world;
    StackId left, right;
    LinkId wire;
    SocketHandle listener;
  };

  /// All bytes of all frames with their times and fates, for a transfer over a bad link.
  static std::string trace_of(std::uint64_t seed) {
    Pair pair(seed, {.rate = 10'000'000,
                     .delay = 5ms,
                     .jitter = 3ms,
                     .loss = 0.1,
                     .reorder = 0.1,
                     .duplicate = 0.1,
                     .corrupt = 0.1});
    std::string trace;
    pair.world.on_frame([&](const FrameSighting& seen) {
      trace += std::to_string(seen.at.time_since_epoch().count());
      trace += static_cast<char>('0' + static_cast<int>(seen.where));
      trace += static_cast<char>('0' + static_cast<int>(seen.verdict.fate));
      seen.frame.for_each_piece([&](std::span<const std::byte> piece) {
        for (const std::byte byte : piece) trace += static_cast<char>(byte);
      });
    });
    const SocketHandle socket = pair.connect();
    const std::vector<std::byte> data(50'000, std::byte{'x'});
    pair.world.on_ready(pair.left, [&, sent = false](SocketHandle, Ready) mutable {
      if (sent) return;
      sent = pair.world.stack(pair.left).tcp_send(pair.world.now(), socket, data).has_value();
    });
    pair.world.run_for(20s);
    return trace;
  }
};

TEST_F(WorldTest, SameSeedSameBytes) {
  const std::string trace = trace_of(1);
  EXPECT_GT(trace.size(), 50'000U);
  EXPECT_EQ(trace, trace_of(1));
  EXPECT_NE(trace, trace_of(2));
}

TEST_F(WorldTest, TimeIsThatOfTheLink) {
  Pair pair(1, {.delay = 20ms});
  const SocketHandle socket = pair.connect();
  pair.world.run_until(Instant(40ms - 1ns));
  EXPECT_EQ(pair.state(socket), TcpState::syn_sent);
  pair.world.run_until(Instant(40ms));
  EXPECT_EQ(pair.state(socket), TcpState::established);
  EXPECT_EQ(pair.world.now(), Instant(40ms));
}

TEST_F(WorldTest, NothingToDoIsSaid) {
  Pair pair(1);
  EXPECT_EQ(pair.world.next_deadline(), kNever);
  EXPECT_FALSE(pair.world.step());
  pair.connect();
  EXPECT_TRUE(pair.world.step());
}

TEST_F(WorldTest, APartitionHoldsUntilItHeals) {
  Pair pair(1, {.delay = 1ms});
  pair.world.set_partitioned(pair.wire, true);
  const SocketHandle socket = pair.connect();
  pair.world.run_for(2s);
  EXPECT_EQ(pair.state(socket), TcpState::syn_sent);
  EXPECT_EQ(pair.world.counters(pair.wire, Direction::a_to_b).of(FrameFate::partitioned), 2U);
  pair.world.set_partitioned(pair.wire, false);
  pair.world.run_for(2s);
  EXPECT_EQ(pair.state(socket), TcpState::established);
}

TEST_F(WorldTest, CallsComeInTheirOrder) {
  World world(1);
  std::string order;
  world.schedule(Instant(2s), [&] { order += 'c'; });
  world.schedule(Instant(1s), [&] { order += 'a'; });
  world.schedule(Instant(1s), [&] {
    order += 'b';
    world.schedule(Instant(0s), [&] { order += '!'; });  // now
  });
  world.run_until(Instant(1s));
  EXPECT_EQ(order, "ab!");
  world.run_for(1s);
  EXPECT_EQ(order, "ab!c");
}

TEST_F(WorldTest, TheTapSeesEachFrameLeaveAndArrive) {
  Pair pair(1, {.delay = 1ms, .duplicate = 1});
  std::vector<std::string> seen;
  pair.world.on_frame([&](const FrameSighting& sighting) {
    const bool sent = sighting.where == FrameSighting::Where::sent;
    seen.emplace_back(sent ? "sent" : (sighting.duplicate ? "again" : "arrived"));
  });
  pair.connect();
  pair.world.run_for(1ms - 1ns);
  EXPECT_EQ(seen, (std::vector<std::string>{"sent"}));
  pair.world.run_for(1ns);
  ASSERT_GE(seen.size(), 3U);
  EXPECT_EQ(seen[1], "arrived");
  EXPECT_EQ(seen[2], "again");
}

TEST_F(WorldTest, AFrameWithoutALinkVanishes) {
  World world(1);
  const StackId alone = world.add_stack(host(kLeft));
  const auto socket =
      world.stack(alone).tcp_connect(world.now(), {kLeft, Port{}}, {kRight, Port{80}});
  ASSERT_TRUE(socket);
  world.run_for(10s);
  EXPECT_EQ(world.in_flight(), 0U);
  ASSERT_TRUE(world.stack(alone).tcp_abort(world.now(), *socket));
  world.settle();
  EXPECT_EQ(world.pool().bytes_in_use(), 0U);
}

TEST_F(WorldTest, EventsComeBeforeTheFramesTheyCaused) {
  Pair pair(1);
  std::string order;
  pair.world.on_event(pair.left, [&](const Event& event) {
    if (std::holds_alternative<SegmentSent>(event.what)) order += 'e';
  });
  pair.world.on_frame([&](const FrameSighting& seen) {
    const bool sent = seen.where == FrameSighting::Where::sent;
    if (sent && seen.direction == Direction::a_to_b) order += 'f';
  });
  pair.connect();
  pair.world.run_for(1s);
  EXPECT_EQ(order, "efef");  // SYN, then the ACK of the SYN-ACK
}

}  // namespace
}  // namespace hawser
