// What a host says and hears of multicast groups: IGMP (RFC 1112 I, RFC 2236, RFC 3376) for IPv4
// and MLD (RFC 2710, RFC 3810) for IPv6, which say the same in different forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <variant>

#include "hawser/address.hpp"
#include "hawser/drop.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

/// Of the protocol: IGMP has all three, MLDv1 is like IGMPv2 and MLDv2 like IGMPv3.
enum class MembershipVersion : std::uint8_t { one = 1, two = 2, three = 3 };

/// What a record of version three says of a group (RFC 3376 4.2.12, RFC 3810 5.2.12). A host that
/// filters no sources is in "exclude mode" with an empty list while it wants the group.
enum class MembershipChange : std::uint8_t {
  wanted = 2,      ///< MODE_IS_EXCLUDE
  not_wanted = 3,  ///< CHANGE_TO_INCLUDE_MODE
  now_wanted = 4,  ///< CHANGE_TO_EXCLUDE_MODE
};

struct MembershipRecord {
  MembershipChange change{};
  IpAddress group;
  friend bool operator==(const MembershipRecord&, const MembershipRecord&) = default;
};

/// A router asks who wants a group, or any.
struct MembershipQuery {
  MembershipVersion version{};
  IpAddress group;              ///< unspecified: all groups
  Duration max_response{};      ///< within which an answer is to come
  std::uint8_t robustness = 0;  ///< how often things are said; zero: not told
};

/// Another host wants a group, as versions one and two say it.
struct MembershipReport {
  IpAddress group;
};

/// Nothing to do for a host.
struct MembershipOther {};

using MembershipMessage = std::variant<MembershipQuery, MembershipReport, MembershipOther>;

/// Reads the IGMP message that `message` is; `ip` is its IP header. A wrong checksum, a missing
/// byte, a group that is none, or a TTL other than one gives bad_igmp.
std::expected<MembershipMessage, DropReason> parse_igmp(const Packet& message, const IpHeader& ip);

/// Whether an ICMPv6 message of that type is one of MLD.
constexpr bool is_mld(std::uint8_t icmp_type) {
  return (icmp_type >= 130 && icmp_type <= 132) || icmp_type == 143;
}
/// The same for MLD. A wrong checksum, a missing byte, a group that is none, a hop limit other than
/// one, a source that is not of the link or no router alert (RFC 3810 6.2) gives bad_icmp.
std::expected<MembershipMessage, DropReason> parse_mld(const Packet& message, const IpHeader& ip);

/// Puts the IPv6 header with the router alert (RFC 2711) before an MLD message.
void push_mld_ip(Packet& packet, const IpAddress& source, const IpAddress& destination);

/// Records that a report has room for, on any link.
inline constexpr std::size_t kMembershipRecords = 56;

struct MembershipPacket {
  Packet packet;
  IpAddress destination;
};

/// The packet, with its IP header and the router alert (RFC 2113, RFC 2711), that reports the
/// records of one family, at most kMembershipRecords; of one group in versions one and two, of
/// which the first has no way to say that a group is not wanted any more. `source` is ours on the
/// link, or unspecified while we have none. No packet when the pool is exhausted.
MembershipPacket make_membership_report(BufferPool& pool, MembershipVersion version,
                                        std::span<const MembershipRecord> records,
                                        const IpAddress& source);

}  // namespace hawser::wire
