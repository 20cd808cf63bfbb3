// hawser link: a bad link between two devices.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <random>

#include "cli/command.hpp"
#include "cli/host_query.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_name.hpp"
#include "cli/link_report.hpp"
#include "cli/numbers.hpp"
#include "cli/stop_signals.hpp"
#include "control/link_answers.hpp"
#include "hawser/packet_socket.hpp"
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
      there --rate 5mbit back --rate 50mbit --loss 0.5%
  sudo hawser link show
  sudo hawser link set --delay 80ms back --loss 5%)";

/// Impairments of both ways, and of each.
struct Changes {
  ImpairmentChange both;
  std::array<ImpairmentChange, 2> ways;  ///< by Way
};

struct LinkCommand {
  std::array<std::string, 2> ends;
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint64_t> seed;
  std::string name;
  Changes impairments;
};

/// One end, and how many frames have gone astray there.
struct End {
  link::EmulatorEnd end;
  std::function<std::uint64_t()> refused;  ///< by the kernel, that were to leave
  std::function<std::uint64_t()> missed;   ///< that came and could not be read
};

End open_own(std::unique_ptr<TunTapDevice> device) {
  // So many frames of 1 Gbit/s arrive in 50 ms, for which we may have to wait for a processor.
  constexpr std::uint32_t kFramesWaiting = 4096;
  device->set_queue(kFramesWaiting);
  const TunTapDevice* own = device.get();
  return {{std::move(device)}, [own] { return own->refused(); }, [] { return 0; }};
}

End open_end(const LinkName& end, const LinkCommand& options) {
  using Kind = LinkName::Kind;
  if (end.kind == Kind::tun) {
    return open_own(or_give_up(TunDevice::open({end.name, options.mtu, {}})));
  }
  if (end.kind == Kind::tap) {
    return open_own(or_give_up(TapDevice::open({end.name, options.mtu, {}, std::nullopt})));
  }
  if (options.mtu) {
    refuse_usage(fmt::format("--mtu: a packet socket leaves {} as it is", end.name));
  }
  PacketSocketConfig config{end.name};
  config.every_frame = true;
  std::unique_ptr<PacketSocketDevice> device = or_give_up(PacketSocketDevice::open(config));
  const PacketSocketDevice* own = device.get();
  return {{std::move(device), [own] { return own->arrivals(); }},
          [own] { return own->refused(); },
          [own] { return own->lost(); }};
}

link::EmulatorConfig config_of(const LinkCommand& options) {
  link::EmulatorConfig config;
  for (const link::Way way : link::kWays) {
    const auto index = static_cast<std::size_t>(way);
    apply(options.impairments.both, config.impairments.at(index));
    apply(options.impairments.ways.at(index), config.impairments.at(index));
  }
  config.seed = options.seed ? *options.seed : std::random_device{}();
  return config;
}

std::array<LinkName, 2> read_ends(const LinkCommand& options) {
  if (options.ends[1].empty()) {
    refuse_usage("link: name two devices, as in hawser link tap:left tap:right --delay 20ms");
  }
  const std::array<LinkName, 2> ends = {read_link_name(options.ends[0], "link"),
                                        read_link_name(options.ends[1], "link")};
  const auto is_tun = [](const LinkName& end) { return end.kind == LinkName::Kind::tun; };
  if (is_tun(ends[0]) != is_tun(ends[1])) {
    refuse_usage(
        "link: a TUN device carries bare packets, the others frames of an Ethernet: name two of "
        "one sort");
  }
  return ends;
}

/// As for hosts: nobody who has not asked for a name has to have one.
std::unique_ptr<control::Server> open_control(host::LinkLoop& loop, const LinkCommand& options) {
  auto server = control::open_link_control(loop, options.ends, {options.name, {}});
  if (server) return std::move(*server);
  const std::string& why = server.error().message;
  if (server.error().code == make_error_code(Error::invalid_argument)) {
    refuse_usage(fmt::format("--name: {}", why));
  }
  if (!options.name.empty()) give_up(fmt::format("--name: {}", why));
  fmt::print(stderr, "hawser: this link cannot be changed while it runs: {}\n", why);
  return nullptr;
}

