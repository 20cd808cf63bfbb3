// What `hawser connect` and `hawser listen` share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/link_options.hpp"
#include "cli/relay.hpp"
#include "cli/stop_signals.hpp"
#include "hawser/host.hpp"

namespace hawser::cli {

/// From here on a write that nobody reads is EPIPE, not the end of the process.
void ignore_broken_pipes();

/// --idle and --datagram; `idle_default` is how the help calls what holds without --idle.
void add_datagram_options(CLI::App& command, std::optional<Duration>& idle, std::size_t& datagram,
                          const std::string& idle_default);

/// Ends the command as that outcome asks for; returns when it is a success. A signal or an output
/// that is gone ends with 128 and the signal's number, as a shell would see it.
void end_with(const RelayOutcome& outcome, StopSignals& signals);
/// Ends it because a signal came.
[[noreturn]] void end_by_signal(StopSignals& signals);

}  // namespace hawser::cli
