#include "cli/numbers.hpp"

#include <fmt/format.h>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

constexpr std::uint64_t kMostPorts = 65535;

std::unexpected<std::string> wrong(std::string_view text, std::string_view what) {
  return std::unexpected(fmt::format("'{}' is not {}", text, what));
}

}  // namespace

Parsed<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_digits(text);
  if (!number || *number == 0 || *number > kMostPorts) {
    return wrong(text, "a port: write a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(*number);
}

Parsed<std::uint16_t> parse_port_or_any(std::string_view text) {
  if (text == "0") return std::uint16_t{0};
  return parse_port(text);
}

Parsed<std::uint64_t> parse_count(std::string_view text) {
  const auto number = parse_digits(text);
  if (!number) return wrong(text, "a whole number");
  return *number;
}

Parsed<std::uint64_t> parse_positive_count(std::string_view text) {
  const auto number = parse_digits(text);
  if (!number || *number == 0) return wrong(text, "a whole number from 1");
  return *number;
}

Parsed<Duration> parse_patience(std::string_view text) {
  auto duration = parse_duration(text);
  if (duration && *duration <= Duration::zero()) {
    return std::unexpected(fmt::format("'{}' leaves no time at all: write 30s or 2m", text));
  }
  return duration;
}

}  // namespace hawser::cli
