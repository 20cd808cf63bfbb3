// What the subcommands of `hawser` share: how they are added and how they end.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hawser::cli {

/// Each adds its subcommand to `app`; CLI11 calls it when it was chosen. It throws
/// CLI::RuntimeError with its exit code when that is not zero, and has then said why.
void add_addr(CLI::App& app);
void add_connect(CLI::App& app);
void add_demo(CLI::App& app);
void add_get(CLI::App& app);
void add_link(CLI::App& app);
void add_listen(CLI::App& app);
void add_neigh(CLI::App& app);
void add_ping(CLI::App& app);
void add_route(CLI::App& app);
void add_serve(CLI::App& app);
void add_ss(CLI::App& app);
void add_trace(CLI::App& app);

/// Ends the command with one line on standard error, exit code 1.
[[noreturn]] void give_up(const std::string& why);
/// Ends it likewise because the arguments make no sense, exit code 2.
[[noreturn]] void refuse_usage(const std::string& why);

}  // namespace hawser::cli
