// How the first slow start of each algorithm ends on a path with a long queue, whole stacks
// included: by a loss, or before one (RFC 9406).
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

constexpr IpAddress kSender = IpAddress::v4(10, 0, 0, 1);
constexpr IpAddress kReceiver = IpAddress::v4(10, 0, 0, 2);

/// 40 Mbit/s and 40 ms, 200 kB, with room for fifteen times that in the queue. When a whole round
/// trip has seen a queue, the window is four times as large, and in five more it may triple.
class LongQueue {
 public:
  explicit LongQueue(const std::string& algorithm)
      : sender_(world_.add_stack(host(kSender))), receiver_(world_.add_stack(host(kReceiver))) {
    Impairment link;
    link.rate = 40'000'000;
    link.delay = 20ms;
    link.queue = 3'000'000;
    link_ = world_.connect({sender_, {}}, {receiver_, {}}, link);
    world_.on_ready(receiver_, [this](SocketHandle socket, Ready) { read(socket); });
    world_.on_ready(sender_, [this](SocketHandle socket, Ready) {
      while (world_.stack(sender_).tcp_send(world_.now(), socket, buffer_)) continue;
    });
    listener_ = *world_.stack(receiver_).tcp_listen({kReceiver, Port{80}}, 1);
    TcpSettings settings;
    settings.congestion_control = algorithm;
    settings.send_buffer = 1 << 24;
    socket_ = *world_.stack(sender_).tcp_connect(world_.now(), {kSender, Port{}},
                                                 {kReceiver, Port{80}}, &settings);
  }

  /// Until slow start is over, or for `patience`.
  void run(Duration patience) {
    const Instant end = world_.now() + patience;
    while (world_.now() < end && info().ssthresh == std::numeric_limits<std::uint32_t>::max()) {
      world_.run_for(1ms);
    }
  }
  TcpInfo info() const { return *world_.stack(sender_).tcp_info(socket_); }
  std::uint64_t dropped() const {
    return world_.counters(link_, Direction::a_to_b).of(FrameFate::queue_overflow);
  }
  void run_for(Duration span) { world_.run_for(span); }
  std::uint64_t received() const { return received_; }

 private:
  static StackConfig host(IpAddress address) {
    StackConfig config;
    config.interfaces.push_back({"link", 1500, {Prefix{address, 24}}});
    config.tcp.defaults.receive_buffer = 1 << 24;
    return config;
  }
  void read(SocketHandle socket) {
    Stack& stack = world_.stack(receiver_);
    while (stack.tcp_accept(listener_)) continue;
    while (const auto got = stack.tcp_receive(world_.now(), socket, buffer_)) received_ += *got;
  }

  World world_{1};
  StackId sender_;
  StackId receiver_;
  LinkId link_{};
  SocketHandle listener_;
  SocketHandle socket_;
  std::array<std::byte, 16384> buffer_{};
  std::uint64_t received_ = 0;
};

TEST(SlowStart, OfRenoFillsTheQueueUntilItOverflows) {
  LongQueue path("reno");
  path.run(5s);
  EXPECT_GT(path.dropped(), 100U);
  EXPECT_GT(path.info().cwnd, 400'000U);
}

TEST(SlowStart, OfCubicEndsBeforeTheQueueOverflows) {  // RFC9406-4.2
  LongQueue path("cubic");
  path.run(5s);
  EXPECT_EQ(path.dropped(), 0U);
  const TcpInfo info = path.info();
  EXPECT_LT(info.ssthresh, 2'800'000U);
  EXPECT_GT(info.ssthresh, 200'000U) << "the path is filled";
  EXPECT_EQ(info.retransmits, 0U);
  const std::uint64_t before = path.received();
  path.run_for(2s);
  EXPECT_GT(static_cast<double>(path.received() - before) * 8 / 2, 0.96 * 0.96 * 40e6);
  EXPECT_EQ(path.dropped(), 0U);
}

}  // namespace
}  // namespace hawser
