#include "core/slab.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "core/random.hpp"

namespace hawser {
namespace {

TEST(Slab, KeepsObjectsInPlaceAndTellsGenerationsApart) {
  Slab<std::string> slab;
  const std::uint32_t first = slab.emplace("one");
  const std::uint32_t generation = slab.generation(first);
  EXPECT_NE(generation, 0U);
  ASSERT_NE(slab.find(first, generation), nullptr);
  EXPECT_EQ(*slab.find(first, generation), "one");
  slab.erase(first);
  EXPECT_EQ(slab.find(first, generation), nullptr);
  const std::uint32_t second = slab.emplace("two");
  EXPECT_EQ(second, first);  // the place is used again
  EXPECT_EQ(slab.find(first, generation), nullptr);
  EXPECT_EQ(slab.find(12345, 1), nullptr);
  EXPECT_EQ(slab.find(second, 0), nullptr);
}

TEST(Slab, AgreesWithAMapUnderRandomUse) {
  struct Counted {
    explicit Counted(int* where, std::uint64_t number) : alive(where), value(number) { ++*alive; }
    Counted(const Counted&) = delete;
    ~Counted() { --*alive; }
    int* alive;
    std::uint64_t value;
  };
  int alive = 0;
  {
    Slab<Counted, 8> slab;
    std::map<std::uint32_t, std::uint64_t> model;
    Random random(3);
    for (int i = 0; i < 20000; ++i) {
      const bool grow = random.below(2000) < (i % 4000 < 2000 ? 1300U : 700U);
      if (grow || model.empty()) {
        const std::uint64_t value = random.next();
        const std::uint32_t index = slab.emplace(&alive, value);
        ASSERT_TRUE(model.emplace(index, value).second);
      } else {
        auto victim = model.lower_bound(static_cast<std::uint32_t>(random.below(2000)));
        if (victim == model.end()) victim = model.begin();
        slab.erase(victim->first);
        model.erase(victim);
      }
      ASSERT_EQ(slab.size(), model.size());
      ASSERT_EQ(alive, static_cast<int>(model.size()));
    }
    for (const auto& [index, value] : model) ASSERT_EQ(slab[index].value, value);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace hawser
