// A port that waits for TCP connections.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/io.hpp"
#include "hawser/tcp_stream.hpp"

namespace hawser {

struct ListenOptions {
  /// Bounds the connections that are being established and those that wait to be accepted.
  std::uint32_t backlog = 1024;
  /// Of the connections that are accepted; unset: `TcpConfig::defaults` of the host.
  std::optional<TcpSettings> settings;
};

/// A passive OPEN (RFC 9293 3.9.1.1). It is moved, not copied, and closes when it is destroyed.
/// Deadlines, modes and threads are those of TcpStream; of many threads that wait in `accept`, each
/// connection wakes one.
class TcpListener {
 public:
  TcpListener() noexcept;
  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  /// Closes.
  ~TcpListener();

  /// Port zero takes a free one; the unspecified IPv6 address takes both families. Errors:
  /// address_in_use, address_not_available, no_buffer_space.
  static IoResult<TcpListener> listen(Host& host, const Endpoint& local,
                                      const ListenOptions& options = {});

  bool is_open() const;
  /// The oldest connection that is established; in blocking mode.
  IoResult<TcpStream> accept();
  IoResult<TcpStream> accept(Deadline deadline);
  /// Waits until there is a connection to accept.
  IoResult<Ready> wait(Deadline deadline = Deadline::never());
  /// Resets the connections that were not accepted. Calls that wait fail with Error::bad_handle.
  void close();

  IoResult<TcpSettings> settings() const;
  /// For the connections that are accepted from now on.
  IoResult<void> set_settings(const TcpSettings& settings);
  /// Of calls that are given no deadline; unset, as at first, means that they wait for ever.
  void set_timeout(std::optional<Duration> timeout);
  void set_non_blocking(bool on);
  IoResult<Endpoint> local_endpoint() const;

 private:
  friend class Poller;
  explicit TcpListener(std::unique_ptr<sockets::Socket> socket) noexcept;

  IoResult<TcpStream> accept_one(std::optional<Deadline> deadline);

  std::unique_ptr<sockets::Socket> socket_;
};

}  // namespace hawser
