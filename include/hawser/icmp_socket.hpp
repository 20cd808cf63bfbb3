// A socket for ICMP echo as a program holds it: for ping and traceroute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hawser/address.hpp"
#include "hawser/echo.hpp"
#include "hawser/host.hpp"
#include "hawser/io.hpp"
#include "hawser/stack.hpp"

namespace hawser {

namespace sockets {
class Socket;
}

/// Sends echo requests of both families and receives what comes back (RFC 792, RFC 4443 4). It is
/// moved, not copied, and closes when it is destroyed. Deadlines, modes and threads are those of
/// TcpStream.
class IcmpSocket {
 public:
  IcmpSocket() noexcept;
  IcmpSocket(IcmpSocket&& other) noexcept;
  IcmpSocket& operator=(IcmpSocket&& other) noexcept;
  /// Closes.
  ~IcmpSocket();

  /// `identifier` tells its requests from those of others; zero takes one that nobody has. Errors:
  /// address_in_use, no_buffer_space.
  static IoResult<IcmpSocket> open(Host& host, std::uint16_t identifier = 0);

  bool is_open() const;
  /// Sends a request to an address; the port is not looked at. Errors: as of
  /// `Stack::icmp_send_echo`.
  IoResult<void> send(const Endpoint& destination, std::span<const std::byte> data,
                      const EchoRequest& request = {});
  /// Takes the oldest answer: a reply, whose data go to `out` as far as they fit, or an ICMP error.
  IoResult<EchoAnswer> receive(std::span<std::byte> out,
                               std::optional<Deadline> deadline = std::nullopt);

  /// What is possible now, as poll(2) would tell it.
  Ready ready() const;
  /// Waits until there is an answer.
  IoResult<Ready> wait(Deadline deadline = Deadline::never());
  /// Calls that wait fail with Error::bad_handle.
  void close();

  /// Of calls that are given no deadline; unset, as at first, means that they wait for ever.
  void set_timeout(std::optional<Duration> timeout);
  void set_non_blocking(bool on);
  IoResult<std::uint16_t> identifier() const;

 private:
  friend class Poller;
  explicit IcmpSocket(std::unique_ptr<sockets::Socket> socket) noexcept;

  std::unique_ptr<sockets::Socket> socket_;
};

}  // namespace hawser
