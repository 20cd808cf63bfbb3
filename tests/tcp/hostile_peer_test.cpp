// A peer that sends anything: segments with flags, numbers, windows, urgent pointers and SACK
// blocks at random, near and far from where they should be. Whatever it does, the script's checks
// hold (checksums, own bytes unchanged, ACK and right edge never back), what is read is the peer's
// stream, memory stays bounded, and nothing is left behind.
#include <gtest/gtest.h>

#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

class HostilePeer {
 public:
  explicit HostilePeer(std::uint64_t seed) : random_(seed) {
    script_.settings.receive_buffer = 65536;
    script_.settings.send_buffer = 65536;
    script_.settings.no_delay = one_in(2);
    script_.settings.keep_alive = one_in(4);
    Peer peer{.timestamps = one_in(2), .sack = one_in(2)};
    if (one_in(2)) peer.window_scale = static_cast<std::uint8_t>(random_.below(16));
    script_.establish(peer);
  }

  void run(int steps) {
    for (int step = 0; step < steps && script_.state() != TcpState::closed; ++step) {
      act();
      for (const Sent& sent : script_.take_all()) {
        if (sent.header.flags.has(TcpFlag::rst)) continue;
        rcv_nxt_ = std::max(rcv_nxt_, sent.ack);
        if (sent.length > 0) snd_nxt_ = std::max(snd_nxt_, sent.end());
      }
      // Both buffers, the bound of reassembly, and blocks that are not full.
      ASSERT_LT(script_.pool.bytes_in_use(), 700000U) << step;
    }
    acked_ = script_.info().bytes_acked;
    script_.abort();
    script_.take_all();
    script_.quiet_for(24h);
  }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t acked() const { return acked_; }

 private:
  bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
  std::uint32_t below(std::uint64_t n) { return static_cast<std::uint32_t>(random_.below(n)); }

  void act() {
    switch (random_.below(10)) {
      case 0:
        script_.write(below(6000));
        return;
      case 1:
        taken_ += script_.read(below(20000));
        return;
      case 2:
        script_.after(Duration(random_.below(Duration(one_in(10) ? 100s : 200ms).count())));
        return;
      case 3:
        if (one_in(100)) script_.shutdown();
        return;
      default:
        script_.in(segment());
    }
  }

  /// A number at, near, or anywhere around `right`.
  std::uint32_t near(std::uint32_t right) {
    switch (random_.below(8)) {
      case 0:
        return right + below(3000);
      case 1:
        return right - below(3000);
      case 2:
        return right + below(1U << 20);
      case 3:
        return one_in(4) ? static_cast<std::uint32_t>(random_.next()) : right;
      default:
        return right;
    }
  }

  In segment() {
    In segment;
    segment.flags = one_in(50) ? TcpFlags{} : kAck;
    if (one_in(2000)) segment.flags |= TcpFlag::rst;
    if (one_in(100)) segment.flags |= TcpFlag::syn;
    if (one_in(2000)) segment.flags |= TcpFlag::fin;
    if (one_in(20)) segment.flags |= TcpFlag::urg;
    if (one_in(4)) segment.flags |= TcpFlag::psh;
    segment.seq = near(rcv_nxt_);
    segment.ack = near(snd_nxt_);
    if (!one_in(3)) segment.length = below(one_in(2) ? 1461 : 50);
    if (one_in(4)) segment.window = static_cast<std::uint16_t>(one_in(3) ? 0 : below(65536));
    segment.urgent = static_cast<std::uint16_t>(below(65536));
    for (std::uint64_t blocks = random_.below(4); blocks > 0; --blocks) {
      const std::uint32_t begin = near(snd_nxt_ - below(5000));
      segment.sack.emplace_back(begin, one_in(5) ? near(begin) : begin + below(3000));
    }
    segment.bare = one_in(50);
    return segment;
  }

  ConnectionScript script_;
  Random random_;
  std::uint32_t rcv_nxt_ = 1;
  std::uint32_t snd_nxt_ = 1;
  std::uint64_t taken_ = 0;
  std::uint64_t acked_ = 0;
};

TEST(HostilePeer, DoesNoHarm) {
  std::uint64_t taken = 0;
  std::uint64_t acked = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    HostilePeer peer(seed);
    peer.run(1000);
    if (testing::Test::HasFailure()) return;
    taken += peer.taken();
    acked += peer.acked();
  }
  EXPECT_GT(taken, 10'000'000U) << "it must get somewhere to be a test";
  EXPECT_GT(acked, 10'000'000U);
}

}  // namespace
}  // namespace hawser::tcp
