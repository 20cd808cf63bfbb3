// What can go wrong, as small values; each maps to the POSIX error of the same meaning.
#pragma once

#include <cstdint>
#include <expected>
#include <system_error>

namespace hawser {

enum class Error : std::uint8_t {
  would_block = 1,        ///< EAGAIN: nothing to read, or no space to write, now
  in_progress,            ///< EINPROGRESS: the handshake is under way
  timed_out,              ///< ETIMEDOUT: the peer is silent, or a deadline passed
  connection_refused,     ///< ECONNREFUSED: reset in answer to our SYN
  connection_reset,       ///< ECONNRESET: the peer aborted
  connection_aborted,     ///< ECONNABORTED: we aborted
  not_connected,          ///< ENOTCONN
  already_connected,      ///< EISCONN
  broken_pipe,            ///< EPIPE: written after our side was closed
  address_in_use,         ///< EADDRINUSE
  address_not_available,  ///< EADDRNOTAVAIL: not ours, or no port is left
  invalid_argument,       ///< EINVAL
  bad_handle,             ///< EBADF: closed, or never was
  host_unreachable,       ///< EHOSTUNREACH: no route, or ICMP said so
  network_unreachable,    ///< ENETUNREACH
  protocol_unreachable,   ///< ENOPROTOOPT: ICMP protocol unreachable
  no_buffer_space,        ///< ENOBUFS: a bound on memory or on connections
  message_size,           ///< EMSGSIZE
  shut_down,              ///< ESHUTDOWN: the host was stopped
  permission_denied,      ///< EACCES: sent to a broadcast address without leave to
};

/// A value, or the reason why there is none.
template <typename T>
using Result = std::expected<T, Error>;

/// The category "hawser": its conditions are those of std::errc.
const std::error_category& error_category() noexcept;
std::error_code make_error_code(Error error) noexcept;

/// The POSIX `errno` value of the same meaning.
int to_errno(Error error) noexcept;

}  // namespace hawser

template <>
struct std::is_error_code_enum<hawser::Error> : std::true_type {};
