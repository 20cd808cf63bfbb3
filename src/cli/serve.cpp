// hawser serve DIR: a folder over HTTP, from a stack on a device.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "cli/command.hpp"
#include "cli/http_server.hpp"
#include "cli/http_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/link_options.hpp"
#include "cli/numbers.hpp"
#include "cli/stop_signals.hpp"

namespace hawser::cli {

namespace {

struct ServeOptions {
  std::string folder;
  std::uint16_t port = 80;
  std::size_t max_connections = HttpServerOptions{}.max_connections;
  Duration timeout = HttpPatience{}.stall;
  bool quiet = false;
  LinkOptions link;
};

constexpr const char* kFooter = R"(Examples:
  A folder at http://10.9.0.2/ for this machine, over IPv4:
    sudo hawser serve ~/public --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24
  Over IPv6 as well:
    sudo hawser serve . --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 \
        --address fd00:9::2/64 --host-address fd00:9::1/64
  Over a bad line, with a trace for Wireshark:
    sudo hawser serve . --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 \
        --loss 2% --delay 20ms --rate 10mbit --pcapng trace.pcapng
It ends at Ctrl-C.)";

void log_line(std::string_view line) {
  fmt::print(stderr, "{:%H:%M:%S} {}\n", fmt::localtime(std::time(nullptr)), line);
}

/// Each file that is being sent takes a descriptor.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void announce(const ServeOptions& options, const Host& host) {
  for (const AddressInfo& own : host.addresses()) {
    // Of its link-local address a client would have to name the interface.
    if (own.origin == AddressOrigin::link_local || own.state != AddressState::preferred) continue;
    const std::string plain = own.prefix.address.to_string();
    const std::string name = plain.contains(':') ? "[" + plain + "]" : plain;
    const std::string port = options.port == 80 ? "" : fmt::format(":{}", options.port);
    fmt::print(stderr, "Serving {} at http://{}{}/\n", options.folder, name, port);
  }
}

void serve(const ServeOptions& options) {
  auto folder = Folder::open(options.folder);
  if (!folder) {
    refuse_usage(fmt::format("cannot serve '{}': {}; give a folder that you may read",
                             options.folder, folder.error().message()));
  }
  allow_many_descriptors();
  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link, signals);
  HttpServerOptions server_options;
  server_options.port = Port{options.port};
  server_options.max_connections = options.max_connections;
  HttpPatience& patience = server_options.patience;
  patience.idle = options.timeout;
  patience.stall = options.timeout;
  patience.request = std::min(patience.request, options.timeout);
  const HttpConnection::Log log =
      options.quiet ? [](std::string_view) {} : HttpConnection::Log(log_line);
  HttpServer server(*host, std::move(*folder), server_options, log);
  announce(options, *host);
  server.run(signals.descriptor());
  signals.release();
  if (const auto failure = host->device_failure()) give_up(failure->message);
  if (!options.quiet) log_line("ending");
  host->drain(std::chrono::seconds(1));
}

}  // namespace

void add_serve(CLI::App& app) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "Serve the files of a folder over HTTP, from a stack of its own");
  command->add_option("DIR", options->folder, "the folder")->required();
  add_parsed(*command, "--port", options->port, parse_port, "TCP port [80]", "PORT");
  add_parsed(*command, "--max-connections", options->max_connections, parse_positive_count,
             "served at one time [10000]", "N");
  add_parsed(*command, "--timeout", options->timeout, parse_patience,
             "give up a client that does nothing for this long [60s]", "TIME");
  command->add_flag("-q,--quiet", options->quiet, "no line for each request");
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { serve(*options); });
}

}  // namespace hawser::cli
