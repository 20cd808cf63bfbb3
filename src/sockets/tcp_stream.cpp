#include "hawser/tcp_stream.hpp"

#include <algorithm>

#include "sockets/socket.hpp"

namespace hawser {

using sockets::failure;
using sockets::Socket;

namespace {

/// Bytes copied with the lock held before others have their turn.
constexpr std::size_t kLargestCopy = std::size_t{256} << 10;

/// What a connection that failed is reported as, when it kept no reason.
constexpr Error kUnexplained = Error::connection_aborted;

bool is_established(TcpState state) {
  return state != TcpState::syn_sent && state != TcpState::syn_received &&
         state != TcpState::closed;
}

}  // namespace

TcpStream::TcpStream() noexcept = default;
TcpStream::TcpStream(TcpStream&& other) noexcept = default;
TcpStream::TcpStream(std::unique_ptr<Socket> socket) noexcept : socket_(std::move(socket)) {}

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this == &other) return *this;
  if (socket_) (void)close();
  socket_ = std::move(other.socket_);
  return *this;
}

TcpStream::~TcpStream() {
  if (socket_) (void)close();
}

// ---- to open

IoResult<TcpStream> TcpStream::start_connect(Host& host, const Endpoint& remote,
                                             const ConnectOptions& options) {
  const std::shared_ptr<host::Engine>& engine = host.engine();
  const host::Engine::Lock lock = engine->lock();
  if (engine->stopped()) return failure(Error::shut_down);
  const Instant at = host::Engine::now();
  const TcpSettings* settings = options.settings ? &*options.settings : nullptr;
  const Result<SocketHandle> handle =
      engine->stack().tcp_connect(at, options.local, remote, settings);
  if (!handle) return failure(handle.error());
  auto socket = std::make_unique<Socket>(engine, *handle);
  socket->non_blocking = true;
  engine->after_call(at);
  return TcpStream(std::move(socket));
}

IoResult<TcpStream> TcpStream::connect(Host& host, const Endpoint& remote,
                                       const ConnectOptions& options) {
  IoResult<TcpStream> stream = start_connect(host, remote, options);
  if (!stream) return stream;
  Error last_soft_error = Error::timed_out;
  const SocketHandle handle = stream->socket_->handle;
  const IoResult<void> connected = stream->socket_->perform(
      Ready::writable, options.deadline, [&](Stack& stack, Instant) -> Result<void> {
        const std::optional<Error> error = stack.tcp_take_error(handle);
        const Result<TcpInfo> info = stack.tcp_info(handle);
        if (!info || info->state == TcpState::closed) {
          return std::unexpected(error.value_or(kUnexplained));
        }
        if (is_established(info->state)) return {};
        if (error) last_soft_error = *error;
        return std::unexpected(Error::would_block);
      });
  if (!connected) {
    stream->abort();
    // Of a connection that was never made, an ICMP error says more than that time has passed.
    if (connected.error() == make_error_code(Error::timed_out)) return failure(last_soft_error);
    return std::unexpected(connected.error());
  }
  stream->set_non_blocking(false);
  return stream;
}

bool TcpStream::is_open() const { return sockets::is_open(socket_.get()); }

// ---- to send

IoResult<std::size_t> TcpStream::send(std::span<const std::byte> data) {
  return send_some(data, std::nullopt, false);
}

IoResult<std::size_t> TcpStream::send(std::span<const std::byte> data, Deadline deadline) {
  return send_some(data, deadline, false);
}

IoResult<std::size_t> TcpStream::send_some(std::span<const std::byte> data,
                                           std::optional<Deadline> deadline, bool force_wait) {
  if (!socket_) return failure(Error::bad_handle);
  const auto part = data.first(std::min(data.size(), kLargestCopy));
  return socket_->perform(
      Ready::writable, deadline,
      [&](Stack& stack, Instant at) { return stack.tcp_send(at, socket_->handle, part); },
      force_wait);
}

IoResult<void> TcpStream::send_all(std::span<const std::byte> data) {
  return send_whole(data, std::nullopt);
}

IoResult<void> TcpStream::send_all(std::span<const std::byte> data, Deadline deadline) {
  return send_whole(data, deadline);
}

IoResult<void> TcpStream::send_whole(std::span<const std::byte> data,
                                     std::optional<Deadline> deadline) {
  if (!deadline) deadline = standing_deadline();
  while (!data.empty()) {
    const IoResult<std::size_t> sent = send_some(data, deadline, true);
    if (!sent) return std::unexpected(sent.error());
    data = data.subspan(*sent);
  }
  return {};
}

IoResult<std::size_t> TcpStream::send_urgent(std::span<const std::byte> data) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->perform(Ready::writable, std::nullopt, [&](Stack& stack, Instant at) {
    return stack.tcp_send_urgent(at, socket_->handle, data);
  });
}

IoResult<void> TcpStream::shutdown_write() {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call(
      [&](Stack& stack, Instant at) { return stack.tcp_shutdown_write(at, socket_->handle); });
}

// ---- to receive

IoResult<std::size_t> TcpStream::receive(std::span<std::byte> out) {
  return receive_some(out, std::nullopt, false);
}

