#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

namespace hawser::recovery {

namespace {

constexpr double kMega = 1e6;
constexpr double kFarBelow = 0.5;  // of what was expected

double milliseconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

double of_link(const Measured& measured) {
  return measured.result.goodput() / static_cast<double>(measured.cell.rate);
}

std::optional<double> of_expected(const Measured& measured) {
  const auto expected = measured.cell.expected();
  if (!expected) return std::nullopt;
  return measured.result.goodput() / *expected;
}

/// The reasons for which segments were sent again, with how many.
std::vector<std::pair<std::string, std::uint64_t>> repetitions(const Result& result) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (std::size_t i = 0; i < result.sent.size(); ++i) {
    const auto reason = static_cast<SendReason>(i);
    if (result.sent[i] == 0 || !is_repetition(reason)) continue;
    std::string name(to_string(reason));
    std::ranges::replace(name, ' ', '-');
    counts.emplace_back(std::move(name), result.sent[i]);
  }
  return counts;
}

std::string fairness(const Measured& measured) {
  const auto& algorithms = measured.cell.algorithms;
  std::string text = fmt::format(" jain={:.3f}", measured.result.fairness());
  for (std::size_t i = 0; algorithms.size() > 1 && i < algorithms.size(); ++i) {
    text += fmt::format(" {}={:.1f}%", algorithms[i],
                        100 * measured.result.share(i, algorithms.size()));
  }
  return text;
}

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.1f}%", 100 * *share) : "-";
}

// ---- markdown

std::string path_name(const Cell& cell) {
  const std::string name = cell.name();
  return name.substr(0, name.find(' ', name.find(' ') + 1));
}

/// Three significant figures, or two decimals.
std::string megabits(const Measured& measured) {
  const double value = measured.result.goodput() / kMega;
  return fmt::format("{:.{}f}", value, value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

std::string share_cell(const Measured& measured) {
  const auto expected = of_expected(measured);
  if (!expected) return megabits(measured);
  return megabits(measured) + fmt::format(" ({:.0f} %)", 100 * *expected);
}

/// One table: a row for each path, a column for each loss, in the order in which they come.
std::string pivot(const std::vector<const Measured*>& results) {
  std::set<double> losses;
  std::vector<std::string> paths;
  std::map<std::pair<std::string, double>, std::string> cells;
  for (const Measured* each : results) {
    const std::string path = path_name(each->cell);
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    losses.insert(each->cell.loss);
    cells[{path, each->cell.loss}] = share_cell(*each);
  }
  std::string text = "| path |";
  for (const double loss : losses) text += fmt::format(" {:g} % |", loss * 100);
  text += "\n|---|";
  for (std::size_t i = 0; i < losses.size(); ++i) text += "---|";
  text += '\n';
  for (const std::string& path : paths) {
    text += fmt::format("| {} |", path);
    for (const double loss : losses) text += fmt::format(" {} |", cells[{path, loss}]);
    text += '\n';
  }
  return text;
}

std::string flows_table(const std::vector<const Measured*>& results) {
  std::string text = "| flows | Mbit/s | Jain's index | shares |\n|---|---|---|---|\n";
  for (const Measured* each : results) {
    const auto& algorithms = each->cell.algorithms;
    std::string shares;
    for (std::size_t i = 0; algorithms.size() > 1 && i < algorithms.size(); ++i) {
      shares += fmt::format("{}{} {:.0f} %", i == 0 ? "" : ", ", algorithms[i],
                            100 * each->result.share(i, algorithms.size()));
    }
    text += fmt::format("| {} | {:.1f} | {:.3f} | {} |\n", each->cell.name(),
                        each->result.goodput() / kMega, each->result.fairness(), shares);
  }
  return text;
}

}  // namespace

std::string line_head() {
  return fmt::format(
      "# {} s of virtual time each, seed 1. link: share of the rate, headers take 3.5 %; model: "
      "of\n"
      "# what Mathis's formula or RFC 9438 5.1 gives; drops: frames lost or over the queue; then\n"
      "# segments sent again by reason, those of them in vain, fast recoveries, timeouts, and the\n"
      "# longest time in which a receiver read nothing, also in retransmission timeouts.\n"
      "#{:<39} {:>8} {:>6} {:>7}\n",
      kSpan / std::chrono::seconds(1), " cell", "Mbit/s", "link", "model");
}

std::string line(const Measured& measured, bool colour) {
  const Result& result = measured.result;
  const auto expected = of_expected(measured);
  std::string figures = fmt::format("{:>8.2f} {:>6} {:>7}", result.goodput() / kMega,
                                    percent(of_link(measured)), percent(expected));
  if (colour && expected.value_or(1) < kFarBelow) figures = "\033[1;31m" + figures + "\033[0m";
  std::string text =
      fmt::format("{:<40} {}  drops={}", measured.cell.name(), figures, result.dropped());
  for (const auto& [reason, count] : repetitions(result)) {
    text += fmt::format(" {}={}", reason, count);
  }
  text += fmt::format(" in-vain={} recoveries={} timeouts={} gap={:.1f}ms={:.1f}rto",
                      result.in_vain(), result.recoveries, result.timeouts,
                      milliseconds(result.slowest().longest_gap), result.slowest().gap_rtos);
  if (measured.cell.flows > 1) text += fairness(measured);
  if (!result.failure.empty()) text += " FAILED: " + result.failure;
  return text;
}

std::string json_line(const Measured& measured) {
  const Cell& cell = measured.cell;
  const Result& result = measured.result;
  nlohmann::ordered_json json = {{"cell", cell.name()},
                                 {"rate_bits", cell.rate},
                                 {"rtt_ms", milliseconds(cell.rtt)},
                                 {"loss", cell.loss},
                                 {"kind", to_string(cell.kind)},
                                 {"algorithms", cell.algorithms},
                                 {"flows", cell.flows},
                                 {"goodput_bits", result.goodput()},
                                 {"of_link", of_link(measured)},
                                 {"of_model", nullptr},
                                 {"dropped", result.dropped()},
                                 {"in_vain", result.in_vain()},
                                 {"recoveries", result.recoveries},
                                 {"timeouts", result.timeouts},
                                 {"gap_ms", milliseconds(result.slowest().longest_gap)},
                                 {"gap_rtos", result.slowest().gap_rtos},
                                 {"jain", result.fairness()},
                                 {"failure", result.failure}};
  if (const auto expected = of_expected(measured)) json["of_model"] = *expected;
  json["repeated"] = nlohmann::ordered_json::object();
  for (const auto& [reason, count] : repetitions(result)) json["repeated"][reason] = count;
  for (const FlowResult& flow : result.flows) json["flow_bytes"].push_back(flow.delivered);
  return json.dump();
}

std::string markdown(std::span<const Measured> results) {
  std::vector<std::string> titles;
  std::map<std::string, std::vector<const Measured*>> tables;
  std::vector<const Measured*> flows;
  for (const Measured& each : results) {
    if (each.cell.flows > 1) {
      flows.push_back(&each);
      continue;
    }
    const std::string title =
        fmt::format("{}, {}", each.cell.algorithms.front(), to_string(each.cell.kind));
    if (tables[title].empty()) titles.push_back(title);
    tables[title].push_back(&each);
  }
  std::string text;
  for (const std::string& title : titles) {
    text += fmt::format("### {}\n\n{}\n", title, pivot(tables[title]));
  }
  if (!flows.empty()) text += "### several flows\n\n" + flows_table(flows);
  return text;
}

}  // namespace hawser::recovery
