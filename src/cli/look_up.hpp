// From what the user calls a host to its addresses.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "hawser/address.hpp"

namespace hawser::cli {

/// The addresses to try, best first, never none; or one line that says why there are none. Names
/// are looked up as the system does for all its programs.
std::expected<std::vector<IpAddress>, std::string> look_up(const std::string& name);

}  // namespace hawser::cli
