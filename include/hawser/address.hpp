// Addresses of hosts and of programs on them, for IPv4 and IPv6.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hawser/interface_id.hpp"

namespace hawser {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// An IPv4 or IPv6 address. IPv4 is kept in its mapped form (::ffff:0:0/96, RFC 4291 2.5.5.2), so
/// that one address is 16 bytes and one comparison; such an address never appears on an IPv6 wire.
class IpAddress {
 public:
  /// The unspecified IPv6 address, `::`.
  constexpr IpAddress() = default;

  static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    IpAddress address;
    address.bytes_[10] = 0xff;
    address.bytes_[11] = 0xff;
    address.bytes_[12] = a;
    address.bytes_[13] = b;
    address.bytes_[14] = c;
    address.bytes_[15] = d;
    return address;
  }
  /// From four bytes in network order.
  static constexpr IpAddress v4(std::array<std::uint8_t, 4> b) {
    return v4(b[0], b[1], b[2], b[3]);
  }
  /// From sixteen bytes in network order.
  static constexpr IpAddress v6(const std::array<std::uint8_t, 16>& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    return address;
  }
  /// The unspecified address of a family: 0.0.0.0 or ::.
  static constexpr IpAddress any(Family family) {
    return family == Family::ipv4 ? v4(0, 0, 0, 0) : IpAddress{};
  }
  /// Reads "10.0.0.1" or "fd00::1"; nothing when the text is neither.
  static std::optional<IpAddress> parse(std::string_view text);

  constexpr Family family() const { return is_v4() ? Family::ipv4 : Family::ipv6; }
  constexpr bool is_v4() const {  // in words: every packet is asked
    const auto words = std::bit_cast<std::array<std::uint32_t, 4>>(bytes_);
    return ((words[0] | words[1]) | (words[2] ^ kMapped)) == 0;
  }
  /// All sixteen bytes in network order; of an IPv4 address the last four count.
  constexpr const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  constexpr std::array<std::uint8_t, 4> v4_bytes() const {
    return {bytes_[12], bytes_[13], bytes_[14], bytes_[15]};
  }

  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  /// 255.255.255.255; the broadcast address of a subnet depends on the interface.
  bool is_limited_broadcast() const;
  bool is_link_local() const;
  /// Whether it means something else on each link, so that an interface belongs to it: of IPv6
  /// link-local addresses, and groups of the link or of the interface (RFC 4007 5, 6).
  constexpr bool needs_zone() const {
    if (bytes_[0] == 0xfe) return (bytes_[1] & 0xc0) == 0x80;
    return bytes_[0] == 0xff && ((bytes_[1] & 0x0f) == 1 || (bytes_[1] & 0x0f) == 2);
  }

  std::string to_string() const;

  /// In two words: every segment's demultiplexing compares addresses.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    using Halves = std::array<std::uint64_t, 2>;
    const auto x = std::bit_cast<Halves>(a.bytes_);
    const auto y = std::bit_cast<Halves>(b.bytes_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
  }
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  /// The third word of the mapped form.
  static constexpr auto kMapped =
      std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{0, 0, 0xff, 0xff});
  std::array<std::uint8_t, 16> bytes_{};
};

/// A TCP or UDP port in host order. Zero means "choose one for me".
enum class Port : std::uint16_t {};
constexpr std::uint16_t to_number(Port port) { return static_cast<std::uint16_t>(port); }

/// One end of a connection.
struct Endpoint {
  IpAddress address;
  Port port{};
  /// The interface on which `address` is meant, if that `needs_zone`. Of an end that a stack is
  /// given, `none` leaves it to the stack; those that it gives have it set.
  Zone zone = Zone::none;

  /// "10.0.0.1:80", "[fd00::1]:80", or with a zone "[fe80::1%1]:80".
  std::string to_string() const;
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// How many bits at the beginning of two addresses of one family are equal.
unsigned common_prefix_bits(const IpAddress& a, const IpAddress& b);

/// An address with the length of its network part, as in "10.9.0.2/24".
struct Prefix {
  IpAddress address;
  /// In bits: at most 32 for IPv4 and 128 for IPv6.
  std::uint8_t length = 0;

  /// Reads "10.9.0.2/24"; without a length it is the whole address. Nothing when malformed.
  static std::optional<Prefix> parse(std::string_view text);
  /// Whether `other` is of the same family and has the same network part.
  bool contains(const IpAddress& other) const;
  /// The same with all bits of the host zero, as in "10.9.0.0/24".
  Prefix network() const;
  std::string to_string() const;
  friend constexpr bool operator==(const Prefix&, const Prefix&) = default;
};

}  // namespace hawser
