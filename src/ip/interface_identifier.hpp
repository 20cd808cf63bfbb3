// The lower half of an IPv6 address that a host makes itself (RFC 4291 2.5.1, RFC 7217).
#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/mac_address.hpp"

namespace hawser::ip {

/// How the identifier is made.
enum class IdentifierKind : std::uint8_t {
  /// RFC 7217: differs from network to network, so that nobody follows a host by it, nor guesses it
  /// from what its maker builds; the same host on the same network gets the same one again.
  stable,
  /// RFC 4291 appendix A: the address of the Ethernet is in it.
  eui64,
};

/// 64 bits of prefix, then the modified EUI-64 identifier of `mac`.
IpAddress eui64_address(const Prefix& prefix, const MacAddress& mac);

/// 64 bits of prefix, then an identifier that only the holder of the key can tell (RFC 7217 5).
/// `conflicts` counts the duplicates of it that were found before. Never a reserved identifier
/// (RFC 5453).
IpAddress stable_address(const KeyedHash& key, const Prefix& prefix, const MacAddress& mac,
                         std::uint8_t conflicts);

}  // namespace hawser::ip
