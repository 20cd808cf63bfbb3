#include "udp/echo_table.hpp"

#include <span>
#include <utility>

#include "udp/socket.hpp"

namespace hawser::udp {

namespace {

std::uint32_t memory_held(const QueuedAnswer& queued) {
  constexpr std::uint32_t kRecord = sizeof(QueuedAnswer);
  return queued.data ? memory_of(queued.data) + kRecord : kRecord;
}

}  // namespace

EchoInfo EchoSocket::info() const {
  EchoInfo info{.identifier = identifier,
                .receive_memory = queued_memory,
                .send_queue = outgoing,
                .answers_received = received,
                .requests_sent = sent,
                .dropped = dropped};
  for (const QueuedAnswer& queued : queue) {
    if (queued.data) info.receive_queue += queued.data.size();
  }
  return info;
}

/// There are far fewer sockets than identifiers, so this ends soon.
std::uint16_t EchoTable::choose_identifier() {
  for (;;) {
    ++draws_;
    const auto draw = static_cast<std::uint16_t>(hash_(std::as_bytes(std::span(&draws_, 1))));
    if (draw != 0 && !by_identifier_.contains(draw)) return draw;
  }
}

Result<std::uint32_t> EchoTable::open(std::uint16_t identifier) {
  if (sockets_.size() >= kMaxSockets) return std::unexpected(Error::no_buffer_space);
  if (identifier == 0) identifier = choose_identifier();
  if (by_identifier_.contains(identifier)) return std::unexpected(Error::address_in_use);
  const std::uint32_t index = sockets_.emplace(identifier);
  by_identifier_.emplace(identifier, index);
  return index;
}

void EchoTable::close(std::uint32_t index) {
  by_identifier_.erase(sockets_[index].identifier);
  sockets_.erase(index);
}

std::uint32_t EchoTable::find(std::uint16_t identifier) const {
  const auto found = by_identifier_.find(identifier);
  return found == by_identifier_.end() ? kNone : found->second;
}

bool EchoTable::push(std::uint32_t index, QueuedAnswer answer) {
  EchoSocket& socket = sockets_[index];
  const std::uint32_t memory = memory_held(answer);
  if (!socket.queue.empty() && socket.queued_memory + memory > kMaxQueued) {
    ++socket.dropped;
    return false;
  }
  ++socket.received;
  socket.queued_memory += memory;
  socket.queue.push_back(std::move(answer));
  return true;
}

QueuedAnswer EchoTable::pop(std::uint32_t index) {
  EchoSocket& socket = sockets_[index];
  QueuedAnswer oldest = std::move(socket.queue.front());
  socket.queue.pop_front();
  socket.queued_memory -= memory_held(oldest);
  return oldest;
}

}  // namespace hawser::udp
