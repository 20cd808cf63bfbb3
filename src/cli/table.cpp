#include "cli/table.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace hawser::cli {

void Table::add_row(std::vector<std::string> cells, std::vector<std::string> details) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::move(details)});
}

std::vector<std::size_t> Table::widths(bool header) const {
  std::vector<std::size_t> widths(columns_.size(), 1);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (header) widths[i] = columns_[i].title.size();
    for (const Row& row : rows_) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  return widths;
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) text += "  ";
    const std::string_view cell = cells[i].empty() ? "-" : std::string_view(cells[i]);
    text += columns_[i].align == Align::left ? fmt::format("{:<{}}", cell, widths[i])
                                             : fmt::format("{:>{}}", cell, widths[i]);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string Table::render(bool header, bool colour) const {
  const std::vector<std::size_t> width = widths(header);
  std::string text;
  if (header) {
    std::vector<std::string> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back(column.title);
    const std::string title = line(titles, width);
    text += colour ? fmt::format("\033[1m{}\033[0m\n", title) : title + '\n';
  }
  for (const Row& row : rows_) {
    text += line(row.cells, width) + '\n';
    for (const std::string& detail : row.details) text += fmt::format("    {}\n", detail);
  }
  return text;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* terminal = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace hawser::cli
