#include "cli/link_name.hpp"

#include <fmt/format.h>

#include "cli/numbers.hpp"

namespace hawser::cli {

LinkName read_link_name(const std::string& text, std::string_view what) {
  using Kind = LinkName::Kind;
  for (const auto& [prefix, kind] : {std::pair{std::string_view("tun:"), Kind::tun},
                                     {std::string_view("tap:"), Kind::tap},
                                     {std::string_view("packet:"), Kind::packet}}) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
      return {kind, text.substr(prefix.size())};
    }
  }
  refuse_usage(
      fmt::format("{}: '{}' is no link: write tun:NAME or tap:NAME for a device of our own, or "
                  "packet:NAME for an interface that is there, as in tun:hw0",
                  what, text));
}

Parsed<std::optional<std::uint32_t>> parse_mtu(std::string_view text) {
  const auto bytes = parse_count(text);
  if (!bytes || *bytes > 65535) {
    return std::unexpected(fmt::format("'{}' is not an MTU: write a number up to 65535", text));
  }
  return static_cast<std::uint32_t>(*bytes);
}

}  // namespace hawser::cli
