// The scene of `hawser demo`: whole with the default seed, the same twice, and an honest failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/demo_scene.hpp"

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

/// What the command takes without options.
const Impairment kDefaultLink{.rate = 10'000'000, .delay = 20ms, .loss = 0.02};
constexpr std::uint64_t kDefaultSeed = 6;

std::string ladder_of(std::uint64_t seed) {
  DemoScene scene(kDefaultLink, 64 << 10, seed);
  scene.run();
  return scene.ladder().render({});
}

TEST(Demo, TheDefaultShowsALossItsRepairAndTheClose) {
  DemoScene scene(kDefaultLink, 64 << 10, kDefaultSeed);
  const DemoResult result = scene.run();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.bytes, 65536U);
  const std::string drawn = scene.ladder().render({});
  const std::size_t loss = drawn.find("--x lost");
  const std::size_t repair = drawn.find("again: fast");
  EXPECT_LT(loss, repair);
  EXPECT_LT(std::count(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(loss), '\n'), 24)
      << "on the first screen";
  for (const char* state : {"SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
                            "CLOSE-WAIT", "LAST-ACK", "TIME-WAIT", "CLOSED"}) {
    EXPECT_NE(drawn.find(state), std::string::npos) << state;
  }
  std::istringstream lines(drawn);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Demo, TheSameSeedPrintsTheSame) {
  EXPECT_EQ(ladder_of(4), ladder_of(4));
  EXPECT_NE(ladder_of(4), ladder_of(5));
}

TEST(Demo, EverySeedDeliversAtTwentyPercentLoss) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DemoScene scene({.rate = 10'000'000, .delay = 20ms, .loss = 0.2}, 64 << 10, seed);
    EXPECT_TRUE(scene.run().complete) << "seed " << seed;
  }
}

TEST(Demo, ALinkThatMarksLosesNothing) {
  DemoScene scene({.rate = 10'000'000, .delay = 20ms, .mark_above = 8000}, 256 << 10, 1,
                  TcpEcn::on);
  const DemoResult result = scene.run();
  EXPECT_TRUE(result.complete);
  EXPECT_GT(result.client.mark_reductions, 0U);
  EXPECT_EQ(result.client.retransmits, 0U);
  EXPECT_GT(result.to_server.marked, 0U);
  const std::string drawn = scene.ladder().render({});
  for (const char* word :
       {"SYN,ECE,CWR seq", "SYN,ACK,ECE seq", " CE ", "heeds a mark", "ACK,CWR"}) {
    EXPECT_NE(drawn.find(word), std::string::npos) << word << '\n' << drawn;
  }
}

TEST(Demo, ALinkThatLosesAllEndsInAnError) {
  DemoScene scene({.loss = 1}, 1000, 1);
  const DemoResult result = scene.run();
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.client_error, Error::timed_out);
}

}  // namespace
}  // namespace hawser::cli
