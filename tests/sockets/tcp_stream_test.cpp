#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/random.hpp"
#include "hawser/error.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::kClientAddress;
using testing::kPort;
using testing::kServerAddress;
using testing::kServerAddress6;
using testing::TwoHosts;

/// Longer than anything takes that works.
constexpr auto kLong = 30s;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string receive_text(TcpStream& stream, std::size_t length) {
  std::string text(length, '\0');
  const auto got = stream.receive_all(std::as_writable_bytes(std::span(text)), kLong);
  EXPECT_TRUE(got) << got.error().message();
  text.resize(got.value_or(0));
  return text;
}

TEST(TcpStream, EchoesOverBothFamilies) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  for (const IpAddress& address : {kServerAddress, kServerAddress6}) {
    auto near = TcpStream::connect(hosts.client, Endpoint{address, kPort});
    ASSERT_TRUE(near) << near.error().message();
    auto far = listener.accept(kLong);
    ASSERT_TRUE(far) << far.error().message();
    EXPECT_EQ(near->remote_endpoint(), (Endpoint{address, kPort}));
    EXPECT_EQ(near->local_endpoint(), far->remote_endpoint());
    ASSERT_TRUE(near->send_all(bytes_of("to the server"), kLong));
    EXPECT_EQ(receive_text(*far, 13), "to the server");
    ASSERT_TRUE(far->send_all(bytes_of("and back"), kLong));
    EXPECT_EQ(receive_text(*near, 8), "and back");
  }
}

/// The bytes of a stream, made up as they are needed: nothing of it has to be kept to be checked.
class Pattern {
 public:
  explicit Pattern(std::uint64_t seed) : random_(seed) {}
  void fill(std::span<std::byte> out) {
    for (std::byte& byte : out) {
      if (left_ == 0) {
        word_ = random_.next();
        left_ = 8;
      }
      byte = static_cast<std::byte>(word_);
      word_ >>= 8U;
      --left_;
    }
  }

 private:
  Random random_;
  std::uint64_t word_ = 0;
  int left_ = 0;
};

void send_pattern(TcpStream& stream, std::uint64_t seed, std::size_t total) {
  Pattern pattern(seed);
  std::vector<std::byte> chunk(100'000);
  while (total > 0) {
    const auto part = std::span(chunk).first(std::min(total, chunk.size()));
    pattern.fill(part);
    const auto sent = stream.send_all(part, kLong);
    ASSERT_TRUE(sent) << sent.error().message();
    total -= part.size();
  }
  ASSERT_TRUE(stream.shutdown_write());
}

void expect_pattern(TcpStream& stream, std::uint64_t seed, std::size_t total) {
  Pattern pattern(seed);
  std::vector<std::byte> got(70'000);
  std::vector<std::byte> expected(got.size());
  std::size_t received = 0;
  for (;;) {
    const auto count = stream.receive(got, kLong);
    ASSERT_TRUE(count) << count.error().message() << " after " << received;
    if (*count == 0) break;
    pattern.fill(std::span(expected).first(*count));
    ASSERT_TRUE(std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(*count),
                           expected.begin()))
        << "after " << received;
    received += *count;
  }
  EXPECT_EQ(received, total);
}

void carry_both_ways(TwoHosts& hosts, std::size_t total) {
  auto [near, far] = hosts.connected();
  std::thread near_sends([&, &near = near] { send_pattern(near, 1, total); });
  std::thread far_sends([&, &far = far] { send_pattern(far, 2, total); });
  std::thread near_receives([&, &near = near] { expect_pattern(near, 2, total); });
  expect_pattern(far, 1, total);
  near_sends.join();
  far_sends.join();
  near_receives.join();
}

TEST(TcpStream, Carries64MiBBothWaysAtOnce) {
  TwoHosts hosts;
  carry_both_ways(hosts, std::size_t{64} << 20);
}

TEST(TcpStream, CarriesOverADeviceThatBlocks) {
  TwoHosts hosts(testing::SocketPairDevice::make());
  carry_both_ways(hosts, std::size_t{16} << 20);
}

TEST(TcpStream, IsToldOfRoomAlsoWhenAWriteFilledTheBufferExactly) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpSettings settings = *near.settings();
  settings.send_buffer = 1U << 16;
  ASSERT_TRUE(near.set_settings(settings));
  near.set_non_blocking(true);
  constexpr int kRounds = 50;
  const std::vector<std::byte> chunk(*settings.send_buffer / 4);
  std::thread reader([&far = far, &chunk] {
    std::vector<std::byte> all(chunk.size() * kRounds);
    EXPECT_EQ(far.receive_all(all, kLong), all.size());
  });
  for (std::size_t sent = 0; sent < chunk.size() * kRounds;) {
    ASSERT_TRUE(near.wait(Ready::writable, kLong)) << "after " << sent;
    const auto taken = near.send(std::span(chunk).first(chunk.size() - sent % chunk.size()));
    ASSERT_TRUE(taken) << taken.error().message();
    sent += *taken;
  }
  reader.join();
}

