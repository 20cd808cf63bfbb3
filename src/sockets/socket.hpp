// What streams and listeners have in common: a handle of the stack, how long calls wait, and the
// loop of a call that may have to.
#pragma once

#include <concepts>
#include <expected>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "hawser/io.hpp"
#include "host/engine.hpp"

namespace hawser::sockets {

inline std::unexpected<std::error_code> failure(Error error) {
  return std::unexpected(make_error_code(error));
}

/// The instant until which a call waits; a deadline is of the same clock.
inline Instant until(Deadline deadline) { return Instant(deadline.at().time_since_epoch()); }

/// A socket that somebody holds. All of it is guarded by the engine's mutex, apart from `engine`,
/// which never changes.
class Socket : public host::SocketEntry {
 public:
  /// Under the lock of `host`; `socket` is of its stack.
  Socket(std::shared_ptr<host::Engine> host, SocketHandle socket) : engine(std::move(host)) {
    handle = socket;
    engine->attach(*this);
  }

  std::error_code state() const {
    if (engine->stopped()) return make_error_code(Error::shut_down);
    if (!handle) return make_error_code(Error::bad_handle);
    return {};
  }

  /// Calls `operation(Stack&, Instant)` until it gives something other than would_block; between
  /// the calls it waits for `interest`. `force_wait`: even in non-blocking mode.
  template <typename Operation>
  auto perform(Ready interest, std::optional<Deadline> deadline, Operation operation,
               bool force_wait = false)
      -> IoResult<typename std::invoke_result_t<Operation, Stack&, Instant>::value_type> {
    host::Engine::Lock lock = engine->lock();
    std::optional<Instant> limit;
    for (;;) {
      if (const std::error_code bad = state()) return std::unexpected(bad);
      const Instant at = host::Engine::now();
      auto result = operation(engine->stack(), at);
      engine->after_call(at);
      if (result || result.error() != Error::would_block) {
        engine->pass_on(*this);
        if (!result) return failure(result.error());
        if constexpr (std::is_void_v<typename decltype(result)::value_type>) {
          return {};
        } else {
          return std::move(*result);
        }
      }
      if (non_blocking && !deadline && !force_wait) return failure(Error::would_block);
      if (!limit) limit = limit_of_wait(deadline, at);
      if (*limit <= at || !engine->wait(lock, *this, interest, *limit)) {
        return failure(Error::timed_out);
      }
    }
  }

  /// A call that never waits.
  template <typename Operation>
  auto call(Operation operation) {
    return perform(Ready::none, Deadline::at_once(), std::move(operation));
  }

  std::shared_ptr<host::Engine> engine;
  std::optional<Duration> timeout;
  bool non_blocking = false;

 private:
  Instant limit_of_wait(std::optional<Deadline> deadline, Instant at) const {
    if (deadline) return until(*deadline);
    if (!timeout) return kNever;
    return *timeout > kNever - at ? kNever : at + *timeout;
  }
};

// ---- what all kinds of sockets do alike; `socket` is null when it was moved from

inline bool is_open(const Socket* socket) {
  if (socket == nullptr) return false;
  const host::Engine::Lock lock = socket->engine->lock();
  return !socket->state();
}

/// What `question(Stack&)` answers, or `otherwise(error)` of a socket that is not open.
template <typename Question, typename Otherwise>
auto ask(const Socket* socket, Question question, Otherwise otherwise) {
  if (socket == nullptr) return otherwise(make_error_code(Error::bad_handle));
  const host::Engine::Lock lock = socket->engine->lock();
  if (const std::error_code bad = socket->state()) return otherwise(bad);
  return question(socket->engine->stack());
}

/// Lets go of the handle, so that nobody else reaches it, and gives it to `end(Stack&, Instant,
/// SocketHandle)`.
template <typename End>
void close(Socket* socket, End end) {
  if (socket == nullptr) return;
  const std::shared_ptr<host::Engine> engine = socket->engine;
  const host::Engine::Lock lock = engine->lock();
  if (socket->state()) return;
  const SocketHandle handle = socket->handle;
  const Instant at = host::Engine::now();
  engine->detach(*socket);
  end(engine->stack(), at, handle);
  engine->after_call(at);
}

/// What is possible now, as poll(2) would tell it.
inline Ready ready(const Socket* socket) {
  return ask(
      socket, [&](Stack& stack) { return stack.ready(socket->handle); },
      [](std::error_code) { return Ready::none; });
}

/// Takes the pending error by `take(Stack&)`.
template <typename Take>
std::error_code take_error(const Socket* socket, Take take) {
  return ask(
      socket,
      [&](Stack& stack) {
        const std::optional<Error> error = take(stack);
        return error ? make_error_code(*error) : std::error_code{};
      },
      [](std::error_code bad) { return bad; });
}

/// Waits until one of `interest`, error or closed is true and returns all that are.
inline IoResult<Ready> wait(Socket* socket, Ready interest, Deadline deadline) {
  if (socket == nullptr) return failure(Error::bad_handle);
  return socket->perform(interest, deadline, [&](Stack& stack, Instant) -> Result<Ready> {
    const Ready found = stack.ready(socket->handle) & (interest | Ready::error | Ready::closed);
    if (!any(found)) return std::unexpected(Error::would_block);
    return found;
  });
}

inline void set_timeout(Socket* socket, std::optional<Duration> timeout) {
  if (socket == nullptr) return;
  const host::Engine::Lock lock = socket->engine->lock();
  socket->timeout = timeout;
}

inline void set_non_blocking(Socket* socket, bool on) {
  if (socket == nullptr) return;
  const host::Engine::Lock lock = socket->engine->lock();
  socket->non_blocking = on;
}

}  // namespace hawser::sockets
