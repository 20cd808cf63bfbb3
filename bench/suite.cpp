#include "suite.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <ranges>
#include <utility>

namespace hawser::bench {

namespace {

constexpr std::uint64_t kBulkStep = 2U << 20;  // bytes between two looks at the clock
constexpr std::size_t kExchangeStep = 64;
constexpr double kGigabits = 8e-9;

/// `step` does `amount` of something; the figure is `scale` times the amount in a second.
Runner repeated(std::string contender, Pair& pair, double amount, double scale,
                std::function<void(Pair&)> step) {
  return {std::move(contender), [=, &pair, step = std::move(step)](Seconds slice) {
            pair.resume();
            const double figure = scale * rate(slice, amount, [&] { step(pair); });
            pair.pause();
            return figure;
          }};
}

Runner bulk_runner(std::string contender, Pair& pair) {
  return repeated(std::move(contender), pair, kBulkStep, kGigabits,
                  [](Pair& on) { on.transfer(kBulkStep); });
}

/// `exchange` is repeated kExchangeStep times between two looks at the clock.
Runner exchange_runner(std::string contender, Pair& pair, std::function<void(Pair&)> exchange) {
  return repeated(std::move(contender), pair, kExchangeStep, 1,
                  [exchange = std::move(exchange)](Pair& on) {
                    for (std::size_t i = 0; i < kExchangeStep; ++i) exchange(on);
                  });
}

/// Both contenders, doing the same.
std::vector<Runner> both(HawserPair& hawser, LwipPair& lwip,
                         const std::function<void(Pair&)>& exchange) {
  return {exchange_runner("Hawser", hawser, exchange), exchange_runner("lwIP", lwip, exchange)};
}

}  // namespace

Suite::Suite(SuiteOptions options) : options_(std::move(options)), order_(options_.connections) {
  // Not in the order in which they were opened: that would let the memory prefetcher guess.
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::shuffle(order_, std::mt19937_64(1));
}

Case Suite::bulk(const std::string& name) {
  Case result{name, "Gbit/s", Better::higher, {}};
  result.runners.push_back(bulk_runner("Hawser", hawser_));
  result.runners.push_back(bulk_runner("lwIP", lwip_));
  result.runners.push_back({"memcpy", [this](Seconds slice) {
                              return kGigabits *
                                     rate(slice, kBulkStep, [&] { memcpy_.transfer(kBulkStep); });
                            }});
  return result;
}

Case Suite::bulk_variations(const std::string& name) {
  Case result{name, "Gbit/s", Better::higher, {}};
  result.runners.push_back({"Hawser, checksums vouched for", [this](Seconds slice) {
                              hawser_.set_trusted_link(true);
                              const double figure = bulk_runner("", hawser_).run(slice);
                              hawser_.set_trusted_link(false);
                              return figure;
                            }});
  result.runners.push_back({"lwIP, read in place", [this](Seconds slice) {
                              lwip_.set_copying(false);
                              const double figure = bulk_runner("", lwip_).run(slice);
                              lwip_.set_copying(true);
                              return figure;
                            }});
  return result;
}

Case Suite::request_response(const std::string& name) {
  return {name, "1/s", Better::higher,
          both(hawser_, lwip_, [](Pair& pair) { pair.request_response(0); })};
}

Case Suite::round_robin(const std::string& name) {
  return {name, "1/s", Better::higher,
          both(hawser_, lwip_, [this, next = std::size_t{0}](Pair& pair) mutable {
            pair.request_response(order_[next]);
            next = (next + 1) % order_.size();
          })};
}

Case Suite::connect_cycle(const std::string& name) {
  return {name, "1/s", Better::higher,
          both(hawser_, lwip_, [](Pair& pair) { pair.connect_cycle(); })};
}

Case Suite::idle(const std::string& name) {
  const auto in_one = [](std::string contender, Pair& pair) {
    const Runner per_second =
        repeated(std::move(contender), pair, 1, 1, [](Pair& on) { on.idle_second(); });
    return Runner{per_second.contender, [per_second](Seconds slice) {
                    return 1e6 / per_second.run(slice);  // us of work for one second
                  }};
  };
  return {name, "us", Better::lower, {in_one("Hawser", hawser_), in_one("lwIP", lwip_)}};
}

std::vector<Case> Suite::single_cases() {
  return {bulk("bulk/1"), bulk_variations("bulk-variations/1"),
          request_response("request-response/1"), connect_cycle("connect-close/1")};
}

std::vector<Case> Suite::crowd_cases() {
  return {bulk("bulk/many"), request_response("request-response/many"),
          round_robin("request-response/around"), connect_cycle("connect-close/many"),
          idle("idle-second/many")};
}

/// What an idle connection keeps, each end by itself. It is counted once: it does not vary.
std::vector<CaseResult> Suite::footprints() {
  const Footprint ours = HawserPair().footprint(options_.connections);
  const Footprint theirs = lwip_.footprint(options_.connections);
  const auto result = [](std::string name, double hawser, double lwip) {
    return CaseResult{
        std::move(name), "bytes", Better::lower, {{"Hawser", {hawser}}, {"lwIP", {lwip}}}};
  };
  std::vector<CaseResult> results{result("memory/client", ours.client, theirs.client),
                                  result("memory/server", ours.server, theirs.server)};
  results.push_back({"memory/pool", "bytes", Better::lower, {{"Hawser", {ours.pool.value_or(0)}}}});
  return results;
}

std::vector<std::string> Suite::names() {
  std::vector<std::string> result;
  for (const Case& each : single_cases()) result.push_back(each.name);
  result.emplace_back(kMemory);
  for (const Case& each : crowd_cases()) result.push_back(each.name);
  return result;
}

bool Suite::chosen(const std::string& name) const {
  return options_.only.empty() || std::ranges::any_of(options_.only, [&](const std::string& part) {
           return name.find(part) != std::string::npos;
         });
}

/// An untimed transfer of which every byte is compared.
void Suite::verify() {
  const auto whole = [](Pair& pair) {
    pair.resume();
    pair.set_check(Check::every);
    pair.transfer(4 * kBulkStep);
    pair.set_check(Check::ends);
    pair.pause();
  };
  whole(hawser_);
  whole(lwip_);
}

void Suite::run_cases(const std::vector<Case>& cases, std::size_t connections,
                      const Report& report) {
  const auto wanted = [this](const Case& each) { return chosen(each.name); };
  if (std::ranges::none_of(cases, wanted)) return;
  hawser_.resume();
  hawser_.open(connections);
  hawser_.pause();
  lwip_.open(connections);
  verify();
  for (const Case& each : cases | std::views::filter(wanted)) {
    report(measure(each, options_.rounds, options_.slice));
  }
}

void Suite::run(const Report& report) {
  run_cases(single_cases(), 1, report);
  if (chosen(kMemory)) {
    for (const CaseResult& result : footprints()) report(result);
  }
  run_cases(crowd_cases(), options_.connections, report);
}

}  // namespace hawser::bench
