#include "hawser/poller.hpp"

#include <algorithm>

#include "sockets/poll_set.hpp"

namespace hawser {

namespace sockets {

PollSet::PollSet(std::shared_ptr<host::Engine> engine) : engine_(std::move(engine)) {
  const host::Engine::Lock lock = engine_->lock();
  group_.watches.push_back(this);
  engine_->attach_group(group_);
}

PollSet::~PollSet() {
  const host::Engine::Lock lock = engine_->lock();
  engine_->detach_group(group_);
  for (std::list<Item>* list : {&idle_, &ready_}) {
    for (Item& item : *list) std::erase(item.socket.watches, &item);
  }
}

IoResult<void> PollSet::add(Socket& socket, Ready interest, std::uint64_t key) {
  const host::Engine::Lock lock = engine_->lock();
  if (socket.engine != engine_) return failure(Error::invalid_argument);
  if (const std::error_code bad = socket.state()) return std::unexpected(bad);
  if (find(socket) != nullptr) return failure(Error::invalid_argument);
  Item& item = idle_.emplace_back(*this, socket, interest, key);
  item.self = std::prev(idle_.end());
  socket.watches.push_back(&item);
  mark(item);  // what it was told before now is not told again: the next wait looks
  return {};
}

IoResult<void> PollSet::modify(Socket& socket, Ready interest) {
  const host::Engine::Lock lock = engine_->lock();
  if (const std::error_code bad = socket.state()) return std::unexpected(bad);
  Item* item = find(socket);
  if (item == nullptr) return failure(Error::invalid_argument);
  const bool wants_more = (interest & item->interest) != interest;
  item->interest = interest;
  if (wants_more) mark(*item);
  return {};
}

void PollSet::remove(Socket& socket) {
  const host::Engine::Lock lock = engine_->lock();
  Item* item = find(socket);
  if (item == nullptr) return;
  std::erase(socket.watches, item);
  erase(*item);
}

IoResult<std::size_t> PollSet::wait(std::span<PollEvent> events, Deadline deadline) {
  host::Engine::Lock lock = engine_->lock();
  for (;;) {
    if (engine_->stopped()) return failure(Error::shut_down);
    const std::size_t count = collect(events);
    if (count != 0) return count;
    const Instant limit = until(deadline);
    if (limit <= host::Engine::now() || !engine_->wait(lock, group_, Ready::readable, limit)) {
      return std::size_t{0};
    }
  }
}

int PollSet::descriptor() {
  const host::Engine::Lock lock = engine_->lock();
  if (!wake_up_) {
    wake_up_.emplace();
    show_on_descriptor();
  }
  return wake_up_->descriptor();
}

void PollSet::mark(Item& item) {
  if (item.marked) return;
  item.marked = true;
  ready_.splice(ready_.end(), idle_, item.self);
  engine_->notify(group_, Ready::readable);
  show_on_descriptor();
}

void PollSet::erase(Item& item) {
  (item.marked ? ready_ : idle_).erase(item.self);
  show_on_descriptor();
}

PollSet::Item* PollSet::find(Socket& socket) {
  for (host::Watch* watch : socket.watches) {
    // Nothing but pollers watches sockets.
    auto* item = static_cast<Item*>(watch);
    if (&item->set == this) return item;
  }
  return nullptr;
}

std::size_t PollSet::collect(std::span<PollEvent> events) {
  std::size_t count = 0;
  for (std::size_t left = ready_.size(); left != 0 && count < events.size(); --left) {
    Item& item = ready_.front();
    const Ready found =
        engine_->stack().ready(item.socket.handle) & (item.interest | Ready::error | Ready::closed);
    if (any(found)) {
      events[count++] = PollEvent{item.key, found};
      ready_.splice(ready_.end(), ready_, item.self);
    } else {
      item.marked = false;
      idle_.splice(idle_.end(), ready_, item.self);
    }
  }
  show_on_descriptor();
  return count;
}

void PollSet::show_on_descriptor() {
  const bool show = !ready_.empty() || engine_->stopped();
  if (!wake_up_ || show == signalled_) return;
  signalled_ = show;
  if (show) {
    wake_up_->signal();
  } else {
    wake_up_->clear();
  }
}

}  // namespace sockets

using sockets::failure;

Poller::Poller(Host& host) : set_(std::make_unique<sockets::PollSet>(host.engine())) {}
Poller::Poller(Poller&& other) noexcept = default;
Poller& Poller::operator=(Poller&& other) noexcept = default;
Poller::~Poller() = default;

IoResult<void> Poller::add(const TcpStream& stream, Ready interest, std::uint64_t key) {
  return add_socket(stream.socket_.get(), interest, key);
}
IoResult<void> Poller::add(const TcpListener& listener, Ready interest, std::uint64_t key) {
  return add_socket(listener.socket_.get(), interest, key);
}
IoResult<void> Poller::add(const UdpSocket& socket, Ready interest, std::uint64_t key) {
  return add_socket(socket.socket_.get(), interest, key);
}
IoResult<void> Poller::add(const IcmpSocket& socket, Ready interest, std::uint64_t key) {
  return add_socket(socket.socket_.get(), interest, key);
}

IoResult<void> Poller::modify(const TcpStream& stream, Ready interest) {
  return modify_socket(stream.socket_.get(), interest);
}
IoResult<void> Poller::modify(const TcpListener& listener, Ready interest) {
  return modify_socket(listener.socket_.get(), interest);
}
IoResult<void> Poller::modify(const UdpSocket& socket, Ready interest) {
  return modify_socket(socket.socket_.get(), interest);
}
IoResult<void> Poller::modify(const IcmpSocket& socket, Ready interest) {
  return modify_socket(socket.socket_.get(), interest);
}

void Poller::remove(const TcpStream& stream) { remove_socket(stream.socket_.get()); }
void Poller::remove(const TcpListener& listener) { remove_socket(listener.socket_.get()); }
void Poller::remove(const UdpSocket& socket) { remove_socket(socket.socket_.get()); }
void Poller::remove(const IcmpSocket& socket) { remove_socket(socket.socket_.get()); }

IoResult<void> Poller::add_socket(sockets::Socket* socket, Ready interest, std::uint64_t key) {
  if (socket == nullptr) return failure(Error::bad_handle);
  return set_->add(*socket, interest, key);
}

IoResult<void> Poller::modify_socket(sockets::Socket* socket, Ready interest) {
  if (socket == nullptr) return failure(Error::bad_handle);
  return set_->modify(*socket, interest);
}

void Poller::remove_socket(sockets::Socket* socket) {
  if (socket != nullptr) set_->remove(*socket);
}

IoResult<std::size_t> Poller::wait(std::span<PollEvent> events, Deadline deadline) {
  return set_->wait(events, deadline);
}

int Poller::descriptor() { return set_->descriptor(); }

}  // namespace hawser
