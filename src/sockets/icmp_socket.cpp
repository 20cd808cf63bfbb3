#include "hawser/icmp_socket.hpp"

#include "sockets/socket.hpp"

namespace hawser {

using sockets::failure;
using sockets::Socket;

IcmpSocket::IcmpSocket() noexcept = default;
IcmpSocket::IcmpSocket(IcmpSocket&& other) noexcept = default;
IcmpSocket::IcmpSocket(std::unique_ptr<Socket> socket) noexcept : socket_(std::move(socket)) {}

IcmpSocket& IcmpSocket::operator=(IcmpSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  socket_ = std::move(other.socket_);
  return *this;
}

IcmpSocket::~IcmpSocket() { close(); }

IoResult<IcmpSocket> IcmpSocket::open(Host& host, std::uint16_t identifier) {
  const std::shared_ptr<host::Engine>& engine = host.engine();
  const host::Engine::Lock lock = engine->lock();
  if (engine->stopped()) return failure(Error::shut_down);
  const Result<SocketHandle> handle = engine->stack().icmp_open(identifier);
  if (!handle) return failure(handle.error());
  return IcmpSocket(std::make_unique<Socket>(engine, *handle));
}

bool IcmpSocket::is_open() const { return sockets::is_open(socket_.get()); }

IoResult<void> IcmpSocket::send(const Endpoint& destination, std::span<const std::byte> data,
                                const EchoRequest& request) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant at) {
    return stack.icmp_send_echo(at, socket_->handle, destination, data, request);
  });
}

IoResult<EchoAnswer> IcmpSocket::receive(std::span<std::byte> out,
                                         std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::readable, deadline, [&](Stack& stack, Instant) {
    return stack.icmp_receive(socket_->handle, out);
  });
}

Ready IcmpSocket::ready() const { return sockets::ready(socket_.get()); }

IoResult<Ready> IcmpSocket::wait(Deadline deadline) {
  return sockets::wait(socket_.get(), Ready::readable, deadline);
}

void IcmpSocket::close() {
  sockets::close(socket_.get(), [](Stack& stack, Instant, SocketHandle handle) {
    (void)stack.icmp_close(handle);
  });
}

void IcmpSocket::set_timeout(std::optional<Duration> timeout) {
  sockets::set_timeout(socket_.get(), timeout);
}

void IcmpSocket::set_non_blocking(bool on) { sockets::set_non_blocking(socket_.get(), on); }

IoResult<std::uint16_t> IcmpSocket::identifier() const {
  if (!socket_) return failure(Error::bad_handle);
  const auto info =
      socket_->call([&](Stack& stack, Instant) { return stack.icmp_info(socket_->handle); });
  if (!info) return std::unexpected(info.error());
  return info->identifier;
}

}  // namespace hawser
