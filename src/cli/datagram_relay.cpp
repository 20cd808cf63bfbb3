#include "cli/datagram_relay.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace hawser::cli {

namespace {

/// poll(2) passes over those that are negative.
constexpr int kNotNow = -1;

bool is_nothing_yet(const std::error_code& error) {
  return error == make_error_code(Error::would_block);
}

}  // namespace

DatagramRelay::DatagramRelay(Host& host, int input, int output, int stop,
                             const DatagramRelayOptions& options)
    : host_(host),
      input_(input, options.datagram),
      output_(output),
      stop_(stop),
      options_(options) {}

RelayOutcome DatagramRelay::run(UdpSocket socket, std::optional<Endpoint> peer) {
  peer_ = peer;
  heard_at_ = Deadline::Clock::now();
  socket.set_non_blocking(true);
  Poller poller(host_);
  if (const auto added = poller.add(socket, Ready::readable, 0); !added) {
    return {RelayOutcome::End::broken, added.error().message()};
  }
  for (;;) {
    const bool input_went_on = !input_.has_ended();
    send_pending(socket);
    receive_one(socket);
    if (output_.has_failed() || failure_) return outcome();
    const bool reads = input_.wants_poll() && peer_.has_value();
    const Ready interest = (output_.wants_poll() ? Ready::none : Ready::readable) |
                           (send_blocked_ ? Ready::writable : Ready::none);
    (void)poller.modify(socket, interest);
    std::array<pollfd, 4> polled = {
        pollfd{stop_, POLLIN, 0},
        pollfd{poller.descriptor(), POLLIN, 0},
        pollfd{reads ? input_.descriptor() : kNotNow, POLLIN, 0},
        pollfd{output_.wants_poll() ? output_.descriptor() : kNotNow, POLLOUT, 0},
    };
    if (::poll(polled.data(), polled.size(), milliseconds_left()) == 0 && !output_.wants_poll()) {
      return outcome();
    }
    if (polled[0].revents != 0) return {RelayOutcome::End::stopped, {}};
    std::array<PollEvent, 1> event;  // takes back what the descriptor shows
    if (const auto told = poller.wait(event, Deadline::at_once()); !told) failure_ = told.error();
    input_.on_poll(polled[2].revents);
    output_.on_poll(polled[3].revents);
    if (input_went_on && input_.has_ended()) heard_at_ = Deadline::Clock::now();
  }
}

void DatagramRelay::send_pending(UdpSocket& socket) {
  send_blocked_ = false;
  PendingBytes& bytes = input_.bytes();
  if (bytes.empty() || !peer_) return;
  const IoResult<std::size_t> sent = socket.send_to(bytes.pending(), *peer_);
  if (sent) {
    bytes.clear();
  } else if (is_nothing_yet(sent.error())) {
    send_blocked_ = true;
  } else {
    failure_ = sent.error();
  }
}

void DatagramRelay::receive_one(UdpSocket& socket) {
  PendingBytes& bytes = output_.bytes();
  if (!bytes.empty() || failure_) return;
  for (;;) {
    const IoResult<UdpReceived> got = socket.receive_from(bytes.room());
    if (!got) {
      if (!is_nothing_yet(got.error())) failure_ = got.error();
      return;
    }
    if (peer_ && !options_.follow && got->source != *peer_) continue;  // came before we connected
    adopt(socket, got->source);
    heard_at_ = Deadline::Clock::now();
    if (got->size == 0) continue;
    bytes.filled(got->size);
    return;
  }
}

void DatagramRelay::adopt(UdpSocket& socket, const Endpoint& sender) {
  if (peer_ && !options_.follow) return;
  peer_ = sender;
  // From now on the stack drops what others send, and tells what ICMP says of this one.
  if (!options_.follow) (void)socket.connect(sender);
}

int DatagramRelay::milliseconds_left() const {
  if (!options_.idle || !input_.has_ended()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(heard_at_ + *options_.idle -
                                                                 Deadline::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

RelayOutcome DatagramRelay::outcome() const {
  if (output_.is_gone()) return {RelayOutcome::End::output_gone, {}};
  if (output_.has_failed()) return {RelayOutcome::End::output_failed, output_.problem()};
  if (failure_) {
    const std::string with = peer_ ? peer_->to_string() + ": " : "";
    return {RelayOutcome::End::broken, with + failure_.message()};
  }
  if (!input_.problem().empty()) return {RelayOutcome::End::broken, input_.problem()};
  return {RelayOutcome::End::finished, {}};
}

}  // namespace hawser::cli
