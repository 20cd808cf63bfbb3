// A TCP connection as a program holds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/io.hpp"
#include "hawser/stack.hpp"
#include "hawser/tcp.hpp"

namespace hawser {

namespace sockets {
class Socket;
}

struct ConnectOptions {
  /// Our end; an unspecified address and port zero are chosen.
  Endpoint local;
  /// Unset: `TcpConfig::defaults` of the host.
  std::optional<TcpSettings> settings;
  Deadline deadline = Deadline::never();
};

/// One TCP connection (RFC 9293 3.9.1). It is moved, not copied, and closes when it is destroyed.
///
/// A call waits as long as it must, or until the deadline it is given, or else for as long as
/// `set_timeout` says; when that has passed it fails with Error::timed_out and has done nothing. In
/// non-blocking mode, calls without a deadline fail with Error::would_block instead of waiting.
///
/// Any thread may call anything at any time, `close` and `abort` included, which end the calls that
/// wait with Error::bad_handle; only moving and destroying need the object for oneself. All calls
/// on a stream that was closed or moved from fail with Error::bad_handle, and with Error::shut_down
/// once the host has stopped.
class TcpStream {
 public:
  TcpStream() noexcept;
  TcpStream(TcpStream&& other) noexcept;
  TcpStream& operator=(TcpStream&& other) noexcept;
  /// Closes.
  ~TcpStream();

  /// Opens a connection and waits until it is established. Errors: timed_out, connection_refused,
  /// host_unreachable, network_unreachable, address_in_use, address_not_available,
  /// invalid_argument, no_buffer_space.
  static IoResult<TcpStream> connect(Host& host, const Endpoint& remote,
                                     const ConnectOptions& options = {});
  /// Sends the SYN and returns at once, with a stream in non-blocking mode. It becomes writable
  /// when it is established; `take_error` then says whether it failed. The deadline is not used.
  static IoResult<TcpStream> start_connect(Host& host, const Endpoint& remote,
                                           const ConnectOptions& options = {});

  /// Whether this holds a connection, be it alive or not.
  bool is_open() const;

  // ---- to send

  /// Takes at least one byte of `data` and returns how many. Errors: broken_pipe after
  /// shutdown_write, or why the connection ended.
  IoResult<std::size_t> send(std::span<const std::byte> data);
  IoResult<std::size_t> send(std::span<const std::byte> data, Deadline deadline);
  /// Takes all of `data`. When it fails, how much was taken is unknown. Waits even in non-blocking
  /// mode.
  IoResult<void> send_all(std::span<const std::byte> data);
  IoResult<void> send_all(std::span<const std::byte> data, Deadline deadline);
  /// As `send`; the last byte of `data`, when all of it is taken, is urgent (RFC 9293 3.8.5,
  /// RFC 6093).
  IoResult<std::size_t> send_urgent(std::span<const std::byte> data);
  /// Ends our direction: the peer reads the end of stream behind what was sent. Reading goes on.
  IoResult<void> shutdown_write();

  // ---- to receive

  /// Reads at least one byte into `out` and returns how many; zero is the end of the stream.
  IoResult<std::size_t> receive(std::span<std::byte> out);
  IoResult<std::size_t> receive(std::span<std::byte> out, Deadline deadline);
  /// Reads until `out` is full or the stream ends and returns how many bytes that was. Waits even
  /// in non-blocking mode.
  IoResult<std::size_t> receive_all(std::span<std::byte> out);
  IoResult<std::size_t> receive_all(std::span<std::byte> out, Deadline deadline);
  /// Bytes to be read before the urgent mark; unset without urgent data (RFC9293-MUST-33).
  std::optional<std::uint32_t> urgent_mark() const;

  // ---- to wait

  /// What is possible now, as poll(2) would tell it.
  Ready ready() const;
  /// Waits until one of `interest`, error or closed is true and returns all that are.
  IoResult<Ready> wait(Ready interest, Deadline deadline = Deadline::never());

  // ---- to close

  /// Closes as SO_LINGER says (TcpSettings::linger): at once, with the rest sent in the background;
  /// or after waiting until it was acknowledged, for at most the time given; or, with zero, by a
  /// reset. Fails with Error::timed_out when it waited in vain; the stream is closed even then.
  IoResult<void> close();
  /// Resets the connection: what was not yet sent or read is lost (RFC 9293 3.10.5).
  void abort();

  // ---- to set and to see

  IoResult<TcpSettings> settings() const;
  IoResult<void> set_settings(const TcpSettings& settings);
  /// Of calls that are given no deadline; unset, as at first, means that they wait for ever.
  void set_timeout(std::optional<Duration> timeout);
  void set_non_blocking(bool on);
  IoResult<TcpInfo> info() const;
  IoResult<Endpoint> local_endpoint() const;
  IoResult<Endpoint> remote_endpoint() const;
  /// Takes the pending error, if there is one: why the connection failed, or a soft error.
  std::error_code take_error();
  /// The last ICMP error about a connection that is not established yet: who sent it, and why.
  std::optional<IcmpErrorReport> error_report() const;

 private:
  friend class Poller;
  friend class TcpListener;
  explicit TcpStream(std::unique_ptr<sockets::Socket> socket) noexcept;

  IoResult<std::size_t> send_some(std::span<const std::byte> data, std::optional<Deadline> deadline,
                                  bool force_wait);
  IoResult<void> send_whole(std::span<const std::byte> data, std::optional<Deadline> deadline);
  IoResult<std::size_t> receive_some(std::span<std::byte> out, std::optional<Deadline> deadline,
                                     bool force_wait);
  IoResult<std::size_t> receive_whole(std::span<std::byte> out, std::optional<Deadline> deadline);
  std::optional<Deadline> standing_deadline() const;

  std::unique_ptr<sockets::Socket> socket_;
};

}  // namespace hawser
