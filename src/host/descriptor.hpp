// Descriptors of the operating system that close themselves.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "hawser/time.hpp"

namespace hawser::host {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Takes what a system call returned; throws std::system_error when that was a failure.
  static Descriptor check(int fd, const char* call) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), call);
    return Descriptor(fd);
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// An eventfd that polls readable from `signal` to `clear`.
class WakeUp {
 public:
  WakeUp() : fd_(Descriptor::check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

  int descriptor() const { return fd_.get(); }
  void signal() {
    const std::uint64_t one = 1;
    // It can only fail when the counter is full, and then the descriptor is readable anyway.
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  }
  void clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  Descriptor fd_;
};

/// A timerfd on CLOCK_MONOTONIC that polls readable from an instant on.
class Alarm {
 public:
  Alarm()
      : fd_(Descriptor::check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                              "timerfd_create")) {}

  int descriptor() const { return fd_.get(); }
  /// What it is set to; kNever while it is not, or has gone off.
  Instant at() const { return at_; }

  void set(Instant at) {
    if (at == at_) return;
    at_ = at;
    itimerspec spec{};
    if (at != kNever) {
      // All zero would disarm: what was due long ago is due at the first nanosecond.
      const std::int64_t nanos = std::max<std::int64_t>(at.time_since_epoch().count(), 1);
      spec.it_value.tv_sec = nanos / 1'000'000'000;
      spec.it_value.tv_nsec = nanos % 1'000'000'000;
    }
    ::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  /// After it polled readable.
  void clear() {
    std::uint64_t count = 0;
    // A set from another thread may have cleared it already; then it is armed anew.
    if (::read(fd_.get(), &count, sizeof count) > 0) at_ = kNever;
  }

 private:
  Descriptor fd_;
  Instant at_ = kNever;
};

}  // namespace hawser::host