TEST(TcpStream, ReadsOnAfterItsOwnEnd) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  ASSERT_TRUE(near.shutdown_write());
  std::byte byte{};
  EXPECT_EQ(far.receive(std::span(&byte, 1), kLong), 0U);
  ASSERT_TRUE(far.send_all(bytes_of("still here"), kLong));
  EXPECT_EQ(receive_text(near, 10), "still here");
  EXPECT_EQ(near.send(bytes_of("x")).error(), std::errc::broken_pipe);
  ASSERT_TRUE(far.close());
  EXPECT_EQ(near.receive(std::span(&byte, 1), kLong), 0U);
}

TEST(TcpStream, DeliversWhatWasSentBeforeClosing) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  const std::string text(300'000, 'x');
  std::thread reader([&far = far, &text] { EXPECT_EQ(receive_text(far, text.size() + 1), text); });
  ASSERT_TRUE(near.send_all(bytes_of(text), kLong));
  ASSERT_TRUE(near.close());
  reader.join();
  EXPECT_TRUE(far.close());
  EXPECT_TRUE(hosts.client.drain(kLong));
  EXPECT_TRUE(hosts.server.drain(kLong));
  EXPECT_EQ(hosts.client.census().connections, 0U);
}

TEST(TcpStream, ADeadlineEndsReceiving) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  std::byte byte{};
  EXPECT_EQ(near.receive(std::span(&byte, 1), 20ms).error(), std::errc::timed_out);
  EXPECT_EQ(near.receive(std::span(&byte, 1), std::chrono::steady_clock::now() + 20ms).error(),
            std::errc::timed_out);
  near.set_timeout(20ms);
  EXPECT_EQ(near.receive(std::span(&byte, 1)).error(), std::errc::timed_out);
  ASSERT_TRUE(far.send_all(bytes_of("a")));
  EXPECT_EQ(receive_text(near, 1), "a");
}

TEST(TcpStream, ADeadlineEndsSendingToAPeerThatDoesNotRead) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  const std::vector<std::byte> chunk(100'000);
  std::error_code error;
  std::size_t total = 0;
  while (!error && total < (std::size_t{64} << 20)) {
    const auto sent = near.send(chunk, 50ms);
    if (!sent) error = sent.error();
    total += sent.value_or(0);
  }
  EXPECT_EQ(error, std::errc::timed_out);
  EXPECT_NE(near.info()->send_blocked, SendBlocked::nothing_to_send);
}

TEST(TcpStream, NonBlockingCallsDoNotWait) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  near.set_non_blocking(true);
  std::byte byte{};
  EXPECT_EQ(near.receive(std::span(&byte, 1)).error(), std::errc::resource_unavailable_try_again);
  ASSERT_TRUE(far.send_all(bytes_of("a")));
  EXPECT_TRUE(any(*near.wait(Ready::readable, kLong) & Ready::readable));
  EXPECT_EQ(near.receive(std::span(&byte, 1)), 1U);
  const std::vector<std::byte> chunk(1'000'000);
  std::error_code error;
  for (int i = 0; i < 100 && !error; ++i) {
    const auto sent = near.send(chunk);
    if (!sent) error = sent.error();
  }
  EXPECT_EQ(error, std::errc::resource_unavailable_try_again);
}

TEST(TcpStream, ConnectsWithoutBlocking) {
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  auto near = TcpStream::start_connect(hosts.client, Endpoint{kServerAddress, kPort});
  ASSERT_TRUE(near);
  EXPECT_TRUE(any(*near->wait(Ready::writable, kLong) & Ready::writable));
  EXPECT_FALSE(near->take_error());
  EXPECT_EQ(near->info()->state, TcpState::established);
}

TEST(TcpStream, IsRefusedWhereNobodyListens) {
  TwoHosts hosts;
  const auto near = TcpStream::connect(hosts.client, Endpoint{kServerAddress, kPort});
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error(), std::errc::connection_refused);
}

