// The `hawser` command: one file for each subcommand.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include "cli/command.hpp"

namespace {

constexpr int kWrongArgument = 2;

/// The chosen subcommand's name behind "hawser", for messages.
std::string name_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "hawser" : "hawser " + chosen.front()->get_name();
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
  app.require_subcommand(1);
  app.footer("Try: hawser demo");
  hawser::cli::add_demo(app);
  hawser::cli::add_serve(app);
  hawser::cli::add_get(app);
  hawser::cli::add_listen(app);
  hawser::cli::add_connect(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::ParseError& wrong) {
    fmt::print(stderr, "{0}: {1} (see {0} --help)\n", name_of(app), wrong.what());
    return kWrongArgument;
  } catch (const std::exception& unforeseen) {
    fmt::print(stderr, "hawser: {}\n", unforeseen.what());
    return 1;
  }
  return 0;
}
