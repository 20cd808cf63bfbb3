// Addresses and prefixes as text, for tests.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "ip/address_table.hpp"

namespace hawser::ip::testing {

inline constexpr InterfaceId kFirst{0};
inline constexpr InterfaceId kSecond{1};

inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
inline Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

inline OwnAddress own(std::string_view text, InterfaceId interface = {},
                      AddressState state = AddressState::preferred) {
  return {{.prefix = prefix(text), .interface = interface, .state = state}};
}

inline std::vector<IpAddress> addresses(std::initializer_list<std::string_view> texts) {
  std::vector<IpAddress> list;
  for (const std::string_view text : texts) list.push_back(address(text));
  return list;
}

}  // namespace hawser::ip::testing
