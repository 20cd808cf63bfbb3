#include "cli/trace_hop.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

constexpr IpAddress kNear = IpAddress::v4(192, 0, 2, 1);
constexpr IpAddress kFar = IpAddress::v4(192, 0, 2, 2);
constexpr TraceClock::time_point kBegin{1h};

Hop sent_hop(std::size_t first = 6) {
  Hop hop(3, first, 3);
  for (std::size_t i = 0; i < 3; ++i) hop.on_sent(first + i, kBegin);
  return hop;
}

ProbeAnswer answer(std::size_t probe, const IpAddress& from, Duration after) {
  return {.probe = probe, .from = from, .at = kBegin + after};
}

std::string render(const Hop& hop) {
  return hop.render(
      [](const IpAddress& router) { return fmt::format("<{}>", router.to_string()); });
}

TEST(TraceHop, ShowsARouterOnceForItsAnswers) {
  Hop hop = sent_hop();
  EXPECT_EQ(render(hop), " 3  * * *");
  hop.on_answer(answer(6, kNear, 1500us));
  EXPECT_EQ(render(hop), " 3  <192.0.2.1>  1.50 ms  * *");
  hop.on_answer(answer(8, kNear, 2ms));
  EXPECT_FALSE(hop.is_complete());
  hop.on_answer(answer(7, kFar, 3ms));
  EXPECT_EQ(render(hop), " 3  <192.0.2.1>  1.50 ms  <192.0.2.2>  3.00 ms  <192.0.2.1>  2.00 ms");
  EXPECT_TRUE(hop.is_complete());
  EXPECT_EQ(hop.routers(), (std::vector{kNear, kFar, kNear}));
}

TEST(TraceHop, AnswersToOtherProbesAndSecondOnesChangeNothing) {
  Hop hop = sent_hop();
  hop.on_answer(answer(6, kNear, 1ms));
  const std::string before = render(hop);
  for (const std::size_t probe : {0U, 5U, 6U, 9U}) hop.on_answer(answer(probe, kFar, 9ms));
  EXPECT_EQ(render(hop), before);
}

TEST(TraceHop, OneAnswerThatIsTheEndIsEnough) {
  Hop hop = sent_hop();
  hop.on_answer(answer(6, kNear, 1ms));
  EXPECT_FALSE(hop.is_last());
  ProbeAnswer refused = answer(7, kNear, 1ms);
  refused.is_end = true;
  refused.mark = "!H";
  hop.on_answer(refused);
  EXPECT_TRUE(hop.is_last());
  EXPECT_FALSE(hop.has_reached());
  EXPECT_EQ(render(hop), " 3  <192.0.2.1>  1.00 ms  1.00 ms !H  *");
  ProbeAnswer reached = answer(8, kFar, 1ms);
  reached.is_end = reached.reached = true;
  hop.on_answer(reached);
  EXPECT_TRUE(hop.has_reached());
}

}  // namespace
}  // namespace hawser::cli
