// hawser trace HOST: the routers on the way, hop by hop, printed as traceroute(8) prints them.
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/command.hpp"
#include "cli/http_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_options.hpp"
#include "cli/look_up.hpp"
#include "cli/numbers.hpp"
#include "cli/stop_signals.hpp"
#include "cli/stream_command.hpp"
#include "cli/trace_hop.hpp"
#include "cli/trace_probes.hpp"
#include "names/reverse_names.hpp"

namespace hawser::cli {

namespace {

/// The first port of UDP probes, as traceroute(8) has it: nobody listens there.
constexpr Port kFirstPort{33434};

struct TraceCommand {
  std::string host;
  bool udp = false;
  std::optional<std::uint16_t> tcp_port;
  bool numeric = false;
  std::uint8_t max_hops = 30;
  std::uint8_t probes = 3;
  Duration patience = std::chrono::seconds(3);
  FamilyOptions family;
  LinkOptions link;
};

constexpr const char* kFooter =
    R"(Probes are echo requests, or with -U datagrams, or with -T SYNs of TCP. Behind a
time !N, !H, !P, !X and !F-MTU say that a router or the host itself refuses: no
such network, host, protocol, by an administrator, or larger than an MTU. The
names of routers are asked for while the trace goes on, each for 2 s at most.

Examples:
  sudo hawser trace 192.0.2.1 --link packet:eth0 \
      --address 198.51.100.2/24 --gateway 198.51.100.1
  sudo hawser trace -T 443 www.example.net --link packet:eth0 \
      --address 198.51.100.2/24 --gateway 198.51.100.1 --dns 198.51.100.1
Exit code: 0 when the host was reached, 1 when not, 2 when the arguments make no
sense, 128 and the signal's number when a signal came first.)";

/// Prints each hop once it is known how its routers are called, while the next are probed.
class Trace {
 public:
  Trace(Prober& prober, names::ReverseNames& names, const TraceCommand& options,
        StopSignals& signals)
      : prober_(prober), names_(names), options_(options), signals_(signals) {}

  /// Whether the host was reached.
  bool run();

 private:
  Hop probe(std::size_t number);
  void print(const Hop& hop) const;
  /// Those that need not wait for a name.
  void print_named();
  /// All, by what is known.
  void print_all() const {
    std::ranges::for_each(unprinted_, [this](auto& hop) { print(hop); });
  }
  void wait(TraceClock::time_point until);
  std::string label(const IpAddress& router) const;

  Prober& prober_;
  names::ReverseNames& names_;
  const TraceCommand& options_;
  StopSignals& signals_;
  std::size_t sent_ = 0;
  std::deque<Hop> unprinted_;
};

bool Trace::run() {
  bool reached = false;
  for (std::size_t number = 1; number <= options_.max_hops; ++number) {
    const Hop& hop = unprinted_.emplace_back(probe(number));
    reached = hop.has_reached();
    if (hop.is_last()) break;
    print_named();
  }
  for (print_named(); !unprinted_.empty(); print_named()) wait(TraceClock::time_point::max());
  return reached;
}

Hop Trace::probe(std::size_t number) {
  Hop hop(number, sent_, options_.probes);
  for (std::size_t i = 0; i < options_.probes; ++i) {
    hop.on_sent(sent_, TraceClock::now());
    const IoResult<void> sent = prober_.send(sent_++, static_cast<std::uint8_t>(number));
    if (!sent) {
      print_all();
      give_up(fmt::format("cannot send: {}", sent.error().message()));
    }
  }
  const TraceClock::time_point until = TraceClock::now() + options_.patience;
  for (;;) {
    for (ProbeAnswer& answer : prober_.collect()) {
      if (!options_.numeric) names_.ask(answer.from);
      hop.on_answer(std::move(answer));
    }
    print_named();
    if (hop.is_complete() || TraceClock::now() >= until) return hop;
    wait(until);
  }
}

void Trace::print_named() {
  const auto may_yet_come = [this](const IpAddress& router) { return !names_.name(router); };
  while (!unprinted_.empty() && std::ranges::none_of(unprinted_.front().routers(), may_yet_come)) {
    print(unprinted_.front());
    unprinted_.pop_front();
  }
}

void Trace::print(const Hop& hop) const {
  fmt::print("{}\n", hop.render([this](const IpAddress& router) { return label(router); }));
  std::fflush(stdout);
}

std::string Trace::label(const IpAddress& router) const {
  std::string address = router.to_string();
  if (options_.numeric) return address;
  const std::string name = log_word(names_.name(router).value_or(""));
  return fmt::format("{} ({})", name.empty() ? address : name, address);
}

void Trace::wait(TraceClock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(
      {until - TraceClock::now(), prober_.longest_wait(), names_.longest_wait()}));
  std::array<pollfd, 3> polled = {pollfd{signals_.descriptor(), POLLIN, 0},
                                  pollfd{prober_.descriptor(), POLLIN, 0},
                                  pollfd{names_.descriptor(), POLLIN, 0}};
  ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  if (polled[0].revents != 0) {
    print_all();
    end_by_signal(signals_);
  }
  names_.process();
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
  const RunningHost host = open_host(options.link, signals);
  const auto addresses = look_up(host, options.host, options.family, signals.descriptor());
  if (!addresses) {
    if (signals.has_come()) end_by_signal(signals);
    give_up(addresses.error());
  }
  const IpAddress target = addresses->front();
  fmt::print("trace to {} ({}), {} hops max\n", printable(options.host), target.to_string(),
             options.max_hops);
  (void)std::fflush(stdout);  // before what goes wrong is said on standard error
  const std::unique_ptr<Prober> prober = prober_for(*host, target, options);
  names::ReverseNames names(*host, host.name_servers());
  if (!Trace(*prober, names, options, signals).run()) throw CLI::RuntimeError(1);
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
  command->add_flag("-n,--numeric", options->numeric, "only addresses: ask for no names");
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
