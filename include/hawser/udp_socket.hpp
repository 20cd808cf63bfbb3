// A UDP socket as a program holds it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/icmp.hpp"
#include "hawser/io.hpp"
#include "hawser/stack.hpp"
#include "hawser/udp.hpp"

namespace hawser {

namespace sockets {
class Socket;
}

/// A UDP socket (RFC 768, RFC 1122 4.1.4). It is moved, not copied, and closes when it is
/// destroyed. Deadlines, modes and threads are those of TcpStream; of many threads that wait to
/// receive, each datagram wakes one.
class UdpSocket {
 public:
  UdpSocket() noexcept;
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  /// Closes.
  ~UdpSocket();

  /// A socket without a port, which gets one when it first sends. Settings unset: those of
  /// `UdpConfig::defaults` of the host. Errors: invalid_argument, no_buffer_space.
  static IoResult<UdpSocket> open(Host& host, const std::optional<UdpSettings>& settings = {});
  /// A socket at an address and port, as `Stack::udp_bind` takes them. Errors: those of `open`,
  /// address_in_use, address_not_available.
  static IoResult<UdpSocket> bind(Host& host, const Endpoint& local,
                                  const std::optional<UdpSettings>& settings = {});

  /// Whether this holds a socket.
  bool is_open() const;
  /// Errors: address_in_use, address_not_available, invalid_argument when it is bound already.
  IoResult<void> bind(const Endpoint& local);
  /// Fixes the remote end: `send` goes there, nothing else is received, and ICMP errors end the
  /// next call. Errors: as of `Stack::udp_connect`.
  IoResult<void> connect(const Endpoint& remote);
  IoResult<void> disconnect();

  // ---- to send

  /// Sends one datagram and returns its size; waits while too much waits to leave. Errors: as of
  /// `Stack::udp_send_to`.
  IoResult<std::size_t> send_to(std::span<const std::byte> data, const Endpoint& destination,
                                const UdpSendOptions& options = {},
                                std::optional<Deadline> deadline = std::nullopt);
  /// To the remote end; not_connected when there is none.
  IoResult<std::size_t> send(std::span<const std::byte> data, const UdpSendOptions& options = {},
                             std::optional<Deadline> deadline = std::nullopt);

  // ---- to receive

  /// Takes the oldest datagram. What does not fit into `out` is lost, which
  /// `UdpReceived::truncated` tells. Errors: what ICMP said, if it is connected.
  IoResult<UdpReceived> receive_from(std::span<std::byte> out,
                                     std::optional<Deadline> deadline = std::nullopt);
  /// The same, but the datagram stays.
  IoResult<UdpReceived> peek_from(std::span<std::byte> out,
                                  std::optional<Deadline> deadline = std::nullopt);
  /// Joins or leaves a multicast group, on the interface given or else that of the route to it.
  /// Errors: as of `Stack::udp_join`.
  IoResult<void> join(const IpAddress& group, std::optional<InterfaceId> interface = std::nullopt);
  IoResult<void> leave(const IpAddress& group, std::optional<InterfaceId> interface = std::nullopt);

  // ---- to wait

  /// What is possible now, as poll(2) would tell it.
  Ready ready() const;
  /// Waits until one of `interest` or an error is true and returns all that are.
  IoResult<Ready> wait(Ready interest, Deadline deadline = Deadline::never());

  /// What was sent still leaves; calls that wait fail with Error::bad_handle.
  void close();

  // ---- to set and to see

  IoResult<UdpSettings> settings() const;
  IoResult<void> set_settings(const UdpSettings& settings);
  /// Of calls that are given no deadline; unset, as at first, means that they wait for ever.
  void set_timeout(std::optional<Duration> timeout);
  void set_non_blocking(bool on);
  IoResult<UdpInfo> info() const;
  IoResult<Endpoint> local_endpoint() const;
  /// Error: not_connected.
  IoResult<Endpoint> remote_endpoint() const;
  /// Takes the pending error, if there is one.
  std::error_code take_error();
  /// Takes the oldest ICMP error, with UdpSettings::error_reports; nothing when there is none.
  std::optional<IcmpErrorReport> take_error_report();

 private:
  friend class Poller;
  explicit UdpSocket(std::unique_ptr<sockets::Socket> socket) noexcept;

  std::unique_ptr<sockets::Socket> socket_;
};

}  // namespace hawser
