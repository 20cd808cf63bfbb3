// A ControlSocket is made: its name, its folder, and a socket that nobody else has.
#include "hawser/control.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "control/answers.hpp"
#include "control/folder.hpp"
#include "control/server.hpp"

namespace hawser {

namespace {

using control::Descriptor;

constexpr int kBacklog = 16;

std::unexpected<ControlError> failure(std::error_code code, std::string message) {
  return std::unexpected(ControlError{code, std::move(message)});
}

std::unexpected<ControlError> system_failure(const std::string& path) {
  const std::error_code code(errno, std::generic_category());
  return failure(code, fmt::format("cannot make the control socket {}: {}", path, code.message()));
}

/// Under the lock of the folder, in which nobody else binds or removes meanwhile.
std::expected<Descriptor, ControlError> listen_at(const std::string& path, const std::string& name,
                                                  control::Kind kind) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return failure(std::make_error_code(std::errc::filename_too_long),
                   fmt::format("the path of the control socket is too long: {}", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_failure(path);
  control::remove_if_stale(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EADDRINUSE) return system_failure(path);
    return failure(make_error_code(Error::address_in_use),
                   fmt::format("there is a running {} '{}' already: choose another name",
                               control::to_string(kind), name));
  }
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    auto failed = system_failure(path);
    ::unlink(path.c_str());
    return failed;
  }
  return socket;
}

}  // namespace

std::expected<std::unique_ptr<control::Server>, ControlError> control::open_server(
    Kind kind, const ControlConfig& config,
    const std::function<Answerer(const Identity& identity)>& make) {
  const std::string name = config.name.empty() ? default_name() : config.name;
  if (!is_valid_name(name)) {
    return failure(make_error_code(Error::invalid_argument),
                   fmt::format("'{}' cannot be the name of a {}: use letters, digits, '.', '_' "
                               "and '-'",
                               name, to_string(kind)));
  }
  auto folder = Folder::make(config.folder.empty() ? default_folder() : config.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  const std::string path = folder->path_of(name, kind);
  const Descriptor lock = folder->lock();
  auto socket = listen_at(path, name, kind);
  if (!socket) return std::unexpected(std::move(socket.error()));
  Answerer answerer = make(Identity{name, program_invocation_short_name, ::getpid()});
  return std::make_unique<Server>(std::move(answerer), name, path, std::move(*socket));
}

std::expected<ControlSocket, ControlError> ControlSocket::open(Host& host,
                                                               const ControlConfig& config) {
  const auto make = [&host](const control::Identity& identity) -> control::Answerer {
    return [engine = host.engine(), identity](std::string_view request, const control::Emit& emit) {
      control::answer(*engine, identity, request, emit);
    };
  };
  auto server = control::open_server(control::Kind::host, config, make);
  if (!server) return std::unexpected(std::move(server.error()));
  return ControlSocket(std::move(*server));
}

ControlSocket::ControlSocket(std::unique_ptr<control::Server> server) noexcept
    : server_(std::move(server)) {}
ControlSocket::ControlSocket(ControlSocket&& other) noexcept = default;
ControlSocket& ControlSocket::operator=(ControlSocket&& other) noexcept = default;
ControlSocket::~ControlSocket() = default;

const std::string& ControlSocket::name() const { return server_->name(); }
const std::string& ControlSocket::path() const { return server_->path(); }

}  // namespace hawser
