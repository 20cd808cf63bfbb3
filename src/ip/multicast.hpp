// The multicast groups that a host has joined, on each interface (RFC 1112 7, RFC 4291 2.8).
#pragma once

#include <cstdint>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/error.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser::ip {

/// Every host is in the group of all hosts: 224.0.0.1, ff01::1, ff02::1 (RFC 1112 4, RFC 4291 2.8).
bool is_all_hosts(const IpAddress& group);

class Multicast {
 public:
  /// Groups of one host, all interfaces together.
  static constexpr std::size_t kMaxGroups = 4096;

  /// Joins, or counts one more who wants the group. Errors: invalid_argument when it is no group,
  /// no_buffer_space.
  Result<void> join(Instant now, InterfaceId interface, const IpAddress& group);
  /// Undoes one `join`; when it was the last, the group is left.
  void leave(Instant now, InterfaceId interface, const IpAddress& group);
  /// Whether what comes in by `interface` for `group` is for this host.
  bool is_member(InterfaceId interface, const IpAddress& group) const;
  std::size_t size() const { return groups_.size(); }

 private:
  struct Group {
    InterfaceId interface{};
    IpAddress address;
    std::uint32_t users = 0;
  };

  std::vector<Group>::iterator place_of(InterfaceId interface, const IpAddress& group);

  std::vector<Group> groups_;  // sorted by interface and address
};

}  // namespace hawser::ip
