// What a sender on this machine has left in one frame, for its card to cut apart: datagrams of UDP
// (UDP_SEGMENT of udp(7)) and segments of TCP.
#pragma once

#include <cstdint>
#include <vector>

#include "hawser/packet.hpp"

namespace hawser::link {

/// Cuts a frame of an Ethernet, all of it in slices, whose UDP header begins at `udp_at` into
/// datagrams of at most `payload_bytes` each, in order, and adds their frames, with checksums, to
/// `out`. They share the payload. False when it is no such frame or there is no memory; nothing is
/// added then.
bool cut_datagrams(const Packet& frame, std::uint32_t udp_at, std::uint32_t payload_bytes,
                   BufferPool& pool, std::vector<Packet>& out);

/// Likewise for a TCP header at `tcp_at`. FIN and PSH go with the last segment, CWR with the first
/// (RFC 3168 6.1.2).
bool cut_segments(const Packet& frame, std::uint32_t tcp_at, std::uint32_t payload_bytes,
                  BufferPool& pool, std::vector<Packet>& out);

}  // namespace hawser::link
