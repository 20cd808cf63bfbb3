// Cases, rounds and what they give: for each round every contender in turn, so that whatever the
// machine does meanwhile meets all of them alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hawser::bench {

using Seconds = std::chrono::duration<double>;

enum class Better : std::uint8_t { higher, lower };

/// One contender in one case.
struct Runner {
  std::string contender;
  /// Works for about the given time and returns the figure, in the unit of the case.
  std::function<double(Seconds)> run;
};

struct Case {
  std::string name;
  std::string unit;
  Better better = Better::higher;
  std::vector<Runner> runners;  ///< Hawser first
};

/// Median and range of the figures of some rounds.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
Spread spread(std::vector<double> values);

struct Outcome {
  std::string contender;
  std::vector<double> rounds;
};

struct CaseResult {
  std::string name;
  std::string unit;
  Better better = Better::higher;
  std::vector<Outcome> outcomes;  ///< in the order of the runners

  /// How many times better the first contender is than `other`, round by round.
  std::vector<double> ratios(std::size_t other) const;
};

/// Lets each runner warm up, then runs all of them in turn for `rounds` rounds: A B A B …
CaseResult measure(const Case& what, std::size_t rounds, Seconds slice);

/// Repeats `step`, which does `amount` of something, for about `slice`; returns the amount in a
/// second of this thread's time on its core.
double rate(Seconds slice, double amount, const std::function<void()>& step);

}  // namespace hawser::bench
