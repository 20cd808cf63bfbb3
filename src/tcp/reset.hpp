// The reset that answers a segment nobody is waiting for (RFC 9293 3.5.2 group 1, 3.10.7.1).
#pragma once

#include <optional>

#include "tcp/connection.hpp"

namespace hawser::tcp {

/// The header of the RST; nothing when the segment is a RST itself.
std::optional<TcpHeader> reset_for(const Segment& segment);

}  // namespace hawser::tcp
