// Random fragments, most of which collide, through the reassembly and through a model of it.
#include <gtest/gtest.h>

#include "fuzz/reassembly_target.hpp"
#include "tests/wire/support.hpp"

namespace hawser::ip {
namespace {

TEST(ReassemblyModel, AgreesOnAnySequence) {
  BufferPool pool;
  Random random(31);
  for (int round = 0; round < 20000; ++round) {
    const auto input = wire::testing::random_bytes(random, 4 * (1 + random.below(24)));
    const fuzz::Violation violation = fuzz::check_reassembly(pool, input);
    ASSERT_EQ(violation, nullptr) << violation << " in round " << round;
  }
}

/// Lest the agreement be about nothing.
TEST(ReassemblyModel, MakesDatagrams) {
  Random random(32);
  std::uint64_t whole = 0;
  for (int round = 0; round < 2000; ++round) {
    fuzz::ReassemblyModel model;
    for (int i = 0; i < 24; ++i) {
      const auto bytes = wire::testing::random_bytes(random, 4);
      const fuzz::FragmentPlan plan{std::span(bytes).first<4>()};
      if (plan.begin == 0 && !plan.more) continue;
      if (model.take(Instant{}, plan)) ++whole;
    }
  }
  EXPECT_GT(whole, 100U);
}

}  // namespace
}  // namespace hawser::ip
