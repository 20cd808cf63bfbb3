#include "host/engine.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace hawser::host {

namespace {

/// Frames in one batch, in and out.
constexpr std::size_t kBatch = 64;
/// Batches that may leave in one turn before others have theirs.
constexpr int kRoundsOut = 4;
/// Frames kept for a device that is blocked while others are not.
constexpr std::size_t kPortQueue = 1024;

constexpr std::uint64_t kAlarmTag = ~std::uint64_t{0};
constexpr std::uint64_t kWakeUpTag = kAlarmTag - 1;

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return seed;
}

std::chrono::steady_clock::time_point to_steady(Instant instant) {
  return std::chrono::steady_clock::time_point(instant.time_since_epoch());
}

}  // namespace

Engine::Engine(HostConfig config, std::vector<std::unique_ptr<Device>> devices)
    : pool_(config.memory_limit),
      epoll_(Descriptor::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
  if (devices.size() != config.stack.interfaces.size()) {
    throw std::invalid_argument("a host needs one interface in its configuration for each device");
  }
  register_descriptor(alarm_.descriptor(), kAlarmTag);
  register_descriptor(wake_up_.descriptor(), kWakeUpTag);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    config.stack.interfaces[i].mtu = devices[i]->mtu();
    config.stack.interfaces[i].mac = devices[i]->mac();
    if (devices[i]->descriptor() >= 0) register_descriptor(devices[i]->descriptor(), i);
    ports_.push_back(Port{std::move(devices[i])});
  }
  config.stack.seed = config.seed ? *config.seed : random_seed();
  stack_ = std::make_unique<Stack>(std::move(config.stack), pool_);
}

Engine::~Engine() { stop(); }

void Engine::register_descriptor(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void Engine::start() {
  thread_ = std::thread([this] { run(); });
}

Instant Engine::now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

// ---- the loop

void Engine::run() {
  for (bool at_once = true;;) {
    std::array<epoll_event, 16> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   at_once ? 0 : -1);
    const Lock held(mutex_);
    if (stopping_) return;
    note_events(std::span(events).first(static_cast<std::size_t>(std::max(count, 0))));
    work();
    if (stopped_) return;
    at_once = more_;
  }
}

void Engine::turn() {
  std::array<epoll_event, 16> events{};
  const Lock held(mutex_);
  if (stopped_ || thread_.joinable()) return;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  note_events(std::span(events).first(static_cast<std::size_t>(std::max(count, 0))));
  work();
  if (more_) wake_up_.signal();
}

void Engine::note_events(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    if (event.data.u64 == kAlarmTag) {
      alarm_.clear();
    } else if (event.data.u64 == kWakeUpTag) {
      wake_up_.clear();
    } else {
      ports_[event.data.u64].readable = (event.events & ~std::uint32_t{EPOLLOUT}) != 0;
    }
  }
}

void Engine::work() {
  ++counters_.turns;
  const Instant at = now();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const bool due = ports_[i].device->next_deadline() <= at;
    if (ports_[i].readable || due) read_device(at, i);
    if (ports_[i].polled_for_writing || due) write_port(at, ports_[i]);
  }
  if (stack_->next_deadline() <= at) stack_->on_time(at);
  more_ = flush(at);
  deliver();
  if (std::ranges::all_of(ports_, [](const Port& port) { return port.failed; })) return finish();
  const Instant deadline = next_deadline();
  if (deadline <= at) more_ = true;
  alarm_.set(deadline);
}

void Engine::after_call(Instant at) {
  const bool more = flush(at);
  deliver();
  const Instant deadline = next_deadline();
  if (more && !more_) {
    more_ = true;
    wake_up_.signal();
  }
  // Later is for the loop to see: it would set it again with each segment.
  if (deadline < alarm_.at()) alarm_.set(deadline);
}

