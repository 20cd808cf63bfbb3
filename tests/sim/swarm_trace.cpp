#include "swarm_trace.hpp"

#include <fmt/format.h>

#include "wire/arp.hpp"
#include "wire/ethernet.hpp"
#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser::swarm {

namespace {

std::string describe_tcp(const TcpHeader& header, std::uint32_t length) {
  std::string text = fmt::format("{}>{} {} seq {} ack {} len {} win {}", to_number(header.source),
                                 to_number(header.destination), header.flags.to_string(),
                                 header.seq.value(), header.ack.value(), length, header.window);
  for (const SackBlock& block : header.options.sack()) {
    text += fmt::format(" sack {}-{}", block.begin.value(), block.end.value());
  }
  if (header.flags.has(TcpFlag::urg)) text += fmt::format(" urg {}", header.urgent);
  return text;
}

std::string describe_arp(const Packet& message) {
  const auto arp = wire::parse_arp(message.head());
  if (!arp) return std::string(to_string(arp.error()));
  const bool asks = arp->operation == wire::ArpOperation::request;
  return fmt::format("ARP {} {} of {} at {}", asks ? "asks for" : "answers",
                     arp->target.to_string(), arp->sender.to_string(), arp->sender_mac.to_string());
}

}  // namespace

double in_milliseconds(Instant at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1e6;
}

std::string describe(const FrameVerdict& verdict) {
  std::string text;
  if (verdict.fate != FrameFate::delivered) text += fmt::format(" [{}]", to_string(verdict.fate));
  if (verdict.corrupted) text += " [corrupted]";
  if (verdict.marked) text += " [marked]";
  if (verdict.duplicated) text += " [duplicated]";
  if (verdict.reordered) text += " [reordered]";
  return text;
}

std::string describe(const Event& event) {
  if (const auto* changed = std::get_if<StateChanged>(&event.what)) {
    return fmt::format("{} > {}: {} to {}", event.local.to_string(), event.remote.to_string(),
                       to_string(changed->from), to_string(changed->to));
  }
  if (const auto* timer = std::get_if<TimerFired>(&event.what)) {
    return fmt::format("{} timer {}", event.local.to_string(), to_string(timer->timer));
  }
  if (const auto* dropped = std::get_if<Dropped>(&event.what)) {
    return fmt::format("drops {} B: {}", dropped->length, to_string(dropped->reason));
  }
  return {};
}

std::string describe_packet(const Packet& packet) {
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  if (!ip) return fmt::format("{} B, {}", packet.size(), to_string(ip.error()));
  const bool is_tcp = ip->header.protocol == static_cast<std::uint8_t>(wire::IpProtocol::tcp);
  if (is_tcp && !ip->fragment) {
    const auto tcp = wire::parse_tcp(packet.head().subspan(ip->header_bytes));
    if (!tcp) return fmt::format("{} B, {}", packet.size(), to_string(tcp.error()));
    return describe_tcp(tcp->header, ip->payload_bytes - tcp->header_bytes);
  }
  std::string text = fmt::format("protocol {} len {}", ip->header.protocol, ip->payload_bytes);
  if (const auto& fragment = ip->fragment) {
    text += fmt::format(" of {:x} at {}{}", fragment->identification, fragment->offset,
                        fragment->more ? ", more" : ", last");
  }
  return text;
}

std::string describe_frame(const Packet& frame) {
  const auto ethernet = wire::parse_ethernet(frame.head());
  if (!ethernet) return fmt::format("{} B, {}", frame.size(), to_string(ethernet.error()));
  Packet packet = frame.share();
  if (!packet) return fmt::format("{} B", frame.size());  // of a pool that has nothing to give
  packet.trim_front(ethernet->header_bytes);
  if (ethernet->header.type == wire::EtherType::arp) return describe_arp(packet);
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  if (!ip) return describe_packet(packet);
  return fmt::format("{} > {} {}", ip->header.source.to_string(),
                     ip->header.destination.to_string(), describe_packet(packet));
}

}  // namespace hawser::swarm
