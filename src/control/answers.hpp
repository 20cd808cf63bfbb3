// What a host answers to a question, as lines of JSON.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "host/engine.hpp"

namespace hawser::control {

/// Of the process that runs the host.
struct Identity {
  std::string name;
  std::string program;
  int process = 0;
};

/// Takes one line without its end; false when nobody wants more.
using Emit = std::function<bool(std::string_view line)>;

/// Answers one request. Holds the lock of the engine only for short parts of a long answer.
void answer(host::Engine& engine, const Identity& identity, std::string_view request,
            const Emit& emit);

/// The number of the protocol, in the first line of every answer.
inline constexpr int kProtocolVersion = 1;

}  // namespace hawser::control
