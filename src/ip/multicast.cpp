#include "ip/multicast.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace hawser::ip {

namespace {

constexpr IpAddress kAllHosts4 = IpAddress::v4(224, 0, 0, 1);

constexpr IpAddress all_nodes(std::uint8_t scope) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = 0xff;
  bytes[1] = scope;
  bytes[15] = 1;
  return IpAddress::v6(bytes);
}

constexpr IpAddress kAllNodesHere = all_nodes(1);
constexpr IpAddress kAllNodesOnLink = all_nodes(2);

}  // namespace

bool is_all_hosts(const IpAddress& group) {
  return group == kAllHosts4 || group == kAllNodesOnLink || group == kAllNodesHere;
}

std::vector<Multicast::Group>::iterator Multicast::place_of(InterfaceId interface,
                                                            const IpAddress& group) {
  return std::ranges::lower_bound(groups_, std::tie(interface, group), std::less<>{},
                                  [](const Group& g) { return std::tie(g.interface, g.address); });
}

Result<void> Multicast::join(Instant, InterfaceId interface, const IpAddress& group) {
  if (!group.is_multicast()) return std::unexpected(Error::invalid_argument);
  const auto place = place_of(interface, group);
  if (place != groups_.end() && place->interface == interface && place->address == group) {
    ++place->users;
    return {};
  }
  if (groups_.size() >= kMaxGroups) return std::unexpected(Error::no_buffer_space);
  groups_.insert(place, {interface, group, 1});
  return {};
}

void Multicast::leave(Instant, InterfaceId interface, const IpAddress& group) {
  const auto place = place_of(interface, group);
  if (place == groups_.end() || place->interface != interface || place->address != group) return;
  if (--place->users == 0) groups_.erase(place);
}

bool Multicast::is_member(InterfaceId interface, const IpAddress& group) const {
  if (is_all_hosts(group)) return true;
  return std::ranges::binary_search(
      groups_, std::tie(interface, group), std::less<>{},
      [](const Group& g) { return std::tie(g.interface, g.address); });
}

}  // namespace hawser::ip