IoResult<std::size_t> TcpStream::receive(std::span<std::byte> out, Deadline deadline) {
  return receive_some(out, deadline, false);
}

IoResult<std::size_t> TcpStream::receive_some(std::span<std::byte> out,
                                              std::optional<Deadline> deadline, bool force_wait) {
  if (!socket_) return failure(Error::bad_handle);
  const auto part = out.first(std::min(out.size(), kLargestCopy));
  return socket_->perform(
      Ready::readable, deadline,
      [&](Stack& stack, Instant at) { return stack.tcp_receive(at, socket_->handle, part); },
      force_wait);
}

IoResult<std::size_t> TcpStream::receive_all(std::span<std::byte> out) {
  return receive_whole(out, std::nullopt);
}

IoResult<std::size_t> TcpStream::receive_all(std::span<std::byte> out, Deadline deadline) {
  return receive_whole(out, deadline);
}

IoResult<std::size_t> TcpStream::receive_whole(std::span<std::byte> out,
                                               std::optional<Deadline> deadline) {
  if (!deadline) deadline = standing_deadline();
  std::size_t total = 0;
  while (total < out.size()) {
    const IoResult<std::size_t> got = receive_some(out.subspan(total), deadline, true);
    if (!got) return got;
    if (*got == 0) break;
    total += *got;
  }
  return total;
}

std::optional<std::uint32_t> TcpStream::urgent_mark() const {
  return sockets::ask(
      socket_.get(), [&](Stack& stack) { return stack.tcp_urgent_mark(socket_->handle); },
      [](std::error_code) { return std::optional<std::uint32_t>(); });
}

// ---- to wait

Ready TcpStream::ready() const { return sockets::ready(socket_.get()); }

IoResult<Ready> TcpStream::wait(Ready interest, Deadline deadline) {
  return sockets::wait(socket_.get(), interest, deadline);
}

std::optional<Deadline> TcpStream::standing_deadline() const {
  if (!socket_) return std::nullopt;
  const host::Engine::Lock lock = socket_->engine->lock();
  if (!socket_->timeout) return std::nullopt;
  return Deadline(*socket_->timeout);
}

// ---- to close

IoResult<void> TcpStream::close() {
  if (!socket_) return failure(Error::bad_handle);
  const std::shared_ptr<host::Engine> engine = socket_->engine;
  host::Engine::Lock lock = engine->lock();
  if (const std::error_code bad = socket_->state()) return std::unexpected(bad);
  const SocketHandle handle = socket_->handle;
  Instant at = host::Engine::now();
  // From here on nobody else reaches the connection.
  engine->detach(*socket_);

  Stack& stack = engine->stack();
  const Result<TcpSettings> settings = stack.tcp_settings(handle);
  bool in_vain = false;
  if (settings && settings->linger && *settings->linger > Duration::zero() &&
      stack.tcp_shutdown_write(at, handle)) {
    engine->after_call(at);
    const Duration linger = *settings->linger;
    const Instant limit = linger > kNever - at ? kNever : at + linger;
    in_vain = !engine->wait_until_acknowledged(lock, handle, limit);
    if (engine->stopped()) return failure(Error::shut_down);
    at = host::Engine::now();
  }
  (void)stack.tcp_close(at, handle);
  engine->after_call(at);
  if (in_vain) return failure(Error::timed_out);
  return {};
}

void TcpStream::abort() {
  sockets::close(socket_.get(), [](Stack& stack, Instant at, SocketHandle handle) {
    (void)stack.tcp_abort(at, handle);
  });
}

// ---- to set and to see

IoResult<TcpSettings> TcpStream::settings() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) { return stack.tcp_settings(socket_->handle); });
}

IoResult<void> TcpStream::set_settings(const TcpSettings& settings) {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant at) {
    return stack.tcp_set_settings(at, socket_->handle, settings);
  });
}

void TcpStream::set_timeout(std::optional<Duration> timeout) {
  sockets::set_timeout(socket_.get(), timeout);
}

void TcpStream::set_non_blocking(bool on) { sockets::set_non_blocking(socket_.get(), on); }

IoResult<TcpInfo> TcpStream::info() const {
  if (!socket_) return failure(Error::bad_handle);
  return socket_->call([&](Stack& stack, Instant) { return stack.tcp_info(socket_->handle); });
}

IoResult<Endpoint> TcpStream::local_endpoint() const {
  const IoResult<TcpInfo> known = info();
  if (!known) return std::unexpected(known.error());
  return known->local;
}

IoResult<Endpoint> TcpStream::remote_endpoint() const {
  const IoResult<TcpInfo> known = info();
  if (!known) return std::unexpected(known.error());
  return known->remote;
}

std::error_code TcpStream::take_error() {
  return sockets::take_error(socket_.get(),
                             [&](Stack& stack) { return stack.tcp_take_error(socket_->handle); });
}

std::optional<IcmpErrorReport> TcpStream::error_report() const {
  return sockets::ask(
      socket_.get(), [&](Stack& stack) { return stack.tcp_error_report(socket_->handle); },
      [](std::error_code) { return std::optional<IcmpErrorReport>(); });
}

}  // namespace hawser
