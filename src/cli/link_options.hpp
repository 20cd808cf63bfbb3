// The options that say which device a stack runs on and which addresses it has, and the host that
// they make.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/running_host.hpp"
#include "cli/stop_signals.hpp"
#include "hawser/impairment.hpp"

namespace hawser::cli {

struct LinkOptions {
  std::string link;
  std::vector<std::string> addresses;
  bool dhcp = false;
  std::vector<std::string> host_addresses;
  std::vector<std::string> gateways;
  std::vector<std::string> name_servers;
  std::string mac;
  std::optional<std::uint32_t> mtu;
  Impairment impairment;
  std::optional<std::uint64_t> seed;
  std::string pcapng;
  std::string name;
  TcpEcn ecn = TcpEcn::passive;
};

/// Adds --link, --address, --dhcp, --host-address, --gateway, --dns, --mac, --mtu, --seed,
/// --pcapng, --name, --ecn and the impairments. `options` must live until the arguments are parsed.
void add_link_options(CLI::App& command, LinkOptions& options);

/// A host on that link, once it has its addresses. Ends the command with one line when there is
/// none to be had, and when a signal comes first.
RunningHost open_host(const LinkOptions& options, StopSignals& signals);

}  // namespace hawser::cli
