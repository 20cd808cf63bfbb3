#include "control/server.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

namespace hawser::control {

namespace {

/// Of an answer, before it is sent.
constexpr std::size_t kChunk = std::size_t{32} << 10;

/// Signals are for the program's own threads.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t before_{};
};

bool may_ask(const Descriptor& client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace

Server::Server(Answerer answerer, std::string name, std::string path, Descriptor socket)
    : answerer_(std::move(answerer)),
      name_(std::move(name)),
      path_(std::move(path)),
      socket_(std::move(socket)) {
  const WithoutSignals held;
  thread_ = std::thread([this] { run(); });
}

Server::~Server() {
  end_.signal();
  thread_.join();
  // While it still listens nobody takes it for stale and puts another in its place.
  ::unlink(path_.c_str());
}

void Server::run() {
  while (wait_for(socket_.get(), POLLIN, Deadline::never())) {
    const Descriptor client(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client && may_ask(client)) serve(client);
  }
}

void Server::serve(const Descriptor& client) {
  const std::string request = read_request(client);
  if (request.empty()) return;
  std::string waiting;
  bool takes = true;
  answerer_(request, [&](std::string_view line) {
    waiting += line;
    waiting += '\n';
    if (waiting.size() >= kChunk) {
      takes = send_all(client, waiting);
      waiting.clear();
    }
    return takes;
  });
  if (takes) (void)send_all(client, waiting);
}

std::string Server::read_request(const Descriptor& client) const {
  const Deadline deadline(kPatience);
  std::string request;
  std::array<char, 1024> part{};
  while (request.size() <= kLongestRequest && wait_for(client.get(), POLLIN, deadline)) {
    const ssize_t got = ::read(client.get(), part.data(), part.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    request.append(part.data(), static_cast<std::size_t>(got));
    if (const std::size_t end = request.find('\n'); end != std::string::npos) {
      return request.substr(0, end);
    }
  }
  return {};
}

bool Server::send_all(const Descriptor& client, std::string_view text) const {
  while (!text.empty()) {
    // Anew for each part: a long answer takes its time, a client that takes nothing has none.
    if (!wait_for(client.get(), POLLOUT, kPatience)) return false;
    const ssize_t sent = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Server::wait_for(int descriptor, short events, Deadline deadline) const {
  std::array<pollfd, 2> polled = {pollfd{end_.descriptor(), POLLIN, 0},
                                  pollfd{descriptor, events, 0}};
  for (;;) {
    int milliseconds = -1;
    if (deadline.at() != Deadline::Clock::time_point::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline.at() - Deadline::Clock::now());
      milliseconds = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    const int count = ::poll(polled.data(), polled.size(), milliseconds);
    if (count < 0 && errno == EINTR) continue;
    return count > 0 && polled[0].revents == 0;
  }
}

}  // namespace hawser::control
