// The options with which every command can make its link worse.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "hawser/impairment.hpp"
#include "hawser/tcp.hpp"
#include "sim/impairment_fields.hpp"

namespace hawser::cli {

/// Adds an option whose text `parse` reads into `value`; what is wrong with the text becomes the
/// message of the command.
template <typename T>
CLI::Option* add_parsed(CLI::App& command, const std::string& name, T& value,
                        Parsed<T> (*parse)(std::string_view), const std::string& help,
                        const std::string& type) {
  CLI::Option* option = command.add_option_function<std::string>(
      name,
      [name, parse, &value](const std::string& text) {
        auto parsed = parse(text);
        if (!parsed) throw CLI::ValidationError(name, parsed.error());
        value = *parsed;
      },
      help);
  return option->type_name(type);
}

/// --loss, --delay, --rate and the others. `impairment` must outlive the parse and holds the
/// defaults, which the command's own help may state.
void add_impairment_options(CLI::App& command, Impairment& impairment);

/// What was given of an impairment, the rest being left as it is.
using ImpairmentChange = std::vector<std::pair<const sim::ImpairmentField*, std::string>>;
/// The same options, which become a change; it must outlive the parse.
void add_impairment_options(CLI::App& command, ImpairmentChange& change, const std::string& group);
void apply(const ImpairmentChange& change, Impairment& impairment);

/// --ecn: whether TCP asks for marks of routers in place of losses.
CLI::Option* add_ecn_option(CLI::App& command, TcpEcn& ecn);

}  // namespace hawser::cli
