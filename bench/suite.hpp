// Which cases there are, and how the contenders are set up for them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "hawser_pair.hpp"
#include "lwip_pair.hpp"
#include "measure.hpp"
#include "memcpy.hpp"

namespace hawser::bench {

struct SuiteOptions {
  std::size_t rounds = 7;
  Seconds slice{0.15};              ///< of one contender in one round
  std::size_t connections = 10000;  ///< open at once in the cases with many
  std::vector<std::string> only{};  ///< cases whose name has one of these in it; none means all
};

class Suite {
 public:
  using Report = std::function<void(const CaseResult&)>;

  explicit Suite(SuiteOptions options);

  std::vector<std::string> names();
  /// Runs the chosen cases and passes each result on as soon as it is there.
  void run(const Report& report);

 private:
  static constexpr const char* kMemory = "memory";

  bool chosen(const std::string& name) const;
  void run_cases(const std::vector<Case>& cases, std::size_t connections, const Report& report);
  void verify();

  std::vector<Case> single_cases();
  std::vector<Case> crowd_cases();
  std::vector<CaseResult> footprints();
  Case bulk(const std::string& name);
  Case bulk_variations(const std::string& name);
  Case request_response(const std::string& name);
  Case round_robin(const std::string& name);
  Case connect_cycle(const std::string& name);
  Case idle(const std::string& name);

  SuiteOptions options_;
  HawserPair hawser_;
  LwipPair lwip_;
  Memcpy memcpy_;
  std::vector<std::size_t> order_;  // in which round robin visits the connections
};

}  // namespace hawser::bench
