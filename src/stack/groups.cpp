// Multicast groups towards the link: IGMP and MLD (RFC 2236, RFC 3376, RFC 2710, RFC 3810), and the
// solicited-node groups of our addresses (RFC 4291 2.7.1).
#include <algorithm>
#include <variant>

#include "stack/impl.hpp"
#include "wire/membership.hpp"
#include "wire/neighbour_discovery.hpp"

namespace hawser {

void Stack::Impl::on_igmp(const Context& context, const wire::IpHeader& ip, const Packet& message,
                          InterfaceId from) {
  if (from == ip::kLoopback || interfaces_.is_ours(ip.source) || ip.source.is_multicast() ||
      (ip.destination.is_multicast() && !multicast_.is_member(from, ip.destination))) {
    return drop(context, DropReason::not_ours, message.size());
  }
  const auto parsed = wire::parse_igmp(message, ip);
  if (!parsed) return drop(context, parsed.error(), message.size());
  on_membership(context, *parsed, from);
}

void Stack::Impl::on_mld(const Context& context, const wire::IpHeader& ip, const Packet& message,
                         InterfaceId from) {
  if (from == ip::kLoopback || interfaces_.is_ours(ip.source) ||
      (ip.destination.is_multicast() && !multicast_.is_member(from, ip.destination))) {
    return drop(context, DropReason::not_ours, message.size());
  }
  const auto parsed = wire::parse_mld(message, ip);
  if (!parsed) return drop(context, parsed.error(), message.size());
  on_membership(context, *parsed, from);
}

void Stack::Impl::on_membership(const Context& context, const wire::MembershipMessage& message,
                                InterfaceId from) {
  if (const auto* query = std::get_if<wire::MembershipQuery>(&message)) {
    multicast_.on_query(context.now, from, *query);
  } else if (const auto* report = std::get_if<wire::MembershipReport>(&message)) {
    multicast_.on_report(context.now, from, report->group);
  }
}

/// RFC3810-5.2.13, RFC3590-4: of the link, or unspecified while there is none; of IPv4 any that we
/// have there.
IpAddress Stack::Impl::group_source(InterfaceId interface, bool v4) const {
  for (const ip::OwnAddress& own : interfaces_.addresses().all()) {
    const IpAddress& address = own.prefix.address;
    if (own.interface != interface || address.is_v4() != v4 || !own.is_usable()) continue;
    if (v4 || address.is_link_local()) return address;
  }
  return IpAddress::any(v4 ? Family::ipv4 : Family::ipv6);
}

void Stack::Impl::send_group_reports(const Context& context) {
  while (const auto report = multicast_.poll_report()) {
    const bool v4 = report->records.front().group.is_v4();
    const IpAddress source = group_source(report->interface, v4);
    auto [packet, destination] =
        wire::make_membership_report(pool_, report->version, report->records, source);
    if (!packet) {
      drop(context, DropReason::no_memory, 0);
      continue;
    }
    packet.set_interface(report->interface);
    send_on_link(context, std::move(packet), source, destination);
  }
}

/// RFC4291-2.8, RFC4862-5.4.2: whoever asks for one of our addresses asks its group, which switches
/// that listen to MLD bring us only if we joined it.
void Stack::Impl::join_solicited_nodes(Instant now) {
  if (addresses_seen_ == interfaces_.generation()) return;
  addresses_seen_ = interfaces_.generation();
  std::vector<udp::Membership> wanted;
  for (const ip::OwnAddress& own : interfaces_.addresses().all()) {
    if (own.prefix.address.is_v4() || mac_of(own.interface) == nullptr) continue;
    wanted.push_back({own.interface, wire::solicited_node(own.prefix.address)});
  }
  std::ranges::sort(wanted);
  wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());
  for (const udp::Membership& group : wanted) {
    if (!std::ranges::binary_search(solicited_nodes_, group)) {
      (void)multicast_.join(now, group.interface, group.group);
    }
  }
  for (const udp::Membership& group : solicited_nodes_) {
    if (!std::ranges::binary_search(wanted, group)) {
      multicast_.leave(now, group.interface, group.group);
    }
  }
  solicited_nodes_ = std::move(wanted);
}

}  // namespace hawser
