// All of the sockets: hosts, streams, listeners, UDP sockets, and waiting for many.
#pragma once

#include "hawser/host.hpp"
#include "hawser/icmp_socket.hpp"
#include "hawser/io.hpp"
#include "hawser/poller.hpp"
#include "hawser/tcp_listener.hpp"
#include "hawser/tcp_stream.hpp"
#include "hawser/udp_socket.hpp"
