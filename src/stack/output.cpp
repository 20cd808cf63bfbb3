// What leaves, and in which order. Nothing leaves while packets are taken in: all segments of a
// batch, and all that we sent to ourselves, are processed before a connection may acknowledge
// (RFC9293-MUST-58, RFC9293-MUST-59).
#include <algorithm>

#include "stack/impl.hpp"
#include "tcp/reset.hpp"
#include "wire/tcp.hpp"

namespace hawser {

namespace {

/// Segments that one connection may send before it is another's turn.
constexpr std::size_t kQuantum = 64;
/// Packets to ourselves that are taken in before the driver gets a turn.
constexpr std::size_t kLoopbackBudget = 4096;

}  // namespace

std::size_t Stack::Impl::poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit) {
  const Context at = context(now);
  const std::size_t before = out.size();
  std::size_t budget = kLoopbackBudget;
  if (!started_) start_interfaces(at);
  settle_addresses(at);
  settle_dhcp(at);
  follow_routes();
  join_solicited_nodes(now);
  send_group_reports(at);
  while (out.size() - before < limit) {
    if (neighbours_.has_output() || !unroutable_.empty()) {
      settle_neighbours(at);
    } else if (!control_.empty()) {
      Packet packet = std::move(control_.front());
      control_.pop_front();
      transmit(std::move(packet), out);
    } else if (!loopback_.empty()) {
      if (budget-- == 0) break;  // next_deadline() asks to be called again at once
      Packet packet = std::move(loopback_.front());
      loopback_.pop_front();
      on_packet(at, packet, ip::kLoopback);
    } else if (!outgoing_.empty() || dirty_head_ != kNone) {  // in turns
      drain_udp(at, out, limit - (out.size() - before));
      if (dirty_head_ != kNone) drain_dirty(at, out, limit - (out.size() - before));
    } else {
      break;
    }
  }
  return out.size() - before;
}

/// Only IPv4 has one in every header, and none is needed where nobody may cut (RFC6864-4.1).
std::uint16_t Stack::Impl::identification_for(const IpAddress& source, const IpAddress& destination,
                                              bool dont_fragment) {
  if (dont_fragment || !source.is_v4()) return 0;
  return static_cast<std::uint16_t>(fragment_ids_.next(source, destination));
}

void Stack::Impl::drain_dirty(const Context& context, std::vector<Packet>& out, std::size_t room) {
  const std::uint32_t index = dirty_head_;
  ConnectionSlot& slot = connections_[index];
  dirty_head_ = slot.next_dirty;
  if (dirty_head_ == kNone) dirty_tail_ = kNone;
  slot.dirty = false;
  const Tuple& tuple = slot.connection.tuple();
  const MacAddress* mac = mac_of(slot.interface);
  for (std::size_t sent = 0; sent < std::min(kQuantum, room); ++sent) {
    Packet segment = slot.connection.poll_segment(context);
    if (!segment) return after_drain(index);
    const TcpSettings& settings = slot.connection.settings();
    wire::push_ip(
        segment,
        {.source = tuple.local.address,  // RFC9293-MUST-45
         .destination = tuple.remote.address,
         .protocol = static_cast<std::uint8_t>(wire::IpProtocol::tcp),
         // RFC9293-MUST-49
         .hop_limit = hop_limit_of(settings.hop_limit, slot.interface, tuple.remote.address),
         // RFC9293-MUST-48, RFC9293-SHLD-21, RFC9293-SHLD-22
         .dscp = settings.dscp,
         .ecn = static_cast<std::uint8_t>(slot.connection.ecn()),
         .identification =
             identification_for(tuple.local.address, tuple.remote.address, !slot.may_fragment),
         .dont_fragment = !slot.may_fragment,
         .flow_label = slot.connection.flow_label()});
    segment.set_interface(slot.interface);
    ++counters_.segments_sent;
    if (mac != nullptr && !put_in_frame(context, segment, slot, *mac)) continue;  // it waits
    transmit(std::move(segment), out);
  }
  mark_dirty(index);
}

void Stack::Impl::send_control(const Context& context, const TcpHeader& header, const Tuple& tuple,
                               InterfaceId interface, std::optional<std::uint8_t> hop_limit,
                               std::uint8_t dscp, SendReason reason) {
  Packet packet = pool_.take_packet();
  if (!packet) return drop(context, DropReason::no_memory, 0, tuple);
  wire::push_tcp(packet, header, tuple.local.address, tuple.remote.address);
  ++counters_.segments_sent;
  context.emit(tuple.local, tuple.remote, SegmentSent{header, 0, reason, {}});
  send_ip(context, std::move(packet),
          {.source = tuple.local.address,
           .destination = tuple.remote.address,
           .protocol = static_cast<std::uint8_t>(wire::IpProtocol::tcp),
           .hop_limit = hop_limit_of(hop_limit, interface, tuple.remote.address),
           .dscp = dscp,
           .flow_label = flow_label_of(tuple)},
          interface);
}

void Stack::Impl::send_reset(const Context& context, const Tuple& tuple, const Segment& segment) {
  const auto reset = tcp::reset_for(segment);
  if (!reset) return;
  const auto route = interfaces_.route(tuple.remote.address, tuple.remote.zone);
  if (!route) return drop(context, DropReason::no_route, 0, tuple);
  if (!reset_limit_.take(context.now)) return;
  ++counters_.resets_sent;
  send_control(context, *reset, tuple, route->interface, config_.tcp.defaults.hop_limit,
               config_.tcp.defaults.dscp, SendReason::reset);
}

std::uint32_t Stack::Impl::flow_label_of(const Tuple& tuple) const {
  if (tuple.remote.address.is_v4()) return 0;
  // Never zero, which would mean that there is none (RFC 6437 2).
  const auto label =
      static_cast<std::uint32_t>(flow_label_hash_(std::as_bytes(std::span(&tuple, 1))) & 0xfffff);
  return std::max(label, 1U);
}

}  // namespace hawser
