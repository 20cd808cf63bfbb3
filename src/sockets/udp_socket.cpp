#include "hawser/udp_socket.hpp"

#include "sockets/socket.hpp"

namespace hawser {

using sockets::failure;
using sockets::Socket;

UdpSocket::UdpSocket() noexcept = default;
UdpSocket::UdpSocket(UdpSocket&& other) noexcept = default;
UdpSocket::UdpSocket(std::unique_ptr<Socket> socket) noexcept : socket_(std::move(socket)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  socket_ = std::move(other.socket_);
  return *this;
}

UdpSocket::~UdpSocket() { close(); }

// ---- to open

IoResult<UdpSocket> UdpSocket::open(Host& host, const std::optional<UdpSettings>& settings) {
  const std::shared_ptr<host::Engine>& engine = host.engine();
  const host::Engine::Lock lock = engine->lock();
  if (engine->stopped()) return failure(Error::shut_down);
  const Result<SocketHandle> handle = engine->stack().udp_open(settings ? &*settings : nullptr);
  if (!handle) return failure(handle.error());
  return UdpSocket(std::make_unique<Socket>(engine, *handle));
}

IoResult<UdpSocket> UdpSocket::bind(Host& host, const Endpoint& local,
                                    const std::optional<UdpSettings>& settings) {
  IoResult<UdpSocket> socket = open(host, settings);
  if (!socket) return socket;
  if (const IoResult<void> bound = socket->bind(local); !bound) {
    return std::unexpected(bound.error());
  }
  return socket;
}

bool UdpSocket::is_open() const { return sockets::is_open(socket_.get()); }

IoResult<void> UdpSocket::bind(const Endpoint& local) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call(
      [&](Stack& stack, Instant) { return stack.udp_bind(socket_->handle, local); });
}

IoResult<void> UdpSocket::connect(const Endpoint& remote) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call(
      [&](Stack& stack, Instant) { return stack.udp_connect(socket_->handle, remote); });
}

IoResult<void> UdpSocket::disconnect() {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call(
      [&](Stack& stack, Instant) { return stack.udp_disconnect(socket_->handle); });
}

// ---- to send and to receive

IoResult<std::size_t> UdpSocket::send_to(std::span<const std::byte> data,
                                         const Endpoint& destination, const UdpSendOptions& options,
                                         std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::writable, deadline, [&](Stack& stack, Instant at) {
    return stack.udp_send_to(at, socket_->handle, data, destination, options);
  });
}

IoResult<std::size_t> UdpSocket::send(std::span<const std::byte> data,
                                      const UdpSendOptions& options,
                                      std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::writable, deadline, [&](Stack& stack, Instant at) {
    return stack.udp_send(at, socket_->handle, data, options);
  });
}

IoResult<UdpReceived> UdpSocket::receive_from(std::span<std::byte> out,
                                              std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::readable, deadline, [&](Stack& stack, Instant) {
    return stack.udp_receive_from(socket_->handle, out);
  });
}

IoResult<UdpReceived> UdpSocket::peek_from(std::span<std::byte> out,
                                           std::optional<Deadline> deadline) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::readable, deadline, [&](Stack& stack, Instant) {
    return stack.udp_peek_from(socket_->handle, out);
  });
}

IoResult<void> UdpSocket::join(const IpAddress& group, std::optional<InterfaceId> interface) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant at) {
    return stack.udp_join(at, socket_->handle, group, interface);
  });
}

IoResult<void> UdpSocket::leave(const IpAddress& group, std::optional<InterfaceId> interface) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant at) {
    return stack.udp_leave(at, socket_->handle, group, interface);
  });
}

// ---- to wait

Ready UdpSocket::ready() const { return sockets::ready(socket_.get()); }

IoResult<Ready> UdpSocket::wait(Ready interest, Deadline deadline) {
  return sockets::wait(socket_.get(), interest, deadline);
}

void UdpSocket::close() {
  sockets::close(socket_.get(), [](Stack& stack, Instant at, SocketHandle handle) {
    (void)stack.udp_close(at, handle);
  });
}

// ---- to set and to see

IoResult<UdpSettings> UdpSocket::settings() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) { return stack.udp_settings(socket_->handle); });
}

IoResult<void> UdpSocket::set_settings(const UdpSettings& settings) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call(
      [&](Stack& stack, Instant) { return stack.udp_set_settings(socket_->handle, settings); });
}

void UdpSocket::set_timeout(std::optional<Duration> timeout) {
  sockets::set_timeout(socket_.get(), timeout);
}

void UdpSocket::set_non_blocking(bool on) { sockets::set_non_blocking(socket_.get(), on); }

IoResult<UdpInfo> UdpSocket::info() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) { return stack.udp_info(socket_->handle); });
}

IoResult<Endpoint> UdpSocket::local_endpoint() const {
  const IoResult<UdpInfo> known = info();
  if (!known) return std::unexpected(known.error());
  return known->local;
}

IoResult<Endpoint> UdpSocket::remote_endpoint() const {
  const IoResult<UdpInfo> known = info();
  if (!known) return std::unexpected(known.error());
  if (!known->remote) return failure(Error::not_connected);
  return *known->remote;
}

std::error_code UdpSocket::take_error() {
  return sockets::take_error(socket_.get(),
                             [&](Stack& stack) { return stack.udp_take_error(socket_->handle); });
}

std::optional<IcmpErrorReport> UdpSocket::take_error_report() {
  return sockets::ask(
      socket_.get(), [&](Stack& stack) { return stack.udp_take_error_report(socket_->handle); },
      [](std::error_code) { return std::optional<IcmpErrorReport>(); });
}

}  // namespace hawser
