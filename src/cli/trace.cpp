// hawser trace HOST: the routers on the way, hop by hop, printed as traceroute(8) prints them.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/http_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_options.hpp"
#include "cli/look_up.hpp"
#include "cli/numbers.hpp"
#include "cli/ping_statistics.hpp"
#include "cli/stop_signals.hpp"
#include "cli/stream_command.hpp"
#include "cli/trace_probes.hpp"

namespace hawser::cli {

namespace {

/// The first port of UDP probes, as traceroute(8) has it: nobody listens there.
constexpr Port kFirstPort{33434};

struct TraceCommand {
  std::string host;
  bool udp = false;
  std::optional<std::uint16_t> tcp_port;
  std::uint8_t max_hops = 30;
  std::uint8_t probes = 3;
  Duration patience = std::chrono::seconds(3);
  FamilyOptions family;
  LinkOptions link;
};

constexpr const char* kFooter =
    R"(Probes are echo requests, or with -U datagrams, or with -T SYNs of TCP. Behind a
time !N, !H, !P, !X and !F-MTU say that a router or the host itself refuses: no
such network, host, protocol, by an administrator, or larger than an MTU.

Examples:
  sudo hawser trace 192.0.2.1 --link packet:eth0 \
      --address 198.51.100.2/24 --gateway 198.51.100.1
  sudo hawser trace -T 443 www.example.net --link packet:eth0 \
      --address 198.51.100.2/24 --gateway 198.51.100.1 --dns 198.51.100.1
Exit code: 0 when the host was reached, 1 when not, 2 when the arguments make no
sense.)";

/// One line of the output: what is known of the probes of one hop.
class Hop {
 public:
  Hop(std::size_t first, std::size_t count) : first_(first), probes_(count) {}

  void on_sent(std::size_t probe) { probes_[probe - first_].sent_at = TraceClock::now(); }
  void on_answer(ProbeAnswer answer) {
    if (answer.probe < first_ || answer.probe - first_ >= probes_.size()) return;  // too late
    Probe& probe = probes_[answer.probe - first_];
    if (!probe.answer) probe.answer = std::move(answer);
  }
  bool is_complete() const {
    return std::ranges::all_of(probes_,
                               [](const Probe& probe) { return probe.answer.has_value(); });
  }
  bool is_last() const {
    return any_of([](const ProbeAnswer& answer) { return answer.is_end; });
  }
  bool has_reached() const {
    return any_of([](const ProbeAnswer& answer) { return answer.reached; });
  }
  std::string render(std::size_t number) const;

 private:
  struct Probe {
    TraceClock::time_point sent_at{};
    std::optional<ProbeAnswer> answer{};
  };
  template <typename Predicate>
  bool any_of(Predicate predicate) const {
    return std::ranges::any_of(
        probes_, [&](const Probe& probe) { return probe.answer && predicate(*probe.answer); });
  }

