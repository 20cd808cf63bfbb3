#include "cli/link_report.hpp"

#include <fmt/format.h>

#include <string_view>

#include "cli/host_query.hpp"
#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

/// Adds "3 lost" to a list with commas, unless there are none.
void add_count(std::string& list, const Json& from, std::string_view what) {
  const std::string count = text_of(from, what);
  if (count.empty() || count == "0") return;
  list += fmt::format("{}{} {}", list.empty() ? "" : ", ", count, what);
}

std::string options_of(const Json& impairment) {
  std::string options;
  for (const auto& [name, value] : impairment.items()) {
    options += fmt::format(" --{} {}", printable(name), text_of(impairment, name));
  }
  return options.empty() ? " none" : options;
}

}  // namespace

std::string report_of(const Json& direction, bool with_impairments) {
  std::string text =
      fmt::format("{} -> {}: {} frames, {} bytes, {} delivered", text_of(direction, "from"),
                  text_of(direction, "to"), text_of(direction, "frames"),
                  text_of(direction, "bytes"), text_of(direction, "delivered"));
  const std::string in_flight = text_of(direction, "in_flight");
  if (in_flight != "0") text += fmt::format(", {} still on their way", in_flight);
  text += '\n';
  if (with_impairments) {
    text += fmt::format("    impairments:{}\n",
                        options_of(direction.value("impairment", Json::object())));
  }
  std::string dropped;
  const Json reasons = direction.value("dropped", Json::object());
  for (const auto& [reason, count] : reasons.items()) add_count(dropped, reasons, reason);
  if (!dropped.empty()) text += fmt::format("    dropped: {}\n", dropped);
  std::string changed;
  for (const std::string_view what : {"corrupted", "marked", "duplicated", "reordered"}) {
    add_count(changed, direction, what);
  }
  if (!changed.empty()) text += fmt::format("    of the delivered: {}\n", changed);
  return text;
}

}  // namespace hawser::cli
