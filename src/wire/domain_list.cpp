#include "wire/domain_list.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "wire/bytes.hpp"

namespace hawser::wire {

namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035 3.1, as text
constexpr std::size_t kLongestLabel = 63;
constexpr std::uint8_t kPointer = 0xc0;

/// Adds the label at `at` to `name`. False when it cannot be.
bool append_label(std::span<const std::byte> bytes, std::size_t at, std::string& name) {
  const std::size_t length = read8(&bytes[at]);
  if (length > kLongestLabel || at + 1 + length > bytes.size()) return false;
  if (!name.empty()) name += '.';
  for (const std::byte byte : bytes.subspan(at + 1, length)) {
    name += std::to_integer<char>(byte);
    if (!is_label_character(name.back())) return false;
  }
  return name.size() <= kLongestName;
}

/// The domain at `at`, which is moved behind it. Each pointer leads further back than the one
/// before, so that there is an end.
std::optional<std::string> read_domain(std::span<const std::byte> bytes, std::size_t& at) {
  std::string name;
  std::size_t here = at;
  std::size_t limit = at;
  bool jumped = false;
  while (here < bytes.size()) {
    const std::uint8_t first = read8(&bytes[here]);
    if ((first & kPointer) == kPointer) {
      if (here + 2 > bytes.size()) return std::nullopt;
      const std::size_t target = read16(&bytes[here]) & 0x3fffU;
      if (target >= limit) return std::nullopt;
      if (!jumped) at = here + 2;
      jumped = true;
      here = limit = target;
      continue;
    }
    if (first == 0) {
      if (!jumped) at = here + 1;
      if (name.empty()) return std::nullopt;
      return name;
    }
    if (!append_label(bytes, here, name)) return std::nullopt;
    here += std::size_t{first} + 1;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> parse_domains(std::span<const std::byte> bytes) {
  std::vector<std::string> domains;
  for (std::size_t at = 0; at < bytes.size();) {
    std::optional<std::string> domain = read_domain(bytes, at);
    if (!domain) return {};
    if (domains.size() < kMaxDomains) domains.push_back(std::move(*domain));
  }
  return domains;
}

std::vector<std::byte> emit_domains(std::span<const std::string> domains) {
  std::vector<std::byte> bytes;
  for (std::string_view rest : domains) {
    while (!rest.empty()) {
      const std::string_view label = rest.substr(0, rest.find('.'));
      bytes.push_back(static_cast<std::byte>(label.size()));
      std::ranges::transform(label, std::back_inserter(bytes),
                             [](char c) { return static_cast<std::byte>(c); });
      rest.remove_prefix(std::min(rest.size(), label.size() + 1));
    }
    bytes.push_back(std::byte{0});
  }
  return bytes;
}

}  // namespace hawser::wire
