// What follows when a connection was touched: who is told, and how long it stays.
#include "stack/impl.hpp"

namespace hawser {

const tcp::Tuple& Stack::Impl::TupleOf::operator()(Flow flow) const {
  switch (flow.kind()) {
    case FlowKind::syn_received:
      return impl->syn_received_[flow.slot()].tuple;
    case FlowKind::time_wait:
      return impl->time_wait_[flow.slot()].tuple;
    default:
      return impl->connections_[flow.slot()].connection.tuple();
  }
}

/// After every input or call: collects readiness, follows the state, and lets it send.
void Stack::Impl::settle(const Context& context, std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  if (const Ready news = slot.connection.take_ready(); any(news) && !slot.released) {
    if (!any(slot.pending) && !slot.in_accept_queue) readiness_.push_back(handle_of(index));
    slot.pending |= news;
  }
  if (!slot.detached) {
    const TcpState state = slot.connection.state();
    if (state == TcpState::time_wait) enter_time_wait(context, index);
    if (state == TcpState::closed) detach(index);
  }
  mark_dirty(index);
}

void Stack::Impl::mark_dirty(std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  if (slot.dirty) return;
  slot.dirty = true;
  slot.next_dirty = kNone;
  if (dirty_tail_ == kNone) {
    dirty_head_ = index;
  } else {
    connections_[dirty_tail_].next_dirty = index;
  }
  dirty_tail_ = index;
}

/// It has sent what it had: its timer is set, or its life ends.
void Stack::Impl::after_drain(std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  note_path_found(index);
  if (!slot.detached) {
    const Instant deadline = slot.connection.next_deadline();
    if (deadline != kNever) timers_.arm_no_later(index, deadline);
  } else if (slot.released) {
    error_reports_.erase(index);
    connections_.erase(index);
  }
}

void Stack::Impl::detach(std::uint32_t index) {
  demux_.erase({FlowKind::connection, index});
  connections_[index].detached = true;
  timers_.disarm(index);
}

/// The handle is given up; what is still to be sent goes on by itself.
void Stack::Impl::release(const Context& context, std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  slot.released = true;
  slot.pending = Ready::none;
  settle(context, index);
}

Stack::Impl::ConnectionSlot* Stack::Impl::connection_of(SocketHandle socket) {
  if (stack::kind_of(socket) != SocketKind::connection) return nullptr;
  ConnectionSlot* slot = connections_.find(socket.index, socket.generation);
  return slot == nullptr || slot->released ? nullptr : slot;
}

tcp::Listener* Stack::Impl::listener_of(SocketHandle socket) {
  if (stack::kind_of(socket) != SocketKind::listener) return nullptr;
  return listeners_.find(stack::index_of(socket), socket.generation);
}

std::optional<Readiness> Stack::Impl::poll_readiness() {
  while (!readiness_.empty()) {
    const SocketHandle socket = readiness_.front();
    readiness_.pop_front();
    if (tcp::Listener* listener = listener_of(socket)) {
      listener->in_readiness = false;
      return Readiness{socket, Ready::readable};
    }
    if (udp::Socket* udp = udp_of(socket)) {
      return Readiness{socket, std::exchange(udp->pending, Ready::none)};
    }
    if (udp::EchoSocket* echo = echo_of(socket)) {
      return Readiness{socket, std::exchange(echo->pending, Ready::none)};
    }
    if (ConnectionSlot* slot = connection_of(socket); slot != nullptr && any(slot->pending)) {
      return Readiness{socket, std::exchange(slot->pending, Ready::none)};
    }
  }
  return std::nullopt;
}

}  // namespace hawser
