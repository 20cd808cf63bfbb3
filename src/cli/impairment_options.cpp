#include "cli/impairment_options.hpp"

#include <functional>

namespace hawser::cli {

namespace {

using Take = std::function<std::optional<std::string>(const sim::ImpairmentField& field,
                                                      const std::string& text)>;

void add_fields(CLI::App& command, const std::string& group, const Take& take) {
  for (const sim::ImpairmentField& field : sim::impairment_fields()) {
    const std::string name = fmt::format("--{}", field.name);
    const auto parse = [name, &field, take](const std::string& text) {
      if (const auto wrong = take(field, text)) throw CLI::ValidationError(name, *wrong);
    };
    command.add_option_function<std::string>(name, parse, std::string(field.help))
        ->type_name(std::string(field.type))
        ->group(group);
  }
}

Parsed<TcpEcn> parse_ecn(std::string_view text) {
  for (const TcpEcn ecn : {TcpEcn::off, TcpEcn::passive, TcpEcn::on}) {
    if (text == to_string(ecn)) return ecn;
  }
  return std::unexpected(fmt::format("'{}' is none of off, passive and on", text));
}

}  // namespace

CLI::Option* add_ecn_option(CLI::App& command, TcpEcn& ecn) {
  return add_parsed(command, "--ecn", ecn, parse_ecn,
                    "marks of routers in place of losses: off, passive (if the peer asks, the "
                    "default) or on",
                    "MODE");
}

void add_impairment_options(CLI::App& command, Impairment& impairment) {
  add_fields(command, "Impairments, in both directions",
             [&](const sim::ImpairmentField& field, const std::string& text) {
               return field.set(impairment, text);
             });
}

void add_impairment_options(CLI::App& command, ImpairmentChange& change, const std::string& group) {
  add_fields(command, group, [&](const sim::ImpairmentField& field, const std::string& text) {
    Impairment scratch;
    auto wrong = field.set(scratch, text);
    if (!wrong) change.emplace_back(&field, text);
    return wrong;
  });
}

void apply(const ImpairmentChange& change, Impairment& impairment) {
  // Each was read once before.
  for (const auto& [field, text] : change) (void)field->set(impairment, text);
}

}  // namespace hawser::cli
