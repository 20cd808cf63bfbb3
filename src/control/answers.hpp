// What a host answers to a question, as lines of JSON.
#pragma once

#include <string_view>

#include "control/answer_lines.hpp"
#include "host/engine.hpp"

namespace hawser::control {

/// Answers one request. Holds the lock of the engine only for short parts of a long answer.
void answer(host::Engine& engine, const Identity& identity, std::string_view request,
            const Emit& emit);

}  // namespace hawser::control
