#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({{"NAME"}, {"COUNT", Table::Align::right}, {"END"}});
  table.add_row({"a", "7", "x"});
  table.add_row({"longer", "12345678", ""});
  EXPECT_EQ(table.render(true, false),
            "NAME       COUNT  END\n"
            "a              7  x\n"
            "longer  12345678  -\n");
}

TEST(Table, WithoutTitlesIsAsWideAsItsCells) {
  Table table({{"A LONG TITLE"}, {"B"}});
  table.add_row({"a", "b"}, {"more of it"});
  EXPECT_EQ(table.render(false, false), "a  b\n    more of it\n");
}

TEST(Table, ColoursNothingButTheTitles) {
  Table table({{"A"}});
  table.add_row({"a"});
  EXPECT_EQ(table.render(true, true), "\033[1mA\033[0m\na\n");
}

}  // namespace
}  // namespace hawser::cli
