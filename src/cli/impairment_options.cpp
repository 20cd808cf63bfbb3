#include "cli/impairment_options.hpp"

namespace hawser::cli {

namespace {

Parsed<std::uint32_t> parse_path_mtu(std::string_view text) {
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0 || *bytes > 65535) {
    return std::unexpected(
        fmt::format("'{}' is not an MTU: write a number from 1 to 65535, as 1400", text));
  }
  return static_cast<std::uint32_t>(*bytes);
}

}  // namespace

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
  group(add_parsed(command, "--path-mtu", impairment.mtu, parse_path_mtu,
                   "bytes of the largest frame that passes, with its Ethernet header; any without "
                   "it. On a device larger ones vanish and nobody is told",
                   "BYTES"));
}

}  // namespace hawser::cli
