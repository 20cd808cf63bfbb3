// The measure of loss recovery itself: names, formulas, and that a snapshot notices a change.
#include <gtest/gtest.h>

#include "report.hpp"
#include "runner.hpp"
#include "scene.hpp"
#include "snapshot.hpp"

namespace hawser::recovery {
namespace {

using namespace std::chrono_literals;

Cell cell(std::string_view name) {
  const auto parsed = parse_cell(name);
  EXPECT_TRUE(parsed) << name << ": " << parsed.error();
  return parsed.value_or(Cell{});
}

TEST(RecoveryCell, EveryNameIsReadBack) {
  for (const Cell& each : all_cells()) EXPECT_EQ(cell(each.name()).name(), each.name());
}

TEST(RecoveryCell, WordsComeInAnyOrderAndHaveDefaults) {
  EXPECT_EQ(cell("reno 3% 40ms").name(), "100mbit 40ms 3% random reno");
  EXPECT_EQ(cell("x8 cubic+reno burst 0.1%").name(), "100mbit 20ms 0.1% burst cubic+reno x8");
}

TEST(RecoveryCell, WhatIsNoWordOfANameIsRefused) {
  for (const std::string_view name : {"fast", "5", "101%", "x0", "cubic+nobody", "0ms"}) {
    EXPECT_FALSE(parse_cell(name)) << name;
  }
}

TEST(RecoveryCell, BurstsLoseAsMuchAsSingleLosses) {
  const BurstLoss burst = cell("10% burst").data_path().burst;
  EXPECT_NEAR(burst.enter / (burst.enter + burst.leave), 0.1, 1e-9);
}

TEST(RecoveryCell, FormulasGiveTheWindowsOfTheRfcs) {
  // In segments: sqrt(1.5 / 1e-4) of Reno, and 1.054 * (0.1 / 1e-4)^(3/4) of CUBIC where that is
  // more.
  const double segment = kSegmentPayload * 8;
  EXPECT_NEAR(*cell("10gbit 10ms 0.01% reno").expected() / segment * 0.01, 122, 1);
  EXPECT_NEAR(*cell("10gbit 10ms 0.01% cubic").expected() / segment * 0.01, 122, 1);
  EXPECT_NEAR(*cell("10gbit 100ms 0.01% cubic").expected() / segment * 0.1, 187, 1);
  EXPECT_EQ(cell("10mbit 0.01% cubic").expected(), cell("10mbit").capacity());
  EXPECT_FALSE(cell("1% burst").expected());
}

TEST(RecoveryScene, AFlowThatLosesNothingFillsThePath) {
  const Cell clean = cell("10mbit 20ms reno");
  const Result result = run(clean, 10s);
  EXPECT_GT(result.goodput(), 0.9 * clean.capacity());
  EXPECT_LE(result.goodput(), clean.capacity());
  EXPECT_EQ(result.path.of(FrameFate::lost), 0U);
  EXPECT_EQ(result.failure, "");
}

TEST(RecoveryScene, EqualFlowsShareAlike) {
  const Result result = run(cell("10mbit 20ms reno x2"), 30s);
  ASSERT_EQ(result.flows.size(), 2U);
  EXPECT_GT(result.fairness(), 0.9);
  EXPECT_NEAR(result.share(0, 2) + result.share(1, 2), 1, 1e-9);
}

TEST(RecoveryScene, FairnessIsOneOnlyOfEqualFlows) {
  Result result;
  result.flows = {{.settled = 30}, {.settled = 10}};
  EXPECT_DOUBLE_EQ(result.fairness(), 0.8);
  EXPECT_DOUBLE_EQ(result.share(0, 2), 0.75);
  result.flows[1].settled = 30;
  EXPECT_DOUBLE_EQ(result.fairness(), 1);
}

TEST(RecoveryRunner, ThreadsChangeNeitherFiguresNorOrder) {
  const std::vector<Cell> cells = {cell("10mbit 1% reno"), cell("10mbit 5% cubic"),
                                   cell("1mbit 3% burst reno")};
  const auto lines_of = [&](unsigned jobs) {
    std::string told;
    run_all(cells, {.span = 5s, .jobs = jobs},
            [&](const Measured& measured) { told += line(measured) + '\n'; });
    return told;
  };
  const std::string alone = lines_of(1);
  EXPECT_EQ(alone, lines_of(3));
  EXPECT_NE(alone.find("10mbit 20ms 1% random reno"), std::string::npos);
}

TEST(RecoverySnapshot, NoticesAChangedFigureAndTakesTheNewOne) {
  const Measured measured{cell("10mbit 1% reno"), run(cell("10mbit 1% reno"), 5s)};
  const std::vector<Measured> results = {measured};
  auto snapshot = Snapshot::parse("# head\n10mbit 20ms 1% random reno   1.00 changed\n");
  ASSERT_TRUE(snapshot);
  EXPECT_NE(differences(*snapshot, results).find("-10mbit 20ms 1% random reno   1.00 changed\n+"),
            std::string::npos);
  snapshot->update(results);
  EXPECT_EQ(differences(*snapshot, results), "");
  EXPECT_EQ(snapshot->text(), line_head() + line(measured) + '\n');
}

TEST(RecoverySnapshot, ReadsAFileInConflict) {
  const auto snapshot =
      Snapshot::parse("<<<<<<< HEAD\n10mbit 1% reno  1\n=======\n10mbit 1% reno  2\n>>>>>>> x\n");
  ASSERT_TRUE(snapshot);
  ASSERT_EQ(snapshot->lines().size(), 1U);
  EXPECT_EQ(snapshot->lines()[0].text, "10mbit 1% reno  1");
}

TEST(RecoverySnapshot, RefusesALineThatNamesNoCell) {
  EXPECT_FALSE(Snapshot::parse("some words\n"));
}

}  // namespace
}  // namespace hawser::recovery
