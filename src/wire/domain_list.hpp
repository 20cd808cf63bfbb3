// Lists of domains as they stand in DHCP options and messages of DNS (RFC 1035 3.1, 4.1.4;
// RFC 3397 2).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hawser::wire {

/// More are left out; resolvers have long looked no further.
inline constexpr std::size_t kMaxDomains = 6;

/// Domains one behind the other, each a row of labels that may end with a pointer back to what
/// stands before it. None when one of them cannot be, or has characters other than letters, digits,
/// '-' and '_', which could do harm where it is printed or looked up.
std::vector<std::string> parse_domains(std::span<const std::byte> bytes);

/// The same without pointers.
std::vector<std::byte> emit_domains(std::span<const std::string> domains);

/// Whether a name of hosts or domains may have it beside dots.
constexpr bool is_label_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace hawser::wire
