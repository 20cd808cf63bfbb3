// The text forms of hawser/impairment.hpp.
#include "hawser/impairment.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

namespace hawser {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

struct Quantity {
  double number;
  std::string_view unit;  ///< as written, possibly empty
};

/// Splits "1.5ms" into its number and its unit. Nothing when it does not begin with a number that
/// is finite and not negative.
std::optional<Quantity> split(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
  return Quantity{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char upper = a[i];
    const char lower = upper >= 'A' && upper <= 'Z' ? static_cast<char>(upper - 'A' + 'a') : upper;
    if (lower != b[i]) return false;
  }
  return true;
}

/// The number times its unit, if the unit is one of `units` and the product fits 63 bits.
std::optional<double> scale(std::string_view text, std::span<const Unit> units) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  for (const Unit& unit : units) {
    if (!equal_ignoring_case(quantity->unit, unit.name)) continue;
    const double product = quantity->number * unit.factor;
    if (product >= 0x1p63) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

bool has_unit_or_is_zero(std::string_view text) {
  const auto quantity = split(text);
  return quantity && (!quantity->unit.empty() || quantity->number == 0);
}

std::unexpected<std::string> wrong(std::string_view text, std::string_view what) {
  return std::unexpected(fmt::format("'{}' is not {}", text, what));
}

}  // namespace

Parsed<double> parse_probability(std::string_view text) {
  static constexpr std::array<Unit, 2> kUnits = {{{"", 1}, {"%", 0.01}}};
  const auto value = scale(text, kUnits);
  if (!value || *value > 1) return wrong(text, "a probability: write 2% or 0.02, up to 100%");
  return *value;
}

Parsed<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                                  {"us", 1e3},
                                                  {"ms", 1e6},
                                                  {"s", 1e9},
                                                  {"m", 60e9},
                                                  {"min", 60e9},
                                                  {"h", 3600e9},
                                                  {"", 0}}};
  const auto value = scale(text, kUnits);
  if (!value || !has_unit_or_is_zero(text)) {
    return wrong(text, "a duration: write 20ms, 1.5s, 250us or 2m");
  }
  return Duration(static_cast<Duration::rep>(std::llround(*value)));
}

Parsed<std::uint64_t> parse_rate(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {
      {{"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"", 0}}};
  std::string_view amount = text;
  if (amount.ends_with("/s")) amount.remove_suffix(2);
  const auto value = scale(amount, kUnits);
  if (!value || !has_unit_or_is_zero(amount)) {
    return wrong(text, "a rate: write 10mbit, 1gbit or 64kbit, or 0 for no limit");
  }
  return static_cast<std::uint64_t>(std::ceil(*value));
}

Parsed<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<Unit, 11> kUnits = {{{"", 1},
                                                   {"b", 1},
                                                   {"k", 0x1p10},
                                                   {"kb", 0x1p10},
                                                   {"kib", 0x1p10},
                                                   {"m", 0x1p20},
                                                   {"mb", 0x1p20},
                                                   {"mib", 0x1p20},
                                                   {"g", 0x1p30},
                                                   {"gb", 0x1p30},
                                                   {"gib", 0x1p30}}};
  const auto value = scale(text, kUnits);
  if (!value || *value != std::floor(*value)) {
    return wrong(text, "a number of bytes: write 1500, 64k or 1m");
  }
  return static_cast<std::uint64_t>(*value);
}

}  // namespace hawser
