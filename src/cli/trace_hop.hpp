// One hop of a trace: the probes that were sent so far, and who answered them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/trace_probes.hpp"

namespace hawser::cli {

class Hop {
 public:
  /// Its probes are numbered from `first` on.
  Hop(std::size_t number, std::size_t first, std::size_t count)
      : number_(number), first_(first), probes_(count) {}

  void on_sent(std::size_t probe, TraceClock::time_point at) {
    probes_[probe - first_].sent_at = at;
  }
  /// Passes over answers to probes of other hops, and over a second one.
  void on_answer(ProbeAnswer answer);

  bool is_complete() const;
  /// Nothing is to be found behind it.
  bool is_last() const;
  bool has_reached() const;
  /// Those who answered.
  std::vector<IpAddress> routers() const;

  /// As traceroute(8) writes it, in one line. `label` is how a router is shown.
  std::string render(const std::function<std::string(const IpAddress&)>& label) const;

 private:
  struct Probe {
    TraceClock::time_point sent_at{};
    std::optional<ProbeAnswer> answer{};
  };

  std::size_t number_;
  std::size_t first_;
  std::vector<Probe> probes_;
};

}  // namespace hawser::cli
