// Results as lines for people and files, as markdown and as JSON.
#pragma once

#include <span>
#include <string>

#include "cell.hpp"
#include "scene.hpp"

namespace hawser::recovery {

struct Measured {
  Cell cell;
  Result result;
};

/// What the columns of a line are, in lines that begin with "#".
std::string line_head();
/// A cell's name, its figures and what its senders did, in one line without its end. `colour` marks
/// what is far below what was expected.
std::string line(const Measured& measured, bool colour = false);
/// One object a line, all figures as numbers.
std::string json_line(const Measured& measured);
/// Tables with a row for each path and a column for each loss, one for each algorithm and kind of
/// loss, and one of the cells with several flows.
std::string markdown(std::span<const Measured> results);

}  // namespace hawser::recovery
