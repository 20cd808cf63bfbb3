// The results as a table for people and as JSON for programs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "measure.hpp"

namespace hawser::bench {

/// The head of the table.
std::string table_head();
/// The lines of one case: a line for each contender, with the ratio of the first to it.
std::string table_rows(const CaseResult& result);

std::string to_json(std::span<const CaseResult> results, std::string_view facts);

}  // namespace hawser::bench
