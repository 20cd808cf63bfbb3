// What a router does whose queue grows: it marks packets rather than dropping them (RFC 3168 5).
#pragma once

#include "hawser/packet.hpp"

namespace hawser::sim {

/// Marks the IP packet that `frame` is, or holds if it is of an Ethernet, if its sender has said
/// that it may be marked. Whether it does; without memory in `pool` for a copy it does not.
bool mark_congestion(Packet& frame, bool ethernet, BufferPool& pool);

}  // namespace hawser::sim
