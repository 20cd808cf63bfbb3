#include "cli/stream_command.hpp"

#include <csignal>

#include "cli/command.hpp"

namespace hawser::cli {

namespace {

/// What a shell adds to the number of the signal that ended a program.
constexpr int kBySignal = 128;

}  // namespace

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

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
