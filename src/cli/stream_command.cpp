#include "cli/stream_command.hpp"

#include <fmt/format.h>

#include <csignal>

#include "cli/command.hpp"
#include "cli/impairment_options.hpp"
#include "cli/numbers.hpp"

namespace hawser::cli {

namespace {

/// What a shell adds to the number of the signal that ended a program.
constexpr int kBySignal = 128;

/// Of both families, in whatever fragments.
constexpr std::size_t kLargestDatagram = 65487;

Parsed<std::optional<Duration>> parse_idle(std::string_view text) { return parse_duration(text); }

Parsed<std::size_t> parse_datagram(std::string_view text) {
  const auto bytes = parse_positive_count(text);
  if (!bytes || *bytes > kLargestDatagram) {
    return std::unexpected(fmt::format("'{}' is no size of a datagram: write a number from 1 to {}",
                                       text, kLargestDatagram));
  }
  return static_cast<std::size_t>(*bytes);
}

}  // namespace

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

void add_datagram_options(CLI::App& command, std::optional<Duration>& idle, std::size_t& datagram,
                          const std::string& idle_default) {
  // Over TCP they would be passed over in silence.
  CLI::Option* udp = command.get_option("--udp");
  add_parsed(
      command, "--idle", idle, parse_idle,
      fmt::format("with -u: end when the input has ended and nothing came for this long [{}]",
                  idle_default),
      "TIME")
      ->needs(udp);
  add_parsed(command, "--datagram", datagram, parse_datagram,
             fmt::format("with -u: bytes of input in one datagram at most [{}]", datagram), "BYTES")
      ->needs(udp);
}

void end_by_signal(StopSignals& signals) { throw CLI::RuntimeError(kBySignal + signals.take()); }

void end_with(const RelayOutcome& outcome, StopSignals& signals) {
  switch (outcome.end) {
    case RelayOutcome::End::finished:
      return;
    case RelayOutcome::End::broken:
    case RelayOutcome::End::output_failed:
      give_up(outcome.problem);
    case RelayOutcome::End::output_gone:
      throw CLI::RuntimeError(kBySignal + SIGPIPE);
    case RelayOutcome::End::stopped:
      end_by_signal(signals);
  }
}

}  // namespace hawser::cli
