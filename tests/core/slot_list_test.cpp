#include "core/slot_list.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace hawser {
namespace {

TEST(SlotList, FirstInFirstOutAndRemovalAnywhere) {
  std::array<SlotLinks, 5> nodes;
  const auto links = [&](std::uint32_t i) -> SlotLinks& { return nodes[i]; };
  SlotList list;
  EXPECT_TRUE(list.empty());
  for (std::uint32_t i = 0; i < 5; ++i) list.push_back(i, links);
  list.remove(2, links);
  list.remove(0, links);
  list.remove(4, links);
  list.push_back(0, links);
  std::vector<std::uint32_t> order;
  while (!list.empty()) {
    order.push_back(list.front());
    list.remove(list.front(), links);
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{1, 3, 0}));
}

}  // namespace
}  // namespace hawser
