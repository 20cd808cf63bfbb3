// Lists of what a stack holds, for those who look at it from outside. Not for work on packets.
#include "stack/impl.hpp"

namespace hawser {

namespace {

// The parts of the list, in their order.
constexpr std::uint32_t kListeners = 0;
constexpr std::uint32_t kConnections = 1;
constexpr std::uint32_t kSynReceived = 2;
constexpr std::uint32_t kTimeWait = 3;
constexpr std::uint32_t kParts = 4;

/// The index of the first object at `from` or behind it.
template <typename Objects>
std::uint32_t next_in(const Objects& objects, std::uint32_t from) {
  while (from < objects.end() && !objects.contains(from)) ++from;
  return from;
}

}  // namespace

std::vector<TcpSocketInfo> Stack::Impl::tcp_sockets(SocketCursor& cursor, std::size_t limit) {
  std::vector<TcpSocketInfo> list;
  // Of each part: where it ends, and its first index at the cursor or behind it.
  const auto next = [&]() -> std::optional<std::uint32_t> {
    const auto of = [&](const auto& objects) -> std::optional<std::uint32_t> {
      const std::uint32_t index = next_in(objects, cursor.index);
      if (index < objects.end()) return index;
      return std::nullopt;
    };
    if (cursor.kind == kListeners) return of(listeners_);
    if (cursor.kind == kConnections) return of(connections_);
    if (cursor.kind == kSynReceived) return of(syn_received_);
    return of(time_wait_);
  };
  while (cursor.kind != kParts && list.size() < limit) {
    const std::optional<std::uint32_t> found = next();
    if (!found) {
      ++cursor.kind;
      cursor.index = 0;
      continue;
    }
    const std::uint32_t index = *found;
    cursor.index = index + 1;
    if (cursor.kind == kListeners) list.push_back(describe_listener(index));
    // Of one in TIME-WAIT the record is shown, not the connection that may still be read.
    if (cursor.kind == kConnections &&
        connections_[index].connection.state() != TcpState::time_wait) {
      list.push_back(describe_connection(index));
    }
    if (cursor.kind == kSynReceived) list.push_back(describe_syn_received(index));
    if (cursor.kind == kTimeWait) list.push_back(describe_time_wait(index));
  }
  cursor.at_end = cursor.kind == kParts;
  return list;
}

TcpSocketInfo Stack::Impl::describe_listener(std::uint32_t index) const {
  const tcp::Listener& listener = listeners_[index];
  TcpSocketInfo socket;
  socket.info.state = TcpState::listen;
  socket.info.local = listener.local;
  socket.info.remote = {IpAddress::any(listener.local.address.family()), Port{}};
  socket.held = true;
  socket.syn_queue = listener.syn_received;
  socket.accept_queue = static_cast<std::uint32_t>(listener.accept_queue.size());
  socket.backlog = listener.backlog;
  return socket;
}

TcpSocketInfo Stack::Impl::describe_connection(std::uint32_t index) {
  const ConnectionSlot& slot = connections_[index];
  TcpSocketInfo socket;
  socket.info = slot.connection.info(context(now_));
  socket.held = !slot.released && !slot.in_accept_queue;
  return socket;
}

TcpSocketInfo Stack::Impl::describe_syn_received(std::uint32_t index) const {
  const tcp::SynReceived& record = syn_received_[index];
  TcpSocketInfo socket;
  socket.info.state = TcpState::syn_received;
  socket.info.local = record.tuple.local;
  socket.info.remote = record.tuple.remote;
  socket.info.send_blocked = SendBlocked::handshake;
  socket.info.timestamps = record.timestamps;
  socket.info.sack = record.sack;
  socket.info.backoff = record.retries;
  return socket;
}

TcpSocketInfo Stack::Impl::describe_time_wait(std::uint32_t index) const {
  const tcp::TimeWait& record = time_wait_[index];
  TcpSocketInfo socket;
  socket.info.state = TcpState::time_wait;
  socket.info.local = record.tuple.local;
  socket.info.remote = record.tuple.remote;
  socket.info.close_reason = CloseReason::finished;
  socket.info.send_blocked = SendBlocked::closed;
  socket.until = record.deadline;
  return socket;
}

}  // namespace hawser
