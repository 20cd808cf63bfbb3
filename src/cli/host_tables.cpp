// hawser addr, hawser route, hawser neigh: the addresses, routes and neighbours of running hosts.
#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/host_query.hpp"
#include "cli/table.hpp"

namespace hawser::cli {

namespace {

constexpr const char* kFooter =
    R"(Every command that runs a host lets others ask it: --name NAME of that command
is what --host of this one takes. With a single host running it is not needed.

Examples:
  sudo hawser serve . --name web --link tun:hw0 \
      --address 10.9.0.2/24 --host-address 10.9.0.1/24 &
  sudo hawser addr
  sudo hawser route --host web --json)";

void print_addresses(const QueryOptions& options) {
  const HostAnswer answer = ask_one(options, "addresses");
  if (options.json) return print_json({answer});
  Table table({{"INTERFACE"}, {"ADDRESS"}, {"STATE"}, {"ORIGIN"}, {"PREFERRED"}, {"VALID"}});
  for (const Json& item : answer.items) {
    table.add_row({text_of(item, "interface"),
                   fmt::format("{}/{}", text_of(item, "address"), text_of(item, "prefix_length")),
                   text_of(item, "state"), text_of(item, "origin"),
                   lifetime_of(item, "preferred_s"), lifetime_of(item, "valid_s")});
  }
  fmt::print("{}", table.render(!options.no_header, wants_colour()));
}

void print_routes(const QueryOptions& options) {
  const HostAnswer answer = ask_one(options, "routes");
  if (options.json) return print_json({answer});
  Table table({{"DESTINATION"},
               {"GATEWAY"},
               {"INTERFACE"},
               {"METRIC", Table::Align::right},
               {"ORIGIN"},
               {"VALID"}});
  for (const Json& item : answer.items) {
    const std::string destination = text_of(item, "destination");
    const bool is_default = destination == "0.0.0.0/0" || destination == "::/0";
    table.add_row({is_default ? "default" : destination, text_of(item, "gateway"),
                   text_of(item, "interface"), text_of(item, "metric"), text_of(item, "origin"),
                   lifetime_of(item, "valid_s")});
  }
  fmt::print("{}", table.render(!options.no_header, wants_colour()));
}

void print_neighbours(const QueryOptions& options) {
  const HostAnswer answer = ask_one(options, "neighbours");
  if (options.json) return print_json({answer});
  Table table({{"ADDRESS"}, {"INTERFACE"}, {"MAC"}, {"STATE"}, {"AGE"}, {"ROUTER"}});
  for (const Json& item : answer.items) {
    table.add_row({text_of(item, "address"), text_of(item, "interface"), text_of(item, "mac"),
                   text_of(item, "state"), lifetime_of(item, "age_s"),
                   item.value("router", false) ? "router" : ""});
  }
  fmt::print("{}", table.render(!options.no_header, wants_colour()));
}

void add_query(CLI::App& app, const std::string& name, const std::string& what,
               void (*print)(const QueryOptions&)) {
  const auto options = std::make_shared<QueryOptions>();
  CLI::App* command = app.add_subcommand(name, what);
  add_query_options(*command, *options);
  command->footer(kFooter);
  command->callback([options, print] { print(*options); });
}

}  // namespace

void add_addr(CLI::App& app) {
  add_query(app, "addr", "Show the addresses of a running host", print_addresses);
}

void add_route(CLI::App& app) {
  add_query(app, "route", "Show the routes of a running host", print_routes);
}

void add_neigh(CLI::App& app) {
  add_query(app, "neigh", "Show the neighbours of a running host on its Ethernets",
            print_neighbours);
}

}  // namespace hawser::cli
