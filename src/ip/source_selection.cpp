#include "ip/source_selection.hpp"

#include <algorithm>
#include <array>

namespace hawser::ip {

namespace {

constexpr std::uint8_t kScopeLink = 2;
constexpr std::uint8_t kScopeSite = 5;
constexpr std::uint8_t kScopeGlobal = 14;

constexpr IpAddress v6(std::array<std::uint8_t, 4> front, std::uint8_t last = 0) {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(front, bytes.begin());
  bytes[15] = last;
  return IpAddress::v6(bytes);
}

struct PolicyRow {
  Prefix prefix;
  Policy policy;
};

/// The default policy table (RFC 6724 2.1), the longest prefix first.
constexpr std::array<PolicyRow, 8> kPolicies{{
    {{v6({0, 0, 0, 0}, 1), 128}, {50, 0}},
    {{v6({0, 0, 0, 0}), 96}, {1, 3}},
    {{v6({0x20, 0x01, 0, 0}), 32}, {5, 5}},
    {{v6({0x20, 0x02, 0, 0}), 16}, {30, 2}},
    {{v6({0x3f, 0xfe, 0, 0}), 16}, {1, 12}},
    {{v6({0xfe, 0xc0, 0, 0}), 10}, {1, 11}},
    {{v6({0xfc, 0, 0, 0}), 7}, {3, 13}},
    {{v6({0, 0, 0, 0}), 0}, {40, 1}},
}};
constexpr Policy kIpv4Policy{35, 4};  // ::ffff:0:0/96

/// What one comparison of two addresses says.
enum class Better : std::uint8_t { first, second, neither };

constexpr Better lower(auto first, auto second) {
  if (first == second) return Better::neither;
  return first < second ? Better::first : Better::second;
}
constexpr Better higher(auto first, auto second) { return lower(second, first); }

/// Rule 2: the smallest scope that reaches the destination, else the largest there is.
Better compare_scopes(std::uint8_t a, std::uint8_t b, std::uint8_t destination) {
  if (a == b) return Better::neither;
  if (a < b) return a < destination ? Better::second : Better::first;
  return b < destination ? Better::first : Better::second;
}

/// Bits of the network of an IPv4 address if the next hop is on it.
int network_with(const OwnAddress& own, const IpAddress& next_hop) {
  return own.prefix.contains(next_hop) ? int{own.prefix.length} : -1;
}

/// RFC 6724 5, RFC6724-5: the rules in their order; the first that tells decides.
Better compare_sources(const OwnAddress& a, const OwnAddress& b, const Way& way) {
  const IpAddress& to = way.destination;
  const IpAddress& first = a.prefix.address;
  const IpAddress& second = b.prefix.address;
  constexpr Better kNeither = Better::neither;
  // RFC6724-5-1: the destination itself.
  if (const auto told = higher(first == to, second == to); told != kNeither) return told;
  // RFC6724-5-2
  if (const auto told = compare_scopes(scope_of(first), scope_of(second), scope_of(to));
      told != kNeither) {
    return told;
  }
  // RFC6724-5-3: not a deprecated one.
  if (const auto told =
          lower(a.state == AddressState::deprecated, b.state == AddressState::deprecated);
      told != kNeither) {
    return told;
  }
  // RFC6724-5-5: one of the interface by which it leaves.
  if (const auto told = higher(a.interface == way.interface, b.interface == way.interface);
      told != kNeither) {
    return told;
  }
  if (to.is_v4()) return higher(network_with(a, way.next_hop), network_with(b, way.next_hop));
  // RFC6724-5-5.5: of a prefix that the first hop advertised.
  if (const auto told = higher(a.router == way.next_hop, b.router == way.next_hop);
      told != kNeither) {
    return told;
  }
  // RFC6724-5-6: labels that match.
  const std::uint8_t label = policy_of(to).label;
  if (const auto told = higher(policy_of(first).label == label, policy_of(second).label == label);
      told != kNeither) {
    return told;
  }
  // RFC6724-5-8
  return higher(common_prefix_length(a.prefix, to), common_prefix_length(b.prefix, to));
}

/// RFC 6724 4: an address of the link serves on its own link, and where nothing forwards it.
bool may_be_source(const OwnAddress& own, const Way& way) {
  if (!own.is_usable() || own.prefix.address.family() != way.destination.family()) return false;
  const bool leaves_by_it = own.interface == way.interface;
  if (own.prefix.address.is_link_local()) return leaves_by_it && way.next_hop == way.destination;
  // RFC6724-4: for groups and for the link, only those of the interface.
  const bool stays = way.destination.is_multicast() || way.destination.needs_zone();
  return leaves_by_it || !stays;
}

/// RFC 6724 6, RFC6724-6: as above.
Better compare_destinations(const Candidate& a, const Candidate& b) {
  constexpr Better kNeither = Better::neither;
  // RFC6724-6-1: not what cannot be reached.
  if (const auto told = higher(a.source.has_value(), b.source.has_value()); told != kNeither) {
    return told;
  }
  if (!a.source) return kNeither;
  const std::uint8_t scope_a = scope_of(a.destination);
  const std::uint8_t scope_b = scope_of(b.destination);
  // RFC6724-6-2: whose source reaches as far as itself.
  if (const auto told =
          higher(scope_of(a.source->address) == scope_a, scope_of(b.source->address) == scope_b);
      told != kNeither) {
    return told;
  }
  // RFC6724-6-3
  if (const auto told = lower(a.source_deprecated, b.source_deprecated); told != kNeither) {
    return told;
  }
  const Policy policy_a = policy_of(a.destination);
  const Policy policy_b = policy_of(b.destination);
  // RFC6724-6-5: labels that match.
  if (const auto told = higher(policy_of(a.source->address).label == policy_a.label,
                               policy_of(b.source->address).label == policy_b.label);
      told != kNeither) {
    return told;
  }
  // RFC6724-6-6
  if (const auto told = higher(policy_a.precedence, policy_b.precedence); told != kNeither) {
    return told;
  }
  // RFC6724-6-8: the smaller scope.
  if (const auto told = lower(scope_a, scope_b); told != kNeither) return told;
  // RFC6724-6-9: the longest prefix in common, within one family.
  if (a.destination.family() != b.destination.family()) return kNeither;
  return higher(common_prefix_length(*a.source, a.destination),
                common_prefix_length(*b.source, b.destination));
}

}  // namespace

std::uint8_t scope_of(const IpAddress& address) {
  // RFC6724-3.2: of IPv4, only addresses of the link and of the host reach no further.
  if (address.is_multicast() && !address.is_v4()) return address.bytes()[1] & 0x0f;
  if (address.is_link_local() || address.is_loopback()) return kScopeLink;
  if (address.is_v4()) return kScopeGlobal;
  const bool site = address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0xc0;
  return site ? kScopeSite : kScopeGlobal;
}

Policy policy_of(const IpAddress& address) {
  if (address.is_v4()) return kIpv4Policy;
  for (const PolicyRow& row : kPolicies) {
    if (row.prefix.contains(address)) return row.policy;
  }
  return {};
}

unsigned common_prefix_length(const Prefix& source, const IpAddress& destination) {
  return std::min(common_prefix_bits(source.address, destination), unsigned{source.length});
}

const OwnAddress* select_source(const Way& way, std::span<const OwnAddress> own) {
  const OwnAddress* best = nullptr;
  for (const OwnAddress& candidate : own) {
    if (!may_be_source(candidate, way)) continue;
    if (best == nullptr || compare_sources(candidate, *best, way) == Better::first) {
      best = &candidate;
    }
  }
  return best;
}

void sort_destinations(std::vector<Candidate>& candidates) {
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    return compare_destinations(a, b) == Better::first;  // RFC6724-6-10
  });
}

}  // namespace hawser::ip
