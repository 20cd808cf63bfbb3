#include "measure.hpp"

#include <time.h>

#include <algorithm>

namespace hawser::bench {

namespace {

/// Time that this thread has worked: what else the machine does meanwhile does not count.
Seconds worked() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Seconds(static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9);
}

}  // namespace

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

std::vector<double> CaseResult::ratios(std::size_t other) const {
  std::vector<double> result;
  const std::vector<double>& ours = outcomes.front().rounds;
  const std::vector<double>& theirs = outcomes[other].rounds;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    result.push_back(better == Better::higher ? ours[i] / theirs[i] : theirs[i] / ours[i]);
  }
  return result;
}

CaseResult measure(const Case& what, std::size_t rounds, Seconds slice) {
  CaseResult result{what.name, what.unit, what.better, {}};
  for (const Runner& runner : what.runners) {
    result.outcomes.push_back({runner.contender, {}});
    runner.run(slice / 4);  // caches, and windows that have to open
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < what.runners.size(); ++i) {
      result.outcomes[i].rounds.push_back(what.runners[i].run(slice));
    }
  }
  return result;
}

double rate(Seconds slice, double amount, const std::function<void()>& step) {
  const Seconds begin = worked();
  double done = 0;
  Seconds elapsed{};
  do {
    step();
    done += amount;
    elapsed = worked() - begin;
  } while (elapsed < slice);
  return done / elapsed.count();
}

}  // namespace hawser::bench
