#include "control/client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/folder.hpp"

namespace hawser::control {

namespace {

/// How long a host may take with the next part of its answer.
constexpr timeval kPatience{10, 0};

std::expected<std::string, int> converse(const Descriptor& socket, std::string_view request) {
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::unexpected(errno);
  }
  std::string answer;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t got = ::read(socket.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    if (got == 0) return answer;
    answer.append(part.data(), static_cast<std::size_t>(got));
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::vector<FoundHost> running_hosts(const std::vector<std::string>& folders, Kind kind) {
  std::vector<FoundHost> hosts;
  for (const std::string& path : folders) {
    const auto folder = Folder::open(path);
    if (!folder) continue;
    const Descriptor lock = folder->lock();
    for (const std::string& name : folder->names(kind)) {
      const std::string socket = folder->path_of(name, kind);
      remove_if_stale(socket);
      if (is_socket(socket)) hosts.push_back({name, socket, kind});
    }
  }
  return hosts;
}

std::expected<std::vector<std::string>, std::string> send_request(const FoundHost& host,
                                                                  const std::string& request) {
  const auto failure = [&](const char* why) {
    return std::unexpected(
        fmt::format("{} '{}' does not answer: {}", to_string(host.kind), host.name, why));
  };
  const Descriptor socket = connect_to(host.path);
  if (!socket) return failure(std::strerror(errno));
  const auto answer = converse(socket, request + '\n');
  if (!answer) return failure(std::strerror(answer.error()));
  return lines_of(*answer);
}

}  // namespace hawser::control
