// Two hosts, joined by a pipe in memory or by local sockets of the kernel, each with a thread of
// its own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/host.hpp"
#include "hawser/pipe.hpp"
#include "hawser/sockets.hpp"

namespace hawser::testing {

/// One end of a pair: a datagram is a frame. The kernel wakes and bounds, as with a real device.
class SocketPairDevice final : public Device {
 public:
  static constexpr std::uint32_t kMtu = 1500;

  explicit SocketPairDevice(int fd) : fd_(fd) {}
  ~SocketPairDevice() override { ::close(fd_); }

  static std::pair<std::unique_ptr<Device>, std::unique_ptr<Device>> make() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    return {std::make_unique<SocketPairDevice>(ends[0]),
            std::make_unique<SocketPairDevice>(ends[1])};
  }

  std::size_t read(Instant, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override {
    std::size_t count = 0;
    while (count < limit) {
      Slice slice = pool.take(BufferPool::kSmallBlock);
      Packet packet = pool.take_packet();
      if (!slice || !packet) break;
      const ssize_t got = ::recv(fd_, slice.spare().data(), slice.spare().size(), 0);
      if (got <= 0) break;
      slice.extend(static_cast<std::uint32_t>(got));
      packet.append(std::move(slice));
      out.push_back(std::move(packet));
      ++count;
    }
    return count;
  }

  std::size_t write(Instant, std::span<Packet> frames) override {
    blocked_ = false;
    std::array<std::byte, kMtu> bytes{};
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const std::uint32_t size = frames[i].size();
      frames[i].copy_to(0, std::span(bytes).first(size));
      // A peer that is gone takes everything, as a cable without an end does.
      if (::send(fd_, bytes.data(), size, MSG_NOSIGNAL) < 0 &&
          (errno == EAGAIN || errno == ENOBUFS)) {
        blocked_ = true;
        return i;
      }
      frames[i].reset();
    }
    return frames.size();
  }

  int descriptor() const override { return fd_; }
  bool wants_writable() const override { return blocked_; }
  std::uint32_t mtu() const override { return kMtu; }

 private:
  int fd_;
  bool blocked_ = false;
};

inline const IpAddress kServerAddress = IpAddress::v4(10, 0, 0, 1);
inline const IpAddress kClientAddress = IpAddress::v4(10, 0, 0, 2);
inline const IpAddress kServerAddress6 = *IpAddress::parse("fd00::1");
inline const IpAddress kClientAddress6 = *IpAddress::parse("fd00::2");
inline constexpr Port kPort{7};

inline HostConfig host_config(const IpAddress& address, const IpAddress& address6) {
  HostConfig config;
  config.stack.interfaces.push_back({"pair0", 1500, {{address, 24}, {address6, 64}}});
  config.seed = 1;
  return config;
}

/// A server and a client.
struct TwoHosts {
  TwoHosts() : TwoHosts(make_pipe()) {}
  explicit TwoHosts(std::pair<std::unique_ptr<Device>, std::unique_ptr<Device>> devices)
      : server(host_config(kServerAddress, kServerAddress6), std::move(devices.first)),
        client(host_config(kClientAddress, kClientAddress6), std::move(devices.second)) {}

  TcpListener listen(const ListenOptions& options = {}) {
    return TcpListener::listen(server, Endpoint{IpAddress{}, kPort}, options).value();
  }
  TcpStream connect(const ConnectOptions& options = {}) {
    return TcpStream::connect(client, Endpoint{kServerAddress, kPort}, options).value();
  }
  /// Both ends of one connection: the client's, the server's.
  std::pair<TcpStream, TcpStream> connected() {
    TcpListener listener = listen();
    TcpStream near = connect();
    TcpStream far = listener.accept(std::chrono::seconds(20)).value();
    return {std::move(near), std::move(far)};
  }

  Host server;
  Host client;
};

}  // namespace hawser::testing
