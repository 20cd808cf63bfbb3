// Transfers through a hop that is narrower than both ends, with and without a router that says so.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "hawser/world.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

StackConfig host(const char* v4, const char* v6, std::uint32_t mtu) {
  StackConfig config;
  config.interfaces.push_back(
      {.name = "link", .mtu = mtu, .addresses = {*Prefix::parse(v4), *Prefix::parse(v6)}});
  return config;
}

std::byte pattern_at(std::uint64_t offset) {
  return static_cast<std::byte>(offset * 31 + (offset >> 13) * 7);
}

struct Hop {
  Family family = Family::ipv4;
  std::uint32_t mtu = 1280;
  bool silent = false;
  std::uint64_t bytes = std::uint64_t{4} << 20;
  Impairment link{.rate = 100'000'000, .delay = 5ms};
  std::uint32_t interface_mtu = 1500;
};

/// left sends `bytes` to right, which reads and compares.
class Transfer {
 public:
  explicit Transfer(const Hop& hop, std::uint64_t seed = 1)
      : world(seed),
        hop_(hop),
        left(world.add_stack(host("10.0.0.1/24", "fd00::1/64", hop.interface_mtu))),
        right(world.add_stack(host("10.0.0.2/24", "fd00::2/64", hop.interface_mtu))) {
    Impairment narrow = hop.link;
    narrow.mtu = hop.mtu;
    narrow.mtu_silent = hop.silent;
    link = world.connect({left, {}}, {right, {}}, narrow, hop.link);
    listener = world.stack(right).tcp_listen(there(), 4).value();
    world.on_ready(left, [this](SocketHandle, Ready) { write(); });
    world.on_ready(right, [this](SocketHandle socket, Ready) { on_right(socket); });
    sender = world.stack(left).tcp_connect(world.now(), {}, there()).value();
  }

  /// The same over a new connection.
  void again() {
    static_cast<void>(world.stack(right).tcp_close(world.now(), receiver));
    written_ = received_ = 0;
    at_end_ = false;
    receiver = {};
    sender = world.stack(left).tcp_connect(world.now(), {}, there()).value();
  }
  void run(Duration limit) { world.run_until(world.now() + limit); }
  bool complete() const { return received_ == hop_.bytes && at_end_; }
  std::uint64_t received() const { return received_; }
  TcpInfo info() { return world.stack(left).tcp_info(sender).value(); }
  const StackCounters& counters() { return world.stack(left).counters(); }
  std::uint64_t frames() const { return world.counters(link, Direction::a_to_b).frames; }

  World world;
  LinkId link{};

 private:
  Endpoint there() const {
    return {*IpAddress::parse(hop_.family == Family::ipv4 ? "10.0.0.2" : "fd00::2"), Port{80}};
  }
  void write() {
    std::array<std::byte, 65536> data;
    while (written_ < hop_.bytes) {
      const auto size = std::min<std::uint64_t>(data.size(), hop_.bytes - written_);
      for (std::uint64_t i = 0; i < size; ++i) data[i] = pattern_at(written_ + i);
      const auto taken =
          world.stack(left).tcp_send(world.now(), sender, std::span(data).first(size));
      if (!taken) return;
      written_ += *taken;
    }
    static_cast<void>(world.stack(left).tcp_shutdown_write(world.now(), sender));
  }
  void on_right(SocketHandle socket) {
    if (socket == listener) {
      receiver = world.stack(right).tcp_accept(listener).value();
    }
    std::array<std::byte, 65536> data;
    while (receiver) {
      const auto got = world.stack(right).tcp_receive(world.now(), receiver, data);
      if (!got) return;
      if (*got == 0) {
        at_end_ = true;
        return;
      }
      for (std::size_t i = 0; i < *got; ++i) {
        ASSERT_EQ(data[i], pattern_at(received_ + i)) << "at " << received_ + i;
      }
      received_ += *got;
    }
  }

  Hop hop_;
  StackId left;
  StackId right;
  SocketHandle listener;
  SocketHandle sender;
  SocketHandle receiver{};
  std::uint64_t written_ = 0;
  std::uint64_t received_ = 0;
  bool at_end_ = false;
};

class NarrowHop : public ::testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Families, NarrowHop, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(NarrowHop, WhoseRouterSaysSo) {  // RFC1191, RFC8201
  Transfer transfer({.family = GetParam()});
  transfer.run(3s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.counters().path_mtu_lowered, 1U);
  EXPECT_EQ(transfer.counters().black_holes, 0U);
  EXPECT_EQ(transfer.info().timeouts, 0U) << "nothing has to time out";
  EXPECT_EQ(transfer.info().mss, (GetParam() == Family::ipv4 ? 1240 : 1220) - 12);
}

