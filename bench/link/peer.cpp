// One end of a transfer: sends as fast as it may, or counts what arrives.
//
//   hawser-link-peer kernel send ADDRESS PORT CONGESTION SECONDS
//   hawser-link-peer kernel receive ADDRESS PORT SECONDS
//   hawser-link-peer hawser:INTERFACE:PREFIX send|receive ...
//
// The receiver says "ready" when it listens, and how many bits a second it got in SECONDS from when
// the connection was there. The second form runs our own stack by a packet socket on INTERFACE,
// with PREFIX as its address. Both stacks may have kBuffer in flight.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hawser/host.hpp"
#include "hawser/packet_socket.hpp"
#include "hawser/tcp_listener.hpp"
#include "hawser/tcp_stream.hpp"

using namespace hawser;

namespace {

constexpr std::uint32_t kBuffer = 64U << 20;
constexpr auto kPatience = std::chrono::seconds(10);

struct Task {
  Endpoint address;
  std::string congestion;  ///< empty: receive
  Deadline::Clock::duration time{};
};

/// Gives how many bytes were moved in one call; nothing at the end.
using Move = std::function<std::optional<std::size_t>(std::span<std::byte>, Deadline)>;

std::uint64_t move_for(Deadline::Clock::duration time, const Move& move) {
  std::vector<std::byte> buffer(std::size_t{256} << 10);
  const Deadline end(time);
  std::uint64_t moved = 0;
  while (!end.has_passed()) {
    const auto count = move(buffer, end);
    if (!count) break;
    moved += *count;
  }
  return moved;
}

void run(const Task& task, const Move& move) {
  if (!task.congestion.empty()) {
    // The receiver ends it.
    move_for(task.time + kPatience, move);
    return;
  }
  const auto begin = Deadline::Clock::now();
  const std::uint64_t bytes = move_for(task.time, move);
  const std::chrono::duration<double> took = Deadline::Clock::now() - begin;
  fmt::print("{:.0f}\n", static_cast<double>(bytes) * 8 / took.count());
}

void say_ready() {
  fmt::print("ready\n");
  std::fflush(stdout);
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

// ---- the kernel's

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to_number(endpoint.port));
  ::inet_pton(AF_INET, endpoint.address.to_string().c_str(), &address.sin_addr);
  return address;
}

bool wait_for(int fd, short events, Deadline deadline) {
  pollfd polled{fd, events, 0};
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline.at() - Deadline::Clock::now());
  return ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 1;
}

void run_kernel(const Task& task) {
  const sockaddr_in address = address_of(task.address);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (task.congestion.empty()) {
    const int listener = fd;
    if (::bind(listener, raw, sizeof address) != 0 || ::listen(listener, 1) != 0)
      fail("cannot listen");
    say_ready();
    if (!wait_for(listener, POLLIN, kPatience)) fail("nobody connects");
    fd = ::accept(listener, nullptr, nullptr);
    return run(task, [fd](std::span<std::byte> buffer, Deadline end) -> std::optional<std::size_t> {
      if (!wait_for(fd, POLLIN, end)) return 0;
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      return got > 0 ? std::optional<std::size_t>(got) : std::nullopt;
    });
  }
  const std::string& control = task.congestion;
  if (::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control.data(),
                   static_cast<socklen_t>(control.size())) != 0) {
    fail("the kernel has no " + control);
  }
  if (::connect(fd, raw, sizeof address) != 0) fail("cannot connect");
  run(task, [fd](std::span<std::byte> buffer, Deadline end) -> std::optional<std::size_t> {
    if (!wait_for(fd, POLLOUT, end)) return 0;
    const ssize_t sent = ::send(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return 0;
    return sent >= 0 ? std::optional<std::size_t>(sent) : std::nullopt;
  });
}

// ---- ours

Host make_host(const std::string& interface, const std::string& prefix) {
  auto device = PacketSocketDevice::open({interface});
  if (!device) fail(device.error().message);
  const auto address = Prefix::parse(prefix);
  if (!address) fail(prefix + " is no address");
  HostConfig config;
  InterfaceConfig own;
  own.name = interface;
  own.addresses = {*address};
  config.stack.interfaces = {own};
  config.stack.tcp.defaults.send_buffer = kBuffer;
  config.stack.tcp.defaults.receive_buffer = kBuffer;
  return Host(std::move(config), std::move(*device));
}

template <typename T>
T or_fail(IoResult<T> result, const char* what) {
  if (!result) fail(fmt::format("{}: {}", what, result.error().message()));
  return std::move(*result);
}

bool is_over(const std::error_code& error) { return error != std::errc::timed_out; }

void run_hawser(Host& host, const Task& task) {
  if (task.congestion.empty()) {
    TcpListener listener = or_fail(TcpListener::listen(host, task.address), "listen");
    say_ready();
    TcpStream stream = or_fail(listener.accept(kPatience), "accept");
    run(task, [&](std::span<std::byte> buffer, Deadline end) -> std::optional<std::size_t> {
      const auto got = stream.receive(buffer, end);
      if (got) return *got == 0 ? std::nullopt : std::optional(*got);
      return is_over(got.error()) ? std::nullopt : std::optional<std::size_t>(0);
    });
    stream.abort();
    return;
  }
  ConnectOptions options;
  options.deadline = kPatience;
  options.settings.emplace();
  options.settings->send_buffer = options.settings->receive_buffer = kBuffer;
  options.settings->congestion_control = task.congestion;
  TcpStream stream = or_fail(TcpStream::connect(host, task.address, options), "connect");
  run(task, [&](std::span<std::byte> buffer, Deadline end) -> std::optional<std::size_t> {
    const auto sent = stream.send(buffer, end);
    if (sent) return *sent;
    return is_over(sent.error()) ? std::nullopt : std::optional<std::size_t>(0);
  });
}

// ---- what is asked for

int work(const std::vector<std::string>& words) {
  const bool sends = words.size() == 6 && words[1] == "send";
  if (!sends && !(words.size() == 5 && words[1] == "receive")) {
    fail("see the head of peer.cpp for what it takes");
  }
  const auto address = IpAddress::parse(words[2]);
  if (!address) fail(words[2] + " is no address");
  Task task;
  task.address = {*address, Port{static_cast<std::uint16_t>(std::stoi(words[3]))}};
  if (sends) task.congestion = words[4];
  task.time = std::chrono::duration_cast<Deadline::Clock::duration>(
      std::chrono::duration<double>(std::stod(words.back())));
  const std::string& stack = words[0];
  if (stack == "kernel") {
    run_kernel(task);
    return 0;
  }
  const std::size_t first = stack.find(':');
  const std::size_t second = stack.find(':', first + 1);
  if (second == std::string::npos) fail(stack + " is no stack");
  Host host = make_host(stack.substr(first + 1, second - first - 1), stack.substr(second + 1));
  run_hawser(host, task);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return work(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& wrong) {
    fmt::print(stderr, "hawser-link-peer: {}\n", wrong.what());
    return 1;
  }
}
