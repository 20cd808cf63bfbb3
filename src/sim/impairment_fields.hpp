// The fields of an Impairment by name: as options of a command, and as what a control socket tells
// and takes. Each is here once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hawser/impairment.hpp"

namespace hawser::sim {

struct ImpairmentField {
  std::string_view name;  ///< "loss", of the option --loss
  std::string_view type;  ///< what it takes, in one word
  std::string_view help;  ///< for the help of a command
  /// Changes the field as the text says; or what is wrong with the text, in one line.
  std::optional<std::string> (*set)(Impairment& impairment, std::string_view text);
  /// Its value as `set` would take it, without loss.
  std::string (*get)(const Impairment& impairment);
};

std::span<const ImpairmentField> impairment_fields();
/// Null when there is none of that name.
const ImpairmentField* find_impairment_field(std::string_view name);
/// The options that make this of a perfect wire: "--delay 20ms --loss 1%"; empty for a perfect
/// wire.
std::string options_of(const Impairment& impairment);

}  // namespace hawser::sim
