// Waiting for many sockets of a host at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "hawser/host.hpp"
#include "hawser/icmp_socket.hpp"
#include "hawser/io.hpp"
#include "hawser/stack.hpp"
#include "hawser/tcp_listener.hpp"
#include "hawser/tcp_stream.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser {

namespace sockets {
class PollSet;
class Socket;
}  // namespace sockets

/// A socket on which something is possible.
struct PollEvent {
  std::uint64_t key = 0;  ///< as it was given to `Poller::add`
  Ready ready = Ready::none;
};

/// Tells which of many sockets are ready, as epoll(7) does when level-triggered: a socket is told
/// by each `wait` for as long as it is ready. The cost of `wait` is that of the sockets which are
/// ready, however many were added. Ready::error and Ready::closed are always told; a listener with
/// connections to accept is readable. A socket that is closed leaves by itself.
///
/// One thread at a time may call `wait`; any thread may call the others, also meanwhile.
class Poller {
 public:
  explicit Poller(Host& host);
  Poller(Poller&& other) noexcept;
  Poller& operator=(Poller&& other) noexcept;
  ~Poller();

  /// Adds a socket of the same host. Errors: invalid_argument when it is of another host or was
  /// added before, bad_handle.
  IoResult<void> add(const TcpStream& stream, Ready interest, std::uint64_t key);
  IoResult<void> add(const TcpListener& listener, Ready interest, std::uint64_t key);
  IoResult<void> add(const UdpSocket& socket, Ready interest, std::uint64_t key);
  IoResult<void> add(const IcmpSocket& socket, Ready interest, std::uint64_t key);
  /// Changes what is waited for. Errors: invalid_argument when it was not added, bad_handle.
  IoResult<void> modify(const TcpStream& stream, Ready interest);
  IoResult<void> modify(const TcpListener& listener, Ready interest);
  IoResult<void> modify(const UdpSocket& socket, Ready interest);
  IoResult<void> modify(const IcmpSocket& socket, Ready interest);
  void remove(const TcpStream& stream);
  void remove(const TcpListener& listener);
  void remove(const UdpSocket& socket);
  void remove(const IcmpSocket& socket);

  /// Waits until a socket is ready and fills `events`, the longest waiting first. Returns how many
  /// there are: zero when the deadline has passed. Error: shut_down.
  IoResult<std::size_t> wait(std::span<PollEvent> events, Deadline deadline = Deadline::never());

  /// A descriptor that polls readable when `wait` would give something, to be waited for along with
  /// descriptors of the operating system. It may poll readable although `wait` then finds nothing.
  /// Throws std::system_error when the operating system gives none.
  int descriptor();

 private:
  IoResult<void> add_socket(sockets::Socket* socket, Ready interest, std::uint64_t key);
  IoResult<void> modify_socket(sockets::Socket* socket, Ready interest);
  void remove_socket(sockets::Socket* socket);

  std::unique_ptr<sockets::PollSet> set_;
};

}  // namespace hawser
