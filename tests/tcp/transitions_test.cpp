// The table of transitions, and the drawing of it in docs/tcp-states.md.
#include "tcp/transitions.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace hawser::tcp {
namespace {

std::string node(TcpState state) {
  std::string name(to_string(state));
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

std::string drawing() {
  std::string text =
      "# The states of a connection\n\n"
      "Drawn from `src/tcp/transitions.hpp`, which asserts each transition as it happens "
      "(RFC 9293 3.3.2).\nTo draw it anew: `HAWSER_UPDATE_DOCS=1 "
      "build/release/bin/hawser_tcp_tests --gtest_filter='Transitions.*'`\n\n"
      "```mermaid\nstateDiagram-v2\n";
  for (const Transition& t : kTransitions) {
    text += fmt::format("    {} --> {}: {}\n", node(t.from), node(t.to), t.because);
  }
  return text + "```\n";
}

TEST(Transitions, TheDrawingInTheDocsIsThatOfTheTable) {
  const std::string path = HAWSER_SOURCE_DIR "/docs/tcp-states.md";
  if (std::getenv("HAWSER_UPDATE_DOCS") != nullptr) std::ofstream(path) << drawing();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), drawing());
}

TEST(Transitions, EveryStateCanBeReachedAndLeft) {
  for (int i = 0; i <= static_cast<int>(TcpState::time_wait); ++i) {
    const auto state = static_cast<TcpState>(i);
    bool reached = false;
    bool left = false;
    for (const Transition& t : kTransitions) {
      reached |= t.to == state;
      left |= t.from == state;
    }
    EXPECT_TRUE(reached && left) << to_string(state);
  }
}

TEST(Transitions, NothingLeadsBackIntoTheHandshake) {
  EXPECT_FALSE(is_legal(TcpState::established, TcpState::syn_sent));
  EXPECT_FALSE(is_legal(TcpState::close_wait, TcpState::established));
  EXPECT_FALSE(is_legal(TcpState::time_wait, TcpState::established));
  EXPECT_FALSE(is_legal(TcpState::closed, TcpState::established));
}

}  // namespace
}  // namespace hawser::tcp
