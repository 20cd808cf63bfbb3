// ICMP sockets as programs hold them: two hosts on a pipe.
#include "hawser/icmp_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::kServerAddress;
using testing::kServerAddress6;
using testing::TwoHosts;

constexpr auto kLong = 30s;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(IcmpSockets, AskAndAreAnswered) {
  TwoHosts hosts;
  IcmpSocket socket = IcmpSocket::open(hosts.client).value();
  EXPECT_EQ(IcmpSocket::open(hosts.client, socket.identifier().value()).error(),
            Error::address_in_use);
  std::array<std::byte, 64> room{};
  std::uint16_t sequence = 0;
  for (const IpAddress& address : {kServerAddress, kServerAddress6}) {
    ++sequence;
    ASSERT_TRUE(socket.send({address, Port{}}, bytes_of("are you there?"), {.sequence = sequence}));
    const IoResult<EchoAnswer> answer = socket.receive(room, kLong);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->from, address);
    EXPECT_EQ(answer->sequence, sequence);
    EXPECT_FALSE(answer->error);
    EXPECT_EQ(answer->size, 14U);
  }
  EXPECT_EQ(socket.receive(room, 1ms).error(), Error::timed_out);
}

TEST(IcmpSockets, AreWatchedByAPoller) {
  TwoHosts hosts;
  IcmpSocket socket = IcmpSocket::open(hosts.client).value();
  Poller poller(hosts.client);
  std::array<PollEvent, 2> events{};
  ASSERT_TRUE(poller.add(socket, Ready::readable, 5));
  EXPECT_EQ(poller.wait(events, 1ms), 0U);
  ASSERT_TRUE(socket.send({kServerAddress, Port{}}, bytes_of("x")));
  ASSERT_EQ(poller.wait(events, kLong), 1U);
  EXPECT_EQ(events[0].key, 5U);
  EXPECT_EQ(socket.ready(), Ready::readable | Ready::writable);
  EXPECT_TRUE(socket.wait(kLong));
  socket.close();
  EXPECT_FALSE(socket.is_open());
  EXPECT_EQ(poller.wait(events, Deadline::at_once()), 0U);
  EXPECT_EQ(hosts.client.census().echo_sockets, 0U);
}

TEST(IcmpSockets, OutliveTheirHost) {
  TwoHosts hosts;
  IcmpSocket socket = IcmpSocket::open(hosts.client).value();
  hosts.client.stop();
  std::array<std::byte, 8> room{};
  EXPECT_EQ(socket.receive(room, kLong).error(), Error::shut_down);
  IcmpSocket moved = std::move(socket);
  EXPECT_EQ(moved.send({kServerAddress, Port{}}, {}).error(), Error::shut_down);
  EXPECT_EQ(IcmpSocket{}.send({kServerAddress, Port{}}, {}).error(), Error::bad_handle);
}

}  // namespace
}  // namespace hawser
