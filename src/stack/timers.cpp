// Deadlines: those of addresses and their leases, of TIME-WAIT, of SYN-ACKs and of connections fire
// in this order.
#include <algorithm>
#include <chrono>

#include "stack/impl.hpp"

namespace hawser {

namespace {

/// When a connection is asked again which could not do what it had to, for want of memory.
constexpr Duration kTryAgain = std::chrono::milliseconds(1);

}  // namespace

void Stack::Impl::on_time(Instant now) {
  const Context at = context(now);
  on_address_timers(at);
  on_dhcp_timers(at);
  on_time_wait_timers(at);
  on_syn_ack_timers(at);
  neighbours_.on_time(now);
  multicast_.on_time(now);
  on_reassembly_timers(at);
  path_mtu_.on_time(now);
  while (timers_.earliest() <= now) {
    const std::uint32_t index = timers_.first();
    ConnectionSlot& slot = connections_[index];
    tcp::Connection& connection = slot.connection;
    if (connection.next_deadline() > now) {  // it has moved since
      timers_.rearm_first(connection.next_deadline());
      continue;
    }
    connection.on_time(at);
    if (slot.neighbour && connection.timeouts_in_a_row() > 0) neighbours_.suspect(slot.neighbour);
    const Instant next = connection.next_deadline();
    timers_.rearm_first(next <= now ? now + kTryAgain : next);
    settle(at, index);
  }
}

Instant Stack::Impl::next_deadline() const {
  if (!loopback_.empty()) return now_;
  Instant next =
      std::min({timers_.earliest(), reassembly_.next_deadline(), path_mtu_.next_deadline(),
                neighbours_.next_deadline(), multicast_.next_deadline()});
  if (!time_wait_list_.empty()) {
    next = std::min(next, time_wait_[time_wait_list_.front()].deadline);
  }
  next = std::min({next, next_address_deadline(), next_dhcp_deadline()});
  for (const SlotList& list : syn_ack_lists_) {
    if (!list.empty()) next = std::min(next, syn_received_[list.front()].deadline);
  }
  return next;
}

}  // namespace hawser
