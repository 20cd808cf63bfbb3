// The multicast groups that a host has joined, on each interface, and what it tells routers and
// switches of them (RFC 1112 7, RFC 4291 2.8; RFC 2236 and RFC 3376 for IPv4, RFC 2710 and RFC 3810
// for IPv6).
//
// No sources are filtered: a host wants a group from everybody or not at all. So the answer to a
// question about some sources of a group is the answer to the question about the group.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/error.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"
#include "wire/membership.hpp"

namespace hawser::ip {

/// Every host is in the group of all hosts: 224.0.0.1, ff01::1, ff02::1 (RFC 1112 4, RFC 4291 2.8).
bool is_all_hosts(const IpAddress& group);

/// What is to be reported, as one packet: records of one family.
struct GroupReport {
  InterfaceId interface{};
  wire::MembershipVersion version{};
  std::vector<wire::MembershipRecord> records{};
};

class Multicast {
 public:
  /// Groups of one host, all interfaces together.
  static constexpr std::size_t kMaxGroups = 4096;

  explicit Multicast(Random& random) : random_(random.fork()) {}

  /// Joins, or counts one more who wants the group. Errors: invalid_argument when it is no group,
  /// no_buffer_space.
  Result<void> join(Instant now, InterfaceId interface, const IpAddress& group);
  /// Undoes one `join`; when it was the last, the group is left.
  void leave(Instant now, InterfaceId interface, const IpAddress& group);
  /// Whether what comes in by `interface` for `group` is for this host.
  bool is_member(InterfaceId interface, const IpAddress& group) const;

  void on_query(Instant now, InterfaceId interface, const wire::MembershipQuery& query);
  /// Another host reported the group, so that we need not (RFC2236-3, RFC2710-4).
  void on_report(Instant now, InterfaceId interface, const IpAddress& group);
  void on_time(Instant now);
  Instant next_deadline() const { return next_deadline_; }

  bool has_output() const { return !output_.empty(); }
  std::optional<GroupReport> poll_report();

 private:
  using Version = wire::MembershipVersion;
  using Change = wire::MembershipChange;

  struct Group {
    InterfaceId interface{};
    IpAddress address;
    std::uint32_t users = 0;        ///< zero: left, and still to be said
    std::uint8_t changes_left = 0;  ///< how often joining or leaving is still to be said
    bool we_reported_last = false;  ///< only then a leave is worth saying (RFC2236-3)
    Instant change_at = kNever;
    Instant answer_at = kNever;
  };
  /// What is known of the routers of one family on one link.
  struct Link {
    InterfaceId interface{};
    bool v4 = false;
    std::uint8_t robustness = 2;  // RFC3376-8.1
    Instant one_until{};          ///< there is a router that speaks no more than version one
    Instant two_until{};
    Instant answer_at = kNever;  ///< of version three, about all groups at once
  };

  std::vector<Group>::iterator place_of(InterfaceId interface, const IpAddress& group);
  Group* find(InterfaceId interface, const IpAddress& group);
  Link& link_of(InterfaceId interface, bool v4);
  static Version version_of(const Link& link, Instant now);
  void note_version(Instant now, Link& link, const wire::MembershipQuery& query);
  Instant soon(Instant now, Duration most);
  void say_change(Instant now, Group& group);
  void answer_about_all(const Link& link);
  void report(const Group& group, Version version, Change change);
  void forget_the_left();
  void set_deadline();

  Random random_;
  std::vector<Group> groups_;  // sorted by interface and address
  std::vector<Link> links_;    // few: two for each interface
  std::deque<GroupReport> output_;
  Instant next_deadline_ = kNever;
};

}  // namespace hawser::ip
