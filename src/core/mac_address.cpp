#include "hawser/mac_address.hpp"

#include <charconv>
#include <cstddef>

namespace hawser {

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr std::size_t kGroup = 3;  // two digits and a colon
  std::array<std::uint8_t, 6> bytes{};
  if (text.size() != bytes.size() * kGroup - 1) return std::nullopt;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* begin = text.data() + i * kGroup;
    const auto [end, error] = std::from_chars(begin, begin + 2, bytes[i], 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
    if (i + 1 < bytes.size() && *end != ':') return std::nullopt;
  }
  return MacAddress(bytes);
}

std::string MacAddress::to_string() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes_) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

}  // namespace hawser
