// One cell from inside: its window over time, its frames, its ladder.
#pragma once

#include <string>

#include "cell.hpp"
#include "runner.hpp"

namespace hawser::recovery {

struct InspectOptions {
  std::string series;  ///< a file for comma-separated values, or "-"
  Duration every = std::chrono::milliseconds(10);
  std::string pcapng;  ///< a file for what crosses the link, as the sender's end sees it
  bool ladder = false;

  bool any() const { return !series.empty() || !pcapng.empty() || ladder; }
};

/// Runs the cell and writes what is asked for; the ladder goes to standard output. Throws
/// std::runtime_error when a file cannot be written.
Measured inspect(const Cell& cell, const RunOptions& run, const InspectOptions& options);

}  // namespace hawser::recovery
