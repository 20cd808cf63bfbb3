#include "cli/http_server.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace hawser::cli {

namespace {

constexpr std::uint64_t kListenerKey = 0;
constexpr std::size_t kScratch = std::size_t{256} << 10;
constexpr int kAcceptsInTurn = 64;

TcpListener listen_on(Host& host, Port port) {
  ListenOptions options;
  options.backlog = 4096;
  IoResult<TcpListener> listener = TcpListener::listen(host, Endpoint{IpAddress{}, port}, options);
  if (!listener) throw std::system_error(listener.error(), "listen");
  listener->set_non_blocking(true);
  return std::move(*listener);
}

}  // namespace

HttpServer::HttpServer(Host& host, Folder folder, const HttpServerOptions& options,
                       HttpConnection::Log log)
    : options_(options),
      folder_(std::move(folder)),
      log_(std::move(log)),
      listener_(listen_on(host, options.port)),
      poller_(host),
      scratch_(kScratch) {
  if (const auto added = poller_.add(listener_, Ready::readable, kListenerKey); !added) {
    throw std::system_error(added.error(), "poller");
  }
}

Endpoint HttpServer::local_endpoint() const {
  return listener_.local_endpoint().value_or(Endpoint{});
}

void HttpServer::run(int stop) {
  std::array<pollfd, 2> descriptors = {pollfd{stop, POLLIN, 0},
                                       pollfd{poller_.descriptor(), POLLIN, 0}};
  std::array<PollEvent, 256> events;
  for (;;) {
    ::poll(descriptors.data(), descriptors.size(), milliseconds_to_next_timeout());
    if (descriptors[0].revents != 0) break;
    const IoResult<std::size_t> count = poller_.wait(events, Deadline::at_once());
    if (!count) break;
    for (const PollEvent& event : std::span(events).first(*count)) handle(event);
    expire();
  }
  listener_.close();
  for (auto& [key, client] : connections_) client.connection.give_up("the server ends");
  connections_.clear();
  timeouts_.clear();
}

void HttpServer::handle(const PollEvent& event) {
  if (event.key == kListenerKey) {
    accept_some();
  } else {
    advance(event.key);
  }
}

void HttpServer::accept_some() {
  for (int i = 0; i < kAcceptsInTurn; ++i) {
    if (connections_.size() >= options_.max_connections) {
      accepting_ = false;
      (void)poller_.modify(listener_, Ready::none);
      return;
    }
    IoResult<TcpStream> stream = listener_.accept();
    if (!stream) return;
    stream->set_non_blocking(true);
    if (IoResult<TcpSettings> settings = stream->settings()) {
      settings->no_delay = true;  // answers are sent whole: nothing is gained by waiting
      (void)stream->set_settings(*settings);
    }
    const std::uint64_t key = next_key_++;
    Client& client =
        connections_.try_emplace(key, std::move(*stream), folder_, options_.patience, log_)
            .first->second;
    watch_deadline(key, client);
    if (!poller_.add(client.connection.stream(), Ready::readable, key)) remove(key);
  }
}

void HttpServer::advance(std::uint64_t key) {
  const auto found = connections_.find(key);
  if (found == connections_.end()) return;
  Client& client = found->second;
  const HttpConnection::Wants wants = client.connection.advance(scratch_);
  if (wants == HttpConnection::Wants::nothing) {
    remove(key);
    return;
  }
  const Ready interest = wants == HttpConnection::Wants::input ? Ready::readable : Ready::writable;
  if (interest == client.interest) return;
  client.interest = interest;
  (void)poller_.modify(client.connection.stream(), interest);
}

void HttpServer::remove(std::uint64_t key) {
  connections_.erase(key);
  if (accepting_) return;
  accepting_ = true;
  (void)poller_.modify(listener_, Ready::readable);
}

void HttpServer::watch_deadline(std::uint64_t key, Client& client) {
  // One that was put off is looked at when its old time has come: most are put off for ever.
  if (client.next_look <= client.connection.deadline()) return;
  client.next_look = client.connection.deadline();
  timeouts_.emplace(client.next_look, key);
}

void HttpServer::expire() {
  const Clock::time_point now = Clock::now();
  while (!timeouts_.empty() && timeouts_.begin()->first <= now) {
    const auto [at, key] = *timeouts_.begin();
    timeouts_.erase(timeouts_.begin());
    const auto found = connections_.find(key);
    if (found == connections_.end() || found->second.next_look != at) continue;
    Client& client = found->second;
    if (client.connection.deadline() <= now) {
      client.connection.give_up("the client is too slow");
      remove(key);
    } else {
      client.next_look = Clock::time_point::max();
      watch_deadline(key, client);
    }
  }
}

int HttpServer::milliseconds_to_next_timeout() const {
  if (timeouts_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timeouts_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

}  // namespace hawser::cli
