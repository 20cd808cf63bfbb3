// Two stacks back to back: the whole life of a connection, without anything between them.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "hawser/stack.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class TwoStacks : public ::testing::Test {
 protected:
  static StackConfig config_of(const char* v4, const char* v6, std::uint64_t seed) {
    StackConfig config;
    config.interfaces.push_back(
        {.name = "if0", .addresses = {*Prefix::parse(v4), *Prefix::parse(v6)}});
    config.seed = seed;
    return config;
  }

  /// Carries frames both ways until neither has any.
  void exchange() {
    std::vector<Packet> frames;
    bool busy = true;
    while (busy) {
      busy = false;
      for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
        frames.clear();
        if (from->poll_frames(now, frames) == 0) continue;
        to->on_frames(now, InterfaceId{0}, frames);
        busy = true;
      }
    }
  }
  void pass(Duration span) {
    const Instant end = now + span;
    for (;;) {
      exchange();
      const Instant next = std::min(client.next_deadline(), server.next_deadline());
      if (next > end) break;
      now = std::max(now, next);
      client.on_time(now);
      server.on_time(now);
    }
    now = end;
  }
  std::string read_all(Stack& stack, SocketHandle socket) {
    std::array<std::byte, 4096> buffer;
    std::string text;
    for (;;) {
      const auto got = stack.tcp_receive(now, socket, buffer);
      if (!got || *got == 0) return text;
      text.append(reinterpret_cast<const char*>(buffer.data()), *got);
    }
  }
  static std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
  }

  BufferPool pool;
  Instant now{};
  Stack client{config_of("10.0.0.1/24", "fd00::1/64", 1), pool};
  Stack server{config_of("10.0.0.2/24", "fd00::2/64", 2), pool};
};

TEST_F(TwoStacks, OpenTalkAndCloseOverBothFamilies) {
  for (const char* address : {"10.0.0.2", "fd00::2"}) {
    const Endpoint where{*IpAddress::parse(address), Port{80}};
    const auto listener = server.tcp_listen(where, 8);
    ASSERT_TRUE(listener);
    const auto socket = client.tcp_connect(now, {}, where);
    ASSERT_TRUE(socket);
    exchange();
    const auto accepted = server.tcp_accept(*listener);
    ASSERT_TRUE(accepted);
    EXPECT_EQ(client.tcp_info(*socket)->state, TcpState::established);
    EXPECT_EQ(server.tcp_info(*accepted)->remote, client.tcp_info(*socket)->local);

    ASSERT_TRUE(client.tcp_send(now, *socket, bytes("how are you?")));
    exchange();
    EXPECT_EQ(read_all(server, *accepted), "how are you?");
    ASSERT_TRUE(server.tcp_send(now, *accepted, bytes("fine")));
    ASSERT_TRUE(server.tcp_close(now, *accepted));
    pass(100ms);
    EXPECT_EQ(read_all(client, *socket), "fine");
    ASSERT_TRUE(client.tcp_close(now, *socket));
    pass(100ms);
    EXPECT_EQ(client.census().connections, 0U);
    EXPECT_EQ(server.census().connections, 0U);
    EXPECT_EQ(server.census().time_wait, 1U);  // it closed first
    pass(60s);
    EXPECT_EQ(server.census().time_wait, 0U);
    EXPECT_EQ(server.next_deadline(), kNever);
    ASSERT_TRUE(server.tcp_close(now, *listener));
    EXPECT_EQ(server.tcp_info(*listener).error(), Error::bad_handle);
  }
}

TEST_F(TwoStacks, AStackTalksToItself) {
  for (const char* address : {"127.0.0.1", "::1", "10.0.0.2"}) {
    const Endpoint where{*IpAddress::parse(address), Port{80}};
    const auto listener = server.tcp_listen(where, 8);
    const auto socket = server.tcp_connect(now, {}, where);
    ASSERT_TRUE(socket);
    std::vector<Packet> frames;
    EXPECT_EQ(server.poll_frames(now, frames), 0U);  // nothing leaves
    const auto accepted = server.tcp_accept(*listener);
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(server.tcp_send(now, *socket, bytes("to me")));
    exchange();
    EXPECT_EQ(read_all(server, *accepted), "to me");
    ASSERT_TRUE(server.tcp_abort(now, *socket));
    exchange();
    EXPECT_EQ(server.tcp_info(*accepted)->close_reason, CloseReason::reset_by_peer);
    ASSERT_TRUE(server.tcp_close(now, *accepted));
    ASSERT_TRUE(server.tcp_close(now, *listener));
    exchange();
    EXPECT_EQ(server.census().connections, 0U);
  }
}

}  // namespace
}  // namespace hawser