Instant Engine::next_deadline() const {
  Instant deadline = stack_->next_deadline();
  for (const Port& port : ports_) deadline = std::min(deadline, port.device->next_deadline());
  return deadline;
}

// ---- frames

void Engine::read_device(Instant at, std::size_t index) {
  Port& port = ports_[index];
  port.readable = false;
  received_.clear();
  counters_.frames_read += port.device->read(at, pool_, received_, kBatch);
  if (!port.failed) {
    if (const auto failure = port.device->fault()) retire(port, *failure);
  }
  if (received_.empty()) return;
  stack_->on_frames(at, InterfaceId{static_cast<std::uint16_t>(index)}, received_);
  received_.clear();
}

/// Its descriptor would wake us for ever.
void Engine::retire(Port& port, const DeviceError& why) {
  port.failed = true;
  if (!failure_) failure_ = why;
  if (const int fd = port.device->descriptor(); fd >= 0) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }
}

bool Engine::flush(Instant at) {
  for (int round = 0; round < kRoundsOut; ++round) {
    if (all_ports_blocked()) return false;  // the devices tell when they have room
    leaving_.clear();
    const std::size_t count = stack_->poll_frames(at, leaving_, kBatch);
    if (count != 0) send_leaving(at);
    if (count < kBatch) return false;
  }
  return true;
}

bool Engine::all_ports_blocked() const {
  return std::ranges::none_of(ports_, [](const Port& port) { return port.queue.empty(); });
}

void Engine::send_leaving(Instant at) {
  if (ports_.size() == 1) {
    // Its queue is empty, or there would have been no frames.
    std::swap(ports_.front().queue, leaving_);
    write_port(at, ports_.front());
    return;
  }
  for (Packet& frame : leaving_) {
    Port& port = ports_[static_cast<std::size_t>(frame.interface())];
    if (port.queue.size() < kPortQueue) {
      port.queue.push_back(std::move(frame));
    } else {
      ++counters_.frames_dropped;
    }
  }
  leaving_.clear();
  for (Port& port : ports_) {
    if (!port.queue.empty()) write_port(at, port);
  }
}

