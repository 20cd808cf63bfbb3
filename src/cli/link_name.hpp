// How devices are called on the command line, and what happens when one cannot be opened.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/command.hpp"
#include "hawser/device.hpp"
#include "hawser/impairment.hpp"

namespace hawser::cli {

/// A kind of device and the name of an interface: "tun:hw0".
struct LinkName {
  enum class Kind : std::uint8_t { tun, tap, packet };
  Kind kind{};
  std::string name;
};

/// Ends the command with one line that begins with `what` when it is no such name.
LinkName read_link_name(const std::string& text, std::string_view what);

Parsed<std::optional<std::uint32_t>> parse_mtu(std::string_view text);

/// The device, or the end of the command.
template <typename Opened>
typename Opened::value_type or_give_up(Opened opened) {
  if (!opened) {
    const bool misused = opened.error().code == std::errc::invalid_argument;
    misused ? refuse_usage(opened.error().message) : give_up(opened.error().message);
  }
  return std::move(*opened);
}

}  // namespace hawser::cli
