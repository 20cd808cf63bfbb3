#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace hawser::bench {

namespace {

/// Three significant figures and a unit prefix, so that columns stay narrow: "1.62 M".
std::string number(double value) {
  if (value >= 1e6) return fmt::format("{:.3g} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.3g} k", value / 1e3);
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string range(const Spread& of) {
  return of.low == of.high ? std::string() : fmt::format("{}..{}", number(of.low), number(of.high));
}

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + ' ';
}
std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text + "  ";
}

/// Adds an element to the inside of a JSON array.
void append(std::string& list, const std::string& element) {
  if (!list.empty()) list += ',';
  list += element;
}

struct Row {
  std::string name;
  std::string unit;
  std::string contender;
  std::string median;
  std::string span;
  std::string ratio;
  std::string ratio_span;
};

std::string line(const Row& row) {
  std::string result = left(row.name, 23) + left(row.unit, 6) + left(row.contender, 28) +
                       right(row.median, 7) + left(row.span, 16) + right(row.ratio, 6) +
                       row.ratio_span;
  result.erase(result.find_last_not_of(' ') + 1);
  return result + '\n';
}

}  // namespace

std::string table_head() {
  return line({"", "", "", "", "", "Hawser", ""}) +
         line({"case", "unit", "contender", "median", "min..max", "is x", "min..max"});
}

std::string table_rows(const CaseResult& result) {
  std::string lines;
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
    const Outcome& outcome = result.outcomes[i];
    const Spread figure = spread(outcome.rounds);
    Row row{"", "", outcome.contender, number(figure.median), range(figure), "", ""};
    if (i == 0) {
      row.name = result.name;
      row.unit = result.unit;
    } else {
      const Spread ratio = spread(result.ratios(i));
      row.ratio = number(ratio.median);
      row.ratio_span = range(ratio);
    }
    lines += line(row);
  }
  return lines;
}

std::string to_json(std::span<const CaseResult> results, std::string_view facts) {
  std::string cases;
  for (const CaseResult& result : results) {
    std::string outcomes;
    for (const Outcome& outcome : result.outcomes) {
      std::string rounds;
      for (const double figure : outcome.rounds) append(rounds, fmt::format("{:.6g}", figure));
      append(outcomes, fmt::format(R"({{"contender":"{}","median":{:.6g},"rounds":[{}]}})",
                                   outcome.contender, spread(outcome.rounds).median, rounds));
    }
    append(cases, fmt::format(R"({{"name":"{}","unit":"{}","better":"{}","outcomes":[{}]}})",
                              result.name, result.unit,
                              result.better == Better::higher ? "higher" : "lower", outcomes));
  }
  return fmt::format("{{\"facts\":\"{}\",\"cases\":[{}]}}\n", facts, cases);
}

}  // namespace hawser::bench
