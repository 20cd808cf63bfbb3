// Buffers that tune themselves: as large as the path makes use of, and no larger.
#include <gtest/gtest.h>

#include <array>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

constexpr IpAddress kSender = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kReceiver = IpAddress::v4(10, 0, 0, 2);

Impairment path(std::uint64_t rate, Duration one_way) {
  Impairment link;
  link.rate = rate;
  link.delay = one_way;
  link.queue = 2'000'000;
  return link;
}

TcpSettings fixed(std::uint32_t bytes) {
  TcpSettings settings;
  settings.send_buffer = settings.receive_buffer = bytes;
  return settings;
}

/// A program that writes all that it may, and one that reads all there is, or now and then.
class Transfer {
 public:
  explicit Transfer(const Impairment& link, const TcpSettings& settings = {})
      : sender_(world_.add_stack(host(kSender, settings))),
        receiver_(world_.add_stack(host(kReceiver, settings))) {
    world_.connect({sender_, {}}, {receiver_, {}}, link);
    world_.on_ready(receiver_, [this](SocketHandle socket, Ready) {
      if (const auto accepted = world_.stack(receiver_).tcp_accept(listener_)) to_ = *accepted;
      if (socket == to_ && reads_at_once_) read();
    });
    world_.on_ready(sender_, [this](SocketHandle, Ready) { write(); });
    listener_ = *world_.stack(receiver_).tcp_listen({kReceiver, Port{80}}, 1);
    from_ =
        *world_.stack(sender_).tcp_connect(world_.now(), {kSender, Port{}}, {kReceiver, Port{80}});
  }

  void run_for(Duration span) { world_.run_for(span); }
  void stop_writing() { writes_ = false; }
  void write_one() {
    ASSERT_TRUE(world_.stack(sender_).tcp_send(world_.now(), from_, std::span(buffer_).first(1)));
  }
  void read_now_and_then(Duration every, int times) {
    reads_at_once_ = false;
    for (int i = 0; i < times; ++i) {
      world_.run_for(every);
      read();
    }
  }
  std::uint64_t received() const { return received_; }
  TcpInfo sender() const { return *world_.stack(sender_).tcp_info(from_); }
  TcpInfo receiver() const { return *world_.stack(receiver_).tcp_info(to_); }

 private:
  static StackConfig host(IpAddress address, const TcpSettings& settings) {
    StackConfig config;
    config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
    config.tcp.defaults = settings;
    return config;
  }
  void write() {
    while (writes_ && world_.stack(sender_).tcp_send(world_.now(), from_, buffer_)) continue;
  }
  void read() {
    Stack& stack = world_.stack(receiver_);
    while (const auto got = stack.tcp_receive(world_.now(), to_, buffer_)) received_ += *got;
  }

  World world_{1};
  StackId sender_;
  StackId receiver_;
  SocketHandle listener_;
  SocketHandle from_;
  SocketHandle to_;
  std::array<std::byte, 16384> buffer_{};
  bool writes_ = true;
  bool reads_at_once_ = true;
  std::uint64_t received_ = 0;
};

constexpr std::uint32_t kBandwidthDelay = 1'250'000;  // of the long path

TEST(BufferTuning, HoldsNothingUpOnALongPath) {
  Transfer tuned(path(100'000'000, 50ms));
  Transfer large(path(100'000'000, 50ms), fixed(1U << 24));
  tuned.run_for(5s);
  large.run_for(5s);
  EXPECT_GE(tuned.received(), large.received() * 97 / 100);
  EXPECT_GT(tuned.received(), 5 * 100'000'000 / 8 * 3 / 4) << "it fills the path";
  EXPECT_GE(tuned.receiver().receive_buffer, 2 * kBandwidthDelay);
  EXPECT_GE(tuned.sender().send_buffer, 2 * kBandwidthDelay);
}

TEST(BufferTuning, StaysAsItIsWhereNoMoreIsNeeded) {
  Transfer transfer(path(10'000'000, 1ms));
  transfer.run_for(5s);
  EXPECT_GT(transfer.received(), 5'000'000U);
  EXPECT_EQ(transfer.receiver().receive_buffer, TcpSettings::kInitialBuffer);
}

TEST(BufferTuning, IsBounded) {
  TcpSettings settings;
  settings.max_send_buffer = 200'000;
  settings.max_receive_buffer = 300'000;
  Transfer transfer(path(100'000'000, 50ms), settings);
  transfer.run_for(5s);
  EXPECT_LE(transfer.receiver().receive_buffer, 300'000U);
  EXPECT_LE(transfer.sender().send_buffer, 200'000U);
  EXPECT_LE(transfer.sender().send_queue, 200'000U);
}

TEST(BufferTuning, IsOffForASizeThatIsSet) {
  Transfer transfer(path(100'000'000, 50ms), fixed(200'000));
  transfer.run_for(5s);
  EXPECT_EQ(transfer.receiver().receive_buffer, 200'000U);
  EXPECT_EQ(transfer.sender().send_buffer, 200'000U);
}

// A window that a slow program leaves unread would only fill memory.
TEST(BufferTuning, GrowsForNoProgramThatReadsSlowly) {
  Transfer transfer(path(100'000'000, 5ms));
  transfer.read_now_and_then(500ms, 20);
  EXPECT_GT(transfer.received(), 1'000'000U);
  EXPECT_EQ(transfer.receiver().receive_buffer, TcpSettings::kInitialBuffer);
  EXPECT_LE(transfer.receiver().receive_queue, TcpSettings::kInitialBuffer);
}

// RFC9293-SHLD-14: the buffer becomes smaller, the window that was advertised does not.
TEST(BufferTuning, IsForgottenByAConnectionThatIsIdle) {
  Transfer transfer(path(100'000'000, 50ms));
  transfer.run_for(5s);
  transfer.stop_writing();
  transfer.run_for(15s);
  const TcpInfo before = transfer.receiver();
  EXPECT_GE(before.rcv_wnd, 2 * kBandwidthDelay);
  transfer.write_one();
  transfer.run_for(1s);
  const TcpInfo after = transfer.receiver();
  EXPECT_EQ(after.receive_buffer, TcpSettings::kInitialBuffer);
  EXPECT_GE(after.rcv_wnd, before.rcv_wnd - 1);
  EXPECT_EQ(after.receive_queue, 0U);
}

}  // namespace
}  // namespace hawser
