// hawser-recovery: how much TCP gets through when frames are lost, in virtual time.
// docs/recovery.md says what the figures mean.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "inspect.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "snapshot.hpp"

namespace {

using namespace hawser;
using namespace hawser::recovery;

struct Arguments {
  std::vector<std::string> cells;
  std::vector<std::string> filters;
  std::string check;
  std::string update;
  RunOptions run;
  std::string span;
  std::string every;
  InspectOptions inspect;
  bool markdown = false;
  bool json = false;
  bool list = false;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.add_option("--cell", arguments.cells,
                 "a cell to run, by its name; words that are missing "
                 "are 100mbit 20ms 0% random cubic x1")
      ->type_name("NAME");
  app.add_option("--filter", arguments.filters, "only cells with all of these words in their names")
      ->type_name("WORDS");
  auto* check = app.add_option("--check", arguments.check, "run the cells of a file and compare")
                    ->type_name("FILE");
  auto* update =
      app.add_option("--update", arguments.update, "run the cells of a file and write it anew")
          ->type_name("FILE")
          ->excludes(check);
  app.add_option("--jobs", arguments.run.jobs, "cells at a time; as many as there are processors")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  auto* seed = app.add_option("--seed", arguments.run.seed, "of all chance (1)")->type_name("N");
  auto* span = app.add_option("--for", arguments.span, "virtual time of each cell, as 2s (60s)")
                   ->type_name("TIME");
  for (CLI::Option* file : {check, update}) file->excludes(seed)->excludes(span);
  app.add_flag("--markdown", arguments.markdown, "tables in markdown");
  app.add_flag("--json", arguments.json, "one JSON object a line")->excludes("--markdown");
  app.add_flag("--list", arguments.list, "name the cells and end");

  const std::string look = "To look into one cell";
  app.add_option("--series", arguments.inspect.series,
                 "window, round-trip time and counts over time, as CSV, to a file or - for stdout")
      ->type_name("FILE")
      ->group(look);
  app.add_option("--every", arguments.every, "between two lines of it (10ms)")
      ->type_name("TIME")
      ->group(look);
  app.add_option("--pcapng", arguments.inspect.pcapng, "what the sender sees, for Wireshark")
      ->type_name("FILE")
      ->group(look);
  app.add_flag("--ladder", arguments.inspect.ladder, "every segment of it; with --for 1s or so")
      ->needs(span)
      ->group(look);
  app.footer(
      "Without options all cells run, which takes some minutes. The same library gives the\n"
      "same figures.\n\n"
      "Examples:\n"
      "  hawser-recovery --filter '100mbit 1% random'\n"
      "  hawser-recovery --cell '50mbit 40ms 2% burst reno' --series window.csv\n"
      "  hawser-recovery --cell '10mbit 100ms 3% cubic' --for 3s --ladder\n"
      "  hawser-recovery --check bench/recovery/snapshot.txt\n"
      "  hawser-recovery --update bench/recovery/snapshot.txt");
}

template <typename T>
T must(Parsed<T> parsed) {
  if (!parsed) throw std::runtime_error(parsed.error());
  return *std::move(parsed);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(fmt::format("cannot read {}", path));
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path) << text << std::flush)) {
    throw std::runtime_error(fmt::format("cannot write {}", path));
  }
}

bool has_all_words(const std::string& name, const std::string& words) {
  std::istringstream stream(words);
  return std::all_of(std::istream_iterator<std::string>(stream), {}, [&](const std::string& word) {
    return fmt::format(" {} ", name).contains(fmt::format(" {} ", word));
  });
}

bool is_terminal(int fd) { return ::isatty(fd) != 0; }

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal(STDOUT_FILENO) && (no_colour == nullptr || *no_colour == '\0');
}

/// How far it is, on stderr when that is a terminal.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(is_terminal(STDERR_FILENO)) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void clear() const {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  void advance() {
    ++done_;
    if (shown_) fmt::print(stderr, "\r\033[K{} of {} cells", done_, total_);
  }

 private:
  std::size_t total_;
  std::size_t done_ = 0;
  bool shown_;
};

