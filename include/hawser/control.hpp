// Where a running host can be asked what it knows: a Unix socket that `hawser ss`, `hawser addr`
// and the others find. docs/control.md describes what is said there.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <system_error>

#include "hawser/host.hpp"

namespace hawser {

namespace control {
class Server;
}

struct ControlConfig {
  /// How the host is called: letters, digits, '.', '_' and '-', at most 64, and neither '.' nor '-'
  /// in front. Empty: the name of the program and the number of the process.
  std::string name;
  /// Where the socket is made; must be the user's own. Empty: $XDG_RUNTIME_DIR/hawser, or else
  /// /run/hawser for root and /tmp/hawser-UID for others; it is made if it is not there.
  std::string folder;
};

/// Why there is no control socket.
struct ControlError {
  std::error_code code;
  std::string message;  ///< one line that also says what to do about it
};

/// Answers for a host, in a thread of its own, until it is destroyed. Only processes of the same
/// user and of root are answered, and nothing can be changed through it.
class ControlSocket {
 public:
  /// Errors: address_in_use when a running host has that name; invalid_argument for a name that
  /// cannot be; not permitted when the folder is another's or open to others; or what the operating
  /// system says. A socket that a dead process left is replaced.
  static std::expected<ControlSocket, ControlError> open(Host& host,
                                                         const ControlConfig& config = {});
  ControlSocket(ControlSocket&& other) noexcept;
  ControlSocket& operator=(ControlSocket&& other) noexcept;
  /// Removes the socket. The host may be gone by then.
  ~ControlSocket();

  const std::string& name() const;
  const std::string& path() const;

 private:
  explicit ControlSocket(std::unique_ptr<control::Server> server) noexcept;

  std::unique_ptr<control::Server> server_;
};

}  // namespace hawser
