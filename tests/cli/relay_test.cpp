#include "cli/relay.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <string>
#include <thread>

#include "host/wake_up.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser::cli {
namespace {

using testing::TwoHosts;
using End = RelayOutcome::End;
constexpr std::chrono::seconds kLong(60);

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_end = host::Descriptor(ends[0]);
    write_end = host::Descriptor(ends[1]);
  }
  host::Descriptor read_end;
  host::Descriptor write_end;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 0x9e3779b9U) >> 13);
  return text;
}

/// A relay on the client's host in a thread of its own, between two pipes and a connection to the
/// server's.
class RelayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    auto [near, far] = hosts_.connected();
    near_ = std::move(near);
    far_ = std::move(far);
    far_.set_timeout(kLong);
  }

  void start() {
    outcome_ = std::async(std::launch::async, [this] {
      Relay relay(hosts_.client, input_.read_end.get(), output_.write_end.get(),
                  stop_.descriptor());
      RelayOutcome outcome = relay.run(std::move(near_));
      output_.write_end = host::Descriptor();
      return outcome;
    });
  }

  void write_input(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(input_.write_end.get(), text.data(), text.size());
      ASSERT_GT(written, 0);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void end_input() { input_.write_end = host::Descriptor(); }

  std::string read_output() {
    std::string text;
    std::array<char, 65536> part{};
    ssize_t got = 0;
    while ((got = ::read(output_.read_end.get(), part.data(), part.size())) > 0) {
      text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  std::string read_far() {
    std::string text;
    std::array<std::byte, 65536> part{};
    for (;;) {
      const auto got = far_.receive(part);
      if (!got || *got == 0) return text;
      text.append(reinterpret_cast<const char*>(part.data()), *got);
    }
  }
  void send_far(std::string_view text) {
    EXPECT_TRUE(far_.send_all(std::as_bytes(std::span(text))));
  }

  RelayOutcome outcome() {
    EXPECT_EQ(outcome_.wait_for(kLong), std::future_status::ready);
    return outcome_.get();
  }

  TwoHosts hosts_;
  TcpStream near_;
  TcpStream far_;
  Pipe input_;
  Pipe output_;
  host::WakeUp stop_;
  std::future<RelayOutcome> outcome_;
};

TEST_F(RelayTest, OurEndOfInputLeavesThePeersDirectionOpen) {
  start();
  write_input("request");
  end_input();
  EXPECT_EQ(read_far(), "request");
  send_far("answer");
  far_.close();
  EXPECT_EQ(read_output(), "answer");
  EXPECT_EQ(outcome().end, End::finished);
}

TEST_F(RelayTest, ThePeersEndLeavesOurDirectionOpen) {
  start();
  send_far("greeting");
  ASSERT_TRUE(far_.shutdown_write());
  std::array<char, 8> greeting{};
  ASSERT_EQ(::read(output_.read_end.get(), greeting.data(), greeting.size()), 8);
  write_input("late");
  end_input();
  EXPECT_EQ(read_far(), "late");
  EXPECT_EQ(outcome().end, End::finished);
}

TEST_F(RelayTest, MuchDataBothWaysAtOnceDoesNotBlock) {
  // Each side writes all before it reads anything: it works if neither direction waits for the
  // other.
  const std::string there = pattern(8 << 20);
  const std::string back = pattern((8 << 20) + 13);
  start();
  auto read_back = std::async(std::launch::async, [&] { return read_output(); });
  auto read_there = std::async(std::launch::async, [&] { return read_far(); });
  std::thread sender([&] {
    send_far(back);
    EXPECT_TRUE(far_.shutdown_write());
  });
  write_input(there);
  end_input();
  sender.join();
  EXPECT_TRUE(read_there.get() == there);
  EXPECT_TRUE(read_back.get() == back);
  EXPECT_EQ(outcome().end, End::finished);
}

TEST_F(RelayTest, AnEchoLongerThanAllBuffersComesBackWhole) {
  const std::string text = pattern(16 << 20);
  start();
  std::thread echo([&] {
    std::array<std::byte, 65536> part{};
    for (;;) {
      const auto got = far_.receive(part);
      ASSERT_TRUE(got);
      if (*got == 0) break;
      ASSERT_TRUE(far_.send_all(std::span(part).first(*got)));
    }
    EXPECT_TRUE(far_.shutdown_write());
  });
  auto come_back = std::async(std::launch::async, [&] { return read_output(); });
  write_input(text);
  end_input();
  echo.join();
  EXPECT_TRUE(come_back.get() == text);
  EXPECT_EQ(outcome().end, End::finished);
}

TEST_F(RelayTest, WhatCameBeforeAResetIsWritten) {
  start();
  send_far("last words");
  std::array<char, 10> words{};
  ASSERT_EQ(::read(output_.read_end.get(), words.data(), words.size()), 10);
  far_.abort();
  const RelayOutcome ended = outcome();
  EXPECT_EQ(ended.end, End::broken);
  EXPECT_TRUE(ended.problem.contains("broke")) << ended.problem;
}

TEST_F(RelayTest, AnOutputThatNobodyReadsEndsIt) {
  output_.read_end = host::Descriptor();
  start();
  send_far("into the void");
  EXPECT_EQ(outcome().end, End::output_gone);
  std::array<std::byte, 1> byte{};
  EXPECT_FALSE(far_.receive(byte));  // reset
}

TEST_F(RelayTest, AnOutputThatIsFullFailsWithItsReason) {
  output_.write_end = host::Descriptor(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(output_.write_end);
  start();
  send_far("text");
  const RelayOutcome ended = outcome();
  EXPECT_EQ(ended.end, End::output_failed);
  EXPECT_TRUE(ended.problem.contains("No space left")) << ended.problem;
}

TEST_F(RelayTest, StopsWhenToldAndResets) {
  start();
  stop_.signal();
  EXPECT_EQ(outcome().end, End::stopped);
  std::array<std::byte, 1> byte{};
  EXPECT_FALSE(far_.receive(byte));
}

TEST_F(RelayTest, WaitsForTheAcknowledgmentOfAll) {
  // The peer ends first and reads nothing yet: what we send later is delivered before it is over.
  // More than the peer takes unread, less than that and our send buffer hold.
  const std::string text = pattern(3 << 16);
  ASSERT_TRUE(far_.shutdown_write());
  start();
  write_input(text);
  end_input();
  EXPECT_EQ(outcome_.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_TRUE(read_far() == text);
  EXPECT_EQ(outcome().end, End::finished);
}

}  // namespace
}  // namespace hawser::cli
