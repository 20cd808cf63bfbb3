// What wakes a loop that waits in epoll: another thread, or an instant that has come.
#pragma once

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "hawser/time.hpp"
#include "link/descriptor.hpp"

namespace hawser::host {

using link::Descriptor;

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
