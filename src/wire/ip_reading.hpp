// What the parts of the IP parser share: how a header is read, and where to say what is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "hawser/drop.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {

/// Whether the bytes are a packet, or the beginning of one that an ICMP error quotes: the latter
/// ends early, and a router on the way may have left a checksum that no longer fits.
enum class Extent : std::uint8_t { packet, quote };

struct IpReading {
  Extent extent;
  std::optional<ParameterProblem>* problem;  ///< may be null

  /// Refuses, and has the sender told: code and pointer of a parameter problem.
  std::unexpected<DropReason> refuse(DropReason reason, std::uint8_t code, std::size_t pointer,
                                     bool even_multicast = false) const {
    if (problem != nullptr) {
      *problem = ParameterProblem{.code = code,
                                  .pointer = static_cast<std::uint16_t>(pointer),
                                  .even_multicast = even_multicast};
    }
    return std::unexpected(reason);
  }
};

/// What stands between the IPv6 header and the payload.
struct Ipv6Extensions {
  std::uint8_t protocol;
  std::size_t bytes;
  std::optional<FragmentInfo> fragment;
  bool router_alert = false;
};

/// Steps over the extension headers of an IPv6 packet, up to and with the fragment header when it
/// is a fragment. `head` is the first piece of the packet, of at least its header, which says that
/// `payload_bytes` follow.
std::expected<Ipv6Extensions, DropReason> read_extensions(const IpReading& reading,
                                                          std::span<const std::byte> head,
                                                          std::size_t payload_bytes);

/// find_transport for IPv6.
std::optional<Transport> find_transport6(std::span<const std::byte> head);

}  // namespace hawser::wire