TEST_P(NarrowHop, WhoseRouterIsSilent) {  // RFC4821
  Transfer transfer({.family = GetParam(), .silent = true});
  transfer.run(10s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.counters().black_holes, 1U);
  EXPECT_LE(transfer.info().timeouts, 3U);
  EXPECT_EQ(transfer.info().mss, (GetParam() == Family::ipv4 ? 1240 : 1220) - 12);
}

TEST_P(NarrowHop, ThatWasFoundOnceIsKnownToConnectionsToCome) {  // RFC4821-5.2, RFC8201-5.2
  Transfer transfer({.family = GetParam(), .mtu = 1400, .silent = true});
  transfer.run(10s);
  ASSERT_TRUE(transfer.complete()) << transfer.received();
  const std::uint16_t found = transfer.info().mss;
  transfer.again();
  transfer.run(3s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.info().timeouts, 0U);
  EXPECT_EQ(transfer.info().mss, found);
  EXPECT_EQ(transfer.counters().black_holes, 1U) << "of the first connection";
  // It is forgotten, and then found anew: the path may be another by then.
  transfer.run(10min);
  transfer.again();
  transfer.run(10s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.counters().black_holes, 2U);
}

/// Timeouts in a row are no black hole to others: the path carries all, and was only interrupted.
TEST_P(NarrowHop, ThatIsNoneButAnOutageIsNotRemembered) {
  Transfer transfer({.family = GetParam(), .mtu = 1500, .silent = true});
  transfer.run(50ms);
  transfer.world.set_partitioned(transfer.link, true);
  transfer.run(5s);
  transfer.world.set_partitioned(transfer.link, false);
  transfer.run(20s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_GE(transfer.counters().black_holes, 1U) << "suspected";
  transfer.again();
  transfer.run(50ms);
  EXPECT_EQ(transfer.info().mss, (GetParam() == Family::ipv4 ? 1460 : 1440) - 12);
}

TEST_P(NarrowHop, OfAnySizeIsFound) {
  for (const bool silent : {false, true}) {
    for (const std::uint32_t mtu : {1300U, 1399U, 1492U, 1499U}) {
      SCOPED_TRACE(mtu);
      Transfer transfer({.family = GetParam(), .mtu = mtu, .silent = silent, .bytes = 2 << 20});
      transfer.run(10s);
      EXPECT_TRUE(transfer.complete()) << transfer.received();
      const std::uint32_t headers = GetParam() == Family::ipv4 ? 52 : 72;
      EXPECT_LE(transfer.info().mss + headers, mtu);
      EXPECT_GT(transfer.info().mss + headers + 16, mtu);
    }
  }
}

TEST_P(NarrowHop, BehindALossyLink) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const bool silent : {false, true}) {
      SCOPED_TRACE(seed);
      Transfer transfer({.family = GetParam(),
                         .silent = silent,
                         .bytes = 1 << 20,
                         .link = {.rate = 20'000'000,
                                  .delay = 10ms,
                                  .jitter = 2ms,
                                  .loss = 0.02,
                                  .reorder = 0.02,
                                  .duplicate = 0.01}},
                        seed);
      transfer.run(600s);
      EXPECT_TRUE(transfer.complete()) << transfer.received();
    }
  }
}

TEST_P(NarrowHop, ForAWholeLongTransfer) {
  Transfer transfer({.family = GetParam(),
                     .silent = true,
                     .bytes = std::uint64_t{64} << 20,
                     .link = {.rate = 1'000'000'000, .delay = 2ms}});
  transfer.run(60s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_LE(transfer.counters().path_probes, 12U) << "the search costs little";
  EXPECT_LT(transfer.frames(), (std::uint64_t{64} << 20) / 1208 * 102 / 100 + 200);
}

TEST(NarrowHopV4, NarrowerThanWeGoIsLeftToRouters) {
  Transfer transfer({.mtu = 400, .bytes = 100'000});
  transfer.run(60s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.info().mss, 552 - 52) << "who wants us to send crumbs is not obeyed";
}

TEST(NarrowHopV4, SilentAndAsNarrowAsTheInternetMayBe) {
  Transfer transfer({.mtu = 576, .silent = true, .bytes = 100'000});
  transfer.run(60s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
}

TEST(NarrowHopV4, ForJumboFrames) {
  Transfer transfer({.mtu = 1500, .silent = true, .interface_mtu = 9000});
  transfer.run(10s);
  EXPECT_TRUE(transfer.complete()) << transfer.received();
  EXPECT_EQ(transfer.info().mss, 1448);
}

}  // namespace
}  // namespace hawser
