// The names of the vocabulary's enums, as people and tools read them.
#include <array>
#include <string>
#include <string_view>

#include "hawser/addressing.hpp"
#include "hawser/drop.hpp"
#include "hawser/event.hpp"
#include "hawser/icmp.hpp"
#include "hawser/neighbour.hpp"
#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"

namespace hawser {

namespace {

constexpr auto kDropNames = std::to_array<std::string_view>({
    "bad ethernet",
    "other vlan",
    "other mac",
    "unknown ether type",
    "bad arp",
    "address conflict",
    "bad neighbour message",
    "bad redirect",
    "neighbour queue full",
    "no neighbour",
    "truncated",
    "bad ip version",
    "bad ip header",
    "bad ip checksum",
    "ip options malformed",
    "extension headers",
    "bad fragment",
    "tiny fragment",
    "fragment overlap",
    "fragment duplicate",
    "fragment memory",
    "fragment timeout",
    "not ours",
    "bad source",
    "not unicast",
    "unknown protocol",
    "no route",
    "bad icmp",
    "rate limited",
    "too big",
    "bad tcp header",
    "bad tcp checksum",
    "bad tcp options",
    "no connection",
    "syn queue full",
    "accept queue full",
    "bad cookie",
    "out of window",
    "paws",
    "no timestamp",
    "bad ack",
    "no ack",
    "challenge",
    "bad rst",
    "after close",
    "unexpected syn",
    "old duplicate",
    "bad udp header",
    "bad udp checksum",
    "no port",
    "receive queue full",
    "bad dhcp",
    "unexpected dhcp",
    "bad igmp",
    "no memory",
});
static_assert(kDropNames.size() == kDropReasons);

constexpr std::string_view kUnknown = "unknown";

struct FlagName {
  TcpFlag flag;
  std::string_view name;
};

constexpr auto kFlagNames = std::to_array<FlagName>({
    {TcpFlag::syn, "SYN"},
    {TcpFlag::fin, "FIN"},
    {TcpFlag::rst, "RST"},
    {TcpFlag::psh, "PSH"},
    {TcpFlag::ack, "ACK"},
    {TcpFlag::urg, "URG"},
    {TcpFlag::ece, "ECE"},
    {TcpFlag::cwr, "CWR"},
    {TcpFlag::ae, "AE"},
});

}  // namespace

std::string_view to_string(DropReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  return index < kDropNames.size() ? kDropNames[index] : kUnknown;
}

std::string_view to_string(TcpState state) {
  switch (state) {
    case TcpState::closed:
      return "CLOSED";
    case TcpState::listen:
      return "LISTEN";
    case TcpState::syn_sent:
      return "SYN-SENT";
    case TcpState::syn_received:
      return "SYN-RECEIVED";
    case TcpState::established:
      return "ESTABLISHED";
    case TcpState::fin_wait_1:
      return "FIN-WAIT-1";
    case TcpState::fin_wait_2:
      return "FIN-WAIT-2";
    case TcpState::close_wait:
      return "CLOSE-WAIT";
    case TcpState::closing:
      return "CLOSING";
    case TcpState::last_ack:
      return "LAST-ACK";
    case TcpState::time_wait:
      return "TIME-WAIT";
  }
  return kUnknown;
}

std::string_view to_string(SendReason reason) {
  switch (reason) {
    case SendReason::handshake:
      return "handshake";
    case SendReason::data:
      return "data";
    case SendReason::ack:
      return "ack";
    case SendReason::window_update:
      return "window update";
    case SendReason::retransmit_rto:
      return "retransmit rto";
    case SendReason::retransmit_fast:
      return "retransmit fast";
    case SendReason::retransmit_rack:
      return "retransmit rack";
    case SendReason::tail_loss_probe:
      return "tail loss probe";
    case SendReason::window_probe:
      return "window probe";
    case SendReason::keep_alive:
      return "keep alive";
    case SendReason::challenge_ack:
      return "challenge ack";
    case SendReason::reset:
      return "reset";
  }
  return kUnknown;
}

std::string_view to_string(TcpRecovery recovery) {
  switch (recovery) {
    case TcpRecovery::none:
      return "none";
    case TcpRecovery::fast:
      return "fast";
    case TcpRecovery::timeout:
      return "timeout";
  }
  return "?";
}

std::string_view to_string(TcpEcn ecn) {
  switch (ecn) {
    case TcpEcn::off:
      return "off";
    case TcpEcn::passive:
      return "passive";
    case TcpEcn::on:
      return "on";
  }
  return kUnknown;
}

std::string_view to_string(SpuriousSign sign) {
  switch (sign) {
    case SpuriousSign::timestamps:
      return "timestamps";
    case SpuriousSign::duplicates:
      return "duplicates";
    case SpuriousSign::later_data:
      return "later data";
  }
  return kUnknown;
}

std::string_view to_string(SendBlocked reason) {
  switch (reason) {
    case SendBlocked::nothing_to_send:
      return "nothing to send";
    case SendBlocked::handshake:
      return "handshake";
    case SendBlocked::congestion_window:
      return "congestion window";
    case SendBlocked::pacing:
      return "pacing";
    case SendBlocked::peer_window:
      return "peer window";
    case SendBlocked::nagle:
      return "nagle";
    case SendBlocked::silly_window:
      return "silly window";
    case SendBlocked::closed:
      return "closed";
  }
  return kUnknown;
}

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::none:
      return "none";
    case CloseReason::finished:
      return "finished";
    case CloseReason::reset_by_peer:
      return "reset by peer";
    case CloseReason::refused:
      return "refused";
    case CloseReason::aborted:
      return "aborted";
    case CloseReason::timed_out:
      return "timed out";
    case CloseReason::keep_alive:
      return "keep alive";
    case CloseReason::unreachable:
      return "unreachable";
    case CloseReason::address_gone:
      return "address gone";
    case CloseReason::no_memory:
      return "no memory";
  }
  return kUnknown;
}

