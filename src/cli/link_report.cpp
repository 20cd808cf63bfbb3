#include "cli/link_report.hpp"

#include <fmt/format.h>

#include <string_view>

namespace hawser::cli {

namespace {

/// Adds "3 lost" to a list with commas.
void add_count(std::string& list, std::uint64_t count, std::string_view what) {
  if (count == 0) return;
  list += fmt::format("{}{} {}", list.empty() ? "" : ", ", count, what);
}

}  // namespace

std::string report_of(const LinkReport& link) {
  const PathCounters& counters = link.counters;
  std::string dropped;
  for (std::size_t i = 1; i < kFrameFates; ++i) {
    add_count(dropped, counters.fates[i], to_string(static_cast<FrameFate>(i)));
  }
  std::string changed;
  add_count(changed, counters.corrupted, "corrupted");
  add_count(changed, counters.marked, "marked");
  add_count(changed, counters.duplicated, "duplicated");
  add_count(changed, counters.reordered, "reordered");
  std::string text =
      fmt::format("{} -> {}: {} frames, {} bytes, {} delivered", link.from, link.to,
                  counters.frames, counters.bytes, counters.of(FrameFate::delivered));
  if (link.in_flight != 0) text += fmt::format(", {} still on their way", link.in_flight);
  text += '\n';
  if (!dropped.empty()) text += fmt::format("    dropped: {}\n", dropped);
  if (!changed.empty()) text += fmt::format("    of the delivered: {}\n", changed);
  return text;
}

}  // namespace hawser::cli
