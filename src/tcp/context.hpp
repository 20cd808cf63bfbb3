// What the stack lends to the protocol for the length of one call, so that a connection keeps no
// pointers to it and stays small.
#pragma once

#include "core/random.hpp"
#include "hawser/counters.hpp"
#include "hawser/event.hpp"
#include "hawser/packet.hpp"
#include "hawser/tcp.hpp"

namespace hawser::tcp {

struct Context {
  Instant now;
  BufferPool& pool;
  Random& random;
  const TcpConfig& config;
  StackCounters& counters;
  EventBuffer* events;  ///< null: nobody reads them

  template <typename What>
  void emit(const Endpoint& local, const Endpoint& remote, What what) const {
    if (events != nullptr) events->push_back(Event{now, local, remote, std::move(what)});
  }
  void drop(DropReason reason) const { ++counters.drops[static_cast<std::size_t>(reason)]; }
};

}  // namespace hawser::tcp
