// Files with a line for each of some cells, which the library of today is compared with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cell.hpp"
#include "report.hpp"

namespace hawser::recovery {

class Snapshot {
 public:
  struct Line {
    Cell cell;
    std::string text;
  };

  /// Reads lines that begin with the name of a cell; the figures behind it may be missing. Lines
  /// that begin with "#" and empty ones are passed over, as are the marks of a conflict of git and
  /// a cell that was there before.
  static Parsed<Snapshot> parse(std::string_view text);

  std::span<const Line> lines() const { return lines_; }
  /// Puts what was measured in place of the lines of those cells.
  void update(std::span<const Measured> results);
  /// As the file has it.
  std::string text() const;

 private:
  std::vector<Line> lines_;
};

/// The lines that differ, those of the file behind "-" and those of today behind "+". Empty when
/// everything that was measured is as the file has it.
std::string differences(const Snapshot& snapshot, std::span<const Measured> results);

}  // namespace hawser::recovery
