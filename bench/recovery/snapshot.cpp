#include "snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hawser::recovery {

namespace {

/// A name ends where the columns begin: two spaces or the end of the line.
std::string_view name_in(std::string_view line) { return line.substr(0, line.find("  ")); }

bool is_to_skip(std::string_view line) {
  return line.empty() || line.starts_with('#') || line.starts_with("<<<<<<<") ||
         line.starts_with("=======") || line.starts_with(">>>>>>>") || line.starts_with("|||||||");
}

}  // namespace

Parsed<Snapshot> Snapshot::parse(std::string_view text) {
  Snapshot snapshot;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_to_skip(line)) continue;
    const auto cell = parse_cell(name_in(line));
    if (!cell) return std::unexpected(fmt::format("{} in the line '{}'", cell.error(), line));
    const std::string name = cell->name();
    const bool known = std::ranges::any_of(
        snapshot.lines_, [&name](const Line& other) { return other.cell.name() == name; });
    if (!known) snapshot.lines_.push_back({*cell, std::string(line)});
  }
  return snapshot;
}

void Snapshot::update(std::span<const Measured> results) {
  for (const Measured& measured : results) {
    const std::string name = measured.cell.name();
    for (Line& each : lines_) {
      if (each.cell.name() == name) each.text = line(measured);
    }
  }
}

std::string Snapshot::text() const {
  std::string text = line_head();
  for (const Line& each : lines_) text += each.text + '\n';
  return text;
}

std::string differences(const Snapshot& snapshot, std::span<const Measured> results) {
  Snapshot today = snapshot;
  today.update(results);
  std::string text;
  for (std::size_t i = 0; i < snapshot.lines().size(); ++i) {
    const std::string& before = snapshot.lines()[i].text;
    const std::string& now = today.lines()[i].text;
    if (before != now) text += fmt::format("-{}\n+{}\n", before, now);
  }
  return text;
}

}  // namespace hawser::recovery
