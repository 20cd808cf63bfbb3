// What the stack shows of itself, as JSON. The names of fields are those of the public structs.
#pragma once

#include "control/answer_lines.hpp"
#include "hawser/addressing.hpp"
#include "hawser/echo.hpp"
#include "hawser/neighbour.hpp"
#include "hawser/stack.hpp"
#include "hawser/tcp.hpp"
#include "hawser/udp.hpp"

namespace hawser::control {

/// `now` turns instants into seconds from now.
Json describe(const TcpSocketInfo& socket, Instant now);
Json describe(const UdpInfo& socket);
Json describe(const EchoInfo& socket);
Json describe(const StackCounters& counters);
/// `interface` is the name of that of the entry.
Json describe(const AddressInfo& address, const std::string& interface, Instant now);
Json describe(const RouteInfo& route, const std::string& interface, Instant now);
Json describe(const NeighbourInfo& neighbour, const std::string& interface);
Json describe(const InterfaceConfig& interface);

}  // namespace hawser::control