class Program {
 public:
  explicit Program(Arguments arguments) : arguments_(std::move(arguments)) {}

  /// The exit code.
  int run();

 private:
  std::vector<Cell> choose();
  std::vector<Measured> measure(const std::vector<Cell>& cells) const;
  void print(const Measured& measured) const;
  int check(const std::vector<Measured>& results) const;

  bool has_file() const { return !arguments_.check.empty() || !arguments_.update.empty(); }

  Arguments arguments_;
  std::optional<Snapshot> snapshot_;
};

std::vector<Cell> Program::choose() {
  std::vector<Cell> cells;
  if (has_file()) {
    const std::string& path = arguments_.check.empty() ? arguments_.update : arguments_.check;
    snapshot_ = must(Snapshot::parse(read_file(path)));
    for (const Snapshot::Line& line : snapshot_->lines()) cells.push_back(line.cell);
  } else if (arguments_.cells.empty()) {
    cells = all_cells();
  }
  for (const std::string& name : arguments_.cells) cells.push_back(must(parse_cell(name)));
  std::erase_if(cells, [this](const Cell& cell) {
    const auto fits = [&](const std::string& words) { return has_all_words(cell.name(), words); };
    return !arguments_.filters.empty() && std::ranges::none_of(arguments_.filters, fits);
  });
  if (cells.empty()) throw std::runtime_error("there is no such cell; see --list");
  return cells;
}

void Program::print(const Measured& measured) const {
  if (arguments_.markdown || has_file()) return;
  const std::string text = arguments_.json ? json_line(measured) : line(measured, wants_colour());
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

std::vector<Measured> Program::measure(const std::vector<Cell>& cells) const {
  if (!arguments_.markdown && !arguments_.json && !has_file()) fmt::print("{}", line_head());
  Progress progress(cells.size());
  return run_all(cells, arguments_.run, [&](const Measured& measured) {
    progress.clear();
    print(measured);
    progress.advance();
  });
}

int Program::check(const std::vector<Measured>& results) const {
  const std::string changes = differences(*snapshot_, results);
  if (changes.empty()) return 0;
  fmt::print(
      "{}\nThese cells are not as {} has them. If that is meant, write it anew:\n"
      "  hawser-recovery --update {}\n",
      changes, arguments_.check, arguments_.check);
  return 1;
}

int Program::run() {
  const std::vector<Cell> cells = choose();
  if (arguments_.list) {
    for (const Cell& cell : cells) fmt::print("{}\n", cell.name());
    return 0;
  }
  if (!arguments_.span.empty()) arguments_.run.span = must(parse_duration(arguments_.span));
  if (!arguments_.every.empty()) arguments_.inspect.every = must(parse_duration(arguments_.every));
  if (arguments_.run.span <= Duration{} || arguments_.inspect.every <= Duration{}) {
    throw std::runtime_error("a time must be longer than nothing");
  }
  if (arguments_.inspect.any()) {
    if (cells.size() != 1) throw std::runtime_error("name one cell to look into, by --cell");
    const Measured measured = inspect(cells.front(), arguments_.run, arguments_.inspect);
    if (arguments_.inspect.series != "-") print(measured);
    return 0;
  }
  const std::vector<Measured> results = measure(cells);
  if (!arguments_.check.empty()) return check(results);
  if (!arguments_.update.empty()) {
    snapshot_->update(results);
    write_file(arguments_.update, snapshot_->text());
  } else if (arguments_.markdown) {
    fmt::print("{}", markdown(results));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("How much TCP gets through when frames are lost, late or too many.");
  Arguments arguments;
  arguments.run.jobs = std::max(1U, std::thread::hardware_concurrency());
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    return Program(std::move(arguments)).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "hawser-recovery: {}\n", error.what());
    return 2;
  }
}
