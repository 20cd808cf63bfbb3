// hawser-swarm: runs seeds of the swarm, one or many, and says how to replay one that fails.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "swarm.hpp"
#include "swarm_network.hpp"

namespace {

using hawser::swarm::Outcome;

/// What seeds are drawn as.
struct PlanKind {
  std::string_view name;
  Outcome (*run)(std::uint64_t seed, hawser::swarm::Trace trace);
};
constexpr std::array kPlans = {PlanKind{"tcp", hawser::swarm::run_seed},
                               PlanKind{"recovery", hawser::swarm::run_recovery_seed},
                               PlanKind{"network", hawser::swarm::run_network_seed}};

struct Options {
  const PlanKind* plan = &kPlans.front();
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  bool verbose = false;
};

constexpr std::string_view kHelp =
    R"(hawser-swarm: hosts under random faults and random programs, in virtual time

  --plan KIND   what is drawn from a seed (tcp)
                  tcp      TCP between two hosts over a bad link
                  recovery the same with longer streams, and with what makes repairing hard:
                           bursts, heavy loss, bunches, closed windows, paths that change
                  network  hosts on an Ethernet: TCP, datagrams in fragments, echoes, while
                           neighbours and addresses come and go and are lied about
  --seed N      the first seed (1)
  --count M     how many seeds, one after the other (1)
  --verbose     print the plan, every frame and every step of the programs

Examples
  hawser-swarm --seed 1 --count 10000
  hawser-swarm --plan network --seed 4711 --verbose
)";

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

const PlanKind* plan_of(std::string_view name) {
  const auto* const found = std::ranges::find(kPlans, name, &PlanKind::name);
  return found == kPlans.end() ? nullptr : found;
}

/// Nothing when the arguments are wrong, which is then said.
std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--verbose") {
      options.verbose = true;
      continue;
    }
    const char* const value = i + 1 < argc ? argv[++i] : "";
    const auto count = number(value);
    if (argument == "--plan" && plan_of(value) != nullptr) {
      options.plan = plan_of(value);
    } else if (argument == "--seed" && count) {
      options.seed = *count;
    } else if (argument == "--count" && count) {
      options.count = *count;
    } else {
      fmt::print(stderr, "hawser-swarm: wrong argument '{} {}'; see --help\n", argument, value);
      return std::nullopt;
    }
  }
  return options;
}

/// Runs all seeds; the number of those that failed.
std::uint64_t run(const Options& options) {
  std::uint64_t failures = 0;
  Outcome total;
  for (std::uint64_t seed = options.seed; seed != options.seed + options.count; ++seed) {
    const Outcome outcome = options.plan->run(
        seed, options.verbose
                  ? hawser::swarm::Trace([](const std::string& line) { fmt::print("{}\n", line); })
                  : hawser::swarm::Trace{});
    if (!outcome.ok()) {
      ++failures;
      fmt::print("seed {} failed: {}\n  replay: hawser-swarm --plan {} --seed {} --verbose\n", seed,
                 outcome.failure, options.plan->name, seed);
      std::fflush(stdout);
    }
    total.connections += outcome.connections;
    total.failed_connections += outcome.failed_connections;
    total.datagrams += outcome.datagrams;
    total.datagrams_arrived += outcome.datagrams_arrived;
    total.forged += outcome.forged;
    total.bytes += outcome.bytes;
    total.frames += outcome.frames;
    total.frames_lost += outcome.frames_lost;
    total.virtual_time += outcome.virtual_time;
  }
  fmt::print(
      "{} seeds, {} failed: {} connections ({} ended with an error that the plan explains), {} "
      "datagrams and echoes ({} arrived; {} met a forged fragment), {} bytes delivered, {} frames "
      "({} lost), {} hours of virtual time\n",
      options.count, failures, total.connections, total.failed_connections, total.datagrams,
      total.datagrams_arrived, total.forged, total.bytes, total.frames, total.frames_lost,
      total.virtual_time / std::chrono::hours(1));
  return failures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    fmt::print("{}", kHelp);
    return 0;
  }
  const auto options = parse(argc, argv);
  if (!options) return 2;
  return run(*options) == 0 ? 0 : 1;
}
