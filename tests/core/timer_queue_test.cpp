#include "core/timer_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/random.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class TimerQueueTest : public ::testing::Test {
 protected:
  struct PositionOf {
    std::vector<std::uint32_t>* places;
    std::uint32_t& operator()(std::uint32_t id) const { return (*places)[id]; }
  };
  using Queue = TimerQueue<PositionOf>;

  std::vector<std::uint32_t> places = std::vector<std::uint32_t>(1000, Queue::kUnarmed);
  Queue queue{PositionOf{&places}};
};

TEST_F(TimerQueueTest, EqualDeadlinesComeInTheOrderOfTheirNumbers) {
  for (const std::uint32_t id : {5U, 3U, 9U, 1U}) queue.arm_no_later(id, Instant(10ms));
  for (const std::uint32_t id : {1U, 3U, 5U, 9U}) {
    EXPECT_EQ(queue.first(), id);
    queue.rearm_first(kNever);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.earliest(), kNever);
}

TEST_F(TimerQueueTest, ADeadlineMovesEarlierButNotLater) {
  queue.arm_no_later(1, Instant(10ms));
  queue.arm_no_later(1, Instant(20ms));
  EXPECT_EQ(queue.earliest(), Instant(10ms));
  queue.arm_no_later(1, Instant(5ms));
  EXPECT_EQ(queue.earliest(), Instant(5ms));
  queue.rearm_first(Instant(30ms));
  EXPECT_EQ(queue.earliest(), Instant(30ms));
  EXPECT_EQ(queue.size(), 1U);
}

TEST_F(TimerQueueTest, AgreesWithAnOrderedSetUnderRandomUse) {
  std::map<std::uint32_t, Instant> model;
  Random random(11);
  for (int i = 0; i < 50000; ++i) {
    const auto id = static_cast<std::uint32_t>(random.below(places.size()));
    const Instant at{Duration(static_cast<std::int64_t>(random.below(500)))};
    switch (random.below(4)) {
      case 0:
        queue.disarm(id);
        model.erase(id);
        break;
      case 1:
        if (!model.empty()) {
          model[queue.first()] = at;
          queue.rearm_first(at);
        }
        break;
      default: {
        queue.arm_no_later(id, at);
        const auto [entry, fresh] = model.emplace(id, at);
        if (!fresh) entry->second = std::min(entry->second, at);
      }
    }
    ASSERT_EQ(queue.size(), model.size());
    if (i % 100 != 0 || model.empty()) continue;
    std::set<std::pair<Instant, std::uint32_t>> ordered;
    for (const auto& [of, when] : model) ordered.emplace(when, of);
    ASSERT_EQ(queue.earliest(), ordered.begin()->first);
    ASSERT_EQ(queue.first(), ordered.begin()->second);
  }
}

}  // namespace
}  // namespace hawser
