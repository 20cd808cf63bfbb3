// The `hawser` command: one file for each subcommand.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>

#include "cli/command.hpp"
#include "cli/help.hpp"

namespace {

constexpr int kWrongArgument = 2;

/// The chosen subcommand's name behind "hawser", for messages.
std::string name_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "hawser" : "hawser " + chosen.front()->get_name();
}

/// What was printed has reached its file or pipe, or the command has failed.
int finish_output() {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return 0;
  fmt::print(stderr, "hawser: cannot write to standard output: {}\n", std::strerror(errno));
  return 1;
}

}  // namespace

void hawser::cli::give_up(const std::string& why) {
  fmt::print(stderr, "hawser: {}\n", why);
  throw CLI::RuntimeError(1);
}

void hawser::cli::refuse_usage(const std::string& why) {
  fmt::print(stderr, "hawser: {}\n", why);
  throw CLI::RuntimeError(kWrongArgument);
}

int main(int argc, char** argv) {
  CLI::App app("Hawser: TCP/IP as a C++ library, and the tools around it.", "hawser");
  app.formatter(hawser::cli::help_formatter());
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "hawser " HAWSER_VERSION, "print the version");
  app.require_subcommand(0, 1);
  app.footer("Try: hawser demo\nEach command has its own help: hawser demo --help");
  hawser::cli::add_demo(app);
  hawser::cli::add_serve(app);
  hawser::cli::add_get(app);
  hawser::cli::add_listen(app);
  hawser::cli::add_connect(app);
  hawser::cli::add_ping(app);
  hawser::cli::add_trace(app);
  hawser::cli::add_link(app);
  hawser::cli::add_addr(app);
  hawser::cli::add_route(app);
  hawser::cli::add_neigh(app);
  hawser::cli::add_ss(app);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      fmt::print(stderr, "{}", app.help());
      return kWrongArgument;
    }
    return finish_output();
  } catch (const CLI::Success& help) {
    app.exit(help);
    return finish_output();
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::ExtrasError& wrong) {
    const std::string command = name_of(app);
    const bool none = app.get_subcommands().empty();
    fmt::print(stderr, "{0}: {1} (see {0} --help)\n", command,
               none ? "there is no command or option '" + app.remaining().front() + "'"
                    : std::string(wrong.what()));
    return kWrongArgument;
  } catch (const CLI::ParseError& wrong) {
    fmt::print(stderr, "{0}: {1} (see {0} --help)\n", name_of(app), wrong.what());
    return kWrongArgument;
  } catch (const std::exception& unforeseen) {
    fmt::print(stderr, "hawser: {}\n", unforeseen.what());
    return 1;
  }
}
