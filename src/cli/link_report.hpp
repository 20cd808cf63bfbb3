// What became of the frames that crossed an emulated link, in words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hawser::cli {

/// Lines with their ends about one direction, as control::describe gives it: the totals, below them
/// the impairments if they are wanted, and each reason that there was.
std::string report_of(const nlohmann::ordered_json& direction, bool with_impairments);

}  // namespace hawser::cli
