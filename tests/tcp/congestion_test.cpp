// The seam between a connection and its algorithm of congestion control: a choice by name, what an
// algorithm is told, what its answers do, and one that is not of the library.
#include "hawser/congestion.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/packet_script.hpp"
#include "tests/tcp/connection_script.hpp"

namespace hawser::tcp {
namespace {

using namespace test;

constexpr std::uint32_t kMss = 1460;

/// Keeps its window, whatever happens, and counts what it is told. Too large for the room in a
/// connection.
struct Fixed {
  std::uint32_t window = 4 * kMss;
  std::uint32_t acked = 0;
  std::uint32_t signals = 0;
  std::uint32_t recovered = 0;
  std::uint32_t idle = 0;
  std::array<std::uint32_t, 4> padding{};

  void on_start(const CongestionStart& start) { EXPECT_GT(start.mss, 0U); }
  void on_ack(const AckSample& ack) { acked += ack.acked; }
  void on_congestion(CongestionSignal, const CongestionState&) { ++signals; }
  void on_recovered(const CongestionState&) { ++recovered; }
  void on_idle(const CongestionState&) { ++idle; }
  std::uint32_t cwnd() const { return window; }
  /// What it was told, so that a test sees it from outside.
  std::uint32_t ssthresh() const {
    return acked / kMss + 1000 * signals + 10000 * recovered + 100000 * idle;
  }
};
static_assert(sizeof(Fixed) > CongestionAlgorithm::kRoom);

constexpr auto kFixed = congestion_algorithm<Fixed>("fixed");

class OwnAlgorithm : public ::testing::Test {
 protected:
  OwnAlgorithm() {
    script.config.congestion_algorithms.push_back(&kFixed);
    script.settings.congestion_control = "fixed";
  }
  ConnectionScript script;
};

TEST_F(OwnAlgorithm, SetsTheWindow) {
  script.establish();
  script.write(100 * kMss);
  EXPECT_EQ(script.info().congestion_control, "fixed");
  EXPECT_EQ(script.take_all().size(), 4U);
  script.in({.ack = 1 + 2 * kMss});
  EXPECT_EQ(script.take_all().size(), 2U);
  EXPECT_EQ(script.info().ssthresh, 2U) << "segments acknowledged";
}

TEST_F(OwnAlgorithm, IsToldOfLossTimeoutRecoveryAndIdleTime) {
  script.establish({.sack = true});
  script.write(4 * kMss);
  script.take_all();
  script.after(100ms);
  script.in({.ack = 1, .sack = {{1 + kMss, 1 + 4 * kMss}}});
  script.out({.seq = 1, .length = kMss});
  EXPECT_EQ(script.info().ssthresh, 1000U);
  script.after(100ms);
  script.in({.ack = 1 + 4 * kMss});
  EXPECT_EQ(script.info().ssthresh, 11004U);
  script.after(1h);
  script.write(1);
  EXPECT_EQ(script.info().ssthresh, 111004U);
  script.take_all();
}

TEST_F(OwnAlgorithm, TakesOverInTheMiddle) {
  script.settings.congestion_control = "reno";
  script.establish();
  EXPECT_EQ(script.info().congestion_control, "reno");
  TcpSettings changed = script.settings;
  changed.congestion_control = "fixed";
  script.change_settings(changed);
  EXPECT_EQ(script.info().cwnd, 4 * kMss);
  changed.congestion_control = "reno";
  script.change_settings(changed);
  EXPECT_EQ(script.info().cwnd, 4 * kMss) << "as the one before left it";
}

/// Its threshold is the last round-trip time that it was told, in milliseconds.
struct Timed {
  std::uint32_t rtt_ms = 0;

  void on_start(const CongestionStart&) {}
  void on_ack(const AckSample& ack) {
    if (ack.rtt) rtt_ms = static_cast<std::uint32_t>(*ack.rtt / 1ms);
  }
  void on_congestion(CongestionSignal, const CongestionState&) {}
  void on_idle(const CongestionState&) {}
  std::uint32_t cwnd() const { return 10 * kMss; }
  std::uint32_t ssthresh() const { return rtt_ms; }
};
constexpr auto kTimed = congestion_algorithm<Timed>("timed");

TEST(AlgorithmThatListens, HearsTheRoundTripTime) {
  ConnectionScript script;
  script.config.congestion_algorithms.push_back(&kTimed);
  script.settings.congestion_control = "timed";
  script.establish();
  script.write(kMss);
  script.take_all();
  script.after(70ms);
  script.in({.ack = 1 + kMss});
  EXPECT_EQ(script.info().ssthresh, 70U);
}

class AlgorithmByName : public hawser::testing::PacketScript {};

TEST_F(AlgorithmByName, IsAskedForWhenSettingsComeIn) {
  TcpSettings settings;
  settings.congestion_control = "no such thing";
  EXPECT_EQ(stack.tcp_connect(now, {}, peer.remote, &settings).error(), Error::invalid_argument);
  establish_passive();
  EXPECT_EQ(stack.tcp_set_settings(now, socket, settings).error(), Error::invalid_argument);
  EXPECT_EQ(info().congestion_control, "cubic");
}

class UnknownDefault : public hawser::testing::PacketScript {
 protected:
  static StackConfig config() {
    StackConfig config = default_config();
    config.tcp.defaults.congestion_control = "no such thing";
    return config;
  }
  UnknownDefault() : PacketScript(config()) {}
};

TEST_F(UnknownDefault, IsAnErrorOfEachOpen) {
  EXPECT_EQ(stack.tcp_listen({IpAddress{}, Port{80}}, 1).error(), Error::invalid_argument);
  EXPECT_EQ(stack.tcp_connect(now, {}, peer.remote).error(), Error::invalid_argument);
  const TcpSettings known;
  EXPECT_TRUE(stack.tcp_connect(now, {}, peer.remote, &known));
}

}  // namespace
}  // namespace hawser::tcp
