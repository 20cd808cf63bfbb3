#include "runner.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>

namespace hawser::recovery {

std::vector<Measured> run_all(std::span<const Cell> cells, const RunOptions& options,
                              const std::function<void(const Measured&)>& done) {
  std::mutex mutex;  // of all below
  std::size_t next = 0;
  std::vector<std::optional<Measured>> results(cells.size());
  std::vector<Measured> in_order;

  const auto take = [&]() -> std::optional<std::size_t> {
    const std::scoped_lock lock(mutex);
    if (next == cells.size()) return std::nullopt;
    return next++;
  };
  const auto put = [&](std::size_t index, Measured measured) {
    const std::scoped_lock lock(mutex);
    results[index] = std::move(measured);
    while (in_order.size() < results.size() && results[in_order.size()]) {
      in_order.push_back(*std::move(results[in_order.size()]));
      done(in_order.back());
    }
  };
  const auto work = [&] {
    while (const auto index = take()) {
      const Cell& cell = cells[*index];
      put(*index, {cell, run(cell, options.span, options.seed)});
    }
  };
  std::vector<std::jthread> threads;
  const std::size_t count = std::min<std::size_t>(std::max(1U, options.jobs), cells.size());
  for (std::size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return in_order;
}

}  // namespace hawser::recovery
