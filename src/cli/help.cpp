#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hawser::cli {

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kNameColumns = 28;

/// A name, and the text beside it or, when the name is too long for that, below.
std::string entry(std::string_view name, std::string_view text) {
  std::string lines = fmt::format("  {:<{}}", name, kNameColumns - 2);
  if (name.size() + 3 > kNameColumns) {
    lines.resize(name.size() + 2);
    lines += '\n' + std::string(kNameColumns, ' ');
  }
  lines += wrap(text, kColumns - kNameColumns, kNameColumns);
  while (lines.ends_with(' ')) lines.pop_back();
  return lines + '\n';
}

class Layout : public CLI::Formatter {
 public:
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    std::string text = fmt::format("\n{}:\n", group);
    for (const CLI::Option* option : options) text += make_option(option, is_positional);
    return text;
  }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return entry(make_option_name(option, is_positional) + make_option_opts(option),
                 make_option_desc(option));
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    const bool plain = option->get_positional() || option->get_type_size() == 0;
    return plain ? "" : " " + option->get_type_name();
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    if (!option->get_default_str().empty()) text += fmt::format(" [{}]", option->get_default_str());
    if (option->get_required() && option->nonpositional()) text += " (required)";
    return text;
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_name(), command->get_description());
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    // CLI11 sets two empty lines between groups.
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    for (std::size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n")) {
      text.erase(at, 1);
    }
    return text;
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<Layout>(); }

std::string wrap(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (used != 0 && used + 1 + word.size() > columns) {
      lines += '\n' + std::string(indent, ' ');
      used = 0;
    }
    if (used != 0) {
      lines += ' ';
      ++used;
    }
    lines += word;
    used += word.size();
  }
  return lines;
}

}  // namespace hawser::cli
