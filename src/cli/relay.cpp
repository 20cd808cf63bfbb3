#include "cli/relay.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <utility>

namespace hawser::cli {

namespace {

/// poll(2) passes over those that are negative.
constexpr int kNotNow = -1;

bool is_nothing_yet(const std::error_code& error) {
  return error == make_error_code(Error::would_block);
}

}  // namespace

Relay::Relay(Host& host, int input, int output, int stop)
    : host_(host), input_(input), output_(output), stop_(stop) {}

RelayOutcome Relay::run(TcpStream stream) {
  const Endpoint remote = stream.remote_endpoint().value_or(Endpoint{});
  Line line{std::move(stream), Poller(host_), remote};
  line.stream.set_non_blocking(true);
  if (const auto added = line.poller.add(line.stream, Ready::none, 0); !added) {
    return {RelayOutcome::End::broken, added.error().message()};
  }
  for (;;) {
    send_pending(line);
    receive_more(line);
    if (output_.has_failed() || is_over(line)) break;
    if (!wait(line)) {
      line.stream.abort();
      return {RelayOutcome::End::stopped, {}};
    }
  }
  if (output_.has_failed()) line.stream.abort();
  return outcome(line);
}

void Relay::send_pending(Line& line) {
  PendingBytes& bytes = input_.bytes();
  while (!bytes.empty() && !line.failure) {
    const IoResult<std::size_t> sent = line.stream.send(bytes.pending());
    if (sent) {
      bytes.drained(*sent);
    } else if (is_nothing_yet(sent.error())) {
      return;
    } else {
      line.failure = sent.error();
    }
  }
  if (input_.has_ended() && !line.fin_sent) {
    line.fin_sent = true;
    if (const auto ended = line.stream.shutdown_write(); !ended && !line.failure) {
      line.failure = ended.error();
    }
  }
}

void Relay::receive_more(Line& line) {
  PendingBytes& bytes = output_.bytes();
  if (!bytes.empty() || line.peer_ended) return;
  const IoResult<std::size_t> got = line.stream.receive(bytes.room());
  if (got && *got > 0) {
    bytes.filled(*got);
    return;
  }
  if (!got && is_nothing_yet(got.error())) return;
  line.peer_ended = true;
  if (!got && !line.failure) line.failure = got.error();
  // Whoever sits at a terminal would have to end the input by hand only to get the prompt back.
  if (input_.is_terminal()) input_.end();
  send_pending(line);
}

bool Relay::is_over(const Line& line) const {
  // Also of a connection that failed, what it has brought is written first.
  if (!line.peer_ended || output_.wants_poll()) return false;
  return line.failure || line.closed;
}

bool Relay::wait(Line& line) {
  ask_poller(line);
  const bool reads = input_.wants_poll() && !line.failure && !line.closed;
  std::array<pollfd, 4> polled = {
      pollfd{stop_, POLLIN, 0},
      pollfd{line.closed ? kNotNow : line.poller.descriptor(), POLLIN, 0},
      pollfd{reads ? input_.descriptor() : kNotNow, POLLIN, 0},
      pollfd{output_.wants_poll() ? output_.descriptor() : kNotNow, POLLOUT, 0},
  };
  ::poll(polled.data(), polled.size(), -1);
  if (polled[0].revents != 0) return false;
  if (polled[1].revents != 0) {
    std::array<PollEvent, 1> event;
    const IoResult<std::size_t> count = line.poller.wait(event, Deadline::at_once());
    if (!count && !line.failure) line.failure = count.error();
    // Told for ever from now on: what is left to read needs no waiting.
    if (!count || (*count == 1 && any(event[0].ready & (Ready::error | Ready::closed)))) {
      line.closed = true;
      line.poller.remove(line.stream);
    }
  }
  input_.on_poll(polled[2].revents);
  output_.on_poll(polled[3].revents);
  return true;
}

void Relay::ask_poller(Line& line) {
  if (line.closed) return;
  Ready interest = Ready::none;
  if (output_.bytes().empty() && !line.peer_ended) interest |= Ready::readable;
  if (!input_.bytes().empty()) interest |= Ready::writable;
  if (interest == line.interest) return;
  line.interest = interest;
  (void)line.poller.modify(line.stream, interest);
}

RelayOutcome Relay::outcome(const Line& line) const {
  if (output_.is_gone()) return {RelayOutcome::End::output_gone, {}};
  if (output_.has_failed()) return {RelayOutcome::End::output_failed, output_.problem()};
  if (line.failure) {
    return {RelayOutcome::End::broken,
            fmt::format("the connection with {} broke: {}", line.remote.to_string(),
                        line.failure.message())};
  }
  if (!input_.problem().empty()) return {RelayOutcome::End::broken, input_.problem()};
  return {RelayOutcome::End::finished, {}};
}

}  // namespace hawser::cli