  std::size_t first_;
  std::vector<Probe> probes_;
};

std::string Hop::render(std::size_t number) const {
  std::string line = fmt::format("{:>2} ", number);
  std::optional<IpAddress> last;
  for (const Probe& probe : probes_) {
    if (!probe.answer) {
      line += " *";
      continue;
    }
    if (last != probe.answer->from) line += fmt::format(" {} ", probe.answer->from.to_string());
    last = probe.answer->from;
    const Duration round_trip =
        std::max<Duration>(probe.answer->at - probe.sent_at, Duration::zero());
    line += fmt::format(" {} ms", round_trip_text(round_trip));
    if (!probe.answer->mark.empty()) line += " " + probe.answer->mark;
    line += " ";
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

class Trace {
 public:
  Trace(Prober& prober, const TraceCommand& options, StopSignals& signals)
      : prober_(prober), options_(options), signals_(signals) {}

  /// Whether the host was reached.
  bool run();

 private:
  void probe(Hop& hop);
  void wait(TraceClock::time_point until);

  Prober& prober_;
  const TraceCommand& options_;
  StopSignals& signals_;
  std::size_t sent_ = 0;
};

bool Trace::run() {
  for (std::size_t number = 1; number <= options_.max_hops; ++number) {
    Hop hop(sent_, options_.probes);
    for (std::size_t i = 0; i < options_.probes; ++i) {
      hop.on_sent(sent_);
      const IoResult<void> sent = prober_.send(sent_++, static_cast<std::uint8_t>(number));
      if (!sent) give_up(fmt::format("cannot send: {}", sent.error().message()));
    }
    probe(hop);
    fmt::print("{}\n", hop.render(number));
    std::fflush(stdout);
    if (hop.is_last()) return hop.has_reached();
  }
  return false;
}

void Trace::probe(Hop& hop) {
  const TraceClock::time_point until = TraceClock::now() + options_.patience;
  for (;;) {
    for (ProbeAnswer& answer : prober_.collect()) hop.on_answer(std::move(answer));
    if (hop.is_complete() || TraceClock::now() >= until) return;
    wait(until);
  }
}

void Trace::wait(TraceClock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      std::min<Duration>(until - TraceClock::now(), prober_.longest_wait()));
  std::array<pollfd, 2> polled = {pollfd{signals_.descriptor(), POLLIN, 0},
                                  pollfd{prober_.descriptor(), POLLIN, 0}};
  ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  if (polled[0].revents != 0) end_by_signal(signals_);
}

std::unique_ptr<Prober> prober_for(Host& host, const IpAddress& target,
                                   const TraceCommand& options) {
  if (options.udp) return make_udp_prober(host, target, kFirstPort);
  if (options.tcp_port) return make_tcp_prober(host, target, Port{*options.tcp_port});
  return make_echo_prober(host, target);
}

void trace(const TraceCommand& options) {
  if (options.udp && options.tcp_port) refuse_usage("-U and -T exclude each other");
  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link);
  const auto addresses = look_up(host, options.host, options.family, signals.descriptor());
  if (!addresses) {
    if (signals.has_come()) end_by_signal(signals);
    give_up(addresses.error());
  }
  const IpAddress target = addresses->front();
  fmt::print("trace to {} ({}), {} hops max\n", printable(options.host), target.to_string(),
             options.max_hops);
  const std::unique_ptr<Prober> prober = prober_for(*host, target, options);
  if (!Trace(*prober, options, signals).run()) throw CLI::RuntimeError(1);
}

Parsed<std::optional<std::uint16_t>> parse_tcp_port(std::string_view text) {
  return parse_port(text);
}

Parsed<std::uint8_t> parse_small_count(std::string_view text) {
  const auto count = parse_positive_count(text);
  if (!count || *count > 255) {
    return std::unexpected(fmt::format("'{}' is not a number from 1 to 255", text));
  }
  return static_cast<std::uint8_t>(*count);
}

}  // namespace

void add_trace(CLI::App& app) {
  const auto options = std::make_shared<TraceCommand>();
  CLI::App* command =
      app.add_subcommand("trace", "Show the routers on the way to a host, by a stack of its own");
  command->add_option("HOST", options->host, "address or name")->required();
  command->add_flag("-U,--udp", options->udp, "datagrams of UDP in place of echo requests");
  add_parsed(*command, "-T,--tcp", options->tcp_port, parse_tcp_port,
             "SYNs of TCP to this port in place of echo requests", "PORT");
  add_parsed(*command, "-m,--max-hops", options->max_hops, parse_small_count, "how far [30]", "N");
  add_parsed(*command, "-q,--probes", options->probes, parse_small_count, "for each hop [3]", "N");
  add_parsed(*command, "-w,--wait", options->patience, parse_patience,
             "for the answers of one hop [3s]", "TIME");
  add_family_options(*command, options->family);
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { trace(*options); });
}

}  // namespace hawser::cli