void Engine::write_port(Instant at, Port& port) {
  const std::size_t taken = port.device->write(at, port.queue);
  counters_.frames_written += taken;
  port.queue.erase(port.queue.begin(), port.queue.begin() + static_cast<std::ptrdiff_t>(taken));
  const bool blocked = !port.queue.empty() || port.device->wants_writable();
  if (blocked == port.polled_for_writing) return;
  port.polled_for_writing = blocked;
  const int fd = port.device->descriptor();
  if (fd < 0 || port.failed) return;
  epoll_event event{};
  event.events = EPOLLIN | (blocked ? std::uint32_t{EPOLLOUT} : 0U);
  event.data.u64 = static_cast<std::uint64_t>(&port - ports_.data());
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

// ---- those who wait

void Engine::attach(SocketEntry& entry) { entries_[key_of(entry.handle)] = &entry; }

void Engine::detach(SocketEntry& entry) {
  if (!entry.handle) return;
  if (!stopped_) entries_.erase(key_of(entry.handle));
  entry.handle = SocketHandle{};
  notify(entry, Ready::closed);
  for (Watch* watch : std::exchange(entry.watches, {})) watch->on_gone();
}

void Engine::deliver() {
  while (const std::optional<Readiness> told = stack_->poll_readiness()) {
    const auto found = entries_.find(key_of(told->socket));
    if (found == entries_.end()) continue;
    SocketEntry& entry = *found->second;
    notify(entry, told->what);
    for (Watch* watch : entry.watches) watch->on_ready();
  }
  check_departures();
}

void Engine::notify(SocketEntry& entry, Ready what) {
  if (entry.waiters.empty()) return;
  const bool all = any(what & (Ready::error | Ready::closed));
  std::erase_if(entry.waiters, [&](Waiter* waiter) {
    const Ready found = waiter->interest & what;
    if (!all && !any(found)) return false;
    // One waiter for each thing that became possible: its bits are used up.
    what = static_cast<Ready>(static_cast<unsigned>(what) & ~static_cast<unsigned>(found));
    waiter->woken = true;
    waiter->wake.notify_one();
    return true;
  });
}

void Engine::pass_on(SocketEntry& entry) {
  if (!entry.waiters.empty() && entry.handle) notify(entry, stack_->ready(entry.handle));
}

bool Engine::wait(Lock& lock, SocketEntry& entry, Ready interest, Instant until) {
  Waiter waiter{interest};
  entry.waiters.push_back(&waiter);
  while (!waiter.woken) {
    if (until == kNever) {
      waiter.wake.wait(lock);
    } else if (waiter.wake.wait_until(lock, to_steady(until)) == std::cv_status::timeout &&
               !waiter.woken) {
      std::erase(entry.waiters, &waiter);
      return false;
    }
  }
  return true;
}

// ---- those who wait for the end

bool Engine::has_departed(const Departure& departure) const {
  if (!departure.socket) {
    const StackCensus held = stack_->census();
    return held.connections == 0;
  }
  const Result<TcpInfo> info = stack_->tcp_info(departure.socket);
  return !info || info->state == TcpState::fin_wait_2 || info->state == TcpState::time_wait ||
         info->state == TcpState::closed;
}

void Engine::check_departures() {
  std::erase_if(departures_, [this](Departure* departure) {
    if (!has_departed(*departure)) return false;
    departure->done = true;
    departure->wake.notify_one();
    return true;
  });
}

bool Engine::wait_for_departure(Lock& lock, Departure& departure, Instant until) {
  if (has_departed(departure)) return true;
  departures_.push_back(&departure);
  while (!departure.done) {
    if (until == kNever) {
      departure.wake.wait(lock);
    } else if (departure.wake.wait_until(lock, to_steady(until)) == std::cv_status::timeout &&
               !departure.done) {
      std::erase(departures_, &departure);
      return false;
    }
  }
  return !stopped_;
}

bool Engine::wait_until_acknowledged(Lock& lock, SocketHandle socket, Instant until) {
  Departure departure{socket};
  return wait_for_departure(lock, departure, until);
}

bool Engine::wait_until_quiet(Lock& lock, Instant until) {
  Departure departure{SocketHandle{}};
  return wait_for_departure(lock, departure, until);
}

// ---- the end

void Engine::stop() { std::call_once(stop_once_, &Engine::do_stop, this); }

void Engine::do_stop() {
  {
    const Lock held(mutex_);
    stopping_ = true;
    wake_up_.signal();
  }
  if (thread_.joinable()) thread_.join();
  const Lock held(mutex_);
  finish();
}

void Engine::finish() {
  if (stopped_) return;
  take_leave();
  last_counters_ = stack_->counters();
  stopped_ = true;
  wake_everyone();
  ports_.clear();
  leaving_.clear();
  stack_.reset();
}

void Engine::take_leave() {
  const Instant at = now();
  for (const auto& [key, entry] : entries_) (void)stack_->tcp_abort(at, entry->handle);
  stack_->release_leases(at);
  while (flush(at)) {
  }
}

void Engine::wake_everyone() {
  const auto wake = [this](SocketEntry& entry) {
    notify(entry, Ready::closed);
    for (Watch* watch : std::exchange(entry.watches, {})) watch->on_gone();
  };
  for (const auto& [key, entry] : entries_) wake(*entry);
  for (SocketEntry* group : groups_) wake(*group);
  for (Departure* departure : std::exchange(departures_, {})) {
    departure->done = true;
    departure->wake.notify_one();
  }
}

StackCounters Engine::stack_counters() const {
  return stopped_ ? last_counters_ : stack_->counters();
}

StackCensus Engine::census() const { return stopped_ ? StackCensus{} : stack_->census(); }

}  // namespace hawser::host
