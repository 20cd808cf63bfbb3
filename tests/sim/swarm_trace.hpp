// What a trace says of frames and times.
#pragma once

#include <string>

#include "hawser/event.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser::swarm {

double in_milliseconds(Instant at);
std::string describe(const FrameVerdict& verdict);
/// Empty for one that says no more than the frames do.
std::string describe(const Event& event);
/// An IP packet, without anything before it.
std::string describe_packet(const Packet& packet);
/// A frame of an Ethernet.
std::string describe_frame(const Packet& frame);

}  // namespace hawser::swarm
