// What ICMP errors are called by ping(8) and traceroute(8).
#pragma once

#include <string>

#include "hawser/icmp.hpp"

namespace hawser::cli {

/// "Destination Host Unreachable".
std::string icmp_text(const IcmpErrorReport& report);
/// What traceroute(8) writes behind a time: "!H"; empty for what is the way of things.
std::string trace_mark(const IcmpErrorReport& report);

}  // namespace hawser::cli
