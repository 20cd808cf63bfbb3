// hawser listen PORT: standard input and output for whoever connects, by a stack of its own.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "cli/command.hpp"
#include "cli/datagram_relay.hpp"
#include "cli/impairment_options.hpp"
#include "cli/numbers.hpp"
#include "cli/stream_command.hpp"
#include "hawser/poller.hpp"
#include "hawser/tcp_listener.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::cli {

namespace {

struct ListenCommand {
  std::uint16_t port = 0;
  bool keep = false;
  bool udp = false;
  std::optional<Duration> idle;
  std::size_t datagram = DatagramRelayOptions{}.datagram;
  bool verbose = false;
  LinkOptions link;
};

constexpr const char* kFooter =
    R"(What arrives goes to standard output; what comes from standard input is sent. At
the end of input our direction is closed, and the peer's is read to its end.
With -u the first who sends is the peer, or with -k everybody is heard and
whoever sent last is answered; it ends by a signal, or after the --idle time,
which begins when somebody has sent.

Examples:
  Take a file from a kernel's ncat:
    sudo hawser listen 9000 --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 > copy &
    ncat --send-only 10.9.0.2 9000 < file
  Collect what many send, one after the other, until Ctrl-C:
    sudo hawser listen 9000 -k --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 < /dev/null > all
Exit code: 0 when both directions ended and all was acknowledged, or with -k
when a signal ended it; 1 when the connection failed, 2 when the arguments make
no sense, 128 and the signal's number when a signal came first.)";

TcpListener listen_on(Host& host, const ListenCommand& options) {
  IoResult<TcpListener> listener =
      TcpListener::listen(host, Endpoint{IpAddress{}, Port{options.port}});
  if (!listener) {
    give_up(fmt::format("cannot listen on port {}: {}", options.port, listener.error().message()));
  }
  listener->set_non_blocking(true);
  if (options.verbose) {
    const Endpoint local = listener->local_endpoint().value_or(Endpoint{});
    fmt::print(stderr, "Listening on port {}\n", to_number(local.port));
  }
  return std::move(*listener);
}

/// The next connection; none when a signal came.
std::optional<TcpStream> accept_next(Host& host, TcpListener& listener,
                                     const StopSignals& signals) {
  Poller poller(host);
  if (!poller.add(listener, Ready::readable, 0)) give_up("the listener is closed");
  for (;;) {
    if (IoResult<TcpStream> stream = listener.accept()) return std::move(*stream);
    std::array<pollfd, 2> polled = {pollfd{signals.descriptor(), POLLIN, 0},
                                    pollfd{poller.descriptor(), POLLIN, 0}};
    ::poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) return std::nullopt;
    std::array<PollEvent, 1> event;  // takes back what the descriptor shows
    if (const auto told = poller.wait(event, Deadline::at_once()); !told) {
      give_up(fmt::format("cannot accept: {}", told.error().message()));
    }
  }
}

/// Of the command that listens on after each connection.
bool may_go_on(RelayOutcome::End end) {
  return end == RelayOutcome::End::finished || end == RelayOutcome::End::broken;
}

RelayOutcome relay_datagrams(Host& host, const ListenCommand& options, const StopSignals& signals) {
  IoResult<UdpSocket> socket = UdpSocket::bind(host, {IpAddress{}, Port{options.port}});
  if (!socket) {
    give_up(fmt::format("cannot listen on port {}: {}", options.port, socket.error().message()));
  }
  if (options.verbose) {
    const Endpoint local = socket->local_endpoint().value_or(Endpoint{});
    fmt::print(stderr, "Listening on port {}\n", to_number(local.port));
  }
  DatagramRelayOptions how;
  how.datagram = options.datagram;
  how.idle = options.idle;
  how.follow = options.keep;
  DatagramRelay relay(host, STDIN_FILENO, STDOUT_FILENO, signals.descriptor(), how);
  return relay.run(std::move(*socket), std::nullopt);
}

void listen(const ListenCommand& options) {
  ignore_broken_pipes();
  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link, signals);
  if (options.udp) {
    const RelayOutcome outcome = relay_datagrams(*host, options, signals);
    if (options.keep && outcome.end == RelayOutcome::End::stopped) return;
    return end_with(outcome, signals);
  }
  TcpListener listener = listen_on(*host, options);
  Relay relay(*host, STDIN_FILENO, STDOUT_FILENO, signals.descriptor());
  for (;;) {
    std::optional<TcpStream> stream = accept_next(*host, listener, signals);
    if (!stream && options.keep) return;
    if (!stream) end_by_signal(signals);
    if (options.verbose) {
      const Endpoint remote = stream->remote_endpoint().value_or(Endpoint{});
      fmt::print(stderr, "Connection from {}\n", remote.to_string());
    }
    if (!options.keep) listener.close();
    const RelayOutcome outcome = relay.run(std::move(*stream));
    if (options.keep && outcome.end == RelayOutcome::End::stopped) return;
    if (!options.keep || !may_go_on(outcome.end)) {
      end_with(outcome, signals);
      return;
    }
    if (outcome.end == RelayOutcome::End::broken) {
      fmt::print(stderr, "hawser: {}\n", outcome.problem);
    }
  }
}

}  // namespace

void add_listen(CLI::App& app) {
  const auto options = std::make_shared<ListenCommand>();
  CLI::App* command = app.add_subcommand(
      "listen", "Connect standard input and output with who connects, by a stack of its own");
  add_parsed(*command, "PORT", options->port, parse_port_or_any,
             "TCP or UDP port; 0 takes a free one, which -v shows", "")
      ->required();
  command->add_flag("-u,--udp", options->udp, "UDP in place of TCP");
  add_datagram_options(*command, options->idle, options->datagram, "for ever");
  command->add_flag("-k,--keep-open", options->keep,
                    "listen on after a connection: they are served one after the other");
  command->add_flag("-v,--verbose", options->verbose,
                    "say on standard error when it listens and who connects");
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { listen(*options); });
}

}  // namespace hawser::cli
