#include "ip/interface_identifier.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace hawser::ip {

namespace {

IpAddress with_identifier(const Prefix& prefix, std::uint64_t identifier) {
  auto bytes = prefix.network().address.bytes();
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[15 - i] = static_cast<std::uint8_t>(identifier >> (8 * i));
  }
  return IpAddress::v6(bytes);
}

/// RFC 5453: that of the anycast of routers, those that IANA keeps, and of subnet anycast.
bool is_reserved(std::uint64_t identifier) {
  return identifier == 0 ||
         (identifier >= 0x02005efffe000000 && identifier <= 0x02005efffeffffff) ||
         (identifier >= 0xfdffffffffffff80 && identifier <= 0xfdffffffffffffff);
}

}  // namespace

IpAddress eui64_address(const Prefix& prefix, const MacAddress& mac) {
  const auto& b = mac.bytes();
  std::uint64_t identifier = b[0] ^ 0x02U;
  for (const unsigned byte : {unsigned{b[1]}, unsigned{b[2]}, 0xffU, 0xfeU, unsigned{b[3]},
                              unsigned{b[4]}, unsigned{b[5]}}) {
    identifier = identifier << 8 | byte;
  }
  return with_identifier(prefix, identifier);
}

IpAddress stable_address(const KeyedHash& key, const Prefix& prefix, const MacAddress& mac,
                         std::uint8_t conflicts) {
  // What RFC 7217 5 calls Prefix, Net_Iface and DAD_Counter, and how often a reserved one came out.
  std::array<std::byte, 16> input{};
  std::ranges::copy(std::as_bytes(std::span(prefix.network().address.bytes())).first(8),
                    input.begin());
  std::ranges::copy(std::as_bytes(std::span(mac.bytes())), input.begin() + 8);
  input[14] = std::byte{conflicts};
  for (unsigned again = 0;; ++again) {
    input[15] = static_cast<std::byte>(again);
    const std::uint64_t identifier = key(input);
    if (!is_reserved(identifier)) return with_identifier(prefix, identifier);
  }
}

}  // namespace hawser::ip
