// Columns of text for the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hawser::cli {

class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// As many cells as there are columns; an empty one is shown as "-". `details` go below the row,
  /// indented, one line each.
  void add_row(std::vector<std::string> cells, std::vector<std::string> details = {});
  bool empty() const { return rows_.empty(); }
  /// Each line with its end. `colour` makes the titles bold.
  std::string render(bool header, bool colour) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::vector<std::string> details;
  };
  std::vector<std::size_t> widths(bool header) const;
  std::string line(const std::vector<std::string>& cells,
                   const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// Whether standard output is a terminal whose user has not set NO_COLOR.
bool wants_colour();

}  // namespace hawser::cli
