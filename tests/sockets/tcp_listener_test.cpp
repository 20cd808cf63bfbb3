#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::kPort;
using testing::kServerAddress;
using testing::TwoHosts;

constexpr auto kLong = 30s;

TEST(TcpListener, TakesAFreePort) {
  TwoHosts hosts;
  const auto listener = TcpListener::listen(hosts.server, Endpoint{kServerAddress, Port{0}});
  ASSERT_TRUE(listener);
  const Endpoint local = listener->local_endpoint().value();
  EXPECT_NE(to_number(local.port), 0);
  const auto second = TcpListener::listen(hosts.server, local);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), std::errc::address_in_use);
}

TEST(TcpListener, AcceptsInTheirOrder) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  std::vector<TcpStream> near;
  for (int i = 0; i < 10; ++i) near.push_back(hosts.connect());
  for (TcpStream& stream : near) {
    const auto far = listener.accept(kLong);
    ASSERT_TRUE(far);
    EXPECT_EQ(far->remote_endpoint(), stream.local_endpoint());
  }
}

TEST(TcpListener, ADeadlineEndsAccepting) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  EXPECT_EQ(listener.accept(20ms).error(), std::errc::timed_out);
  listener.set_non_blocking(true);
  EXPECT_EQ(listener.accept().error(), std::errc::resource_unavailable_try_again);
}

TEST(TcpListener, ClosingEndsCallsThatWait) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  std::error_code error;
  std::thread waits([&] { error = listener.accept(kLong).error(); });
  listener.close();
  waits.join();
  EXPECT_EQ(error, std::errc::bad_file_descriptor);
}

TEST(TcpListener, ClosingResetsWhatWasNotAccepted) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  TcpStream near = hosts.connect();
  // The server has it once it is told so.
  ASSERT_TRUE(listener.wait(kLong));
  listener.close();
  std::byte byte{};
  EXPECT_EQ(near.receive(std::span(&byte, 1), kLong).error(), std::errc::connection_reset);
}

TEST(TcpListener, GivesItsSettingsToWhatItAccepts) {
  TwoHosts hosts;
  ListenOptions options;
  options.settings = TcpSettings{};
  options.settings->no_delay = true;
  options.settings->receive_buffer = 100'000;
  TcpListener listener = hosts.listen(options);
  TcpStream near = hosts.connect();
  const TcpStream far = listener.accept(kLong).value();
  EXPECT_TRUE(far.settings()->no_delay);
  EXPECT_EQ(far.settings()->receive_buffer, 100'000U);
}

TEST(TcpListener, ManyThreadsAcceptEachConnectionOnce) {
  constexpr int kThreads = 8;
  constexpr int kConnections = 200;
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      while (auto far = listener.accept()) {
        ++accepted;
        std::byte byte{};
        EXPECT_EQ(far->receive(std::span(&byte, 1), kLong), 1U);
        EXPECT_TRUE(far->send_all(std::span(&byte, 1), kLong));
      }
    });
  }
  for (int i = 0; i < kConnections; ++i) {
    TcpStream near = hosts.connect();
    std::byte byte{42};
    ASSERT_TRUE(near.send_all(std::span(&byte, 1), kLong));
    ASSERT_EQ(near.receive(std::span(&byte, 1), kLong), 1U);
  }
  listener.close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, kConnections);
}

TEST(TcpListener, AThousandConnectionsAtOnce) {
  constexpr std::size_t kConnections = 1000;
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  std::vector<TcpStream> far;
  std::thread server([&] {
    while (far.size() < kConnections) {
      auto stream = listener.accept(kLong);
      ASSERT_TRUE(stream) << stream.error().message() << " after " << far.size();
      far.push_back(std::move(*stream));
    }
    for (TcpStream& stream : far) {
      std::uint32_t number = 0;
      ASSERT_EQ(stream.receive_all(std::as_writable_bytes(std::span(&number, 1)), kLong), 4U);
      ++number;
      ASSERT_TRUE(stream.send_all(std::as_bytes(std::span(&number, 1)), kLong));
    }
  });
  std::vector<TcpStream> near;
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    near.push_back(hosts.connect());
    ASSERT_TRUE(near.back().send_all(std::as_bytes(std::span(&i, 1)), kLong));
  }
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    std::uint32_t number = 0;
    ASSERT_EQ(near[i].receive_all(std::as_writable_bytes(std::span(&number, 1)), kLong), 4U);
    ASSERT_EQ(number, i + 1);
  }
  server.join();
  EXPECT_EQ(hosts.server.census().connections, kConnections);
  near.clear();
  far.clear();
  EXPECT_TRUE(hosts.server.drain(kLong));
  EXPECT_TRUE(hosts.client.drain(kLong));
}

}  // namespace
}  // namespace hawser
