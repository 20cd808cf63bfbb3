// The name servers of resolv.conf(5), with the interface of those that are of a link.
#pragma once

#include <iosfwd>
#include <span>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/stack.hpp"

namespace hawser::names {

/// In their order. A server `address%name` belongs to the interface of that name, and is left out
/// when `interfaces` has none; lines that cannot be are left out too.
std::vector<Endpoint> name_servers_in(std::istream& file,
                                      std::span<const InterfaceConfig> interfaces);

}  // namespace hawser::names
