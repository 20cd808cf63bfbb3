#include "hawser/tcp_listener.hpp"

#include "sockets/socket.hpp"

namespace hawser {

using sockets::failure;
using sockets::Socket;

TcpListener::TcpListener() noexcept = default;
TcpListener::TcpListener(TcpListener&& other) noexcept = default;
TcpListener::TcpListener(std::unique_ptr<Socket> socket) noexcept : socket_(std::move(socket)) {}

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  if (this == &other) return *this;
  close();
  socket_ = std::move(other.socket_);
  return *this;
}

TcpListener::~TcpListener() { close(); }

IoResult<TcpListener> TcpListener::listen(Host& host, const Endpoint& local,
                                          const ListenOptions& options) {
  const std::shared_ptr<host::Engine>& engine = host.engine();
  const host::Engine::Lock lock = engine->lock();
  if (engine->stopped()) return failure(Error::shut_down);
  Stack& stack = engine->stack();
  const Result<SocketHandle> handle = stack.tcp_listen(local, options.backlog);
  if (!handle) return failure(handle.error());
  if (options.settings) {
    const Instant at = host::Engine::now();
    const Result<void> set = stack.tcp_set_settings(at, *handle, *options.settings);
    if (!set) {
      (void)stack.tcp_close(at, *handle);
      return failure(set.error());
    }
  }
  return TcpListener(std::make_unique<Socket>(engine, *handle));
}

bool TcpListener::is_open() const { return sockets::is_open(socket_.get()); }

IoResult<TcpStream> TcpListener::accept() { return accept_one(std::nullopt); }
IoResult<TcpStream> TcpListener::accept(Deadline deadline) { return accept_one(deadline); }

IoResult<TcpStream> TcpListener::accept_one(std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::readable, deadline,
                          [&](Stack& stack, Instant) -> Result<TcpStream> {
                            const Result<SocketHandle> handle = stack.tcp_accept(socket_->handle);
                            if (!handle) return std::unexpected(handle.error());
                            return TcpStream(std::make_unique<Socket>(socket_->engine, *handle));
                          });
}

IoResult<Ready> TcpListener::wait(Deadline deadline) {
  return sockets::wait(socket_.get(), Ready::readable, deadline);
}

void TcpListener::close() {
  sockets::close(socket_.get(), [](Stack& stack, Instant at, SocketHandle handle) {
    (void)stack.tcp_close(at, handle);
  });
}

IoResult<TcpSettings> TcpListener::settings() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) { return stack.tcp_settings(socket_->handle); });
}

IoResult<void> TcpListener::set_settings(const TcpSettings& settings) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant at) {
    return stack.tcp_set_settings(at, socket_->handle, settings);
  });
}

void TcpListener::set_timeout(std::optional<Duration> timeout) {
  sockets::set_timeout(socket_.get(), timeout);
}

void TcpListener::set_non_blocking(bool on) { sockets::set_non_blocking(socket_.get(), on); }

IoResult<Endpoint> TcpListener::local_endpoint() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) -> Result<Endpoint> {
    const Result<TcpInfo> info = stack.tcp_info(socket_->handle);
    if (!info) return std::unexpected(info.error());
    return info->local;
  });
}

}  // namespace hawser
