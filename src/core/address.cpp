// Addresses as text: IPv4 in dotted decimal, IPv6 by RFC 4291 2.2, printed by RFC 5952; and what
// kinds of address there are (RFC 1122 3.2.1.3, RFC 4291 2.4).
#include "hawser/address.hpp"

#include <algorithm>
#include <charconv>

namespace hawser {

namespace {

/// A whole number in decimal without sign or needless zeros, at most `largest`.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned largest) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value > largest) return std::nullopt;
  return value;
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t dot = i + 1 < bytes.size() ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto value = parse_decimal(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return bytes;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint16_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// The groups on one side of "::", or of the whole text.
struct Groups {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;  ///< bytes in use
};

/// Reads "a:b:c", whose last part may be an IPv4 address if `may_end_in_v4`.
std::optional<Groups> parse_groups(std::string_view text, bool may_end_in_v4) {
  Groups groups;
  if (text.empty()) return groups;
  for (bool last = false; !last;) {
    const std::size_t colon = text.find(':');
    last = colon == std::string_view::npos;
    const std::string_view part = text.substr(0, colon);
    if (last && may_end_in_v4 && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || groups.size + 4 > groups.bytes.size()) return std::nullopt;
      std::ranges::copy(*v4, groups.bytes.begin() + static_cast<std::ptrdiff_t>(groups.size));
      groups.size += 4;
      break;
    }
    const auto group = parse_group(part);
    if (!group || groups.size == groups.bytes.size()) return std::nullopt;
    groups.bytes[groups.size++] = static_cast<std::uint8_t>(*group >> 8);
    groups.bytes[groups.size++] = static_cast<std::uint8_t>(*group);
    if (!last) text.remove_prefix(colon + 1);
  }
  return groups;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto groups = parse_groups(text, true);
    if (!groups || groups->size != 16) return std::nullopt;
    return groups->bytes;
  }
  const auto front = parse_groups(text.substr(0, gap), false);
  const auto back = parse_groups(text.substr(gap + 2), true);
  // "::" stands for at least one group.
  if (!front || !back || front->size + back->size > 14) return std::nullopt;
  std::array<std::uint8_t, 16> bytes = front->bytes;
  std::copy_n(back->bytes.begin(), back->size,
              bytes.end() - static_cast<std::ptrdiff_t>(back->size));
  return bytes;
}

std::string v4_text(const std::array<std::uint8_t, 4>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += '.';
    text += std::to_string(byte);
  }
  return text;
}

std::uint16_t group_at(const std::array<std::uint8_t, 16>& bytes, std::size_t group) {
  return static_cast<std::uint16_t>(bytes[2 * group] << 8 | bytes[2 * group + 1]);
}

/// Groups [begin, end) that "::" stands for.
struct ZeroRun {
  std::size_t begin = 8;
  std::size_t end = 8;
};

/// The longest run of at least two zero groups, the first of equals (RFC 5952 4.2).
ZeroRun longest_zero_run(const std::array<std::uint8_t, 16>& bytes) {
  ZeroRun best;
  for (std::size_t begin = 0; begin < 8;) {
    std::size_t end = begin;
    while (end < 8 && group_at(bytes, end) == 0) ++end;
    if (end - begin >= 2 && end - begin > best.end - best.begin) best = {begin, end};
    begin = end + 1;
  }
  return best;
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
  const ZeroRun run = longest_zero_run(bytes);
  std::string text;
  for (std::size_t group = 0; group < 8; ++group) {
    if (group == run.begin) text += "::";
    if (group >= run.begin && group < run.end) continue;
    if (group != 0 && group != run.end) text += ':';
    std::array<char, 4> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                            unsigned{group_at(bytes, group)}, 16);
    text.append(digits.data(), end);
  }
  return text;
}

/// The bits of a mapped address before those of the IPv4 address.
constexpr unsigned kMappedBits = 96;

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bytes = parse_v4(text);
    return bytes ? std::optional(v4(*bytes)) : std::nullopt;
  }
  const auto bytes = parse_v6(text);
  return bytes ? std::optional(v6(*bytes)) : std::nullopt;
}

bool IpAddress::is_unspecified() const { return *this == any(family()); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_limited_broadcast() const { return *this == v4(255, 255, 255, 255); }

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const { return is_v4() ? v4_text(v4_bytes()) : v6_text(bytes_); }

std::string Endpoint::to_string() const {
  const std::string number = std::to_string(to_number(port));
  if (address.is_v4()) return address.to_string() + ':' + number;
  const std::string where =
      zone == Zone::none ? "" : '%' + std::to_string(static_cast<std::uint16_t>(zone));
  return '[' + address.to_string() + where + "]:" + number;
}

unsigned common_prefix_bits(const IpAddress& a, const IpAddress& b) {
  for (unsigned i = 0; i < 16; ++i) {
    const auto differ = static_cast<std::uint8_t>(a.bytes()[i] ^ b.bytes()[i]);
    if (differ == 0) continue;
    const unsigned bits = 8 * i + static_cast<unsigned>(std::countl_zero(differ));
    return a.is_v4() ? bits - kMappedBits : bits;
  }
  return a.is_v4() ? 128 - kMappedBits : 128;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned longest = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<std::uint8_t>(longest)};
  const auto length = parse_decimal(text.substr(slash + 1), longest);
  if (!length) return std::nullopt;
  return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const unsigned bits = address.is_v4() ? kMappedBits + length : length;
  const std::size_t whole = bits / 8;
  if (!std::equal(address.bytes().begin(),
                  address.bytes().begin() + static_cast<std::ptrdiff_t>(whole),
                  other.bytes().begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned differ = address.bytes()[whole] ^ other.bytes()[whole];
  return differ >> (8 - bits % 8) == 0;
}

Prefix Prefix::network() const {
  auto bytes = address.bytes();
  const unsigned bits = address.is_v4() ? kMappedBits + length : length;
  std::size_t whole = bits / 8;
  if (bits % 8 != 0) {
    bytes[whole] = static_cast<std::uint8_t>(bytes[whole] & (0xff00U >> (bits % 8)));
    ++whole;
  }
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(whole), bytes.end(), std::uint8_t{0});
  return {IpAddress::v6(bytes), length};
}

std::string Prefix::to_string() const { return address.to_string() + '/' + std::to_string(length); }

}  // namespace hawser
