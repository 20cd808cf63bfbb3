// What became of the frames that crossed an emulated link, in words.
#pragma once

#include <cstddef>
#include <string>

#include "hawser/frame_fate.hpp"

namespace hawser::cli {

/// One direction of a link.
struct LinkReport {
  std::string from;
  std::string to;
  PathCounters counters;
  std::size_t in_flight = 0;
};

/// Lines with their ends: the totals, and below them each reason that there was.
std::string report_of(const LinkReport& link);

}  // namespace hawser::cli
