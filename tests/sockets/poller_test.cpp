#include "hawser/poller.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <map>
#include <thread>
#include <vector>

#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::TwoHosts;

constexpr auto kLong = 30s;

bool polls_readable(int descriptor, int milliseconds) {
  pollfd polled{descriptor, POLLIN, 0};
  return ::poll(&polled, 1, milliseconds) == 1;
}

class PollerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::tie(near_, far_) = hosts_.connected();
    near_.set_non_blocking(true);
  }
  void send_from_far() {
    const std::byte byte{1};
    ASSERT_TRUE(far_.send_all(std::span(&byte, 1), kLong));
  }
  std::size_t wait(Deadline deadline) { return poller_.wait(events_, deadline).value(); }

  TwoHosts hosts_;
  TcpStream near_;
  TcpStream far_;
  Poller poller_{hosts_.client};
  std::array<PollEvent, 8> events_{};
};

TEST_F(PollerTest, TellsAgainWhileSomethingIsLeft) {
  ASSERT_TRUE(poller_.add(near_, Ready::readable, 42));
  EXPECT_EQ(wait(10ms), 0U);
  send_from_far();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(wait(kLong), 1U);
    EXPECT_EQ(events_[0].key, 42U);
    EXPECT_EQ(events_[0].ready, Ready::readable);
  }
  std::byte byte{};
  ASSERT_EQ(near_.receive(std::span(&byte, 1)), 1U);
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
  send_from_far();
  EXPECT_EQ(wait(kLong), 1U);
}

TEST_F(PollerTest, TellsWhatWasThereBefore) {
  send_from_far();
  ASSERT_TRUE(near_.wait(Ready::readable, kLong));
  ASSERT_TRUE(poller_.add(near_, Ready::readable, 1));
  EXPECT_EQ(wait(Deadline::at_once()), 1U);
}

TEST_F(PollerTest, TellsOnlyWhatWasAskedFor) {
  ASSERT_TRUE(poller_.add(near_, Ready::none, 1));
  send_from_far();
  ASSERT_TRUE(near_.wait(Ready::readable, kLong));
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
  ASSERT_TRUE(poller_.modify(near_, Ready::writable));
  ASSERT_EQ(wait(Deadline::at_once()), 1U);
  EXPECT_EQ(events_[0].ready, Ready::writable);
  ASSERT_TRUE(poller_.modify(near_, Ready::readable | Ready::writable));
  ASSERT_EQ(wait(Deadline::at_once()), 1U);
  EXPECT_EQ(events_[0].ready, Ready::readable | Ready::writable);
}

TEST_F(PollerTest, TellsTheEndWithoutBeingAsked) {
  ASSERT_TRUE(poller_.add(near_, Ready::none, 1));
  far_.abort();
  ASSERT_EQ(wait(kLong), 1U);
  EXPECT_TRUE(any(events_[0].ready & (Ready::error | Ready::closed)));
}

TEST_F(PollerTest, SocketsLeave) {
  ASSERT_TRUE(poller_.add(near_, Ready::writable, 1));
  EXPECT_EQ(poller_.add(near_, Ready::writable, 1).error(), std::errc::invalid_argument);
  poller_.remove(near_);
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
  EXPECT_EQ(poller_.modify(near_, Ready::writable).error(), std::errc::invalid_argument);
  ASSERT_TRUE(poller_.add(near_, Ready::writable, 1));
  EXPECT_TRUE(near_.close());
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
}

TEST_F(PollerTest, TakesOnlySocketsOfItsHost) {
  EXPECT_EQ(poller_.add(far_, Ready::readable, 1).error(), std::errc::invalid_argument);
}

TEST_F(PollerTest, ItsDescriptorPollsReadable) {
  const int descriptor = poller_.descriptor();
  ASSERT_TRUE(poller_.add(near_, Ready::readable, 1));
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
  EXPECT_FALSE(polls_readable(descriptor, 0));
  send_from_far();
  EXPECT_TRUE(polls_readable(descriptor, 30000));
  std::byte byte{};
  ASSERT_EQ(near_.receive(std::span(&byte, 1)), 1U);
  EXPECT_EQ(wait(Deadline::at_once()), 0U);
  EXPECT_FALSE(polls_readable(descriptor, 0));
  hosts_.client.stop();
  EXPECT_TRUE(polls_readable(descriptor, 30000));
}

TEST_F(PollerTest, StoppingTheHostEndsWaiting) {
  std::error_code error;
  std::thread waits([&] { error = poller_.wait(events_, kLong).error(); });
  hosts_.client.stop();
  waits.join();
  EXPECT_EQ(error, make_error_code(Error::shut_down));
}

TEST(Poller, ServesManyConnectionsFromOneThread) {
  constexpr int kClients = 50;
  TwoHosts hosts;
  TcpListener listener = hosts.listen();
  listener.set_non_blocking(true);
  std::thread server([&] {
    Poller poller(hosts.server);
    ASSERT_TRUE(poller.add(listener, Ready::readable, 0));
    std::map<std::uint64_t, TcpStream> streams;
    std::uint64_t next_key = 1;
    int ended = 0;
    std::array<PollEvent, 16> events{};
    while (ended < kClients) {
      const std::size_t count = poller.wait(events, kLong).value();
      ASSERT_NE(count, 0U);
      for (const PollEvent& event : std::span(events).first(count)) {
        if (event.key == 0) {
          while (auto stream = listener.accept()) {
            stream->set_non_blocking(true);
            ASSERT_TRUE(poller.add(*stream, Ready::readable, next_key));
            streams.emplace(next_key++, std::move(*stream));
          }
          continue;
        }
        TcpStream& stream = streams.at(event.key);
        std::array<std::byte, 64> bytes{};
        const auto got = stream.receive(bytes);
        if (!got) continue;
        if (*got == 0) {
          streams.erase(event.key);
          ++ended;
        } else {
          ASSERT_EQ(stream.send(std::span(bytes).first(*got)), *got);
        }
      }
    }
  });
  std::vector<TcpStream> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(hosts.connect());
  for (int round = 0; round < 10; ++round) {
    for (TcpStream& client : clients) {
      const std::byte byte{static_cast<unsigned char>(round)};
      ASSERT_TRUE(client.send_all(std::span(&byte, 1), kLong));
    }
    for (TcpStream& client : clients) {
      std::byte byte{};
      ASSERT_EQ(client.receive(std::span(&byte, 1), kLong), 1U);
      ASSERT_EQ(byte, std::byte{static_cast<unsigned char>(round)});
    }
  }
  clients.clear();
  server.join();
}

}  // namespace
}  // namespace hawser
