// Packets larger than the MTU, in pieces (RFC 791 3.2, RFC 8200 4.5), and the identifications by
// which the receiver knows which belong together (RFC 6864, RFC 7739).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "hawser/address.hpp"
#include "hawser/packet.hpp"

namespace hawser::ip {

/// One after the other for each pair of hosts, so that none comes again before all others were used
/// (RFC 6864 4.3), but from a beginning and by steps that no third host can guess: the double hash
/// of RFC 7739 5.3.
class FragmentIds {
 public:
  explicit FragmentIds(Random& random);

  /// For the next datagram from `source` to `destination`; IPv4 uses the low 16 bits.
  std::uint32_t next(const IpAddress& source, const IpAddress& destination);

 private:
  KeyedHash beginning_;
  KeyedHash place_;
  std::array<std::uint32_t, 256> used_{};
};

/// Cuts `packet`, an IP packet with a header of its family and nothing between that and its
/// payload, into fragments of at most `mtu` bytes, which share its slices, and puts them at the end
/// of `out`. A fragment of IPv4 is cut further, as routers do (RFC 791 3.2). A set "don't fragment"
/// is not carried over: whoever calls this has decided. False, and nothing was put there, when the
/// packet has options or extension headers, the MTU leaves no room for eight bytes of payload, or
/// memory is short.
bool fragment(const Packet& packet, std::uint32_t mtu, std::uint32_t identification,
              BufferPool& pool, std::vector<Packet>& out);

}  // namespace hawser::ip
