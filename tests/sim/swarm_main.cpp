// hawser-swarm: runs seeds of the swarm, one or many, and says how to replay one that fails.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "swarm.hpp"

namespace {

using hawser::swarm::Outcome;

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  bool verbose = false;
};

constexpr std::string_view kHelp =
    R"(hawser-swarm: TCP under random faults and random programs, in virtual time

  --seed N      the first seed (1)
  --count M     how many seeds, one after the other (1)
  --verbose     print the plan, every frame and every step of the programs

Examples
  hawser-swarm --seed 1 --count 10000
  hawser-swarm --seed 4711 --verbose
)";

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
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
    const bool known = argument == "--seed" || argument == "--count";
    const auto value = known && i + 1 < argc ? number(argv[++i]) : std::nullopt;
    if (!value) {
      fmt::print(stderr, "hawser-swarm: wrong argument '{}'; see --help\n", argument);
      return std::nullopt;
    }
    (argument == "--seed" ? options.seed : options.count) = *value;
  }
  return options;
}

/// Runs all seeds; the number of those that failed.
std::uint64_t run(const Options& options) {
  std::uint64_t failures = 0;
  Outcome total;
  for (std::uint64_t seed = options.seed; seed != options.seed + options.count; ++seed) {
    const Outcome outcome = hawser::swarm::run_seed(
        seed, options.verbose
                  ? hawser::swarm::Trace([](const std::string& line) { fmt::print("{}\n", line); })
                  : hawser::swarm::Trace{});
    if (!outcome.ok()) {
      ++failures;
      fmt::print("seed {} failed: {}\n  replay: hawser-swarm --seed {} --verbose\n", seed,
                 outcome.failure, seed);
      std::fflush(stdout);
    }
    total.connections += outcome.connections;
    total.failed_connections += outcome.failed_connections;
    total.bytes += outcome.bytes;
    total.frames += outcome.frames;
    total.frames_lost += outcome.frames_lost;
    total.virtual_time += outcome.virtual_time;
  }
  fmt::print(
      "{} seeds, {} failed: {} connections ({} ended with an error that the plan explains), {} "
      "bytes delivered, {} frames ({} lost), {} hours of virtual time\n",
      options.count, failures, total.connections, total.failed_connections, total.bytes,
      total.frames, total.frames_lost, total.virtual_time / std::chrono::hours(1));
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
