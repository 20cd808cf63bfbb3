#include "cli/impairment_options.hpp"

namespace hawser::cli {

void add_impairment_options(CLI::App& command, Impairment& impairment) {
  const auto group = [](CLI::Option* option) { option->group("Impairments, in both directions"); };
  group(add_parsed(command, "--loss", impairment.loss, parse_probability,
                   "frames that are lost, as 2% or 0.02", "P"));
  group(add_parsed(command, "--delay", impairment.delay, parse_duration,
                   "one-way delay, as 20ms or 1.5s", "TIME"));
  group(add_parsed(command, "--jitter", impairment.jitter, parse_duration,
                   "up to this much more delay; keeps the order", "TIME"));
  group(add_parsed(command, "--rate", impairment.rate, parse_rate,
                   "bits a second, as 10mbit; 0: no limit", "RATE"));
  group(add_parsed(command, "--queue", impairment.queue, parse_bytes,
                   "bytes that may wait for the link, as 64k", "SIZE"));
  group(add_parsed(command, "--reorder", impairment.reorder, parse_probability,
                   "frames that are held back and overtaken", "P"));
  group(add_parsed(command, "--duplicate", impairment.duplicate, parse_probability,
                   "frames that arrive twice", "P"));
  group(add_parsed(command, "--corrupt", impairment.corrupt, parse_probability,
                   "frames that arrive with a byte changed", "P"));
}

}  // namespace hawser::cli
