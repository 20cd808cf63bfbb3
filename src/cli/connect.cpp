// hawser connect HOST PORT: standard input and output over a connection of a stack of its own.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/command.hpp"
#include "cli/datagram_relay.hpp"
#include "cli/failed_addresses.hpp"
#include "cli/http_text.hpp"
#include "cli/impairment_options.hpp"
#include "cli/look_up.hpp"
#include "cli/numbers.hpp"
#include "cli/stream_command.hpp"
#include "hawser/poller.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::cli {

namespace {

struct ConnectCommand {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t local_port = 0;
  Duration timeout = std::chrono::seconds(30);
  bool udp = false;
  std::optional<Duration> idle;
  std::size_t datagram = DatagramRelayOptions{}.datagram;
  bool verbose = false;
  FamilyOptions family;
  LinkOptions link;
};

/// Of UDP, once the input has ended: long enough for an answer, short enough for a pipe.
constexpr Duration kDefaultIdle = std::chrono::seconds(1);

constexpr const char* kFooter =
    R"(What comes from standard input is sent; what arrives goes to standard output. At
the end of input our direction is closed, and the peer's is read to its end.
With -u each piece of input becomes a datagram, and it ends when the input has
ended and nothing came for the --idle time. Of a name with several addresses
the next is tried when one fails, with -u when there is no way to it.

Examples:
  A file to a listening kernel's ncat, with a stack of our own:
    ncat -l 9000 > copy &
    sudo hawser connect 10.9.0.1 9000 --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 < file
  A request by hand, over IPv6:
    printf 'GET / HTTP/1.0\r\n\r\n' | sudo hawser connect fd00:9::1 80 \
        --link tun:hw0 --address fd00:9::2/64 --host-address fd00:9::1/64
  A question to a name server, by UDP:
    sudo hawser connect -u 10.9.0.1 53 --link tun:hw0 \
        --address 10.9.0.2/24 --host-address 10.9.0.1/24 < query > answer
Exit code: 0 when both directions ended and all was acknowledged, 1 when the
connection failed, 2 when the arguments make no sense, 128 and the signal's
number when a signal came first.)";

/// Waits until the SYN was answered. The error, if there was one; no value when a signal came.
std::optional<std::error_code> wait_for_answer(Host& host, TcpStream& stream,
                                               const StopSignals& signals, Deadline deadline) {
  Poller poller(host);
  if (const auto added = poller.add(stream, Ready::writable, 0); !added) return added.error();
  for (;;) {
    std::array<PollEvent, 1> event;
    const IoResult<std::size_t> count = poller.wait(event, Deadline::at_once());
    if (!count) return count.error();
    if (*count != 0) {
      // While it stands, an error is an ICMP message that came too late to matter.
      const bool failed = any(event[0].ready & (Ready::error | Ready::closed));
      return failed ? stream.take_error() : std::error_code{};
    }
    if (deadline.has_passed()) {
      // An ICMP error that did not end it says more than that time has passed.
      const std::error_code why = stream.take_error();
      return why ? why : make_error_code(Error::timed_out);
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline.at() - Deadline::Clock::now());
    std::array<pollfd, 2> polled = {pollfd{signals.descriptor(), POLLIN, 0},
                                    pollfd{poller.descriptor(), POLLIN, 0}};
    ::poll(polled.data(), polled.size(),
           static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000)));
    if (polled[0].revents != 0) return std::nullopt;
  }
}

/// Also a look-up may take long enough for somebody to lose patience.
std::vector<IpAddress> find(const RunningHost& host, const ConnectCommand& options,
                            StopSignals& signals) {
  auto addresses = look_up(host, options.host, options.family, signals.descriptor());
  if (addresses) return std::move(*addresses);
  if (signals.has_come()) end_by_signal(signals);
  give_up(addresses.error());
}

