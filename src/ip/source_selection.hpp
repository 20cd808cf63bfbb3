// Which own address to use towards a destination, and which of several destinations to try first
// (RFC 6724). Pure functions of what the tables know.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hawser/address.hpp"
#include "ip/address_table.hpp"

namespace hawser::ip {

/// Where an address reaches, as IPv6 numbers it: 2 the link, 5 the site, 14 everywhere
/// (RFC 4291 2.7, RFC 6724 3).
std::uint8_t scope_of(const IpAddress& address);

/// A row of the policy table (RFC 6724 2.1): what is known of an address by its prefix.
struct Policy {
  std::uint8_t precedence = 0;
  std::uint8_t label = 0;
};
Policy policy_of(const IpAddress& address);

/// How many bits of a source and a destination are equal, as far as the prefix of the source goes
/// (RFC 6724 2.2).
unsigned common_prefix_length(const Prefix& source, const IpAddress& destination);

/// Whither a packet goes for which an address is sought.
struct Way {
  IpAddress destination;
  InterfaceId interface{};
  IpAddress next_hop;  ///< `destination` itself when that is on the link
};

/// The best usable address among `own` for packets that go `way` (RFC 6724 5); nothing without one.
/// For IPv4 the longest network that holds the next hop decides instead of rules 5.5 to 8
/// (RFC 1122 3.3.4.3 (b)). There is no rule 4, since the host is not mobile, and no rule 7, since
/// it has no temporary addresses.
const OwnAddress* select_source(const Way& way, std::span<const OwnAddress> own);

/// One of the addresses that a name stands for.
struct Candidate {
  IpAddress destination;
  std::optional<Prefix> source{};  ///< ours for it; unset: it cannot be reached
  bool source_deprecated = false;
};

/// Puts first what is most promising (RFC 6724 6); equals keep their order. There is no rule 4, as
/// above, and no rule 7, since nothing is encapsulated.
void sort_destinations(std::vector<Candidate>& candidates);

}  // namespace hawser::ip
