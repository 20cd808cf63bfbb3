// What cannot work of the addresses that a command was given, found before anything is opened.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hawser/address.hpp"

namespace hawser::cli {

struct LinkAddresses {
  std::vector<Prefix> ours;           ///< --address
  std::vector<Prefix> kernel;         ///< --host-address
  std::vector<IpAddress> gateways{};  ///< --gateway
  bool leased = false;                ///< --dhcp: of IPv4 we shall have another one
  /// On an Ethernet of ours: without one of IPv6 we take what a router on the link advertises.
  bool advertised = false;
};

/// One line that says what is wrong and names the option; nothing when they fit together.
std::optional<std::string> find_fault(const LinkAddresses& addresses);

}  // namespace hawser::cli