std::string_view to_string(TcpTimer timer) {
  switch (timer) {
    case TcpTimer::retransmit:
      return "retransmit";
    case TcpTimer::reordering:
      return "reordering";
    case TcpTimer::tail_loss_probe:
      return "tail loss probe";
    case TcpTimer::persist:
      return "persist";
    case TcpTimer::delayed_ack:
      return "delayed ack";
    case TcpTimer::keep_alive:
      return "keep alive";
    case TcpTimer::user_timeout:
      return "user timeout";
    case TcpTimer::fin_wait_2:
      return "fin wait 2";
    case TcpTimer::time_wait:
      return "time wait";
  }
  return kUnknown;
}

std::string_view to_string(NeighbourState state) {
  switch (state) {
    case NeighbourState::incomplete:
      return "INCOMPLETE";
    case NeighbourState::reachable:
      return "REACHABLE";
    case NeighbourState::stale:
      return "STALE";
    case NeighbourState::delay:
      return "DELAY";
    case NeighbourState::probe:
      return "PROBE";
  }
  return kUnknown;
}

std::string TcpFlags::to_string() const {
  std::string text;
  for (const FlagName& entry : kFlagNames) {
    if (!has(entry.flag)) continue;
    if (!text.empty()) text += ',';
    text += entry.name;
  }
  return text.empty() ? "-" : text;
}

std::string_view to_string(AddressState state) {
  switch (state) {
    case AddressState::tentative:
      return "tentative";
    case AddressState::preferred:
      return "preferred";
    case AddressState::deprecated:
      return "deprecated";
    case AddressState::duplicate:
      return "duplicate";
  }
  return kUnknown;
}

std::string_view to_string(AddressOrigin origin) {
  switch (origin) {
    case AddressOrigin::manual:
      return "manual";
    case AddressOrigin::link_local:
      return "link local";
    case AddressOrigin::advertised:
      return "advertised";
    case AddressOrigin::dhcp:
      return "dhcp";
  }
  return kUnknown;
}

std::string_view to_string(RouteOrigin origin) {
  switch (origin) {
    case RouteOrigin::connected:
      return "connected";
    case RouteOrigin::manual:
      return "manual";
    case RouteOrigin::advertised:
      return "advertised";
    case RouteOrigin::redirect:
      return "redirect";
    case RouteOrigin::dhcp:
      return "dhcp";
  }
  return kUnknown;
}

std::string_view to_string(IcmpErrorKind kind) {
  switch (kind) {
    case IcmpErrorKind::network_unreachable:
      return "network unreachable";
    case IcmpErrorKind::host_unreachable:
      return "host unreachable";
    case IcmpErrorKind::protocol_unreachable:
      return "protocol unreachable";
    case IcmpErrorKind::port_unreachable:
      return "port unreachable";
    case IcmpErrorKind::packet_too_big:
      return "packet too big";
    case IcmpErrorKind::source_route_failed:
      return "source route failed";
    case IcmpErrorKind::prohibited:
      return "prohibited";
    case IcmpErrorKind::time_exceeded:
      return "time exceeded";
    case IcmpErrorKind::parameter_problem:
      return "parameter problem";
    case IcmpErrorKind::source_quench:
      return "source quench";
    case IcmpErrorKind::unknown:
      return "unknown";
  }
  return kUnknown;
}

}  // namespace hawser