TEST(TcpStream, GivesUpConnectingAtItsDeadline) {
  TwoHosts hosts;
  ConnectOptions options;
  options.deadline = 50ms;
  const auto near =
      TcpStream::connect(hosts.client, Endpoint{IpAddress::v4(10, 0, 0, 77), kPort}, options);
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error(), std::errc::timed_out);
  EXPECT_EQ(hosts.client.census().connections, 0U);
}

TEST(TcpStream, AnAbortReachesThePeer) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  std::thread aborts([&near = near] { near.abort(); });
  std::byte byte{};
  EXPECT_EQ(far.receive(std::span(&byte, 1), kLong).error(), std::errc::connection_reset);
  aborts.join();
  EXPECT_FALSE(near.is_open());
  EXPECT_EQ(near.receive(std::span(&byte, 1)).error(), std::errc::bad_file_descriptor);
}

TEST(TcpStream, LingerWaitsUntilAllIsAcknowledged) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpSettings settings = *near.settings();
  settings.linger = kLong;
  ASSERT_TRUE(near.set_settings(settings));
  const std::string text(200'000, 'x');
  ASSERT_TRUE(near.send_all(bytes_of(text), kLong));
  std::thread reader([&far = far, &text] { EXPECT_EQ(receive_text(far, text.size()), text); });
  EXPECT_TRUE(near.close());
  reader.join();
}

TEST(TcpStream, LingerEndsAtItsTime) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpSettings settings = *near.settings();
  settings.linger = 50ms;
  ASSERT_TRUE(near.set_settings(settings));
  // More than the peer, which does not read, has room for.
  const std::vector<std::byte> much(std::size_t{1} << 20);
  (void)near.send_all(much, 100ms);
  (void)near.send_all(much, 100ms);
  EXPECT_EQ(near.close().error(), std::errc::timed_out);
  EXPECT_FALSE(near.is_open());
}

TEST(TcpStream, LingerOfZeroResets) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpSettings settings = *near.settings();
  settings.linger = Duration::zero();
  ASSERT_TRUE(near.set_settings(settings));
  ASSERT_TRUE(near.close());
  std::byte byte{};
  EXPECT_EQ(far.receive(std::span(&byte, 1), kLong).error(), std::errc::connection_reset);
}

TEST(TcpStream, MarksUrgentData) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  ASSERT_TRUE(near.send_all(bytes_of("calm"), kLong));
  ASSERT_TRUE(near.send_urgent(bytes_of("!")));
  EXPECT_TRUE(any(*far.wait(Ready::urgent, kLong) & Ready::urgent));
  EXPECT_TRUE(far.urgent_mark().has_value());
}

TEST(TcpStream, ClosingEndsCallsThatWait) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  std::error_code error;
  std::thread waits([&near = near, &error] {
    std::byte byte{};
    error = near.receive(std::span(&byte, 1), kLong).error();
  });
  // Whether the thread waits already or not: the outcome is the same.
  EXPECT_TRUE(near.close());
  waits.join();
  EXPECT_EQ(error, std::errc::bad_file_descriptor);
}

TEST(TcpStream, ThreadsShareOneStream) {
  constexpr int kThreads = 4;
  constexpr std::size_t kEach = 500'000;
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  std::vector<std::thread> threads;
  std::atomic<std::size_t> received = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&near = near] {
      const std::vector<std::byte> data(kEach);
      EXPECT_TRUE(near.send_all(data, kLong));
    });
    threads.emplace_back([&far = far, &received] {
      std::vector<std::byte> data(5000);
      for (;;) {
        const auto got = far.receive(data, kLong);
        ASSERT_TRUE(got) << got.error().message();
        if (*got == 0) return;
        received += *got;
      }
    });
  }
  for (int i = 0; i < kThreads; ++i) threads[static_cast<std::size_t>(2 * i)].join();
  EXPECT_TRUE(near.shutdown_write());
  for (int i = 0; i < kThreads; ++i) threads[static_cast<std::size_t>(2 * i + 1)].join();
  EXPECT_EQ(received, kThreads * kEach);
}

TEST(TcpStream, AMovedFromStreamIsClosed) {
  TwoHosts hosts;
  auto [near, far] = hosts.connected();
  TcpStream other = std::move(near);
  EXPECT_TRUE(other.is_open());
  EXPECT_FALSE(near.is_open());  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_EQ(near.send(bytes_of("x")).error(), std::errc::bad_file_descriptor);
  ASSERT_TRUE(other.send_all(bytes_of("x")));
  EXPECT_EQ(receive_text(far, 1), "x");
}

}  // namespace
}  // namespace hawser
