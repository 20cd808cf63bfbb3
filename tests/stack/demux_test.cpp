#include "stack/demux.hpp"

#include <gtest/gtest.h>

#include <map>

namespace hawser::stack {
namespace {

tcp::Tuple tuple_of(std::uint32_t i) {
  return {
      {IpAddress::v4(10, 0, 0, 1), Port{80}},
      {IpAddress::v4(10, 1, static_cast<std::uint8_t>(i >> 24), static_cast<std::uint8_t>(i >> 16)),
       Port{static_cast<std::uint16_t>(i)}}};
}

class DemuxTest : public ::testing::Test {
 protected:
  struct TupleOf {
    const std::vector<tcp::Tuple>* tuples;
    const tcp::Tuple& operator()(Flow flow) const { return (*tuples)[flow.slot()]; }
  };

  std::vector<tcp::Tuple> tuples;
  Random random{1};
  Demux<TupleOf> demux{random, TupleOf{&tuples}};
};

TEST_F(DemuxTest, FindsWhatIsInItWhileItGrowsAndShrinks) {
  constexpr std::uint32_t kFlows = 20000;
  for (std::uint32_t i = 0; i < kFlows; ++i) tuples.push_back(tuple_of(i));
  std::vector<bool> present(kFlows, false);
  auto change = [&](std::uint32_t i) {
    const Flow flow{FlowKind::connection, i};
    present[i] ? demux.erase(flow) : demux.insert(flow);
    present[i] = !present[i];
  };
  auto verify = [&] {
    for (std::uint32_t i = 0; i < kFlows; ++i) {
      const Flow expected = present[i] ? Flow{FlowKind::connection, i} : Flow{};
      ASSERT_EQ(demux.find(tuples[i]), expected) << i;
    }
  };
  for (std::uint32_t i = 0; i < kFlows; ++i) change(i);
  verify();
  for (int i = 0; i < 50000; ++i) change(static_cast<std::uint32_t>(random.below(kFlows)));
  verify();
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    if (present[i]) change(i);
  }
  verify();
  EXPECT_EQ(demux.size(), 0U);
}

TEST_F(DemuxTest, ReplacesWhatATupleLeadsTo) {
  tuples.push_back(tuple_of(1));
  demux.insert({FlowKind::syn_received, 0});
  demux.replace({FlowKind::syn_received, 0}, {FlowKind::connection, 0});
  EXPECT_EQ(demux.find(tuples[0]).kind(), FlowKind::connection);
  EXPECT_EQ(demux.size(), 1U);
}

TEST(TupleHash, DependsOnTheKeyAndOnEveryMember) {
  Random random(7);
  const TupleHash one(random);
  const TupleHash other(random);
  tcp::Tuple tuple = tuple_of(1);
  const std::uint32_t plain = one(tuple);
  EXPECT_NE(plain, other(tuple));
  EXPECT_EQ(plain, one(tuple));
  tuple.local.port = Port{81};
  EXPECT_NE(plain, one(tuple));
  tuple = tuple_of(1);
  tuple.remote.port = Port{2};
  EXPECT_NE(plain, one(tuple));
  tuple = tuple_of(1);
  tuple.local.address = IpAddress::v4(10, 0, 0, 2);
  EXPECT_NE(plain, one(tuple));
}

}  // namespace
}  // namespace hawser::stack