TcpStream open_stream(Host& host, const std::vector<IpAddress>& addresses,
                      const ConnectCommand& options, StopSignals& signals) {
  FailedAddresses failed;
  for (const IpAddress& address : addresses) {
    const Endpoint remote{address, Port{options.port}};
    ConnectOptions how;
    how.local = {IpAddress{}, Port{options.local_port}};
    IoResult<TcpStream> stream = TcpStream::start_connect(host, remote, how);
    std::error_code error;
    if (stream) {
      const auto answer = wait_for_answer(host, *stream, signals, options.timeout);
      if (!answer) {
        stream->abort();
        end_by_signal(signals);
      }
      error = *answer;
    } else {
      error = stream.error();
    }
    if (!error) {
      if (options.verbose) fmt::print(stderr, "Connected to {}\n", remote.to_string());
      return std::move(*stream);
    }
    if (stream) stream->abort();
    failed.add(remote, error);
  }
  give_up(failed.message("cannot connect to"));
}

IoResult<UdpSocket> open_datagrams(Host& host, const Endpoint& remote,
                                   const ConnectCommand& options) {
  IoResult<UdpSocket> socket = UdpSocket::open(host);
  if (!socket) return socket;
  if (options.local_port != 0) {
    const IoResult<void> bound = socket->bind({IpAddress{}, Port{options.local_port}});
    if (!bound) return std::unexpected(bound.error());
  }
  if (const IoResult<void> connected = socket->connect(remote); !connected) {
    return std::unexpected(connected.error());
  }
  return socket;
}

/// With the first address that there is a way to: whether anybody is there UDP does not tell.
RelayOutcome relay_datagrams(Host& host, const std::vector<IpAddress>& addresses,
                             const ConnectCommand& options, const StopSignals& signals) {
  DatagramRelayOptions how;
  how.datagram = options.datagram;
  how.idle = options.idle.value_or(kDefaultIdle);
  FailedAddresses failed;
  for (const IpAddress& address : addresses) {
    const Endpoint remote{address, Port{options.port}};
    IoResult<UdpSocket> socket = open_datagrams(host, remote, options);
    if (!socket) {
      failed.add(remote, socket.error());
      continue;
    }
    if (options.verbose) fmt::print(stderr, "Sending to {}\n", remote.to_string());
    DatagramRelay relay(host, STDIN_FILENO, STDOUT_FILENO, signals.descriptor(), how);
    return relay.run(std::move(*socket), remote);
  }
  give_up(failed.message("cannot send to"));
}

void connect(const ConnectCommand& options) {
  if (options.port == 0) refuse_usage("PORT must be from 1 to 65535");
  ignore_broken_pipes();
  // Before the host starts its thread, which must not take the signals.
  StopSignals signals;
  const RunningHost host = open_host(options.link, signals);
  const std::vector<IpAddress> addresses = find(host, options, signals);
  if (options.udp) {
    return end_with(relay_datagrams(*host, addresses, options, signals), signals);
  }
  TcpStream stream = open_stream(*host, addresses, options, signals);
  Relay relay(*host, STDIN_FILENO, STDOUT_FILENO, signals.descriptor());
  end_with(relay.run(std::move(stream)), signals);
}

}  // namespace

void add_connect(CLI::App& app) {
  const auto options = std::make_shared<ConnectCommand>();
  CLI::App* command = app.add_subcommand(
      "connect", "Connect standard input and output with a port, by a stack of its own");
  command->add_option("HOST", options->host, "address or name")->required();
  add_parsed(*command, "PORT", options->port, parse_port, "TCP or UDP port", "")->required();
  command->add_flag("-u,--udp", options->udp, "UDP in place of TCP");
  add_datagram_options(*command, options->idle, options->datagram, "1s");
  add_family_options(*command, options->family);
  add_parsed(*command, "-p,--local-port", options->local_port, parse_port,
             "our port; without it a free one", "PORT");
  add_parsed(*command, "--timeout", options->timeout, parse_patience,
             "give up on an address after this [30s]", "TIME");
  command->add_flag("-v,--verbose", options->verbose,
                    "say on standard error to which address it stands");
  add_link_options(*command, options->link);
  command->footer(kFooter);
  command->callback([options] { connect(*options); });
}

}  // namespace hawser::cli
