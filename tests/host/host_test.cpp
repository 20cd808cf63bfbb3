#include "hawser/host.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

#include "host/wake_up.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::TwoHosts;

constexpr auto kLong = 30s;

void exchange(TcpStream& from, TcpStream& to, std::size_t bytes) {
  const std::vector<std::byte> data(bytes);
  std::vector<std::byte> got(bytes);
  std::thread sends([&] { EXPECT_TRUE(from.send_all(data, kLong)); });
  EXPECT_EQ(to.receive_all(got, kLong), bytes);
  sends.join();
}

TEST(Host, SleepsWhenThereIsNothingToDo) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  exchange(near, far, 100'000);
  // Until timers that belong to the exchange have gone off: the last one is an ACK's.
  std::uint64_t before = 0;
  for (int i = 0; i < 100 && before != hosts.client.counters().turns; ++i) {
    before = hosts.client.counters().turns;
    std::this_thread::sleep_for(500ms);
  }
  const std::uint64_t client = hosts.client.counters().turns;
  const std::uint64_t server = hosts.server.counters().turns;
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(hosts.client.counters().turns, client);
  EXPECT_EQ(hosts.server.counters().turns, server);
}

TEST(Host, WakesFarLessOftenThanItHandlesFrames) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  exchange(near, far, std::size_t{16} << 20);
  const HostCounters counters = hosts.server.counters();
  EXPECT_GT(counters.frames_read, 10'000U);
  EXPECT_GT(counters.frames_written, 0U);
  EXPECT_LT(counters.turns, counters.frames_read);
}

/// Polls readable from the beginning, has nothing to read, and says why.
class RemovedDevice : public Device {
 public:
  RemovedDevice() { readable_.signal(); }
  std::size_t read(Instant, BufferPool&, std::vector<Packet>&, std::size_t) override { return 0; }
  std::size_t write(Instant, std::span<Packet> frames) override { return frames.size(); }
  int descriptor() const override { return readable_.descriptor(); }
  std::uint32_t mtu() const override { return 1500; }
  std::optional<DeviceError> fault() const override {
    return DeviceError{std::make_error_code(std::errc::no_such_device), "it was removed"};
  }

 private:
  host::WakeUp readable_;
};

HostConfig config_of(std::size_t interfaces) {
  HostConfig config;
  config.stack.interfaces.resize(interfaces);
  return config;
}

TEST(Host, StopsWhenItsOnlyDeviceIsGone) {
  // It read on in a busy loop, for ever.
  Host host(config_of(1), std::make_unique<RemovedDevice>());
  while (!host.device_failure()) std::this_thread::yield();
  EXPECT_EQ(host.device_failure()->message, "it was removed");
  const auto listener = TcpListener::listen(host, Endpoint{IpAddress{}, Port{9}});
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error(), make_error_code(Error::shut_down));
}

TEST(Host, GoesOnWhileADeviceIsLeft) {
  auto [one, other] = testing::SocketPairDevice::make();
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<RemovedDevice>());
  devices.push_back(std::move(one));
  Host host(config_of(2), std::move(devices));
  while (!host.device_failure()) std::this_thread::yield();
  EXPECT_TRUE(TcpListener::listen(host, Endpoint{IpAddress{}, Port{9}}));
  const std::uint64_t turns = host.counters().turns;
  std::this_thread::sleep_for(200ms);
  EXPECT_LE(host.counters().turns, turns + 10) << "it does not wake for what is gone";
}

TEST(Host, StoppingEndsCallsThatWait) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpListener listener = TcpListener::listen(hosts.client, Endpoint{IpAddress{}, Port{9}}).value();
  std::vector<std::error_code> errors(3);
  std::vector<std::thread> threads;
  threads.emplace_back([&, &near = near] {
    std::byte byte{};
    errors[0] = near.receive(std::span(&byte, 1)).error();
  });
  threads.emplace_back([&] { errors[1] = listener.accept().error(); });
  threads.emplace_back([&] {
    errors[2] =
        TcpStream::connect(hosts.client, Endpoint{IpAddress::v4(10, 0, 0, 77), Port{1}}).error();
  });
  hosts.client.stop();
  for (std::thread& thread : threads) thread.join();
  for (const std::error_code& error : errors) EXPECT_EQ(error, make_error_code(Error::shut_down));
  EXPECT_EQ(near.send(std::vector<std::byte>(1)).error(), make_error_code(Error::shut_down));
  EXPECT_EQ(near.close().error(), make_error_code(Error::shut_down));
  // The other side hears of it.
  std::byte byte{};
  EXPECT_EQ(far.receive(std::span(&byte, 1), kLong).error(), std::errc::connection_reset);
}

TEST(Host, SocketsMayOutliveIt) {
  TcpStream near;
  TcpStream far;
  TcpListener listener;
  {
    TwoHosts hosts;
    std::tie(near, far) = hosts.connected();
    listener = hosts.listen();
  }
  EXPECT_FALSE(near.is_open());
  EXPECT_EQ(listener.accept().error(), make_error_code(Error::shut_down));
}

TEST(Host, ManyRunInOneProcess) {
  std::vector<std::unique_ptr<TwoHosts>> pairs;
  std::vector<std::pair<TcpStream, TcpStream>> streams;
  for (int i = 0; i < 8; ++i) {
    pairs.push_back(std::make_unique<TwoHosts>());
    streams.push_back(pairs.back()->connected());
  }
  for (auto& [near, far] : streams) exchange(near, far, 1000);
}

TEST(Host, RunsWithoutAThreadOfItsOwn) {
  auto [server_device, client_device] = make_pipe();
  Host server(testing::host_config(testing::kServerAddress, testing::kServerAddress6),
              std::move(server_device));
  HostConfig config = testing::host_config(testing::kClientAddress, testing::kClientAddress6);
  config.start_thread = false;
  Host client(std::move(config), std::move(client_device));

  TcpListener listener = TcpListener::listen(server, Endpoint{IpAddress{}, Port{7}}).value();
  TcpStream near =
      TcpStream::start_connect(client, Endpoint{testing::kServerAddress, Port{7}}).value();
  while (!any(near.ready() & Ready::writable)) {
    pollfd polled{client.descriptor(), POLLIN, 0};
    ASSERT_EQ(::poll(&polled, 1, 30000), 1);
    client.turn();
  }
  EXPECT_TRUE(listener.accept(kLong));
}

TEST(Host, NeedsAnInterfaceForEachDevice) {
  HostConfig config;
  EXPECT_THROW(Host(std::move(config), make_pipe().first), std::invalid_argument);
}

TEST(Host, DrawsItsSeedFromTheSystem) {
  // Two hosts with no seed choose their ports differently; once in 2^15 they may not.
  const auto first_ports = [] {
    HostConfig config = testing::host_config(testing::kClientAddress, testing::kClientAddress6);
    config.seed.reset();
    Host host(std::move(config), make_pipe().first);
    std::vector<Endpoint> ports;
    for (int i = 0; i < 3; ++i) {
      const auto stream =
          TcpStream::start_connect(host, Endpoint{testing::kServerAddress, Port{7}});
      ports.push_back(stream->local_endpoint().value());
    }
    return ports;
  };
  EXPECT_NE(first_ports(), first_ports());
}

}  // namespace
}  // namespace hawser
