#include "udp/socket.hpp"

#include <utility>

namespace hawser::udp {

namespace {

/// Of the packet itself and its place in the queue.
constexpr std::uint32_t kRecord = 512;

}  // namespace

std::uint32_t memory_of(const Packet& packet) {
  std::uint32_t total = kRecord;
  for (const Slice& slice : packet.slices()) total += slice.block_capacity();
  return total;
}

bool Socket::push(Datagram datagram) {
  const std::uint32_t memory = memory_of(datagram.payload);
  if (!queue_.empty() && queued_memory_ + memory > settings.receive_buffer) {
    ++dropped;
    return false;
  }
  ++received;
  queued_bytes_ += datagram.payload.size();
  queued_memory_ += memory;
  queue_.push_back(std::move(datagram));
  return true;
}

std::uint32_t Socket::pop() {
  const Packet& payload = queue_.front().payload;
  const std::uint32_t memory = memory_of(payload);
  queued_bytes_ -= payload.size();
  queued_memory_ -= memory;
  queue_.pop_front();
  return memory;
}

bool Socket::on_left(std::uint32_t bytes) {
  outgoing_ -= bytes;
  return has_room_to_send() && std::exchange(wants_room_, false);
}

bool Socket::on_error(const IcmpErrorReport& report) {
  if (settings.error_reports) {
    if (reports_.size() == kMaxReports) reports_.erase(reports_.begin());
    reports_.push_back(report);
    return true;
  }
  if (!remote) return false;
  error_ = error_of(report.kind);
  return true;
}

std::optional<IcmpErrorReport> Socket::take_report() {
  if (reports_.empty()) return std::nullopt;
  const IcmpErrorReport report = reports_.front();
  reports_.erase(reports_.begin());
  return report;
}

Ready Socket::ready() const {
  Ready now = Ready::none;
  if (!queue_.empty() || error_) now |= Ready::readable;
  if (has_room_to_send() || error_) now |= Ready::writable;
  if (error_ || !reports_.empty()) now |= Ready::error;
  return now;
}

}  // namespace hawser::udp
