// Web addresses (RFC 3986), as far as `hawser get` follows them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hawser::cli {

struct Url {
  std::string host;  ///< a name or an address; of IPv6 without brackets
  std::uint16_t port = 80;
  std::string target = "/";  ///< path and query, as they stand in a request

  /// Reads "http://host[:port]/path?query"; else one line that says what is wrong.
  static std::expected<Url, std::string> parse(std::string_view text);
  /// Where `reference`, as a Location field has it, leads from here (RFC 3986 5.2).
  std::expected<Url, std::string> resolve(std::string_view reference) const;

  /// For the Host field: with brackets around IPv6, and with the port unless it is 80.
  std::string authority() const;
  /// The last segment of the path, decoded, as a name for a file; "index.html" when it is empty or
  /// no fit name.
  std::string file_name() const;
  std::string to_string() const { return "http://" + authority() + target; }
};

}  // namespace hawser::cli
