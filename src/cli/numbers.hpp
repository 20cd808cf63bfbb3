// The numbers that options take, with what is wrong with others in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hawser/impairment.hpp"

namespace hawser::cli {

/// A port to listen on or to connect to: 1 to 65535.
Parsed<std::uint16_t> parse_port(std::string_view text);
/// Likewise, or 0 for any that is free.
Parsed<std::uint16_t> parse_port_or_any(std::string_view text);
/// A whole number from 0.
Parsed<std::uint64_t> parse_count(std::string_view text);
/// Likewise from 1.
Parsed<std::uint64_t> parse_positive_count(std::string_view text);
/// A duration as "30s" that is longer than nothing.
Parsed<Duration> parse_patience(std::string_view text);

}  // namespace hawser::cli
