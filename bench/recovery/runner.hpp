// Many cells, some at a time, told of in their order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "cell.hpp"
#include "report.hpp"

namespace hawser::recovery {

struct RunOptions {
  Duration span = kSpan;
  std::uint64_t seed = 1;
  unsigned jobs = 1;  ///< threads
};

/// `done` is told of each result in the order of the cells, as soon as it and those before it are
/// there, by one thread at a time.
std::vector<Measured> run_all(std::span<const Cell> cells, const RunOptions& options,
                              const std::function<void(const Measured&)>& done);

}  // namespace hawser::recovery
