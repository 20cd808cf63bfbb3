// hawser link: a bad link between two devices.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <random>

#include "cli/command.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_name.hpp"
#include "cli/link_report.hpp"
#include "cli/numbers.hpp"
#include "cli/stop_signals.hpp"
#include "hawser/tap.hpp"
#include "hawser/tun.hpp"
#include "host/link_loop.hpp"

namespace hawser::cli {

namespace {

constexpr const char* kFooter =
    R"(What is said before there and back holds for both ways; what follows there for
frames from the first device to the second, what follows back for the others.
Ctrl-C ends it and prints what became of all frames.

Examples:
  sudo hawser link tap:left tap:right --delay 20ms --loss 1% --rate 100mbit
  sudo hawser link tap:left tap:right --delay 15ms \
      there --rate 5mbit back --rate 50mbit --loss 0.5%)";

struct LinkCommand {
  std::array<std::string, 2> ends;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint64_t> seed;
  ImpairmentChange both;
  std::array<ImpairmentChange, 2> ways;  ///< by Way
};

std::unique_ptr<Device> open_end(const LinkName& end, const LinkCommand& options) {
  using Kind = LinkName::Kind;
  if (end.kind == Kind::packet) refuse_usage("link: name tap:NAME or tun:NAME");
  if (end.kind == Kind::tun) return or_give_up(TunDevice::open({end.name, options.mtu, {}}));
  return or_give_up(TapDevice::open({end.name, options.mtu, {}, std::nullopt}));
}

link::EmulatorConfig config_of(const LinkCommand& options) {
  link::EmulatorConfig config;
  for (const link::Way way : link::kWays) {
    const auto index = static_cast<std::size_t>(way);
    apply(options.both, config.impairments.at(index));
    apply(options.ways.at(index), config.impairments.at(index));
  }
  config.seed = options.seed ? *options.seed : std::random_device{}();
  return config;
}

void run_link(const LinkCommand& options) {
  if (options.ends[1].empty()) {
    refuse_usage("link: name two devices, as in hawser link tap:left tap:right --delay 20ms");
  }
  std::array<LinkName, 2> names;
  for (std::size_t i = 0; i < 2; ++i) names[i] = read_link_name(options.ends[i], "link");
  const auto is_tun = [](const LinkName& name) { return name.kind == LinkName::Kind::tun; };
  if (is_tun(names[0]) != is_tun(names[1])) {
    refuse_usage(
        "link: a TUN device carries bare packets, the others frames of an Ethernet: "
        "name two of one sort");
  }
  StopSignals signals;
  std::unique_ptr<Device> first = open_end(names[0], options);
  std::unique_ptr<Device> second = open_end(names[1], options);
  const link::EmulatorConfig config = config_of(options);
  link::Emulator emulator(std::move(first), std::move(second), config);
  host::LinkLoop loop(emulator);
  fmt::print(stderr, "hawser: linking {} and {}, seed {}\n", options.ends[0], options.ends[1],
             config.seed);
  const auto begin = std::chrono::steady_clock::now();
  const std::optional<DeviceError> broken = loop.run(signals.descriptor());
  const std::chrono::duration<double> ran = std::chrono::steady_clock::now() - begin;
  fmt::print("{:.1f} s, seed {}\n", ran.count(), config.seed);
  for (const link::Way way : link::kWays) {
    const bool there = way == link::Way::there;
    fmt::print("{}", report_of({options.ends[there ? 0 : 1], options.ends[there ? 1 : 0],
                                emulator.counters(way), emulator.in_flight(way)}));
  }
  if (broken) give_up(broken->message);
}

Parsed<std::optional<std::uint64_t>> parse_seed(std::string_view text) { return parse_count(text); }

}  // namespace

void add_link(CLI::App& app) {
  const auto options = std::make_shared<LinkCommand>();
  CLI::App* command = app.add_subcommand("link", "Join two devices by a bad link");
  command->add_option("FIRST", options->ends[0], "tap:NAME or tun:NAME, made if it is not there");
  command->add_option("SECOND", options->ends[1], "the other end");
  add_parsed(*command, "--mtu", options->mtu, parse_mtu,
             "bytes of the largest packet on tun and tap devices; 1500 for new ones without it",
             "BYTES");
  add_parsed(*command, "--seed", options->seed, parse_seed,
             "of what the impairments hit; random without it", "N");
  add_impairment_options(*command, options->both, "Impairments");
  CLI::App* there = command->add_subcommand("there", "Impairments from the first to the second");
  CLI::App* back = command->add_subcommand("back", "Impairments from the second to the first");
  add_impairment_options(*there, options->ways[0], "Impairments");
  add_impairment_options(*back, options->ways[1], "Impairments");
  command->footer(kFooter);
  there->footer("");
  back->footer("");
  command->callback([options] { run_link(*options); });
}

}  // namespace hawser::cli
