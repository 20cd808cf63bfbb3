// How the help of every command is laid out: at most 80 columns, what an option takes beside its
// name, and its default and whether it has to be given at the end of its text.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::cli {

/// For CLI::App::formatter; subcommands that are added later inherit it.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// `text` in lines of at most `columns`, each but the first behind `indent` spaces. A word that is
/// longer has a line of its own.
std::string wrap(std::string_view text, std::size_t columns, std::size_t indent);

}  // namespace hawser::cli
