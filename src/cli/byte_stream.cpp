#include "cli/byte_stream.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace hawser::cli {

namespace {

constexpr std::size_t kOutputBytes = std::size_t{256} << 10;

bool try_again(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

bool is_ready(int descriptor, short events) {
  pollfd one{descriptor, events, 0};
  return ::poll(&one, 1, 0) == 1;
}

}  // namespace

InputStream::InputStream(int descriptor, std::size_t capacity)
    : descriptor_(descriptor), terminal_(::isatty(descriptor) == 1), bytes_(capacity) {}

void InputStream::on_poll(short events) {
  if (events == 0 || !wants_poll()) return;
  const std::span<std::byte> room = bytes_.room();
  const ssize_t got = ::read(descriptor_, room.data(), room.size());
  if (got > 0) {
    bytes_.filled(static_cast<std::size_t>(got));
    return;
  }
  if (got < 0 && try_again(errno)) return;
  ended_ = true;
  // Without standard input (EBADF) there is nothing to read, which is no fault.
  if (got < 0 && errno != EBADF) problem_ = fmt::format("cannot read: {}", std::strerror(errno));
}

OutputStream::OutputStream(int descriptor)
    : descriptor_(descriptor), kind_(Kind::other), bytes_(kOutputBytes) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return;
  if (S_ISREG(status.st_mode)) kind_ = Kind::file;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
}

std::ptrdiff_t OutputStream::write_some(std::span<const std::byte> bytes) const {
  if (kind_ == Kind::socket) {
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // A pipe that polls writable has room for PIPE_BUF bytes; with more the write might sleep.
  const std::size_t most = kind_ == Kind::file ? bytes.size() : std::size_t{PIPE_BUF};
  return ::write(descriptor_, bytes.data(), std::min(bytes.size(), most));
}

void OutputStream::on_poll(short events) {
  bool ready = events != 0;
  while (ready && !bytes_.empty()) {
    const std::ptrdiff_t written = write_some(bytes_.pending());
    if (written >= 0) {
      bytes_.drained(static_cast<std::size_t>(written));
    } else if (!try_again(errno)) {
      gone_ = errno == EPIPE;
      if (!gone_) problem_ = fmt::format("cannot write: {}", std::strerror(errno));
      bytes_.clear();
      return;
    }
    ready = is_ready(descriptor_, POLLOUT);
  }
}

}  // namespace hawser::cli
