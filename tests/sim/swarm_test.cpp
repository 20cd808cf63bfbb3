// A few hundred seeds of the swarm; hawser-swarm runs as many as one likes.
#include "swarm.hpp"

#include <gtest/gtest.h>

#include <string>

#include "swarm_network.hpp"

namespace hawser::swarm {
namespace {

std::string trace_of(Outcome (*run)(std::uint64_t, Trace), std::uint64_t seed) {
  std::string trace;
  run(seed, [&](const std::string& line) { (trace += line) += '\n'; });
  return trace;
}

class SwarmTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SwarmTest, KeepsWhatTcpPromises) {
  constexpr std::uint64_t kSeeds = 50;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + kSeeds; ++seed) {
    const Outcome outcome = run_seed(seed);
    EXPECT_TRUE(outcome.ok()) << "seed " << seed << ": " << outcome.failure
                              << "\nreplay: hawser-swarm --seed " << seed << " --verbose";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SwarmTest, ::testing::Range<std::uint64_t>(1, 401, 50));

class RecoverySwarmTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RecoverySwarmTest, GetsOnWhateverIsLost) {
  constexpr std::uint64_t kSeeds = 25;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + kSeeds; ++seed) {
    const Outcome outcome = run_recovery_seed(seed);
    EXPECT_TRUE(outcome.ok()) << "seed " << seed << ": " << outcome.failure
                              << "\nreplay: hawser-swarm --plan recovery --seed " << seed
                              << " --verbose";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RecoverySwarmTest, ::testing::Range<std::uint64_t>(1, 201, 25));

class NetworkSwarmTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(NetworkSwarmTest, DeliversWhatWasSentAndKeepsNothing) {
  constexpr std::uint64_t kSeeds = 50;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + kSeeds; ++seed) {
    const Outcome outcome = run_network_seed(seed);
    EXPECT_TRUE(outcome.ok()) << "seed " << seed << ": " << outcome.failure
                              << "\nreplay: hawser-swarm --plan network --seed " << seed
                              << " --verbose";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, NetworkSwarmTest, ::testing::Range<std::uint64_t>(1, 401, 50));

TEST(Swarm, SeedsThatFailedOnce) {
  // What came ahead of the cookie of its connection was answered with a reset: data, bare ACKs.
  for (const std::uint64_t seed : {20927, 47009, 58193}) {
    const Outcome outcome = run_seed(seed);
    EXPECT_TRUE(outcome.ok()) << "seed " << seed << ": " << outcome.failure;
  }
}

TEST(Swarm, RecoverySeedsThatFailedOnce) {
  // Segments too large for a narrow path, but no larger than the next size to try, went for ever.
  for (const std::uint64_t seed : {8732, 9497, 3622}) {
    const Outcome outcome = run_recovery_seed(seed);
    EXPECT_TRUE(outcome.ok()) << "seed " << seed << ": " << outcome.failure;
  }
}

TEST(Swarm, SameSeedSameTrace) {
  for (const auto run : {run_seed, run_recovery_seed, run_network_seed}) {
    const std::string trace = trace_of(run, 3);
    EXPECT_FALSE(trace.empty());
    EXPECT_EQ(trace, trace_of(run, 3));
    EXPECT_NE(trace, trace_of(run, 4));
  }
}

}  // namespace
}  // namespace hawser::swarm
