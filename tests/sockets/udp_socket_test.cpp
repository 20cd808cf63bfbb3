// UDP sockets as programs hold them: two hosts on a pipe.
#include "hawser/udp_socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::kClientAddress;
using testing::kPort;
using testing::kServerAddress;
using testing::kServerAddress6;
using testing::TwoHosts;

constexpr auto kLong = 30s;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class UdpSockets : public ::testing::Test {
 protected:
  std::string receive(UdpSocket& socket) {
    const IoResult<UdpReceived> got = socket.receive_from(room_, kLong);
    EXPECT_TRUE(got) << got.error().message();
    if (!got) return {};
    last_ = *got;
    return {reinterpret_cast<const char*>(room_.data()), got->size};
  }

  TwoHosts hosts_;
  std::array<std::byte, 65536> room_{};
  UdpReceived last_;
};

TEST_F(UdpSockets, AskAndAnswer) {
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  UdpSocket client = UdpSocket::open(hosts_.client).value();
  for (const IpAddress& address : {kServerAddress, kServerAddress6}) {
    ASSERT_EQ(client.send_to(bytes_of("ping"), {address, kPort}), 4U);
    EXPECT_EQ(receive(server), "ping");
    EXPECT_EQ(last_.destination, address);
    ASSERT_EQ(server.send_to(bytes_of("pong"), last_.source), 4U);
    EXPECT_EQ(receive(client), "pong");
    EXPECT_EQ(last_.source, (Endpoint{address, kPort}));
  }
  EXPECT_EQ(client.info()->datagrams_sent, 2U);
  EXPECT_EQ(hosts_.client.census().udp_sockets, 1U);
}

TEST_F(UdpSockets, AConnectedOneLearnsThatNobodyIsThere) {
  UdpSocket client = UdpSocket::open(hosts_.client).value();
  EXPECT_EQ(client.send(bytes_of("x")).error(), Error::not_connected);
  EXPECT_EQ(client.remote_endpoint().error(), Error::not_connected);
  ASSERT_TRUE(client.connect({kServerAddress, kPort}));
  EXPECT_EQ(client.local_endpoint()->address, kClientAddress);
  ASSERT_TRUE(client.send(bytes_of("x")));
  EXPECT_EQ(client.receive_from(room_, kLong).error(), Error::connection_refused);
  ASSERT_TRUE(client.send(bytes_of("x")));
  const IoResult<Ready> ready = client.wait(Ready::none, kLong);
  ASSERT_TRUE(ready);
  EXPECT_TRUE(any(*ready & Ready::error));
  EXPECT_EQ(client.take_error(), Error::connection_refused);
  EXPECT_FALSE(client.take_error());
}

TEST_F(UdpSockets, WaitOnlyAsLongAsTheyShould) {
  UdpSocket socket = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  EXPECT_EQ(socket.receive_from(room_, 1ms).error(), Error::timed_out);
  socket.set_timeout(1ms);
  EXPECT_EQ(socket.receive_from(room_).error(), Error::timed_out);
  socket.set_non_blocking(true);
  EXPECT_EQ(socket.receive_from(room_).error(), Error::would_block);
  EXPECT_EQ(socket.ready(), Ready::writable);
  EXPECT_EQ(UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).error(), Error::address_in_use);
}

TEST_F(UdpSockets, AreWatchedByAPoller) {
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  UdpSocket client = UdpSocket::open(hosts_.client).value();
  Poller poller(hosts_.server);
  std::array<PollEvent, 4> events{};
  ASSERT_TRUE(poller.add(server, Ready::readable, 7));
  EXPECT_EQ(poller.wait(events, 1ms), 0U);
  ASSERT_TRUE(client.send_to(bytes_of("a"), {kServerAddress, kPort}));
  ASSERT_EQ(poller.wait(events, kLong), 1U);
  EXPECT_EQ(events[0].key, 7U);
  EXPECT_EQ(events[0].ready, Ready::readable);
  EXPECT_EQ(receive(server), "a");
  EXPECT_EQ(poller.wait(events, Deadline::at_once()), 0U);
  ASSERT_TRUE(poller.modify(server, Ready::writable));
  EXPECT_EQ(poller.wait(events, kLong), 1U);
  poller.remove(server);
  EXPECT_EQ(poller.wait(events, Deadline::at_once()), 0U);
}

TEST_F(UdpSockets, WakeOneThreadForEachDatagram) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 50;
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  std::atomic<std::size_t> received{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      std::array<std::byte, 64> room{};
      for (std::size_t n = 0; n < kEach; ++n) {
        if (server.receive_from(room, kLong)) ++received;
      }
    });
  }
  UdpSocket client = UdpSocket::open(hosts_.client).value();
  for (std::size_t n = 0; n < kThreads * kEach; ++n) {
    ASSERT_TRUE(client.send_to(bytes_of("x"), {kServerAddress, kPort}));
    // A pipe loses what it has no room for: never more on its way than it surely takes.
    while (n >= received + 16) std::this_thread::yield();
  }
  threads.clear();
  EXPECT_EQ(received, kThreads * kEach);
}

TEST_F(UdpSockets, CloseEndsTheWaiting) {
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  std::jthread waiting([&] {
    std::array<std::byte, 64> room{};
    EXPECT_EQ(server.receive_from(room, kLong).error(), Error::bad_handle);
  });
  // Whether it waits already or not yet, it must not wait on.
  server.close();
  waiting.join();
  EXPECT_FALSE(server.is_open());
  EXPECT_EQ(hosts_.server.census().udp_sockets, 0U);
  EXPECT_TRUE(UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}));
}

TEST_F(UdpSockets, OutliveTheirHost) {
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  hosts_.server.stop();
  EXPECT_EQ(server.receive_from(room_, kLong).error(), Error::shut_down);
  EXPECT_EQ(server.send_to(bytes_of("x"), {kClientAddress, kPort}).error(), Error::shut_down);
  UdpSocket moved = std::move(server);
  EXPECT_EQ(moved.info().error(), Error::shut_down);
  EXPECT_EQ(UdpSocket{}.info().error(), Error::bad_handle);
}

TEST_F(UdpSockets, AGroupIsHeard) {
  const IpAddress group = IpAddress::v4(239, 1, 2, 3);
  UdpSocket server = UdpSocket::bind(hosts_.server, {IpAddress{}, kPort}).value();
  ASSERT_TRUE(server.join(group));
  UdpSocket client = UdpSocket::open(hosts_.client).value();
  ASSERT_TRUE(client.send_to(bytes_of("everybody"), {group, kPort}));
  EXPECT_EQ(receive(server), "everybody");
  EXPECT_EQ(last_.destination, group);
  EXPECT_TRUE(server.leave(group));
}

}  // namespace
}  // namespace hawser
