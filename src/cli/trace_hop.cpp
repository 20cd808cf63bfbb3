#include "cli/trace_hop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/ping_statistics.hpp"

namespace hawser::cli {

void Hop::on_answer(ProbeAnswer answer) {
  if (answer.probe < first_ || answer.probe - first_ >= probes_.size()) return;  // too late
  Probe& probe = probes_[answer.probe - first_];
  if (!probe.answer) probe.answer = std::move(answer);
}

bool Hop::is_complete() const {
  return std::ranges::all_of(probes_, [](const Probe& probe) { return probe.answer.has_value(); });
}

bool Hop::is_last() const {
  return std::ranges::any_of(
      probes_, [](const Probe& probe) { return probe.answer && probe.answer->is_end; });
}

bool Hop::has_reached() const {
  return std::ranges::any_of(
      probes_, [](const Probe& probe) { return probe.answer && probe.answer->reached; });
}

std::vector<IpAddress> Hop::routers() const {
  std::vector<IpAddress> routers;
  for (const Probe& probe : probes_) {
    if (probe.answer) routers.push_back(probe.answer->from);
  }
  return routers;
}

std::string Hop::render(const std::function<std::string(const IpAddress&)>& label) const {
  std::string line = fmt::format("{:>2} ", number_);
  std::optional<IpAddress> last;
  for (const Probe& probe : probes_) {
    if (!probe.answer) {
      line += " *";
      continue;
    }
    if (last != probe.answer->from) line += fmt::format(" {} ", label(probe.answer->from));
    last = probe.answer->from;
    const Duration round_trip =
        std::max<Duration>(probe.answer->at - probe.sent_at, Duration::zero());
    line += fmt::format(" {} ms", round_trip_text(round_trip));
    if (!probe.answer->mark.empty()) line += " " + probe.answer->mark;
    line += " ";
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace hawser::cli
