// hawser-bench: Hawser beside lwIP and memcpy, interleaved in one run. docs/performance.md says
// what the figures mean.
#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>

#include "report.hpp"
#include "suite.hpp"

namespace {

using namespace hawser::bench;

/// Stays on the core it is on, as both ends of each pair are measured on one.
void pin_to_this_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

struct Arguments {
  SuiteOptions suite;
  std::string json;  ///< a file, or "-"
  double slice_ms = 150;
  bool list = false;
  bool smoke = false;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("case", arguments.suite.only, "cases to run: any part of their names");
  app.add_option("--rounds", arguments.suite.rounds, "rounds of each case")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--slice", arguments.slice_ms, "milliseconds of a contender in a round")
      ->check(CLI::Range(0.0, 60000.0))
      ->capture_default_str();
  app.add_option("--connections", arguments.suite.connections, "open in the cases with many")
      ->check(CLI::Range(1, 25000))
      ->capture_default_str();
  app.add_option("--json", arguments.json, "write the results as JSON to a file, or - for stdout");
  app.add_flag("--list", arguments.list, "name the cases and end");
  app.add_flag("--smoke", arguments.smoke, "one short round with few connections: does it work?");
}

void run(const Arguments& arguments) {
  Suite suite(arguments.suite);
  if (arguments.list) {
    for (const std::string& name : suite.names()) fmt::print("{}\n", name);
    return;
  }
  const bool table = arguments.json != "-";
  if (table) {
    fmt::print("Both ends on one core, MTU 1500, {} rounds of {:.0f} ms, many = {} connections.\n",
               arguments.suite.rounds, arguments.suite.slice.count() * 1e3,
               arguments.suite.connections);
    fmt::print("{}.\n\n{}", LwipPair::facts(), table_head());
  }
  std::vector<CaseResult> results;
  suite.run([&](const CaseResult& result) {
    if (table) {
      fmt::print("{}", table_rows(result));
      std::fflush(stdout);
    }
    results.push_back(result);
  });
  if (arguments.json.empty()) return;
  const std::string json = to_json(results, LwipPair::facts());
  if (!table) {
    fmt::print("{}", json);
  } else if (!(std::ofstream(arguments.json) << json)) {
    throw Failure(fmt::format("cannot write {}", arguments.json));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Hawser beside lwIP and memcpy, interleaved in one run.");
  Arguments arguments;
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  if (arguments.smoke) {
    arguments.suite.rounds = 1;
    arguments.suite.connections = 50;
    arguments.slice_ms = 2;
  }
  arguments.suite.slice = Seconds(arguments.slice_ms / 1e3);
  pin_to_this_core();
  try {
    run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "hawser-bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
