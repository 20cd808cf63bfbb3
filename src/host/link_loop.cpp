#include "host/link_loop.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>

namespace hawser::host {

namespace {

constexpr std::uint64_t kStopTag = 2;
constexpr std::uint64_t kAlarmTag = 3;

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

epoll_event event_of(std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return event;
}

}  // namespace

LinkLoop::LinkLoop(link::Emulator& emulator)
    : emulator_(emulator),
      epoll_(Descriptor::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  add(alarm_.descriptor(), kAlarmTag);
  for (const link::Way way : link::kWays) {
    interest_[static_cast<std::size_t>(way)] = EPOLLIN;
    add(emulator_.source(way).descriptor(), static_cast<std::uint64_t>(way));
  }
}

void LinkLoop::add(int fd, std::uint64_t tag) {
  epoll_event event = event_of(EPOLLIN, tag);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

std::optional<DeviceError> LinkLoop::run(int stop) {
  add(stop, kStopTag);
  for (;;) {
    std::array<epoll_event, 4> events{};
    const bool due = alarm_.at() <= now();
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), due ? 0 : -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t tag = events.at(static_cast<std::size_t>(i)).data.u64;
      if (tag == kStopTag) return std::nullopt;
      if (tag == kAlarmTag) alarm_.clear();
    }
    const Lock held(mutex_);
    emulator_.turn(now());
    if (auto broken = fault()) return broken;
    for (const link::Way way : link::kWays) update_interest(way);
    alarm_.set(emulator_.next_deadline());
  }
}

/// A device from which nothing is taken now would wake us for ever.
void LinkLoop::update_interest(link::Way way) {
  const auto index = static_cast<std::size_t>(way);
  Device& device = emulator_.source(way);
  const std::uint32_t in = emulator_.takes(way) ? EPOLLIN : 0U;
  const std::uint32_t wanted = in | (device.wants_writable() ? std::uint32_t{EPOLLOUT} : 0U);
  if (wanted == interest_.at(index)) return;
  interest_.at(index) = wanted;
  epoll_event event = event_of(wanted, index);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, device.descriptor(), &event);
}

std::optional<DeviceError> LinkLoop::fault() {
  for (const link::Way way : link::kWays) {
    if (auto broken = emulator_.source(way).fault()) return broken;
  }
  return std::nullopt;
}

}  // namespace hawser::host
