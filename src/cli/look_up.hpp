// From what the user calls a host to its addresses.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/running_host.hpp"
#include "hawser/address.hpp"

namespace hawser::cli {

/// -4 and -6.
struct FamilyOptions {
  bool only_v4 = false;
  bool only_v6 = false;
};
void add_family_options(CLI::App& command, FamilyOptions& options);

/// The addresses to try, the most promising first, never none; or one line that says why there are
/// none. The name servers of `host` are asked, over its own sockets. `cancel` is a descriptor that
/// ends the look-up when it polls readable.
std::expected<std::vector<IpAddress>, std::string> look_up(const RunningHost& host,
                                                           const std::string& name,
                                                           const FamilyOptions& family = {},
                                                           int cancel = -1);

}  // namespace hawser::cli
