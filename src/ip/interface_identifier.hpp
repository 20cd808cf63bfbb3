// The lower half of an IPv6 address that a host makes itself (RFC 4291 2.5.1, RFC 7217).
#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/addressing.hpp"
#include "hawser/mac_address.hpp"

namespace hawser::ip {

/// 64 bits of prefix, then the modified EUI-64 identifier of `mac`.
IpAddress eui64_address(const Prefix& prefix, const MacAddress& mac);

/// 64 bits of prefix, then an identifier that only the holder of the key can tell (RFC 7217 5).
/// `conflicts` counts the duplicates of it that were found before. Never a reserved identifier
/// (RFC 5453).
IpAddress stable_address(const KeyedHash& key, const Prefix& prefix, const MacAddress& mac,
                         std::uint8_t conflicts);

}  // namespace hawser::ip
