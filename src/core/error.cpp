// The error category "hawser" and its place among the POSIX errors.
#include "hawser/error.hpp"

#include <cerrno>
#include <string>

#include "hawser/icmp.hpp"

namespace hawser {

namespace {

struct Meaning {
  int number;
  const char* text;
};

Meaning meaning(Error error) {
  switch (error) {
    case Error::would_block:
      return {EAGAIN, "would block"};
    case Error::in_progress:
      return {EINPROGRESS, "the handshake is in progress"};
    case Error::timed_out:
      return {ETIMEDOUT, "timed out"};
    case Error::connection_refused:
      return {ECONNREFUSED, "connection refused"};
    case Error::connection_reset:
      return {ECONNRESET, "connection reset by peer"};
    case Error::connection_aborted:
      return {ECONNABORTED, "connection aborted"};
    case Error::not_connected:
      return {ENOTCONN, "not connected"};
    case Error::already_connected:
      return {EISCONN, "already connected"};
    case Error::broken_pipe:
      return {EPIPE, "written after the sending side was closed"};
    case Error::address_in_use:
      return {EADDRINUSE, "address in use"};
    case Error::address_not_available:
      return {EADDRNOTAVAIL, "address not available"};
    case Error::invalid_argument:
      return {EINVAL, "invalid argument"};
    case Error::bad_handle:
      return {EBADF, "no such socket"};
    case Error::host_unreachable:
      return {EHOSTUNREACH, "host unreachable"};
    case Error::network_unreachable:
      return {ENETUNREACH, "network unreachable"};
    case Error::protocol_unreachable:
      return {ENOPROTOOPT, "protocol unreachable"};
    case Error::no_buffer_space:
      return {ENOBUFS, "no buffer space"};
    case Error::message_size:
      return {EMSGSIZE, "message too long"};
    case Error::shut_down:
      return {ESHUTDOWN, "the host was stopped"};
    case Error::permission_denied:
      return {EACCES, "permission denied"};
  }
  return {EINVAL, "unknown error"};
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "hawser"; }
  std::string message(int value) const override { return meaning(static_cast<Error>(value)).text; }
  std::error_condition default_error_condition(int value) const noexcept override {
    return {to_errno(static_cast<Error>(value)), std::generic_category()};
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Error error) noexcept {
  return {static_cast<int>(error), error_category()};
}

int to_errno(Error error) noexcept { return meaning(error).number; }

Error error_of(IcmpErrorKind kind) {
  switch (kind) {
    case IcmpErrorKind::network_unreachable:
      return Error::network_unreachable;
    case IcmpErrorKind::port_unreachable:
      return Error::connection_refused;
    case IcmpErrorKind::protocol_unreachable:
    case IcmpErrorKind::parameter_problem:
      return Error::protocol_unreachable;
    case IcmpErrorKind::packet_too_big:
      return Error::message_size;
    default:
      return Error::host_unreachable;
  }
}

}  // namespace hawser
