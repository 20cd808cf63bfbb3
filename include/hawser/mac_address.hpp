// Addresses on an Ethernet (IEEE 802-2014 8).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawser {

/// A 48-bit address of a port on an Ethernet, or of a group of ports.
class MacAddress {
 public:
  /// All bits zero: nobody.
  constexpr MacAddress() = default;
  /// Six bytes in the order in which they are sent.
  constexpr explicit MacAddress(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
  /// ff:ff:ff:ff:ff:ff, everybody.
  static constexpr MacAddress broadcast() {
    return MacAddress({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  }
  /// Reads six groups of two hexadecimal digits, "02:00:5e:10:00:01"; nothing for any other text.
  static std::optional<MacAddress> parse(std::string_view text);

  constexpr const std::array<std::uint8_t, 6>& bytes() const { return bytes_; }
  constexpr bool is_unspecified() const { return *this == MacAddress{}; }
  /// Of a group, broadcast included.
  constexpr bool is_multicast() const { return (bytes_[0] & 1) != 0; }
  constexpr bool is_broadcast() const { return *this == broadcast(); }

  std::string to_string() const;

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

 private:
  std::array<std::uint8_t, 6> bytes_{};
};

}  // namespace hawser
