#include "cli/http_range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "cli/http_text.hpp"

namespace hawser::cli {

namespace {

/// A number of digits alone. One that is too large for any file is as good as the largest.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits) return std::nullopt;
  return parse_digits(text).value_or(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace

RangeRequest parse_range(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  field = trim(field);
  if (field.size() < kUnit.size() || !equals_ignoring_case(field.substr(0, kUnit.size()), kUnit)) {
    return {};
  }
  const std::string_view spec = trim(field.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.contains(',')) return {};
  const std::string_view before = trim(spec.substr(0, dash));
  const std::string_view after = trim(spec.substr(dash + 1));

  if (before.empty()) {  // the last n bytes
    const std::optional<std::uint64_t> suffix = parse_position(after);
    if (!suffix) return {};
    if (*suffix == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
    const std::uint64_t length = std::min(*suffix, size);
    return {RangeKind::part, {size - length, length}};
  }
  const std::optional<std::uint64_t> first = parse_position(before);
  if (!first) return {};
  std::optional<std::uint64_t> last;
  if (!after.empty()) {
    last = parse_position(after);
    if (!last || *last < *first) return {};
  }
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  const std::uint64_t end = last && *last < size ? *last + 1 : size;
  return {RangeKind::part, {*first, end - *first}};
}

}  // namespace hawser::cli