void run_link(const LinkCommand& options) {
  const std::array<LinkName, 2> ends = read_ends(options);
  // Before there is a thread, which must not take the signals.
  StopSignals signals;
  std::array<End, 2> opened = {open_end(ends[0], options), open_end(ends[1], options)};
  link::Emulator emulator(std::move(opened[0].end), std::move(opened[1].end), config_of(options));
  host::LinkLoop loop(emulator);
  std::unique_ptr<control::Server> control = open_control(loop, options);
  fmt::print(stderr, "hawser: linking {} and {}{}, seed {}\n", options.ends[0], options.ends[1],
             control ? fmt::format(" as {}", control->name()) : "", emulator.seed());
  const auto begin = std::chrono::steady_clock::now();
  const std::optional<DeviceError> broken = loop.run(signals.descriptor());
  const std::chrono::duration<double> ran = std::chrono::steady_clock::now() - begin;
  control.reset();
  fmt::print("{:.1f} s, seed {}\n", ran.count(), emulator.seed());
  for (const link::Way way : link::kWays) {
    fmt::print("{}", report_of(control::describe(emulator, way, options.ends), false));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint64_t missed = opened.at(i).missed();
    const std::uint64_t refused = opened.at(i).refused();
    if (missed != 0) fmt::print("{}: {} frames came and were missed\n", options.ends.at(i), missed);
    if (refused != 0) fmt::print("{}: the kernel refused {} frames\n", options.ends.at(i), refused);
  }
  if (broken) give_up(broken->message);
}

Json json_of(const ImpairmentChange& change) {
  Json json = Json::object();
  for (const auto& [field, text] : change) json[std::string(field->name)] = text;
  return json;
}

void set_link(const std::string& name, const Changes& changes) {
  if (changes.both.empty() && changes.ways[0].empty() && changes.ways[1].empty()) {
    refuse_usage("link set: say what is to change, as in hawser link set --loss 5%");
  }
  (void)ask_link(name, {{"ask", "set"},
                        {"both", json_of(changes.both)},
                        {"there", json_of(changes.ways[0])},
                        {"back", json_of(changes.ways[1])}});
}

void show_link(const std::string& name, bool json) {
  const HostAnswer answer = ask_link(name, {{"ask", "link"}});
  if (json) return print_json({answer}, "link");
  for (const Json& direction : answer.items) fmt::print("{}", report_of(direction, true));
}

/// The impairments, and those behind there and back.
void add_changes(CLI::App& command, Changes& changes) {
  const std::string group = "Impairments";
  command.require_subcommand(0, 0);  // as many as there are: one at most is what it inherits
  add_impairment_options(command, changes.both, group);
  CLI::App* there = command.add_subcommand("there", "Impairments from the first to the second");
  CLI::App* back = command.add_subcommand("back", "Impairments from the second to the first");
  add_impairment_options(*there, changes.ways[0], group);
  add_impairment_options(*back, changes.ways[1], group);
  there->footer("");
  back->footer("");
}

Parsed<std::optional<std::uint64_t>> parse_seed(std::string_view text) { return parse_count(text); }

}  // namespace

void add_link(CLI::App& app) {
  const auto options = std::make_shared<LinkCommand>();
  CLI::App* command = app.add_subcommand("link", "Join two devices by a bad link");
  command->add_option("FIRST", options->ends[0],
                      "tap:NAME or tun:NAME, made if it is not there, or packet:NAME on an "
                      "interface that is");
  command->add_option("SECOND", options->ends[1], "the other end");
  add_parsed(*command, "--mtu", options->mtu, parse_mtu,
             "bytes of the largest packet on tun and tap devices; 1500 for new ones without it",
             "BYTES");
  add_parsed(*command, "--seed", options->seed, parse_seed,
             "of what the impairments hit; random without it", "N");
  command
      ->add_option("--name", options->name,
                   "by which show and set know this link; the program and its process without it")
      ->type_name("NAME");
  add_changes(*command, options->impairments);

  const auto name = std::make_shared<std::string>();
  const auto changes = std::make_shared<Changes>();
  const auto json = std::make_shared<bool>(false);
  CLI::App* show = command->add_subcommand("show", "What a running link does and has done");
  show->add_option("NAME", *name, "of the link, if there are several");
  show->add_flag("--json", *json, "print JSON");
  show->footer("");
  CLI::App* set = command->add_subcommand("set", "Change a running link");
  set->add_option("NAME", *name, "of the link, if there are several");
  add_changes(*set, *changes);
  set->footer("What is not named stays as it is. Frames on their way arrive as planned.");

  command->footer(kFooter);
  command->callback([=] {
    if (show->parsed()) return show_link(*name, *json);
    if (set->parsed()) return set_link(*name, *changes);
    run_link(*options);
  });
}

}  // namespace hawser::cli
