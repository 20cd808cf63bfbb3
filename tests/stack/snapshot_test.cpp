// Lists of what a stack holds, in every state that a socket of TCP can be in.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "hawser/stack.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

constexpr IpAddress kOurs = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kNobody = IpAddress::v4(10, 0, 0, 9);
constexpr Port kPort{80};

/// One stack that talks to itself.
class SnapshotTest : public ::testing::Test {
 protected:
  static StackConfig config() {
    StackConfig config;
    config.interfaces.push_back({.name = "if0", .addresses = {{kOurs, 24}}});
    return config;
  }
  void exchange() {
    std::vector<Packet> frames;
    stack.poll_frames(now, frames);
  }
  std::vector<TcpSocketInfo> list(std::size_t limit = 100) {
    std::vector<TcpSocketInfo> all;
    SocketCursor cursor;
    while (!cursor.at_end) {
      const auto part = stack.tcp_sockets(cursor, limit);
      EXPECT_LE(part.size(), limit);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }
  std::size_t count(TcpState state) {
    return static_cast<std::size_t>(
        std::ranges::count(list(), state, [](const auto& socket) { return socket.info.state; }));
  }

  BufferPool pool{1 << 24};
  Stack stack{config(), pool};
  Instant now{};
};

TEST_F(SnapshotTest, AddressesAndRoutesAreListed) {
  ASSERT_EQ(stack.addresses().size(), 1U);
  EXPECT_EQ(stack.addresses()[0].prefix, (Prefix{kOurs, 24}));
  ASSERT_EQ(stack.routes().size(), 1U);
  EXPECT_EQ(stack.routes()[0].origin, RouteOrigin::connected);
}

TEST_F(SnapshotTest, AStackWithoutSocketsListsNone) { EXPECT_TRUE(list().empty()); }

TEST_F(SnapshotTest, EveryStateIsListedOnce) {
  const SocketHandle listener = *stack.tcp_listen({kOurs, kPort}, 8);
  ASSERT_TRUE(stack.tcp_connect(now, {}, {kNobody, kPort}));
  const SocketHandle near = *stack.tcp_connect(now, {}, {kOurs, kPort});
  exchange();
  ASSERT_EQ(list().size(), 4U);  // the listener, SYN-SENT, and both ends of the connection
  const TcpSocketInfo listening = list()[0];
  EXPECT_EQ(listening.info.state, TcpState::listen);
  EXPECT_EQ(listening.accept_queue, 1U);
  EXPECT_EQ(listening.backlog, 8U);
  EXPECT_EQ(count(TcpState::syn_sent), 1U);
  EXPECT_EQ(count(TcpState::established), 2U);

  const SocketHandle far = *stack.tcp_accept(listener);
  EXPECT_EQ(list()[0].accept_queue, 0U);
  ASSERT_TRUE(stack.tcp_close(now, near));
  exchange();
  ASSERT_TRUE(stack.tcp_close(now, far));
  exchange();
  EXPECT_EQ(count(TcpState::time_wait), 1U);
  EXPECT_EQ(list().size(), 3U);
  EXPECT_EQ(list().back().until, now + 60s);
}

TEST_F(SnapshotTest, AConnectionInTimeWaitThatAProgramStillHoldsIsListedOnce) {
  const SocketHandle listener = *stack.tcp_listen({kOurs, kPort}, 8);
  const SocketHandle near = *stack.tcp_connect(now, {}, {kOurs, kPort});
  exchange();
  const SocketHandle far = *stack.tcp_accept(listener);
  ASSERT_TRUE(stack.tcp_shutdown_write(now, near));
  exchange();
  ASSERT_TRUE(stack.tcp_shutdown_write(now, far));
  exchange();
  EXPECT_EQ(count(TcpState::time_wait), 1U);
}

TEST_F(SnapshotTest, PartsMakeUpTheWholeListAndNothingTwice) {
  for (std::uint16_t port = 1; port <= 200; ++port) {
    ASSERT_TRUE(stack.tcp_connect(now, {kOurs, Port{port}}, {kNobody, kPort}));
    if (port % 3 != 0) continue;
    ASSERT_TRUE(stack.tcp_listen({kOurs, Port{port}}, 1));
  }
  const auto whole = list(1000);
  EXPECT_EQ(whole.size(), 266U);
  for (const std::size_t limit : {1U, 7U, 64U}) {
    const auto parts = list(limit);
    ASSERT_EQ(parts.size(), whole.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      ASSERT_EQ(parts[i].info.local, whole[i].info.local);
      ASSERT_EQ(parts[i].info.state, whole[i].info.state);
    }
  }
}

}  // namespace
}  // namespace hawser
