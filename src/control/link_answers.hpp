// What an emulated link answers, and how it is changed while it runs.
#pragma once

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "control/answer_lines.hpp"
#include "control/server.hpp"
#include "host/link_loop.hpp"

namespace hawser::control {

/// What the two ends are called, the first in front.
using LinkEnds = std::array<std::string, 2>;

/// One direction, as an item of an answer. Under the lock of the loop, or after it has ended.
Json describe(const link::Emulator& emulator, link::Way way, const LinkEnds& ends);

/// Answers one request.
void answer_link(host::LinkLoop& loop, const LinkEnds& ends, const Identity& identity,
                 std::string_view request, const Emit& emit);

/// The control socket of a running link; as ControlSocket::open. `loop` outlives what is returned.
std::expected<std::unique_ptr<Server>, ControlError> open_link_control(host::LinkLoop& loop,
                                                                       const LinkEnds& ends,
                                                                       const ControlConfig& config);

}  // namespace hawser::control
