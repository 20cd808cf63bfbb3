// ICMP and ICMPv6 at a host (RFC 1122 3.2.2, RFC 4443, RFC 5927; RFC 9293 3.9.2.2).
#include <variant>

#include "stack/impl.hpp"

namespace hawser {

namespace {

struct Meaning {
  Error error{};
  bool hard = false;  ///< ends a connection that is not yet established (RFC9293-SHLD-26)
};

/// What an ICMP error means to a connection; nothing when it is to be ignored. Which are soft is
/// RFC9293-MUST-56.
std::optional<Meaning> meaning_of(wire::IcmpErrorKind kind) {
  using Kind = wire::IcmpErrorKind;
  switch (kind) {
    case Kind::network_unreachable:
      return Meaning{Error::network_unreachable};
    case Kind::host_unreachable:
    case Kind::source_route_failed:
    case Kind::prohibited:
    case Kind::time_exceeded:
    case Kind::unknown:
      return Meaning{Error::host_unreachable};
    case Kind::protocol_unreachable:
      return Meaning{Error::protocol_unreachable, true};
    case Kind::port_unreachable:
      return Meaning{Error::connection_refused, true};
    case Kind::parameter_problem:
      return Meaning{Error::protocol_unreachable};
    case Kind::packet_too_big:  // no error: segments become smaller
    case Kind::source_quench:   // RFC9293-MUST-55
      return std::nullopt;
  }
  return std::nullopt;
}

std::uint8_t protocol_of(Family family) {
  return static_cast<std::uint8_t>(family == Family::ipv4 ? wire::IpProtocol::icmp
                                                          : wire::IpProtocol::icmpv6);
}

bool is_neighbour_message(const wire::IpHeader& ip, const Packet& message) {
  const auto head = message.head();
  return ip.protocol == static_cast<std::uint8_t>(wire::IpProtocol::icmpv6) && !ip.source.is_v4() &&
         !head.empty() && wire::is_neighbour_message(std::to_integer<std::uint8_t>(head.front()));
}

bool is_mld(const wire::IpHeader& ip, const Packet& message) {
  const auto head = message.head();
  return ip.protocol == static_cast<std::uint8_t>(wire::IpProtocol::icmpv6) && !ip.source.is_v4() &&
         !head.empty() && wire::is_mld(std::to_integer<std::uint8_t>(head.front()));
}

}  // namespace

void Stack::Impl::on_icmp(const Context& context, const wire::IpHeader& ip, Packet& message,
                          InterfaceId from) {
  if (is_neighbour_message(ip, message)) return on_neighbour_message(context, ip, message, from);
  if (is_mld(ip, message)) return on_mld(context, ip, message, from);
  if (const auto bad = check_addresses(ip.source, ip.destination, from)) {
    return drop(context, *bad, message.size());
  }
  if (ip.protocol != protocol_of(ip.source.family())) {
    return drop(context, DropReason::unknown_protocol, message.size());
  }
  const auto parsed = wire::parse_icmp(message, ip.source, ip.destination);
  if (!parsed) return drop(context, parsed.error(), message.size());
  if (const auto* error = std::get_if<wire::IcmpError>(&*parsed)) {
    on_icmp_error(context, *error, {ip.source, message.interface(), ip.hop_limit});
  } else if (const auto* echo = std::get_if<wire::IcmpEcho>(&*parsed)) {
    if (echo->reply) {
      on_echo_reply(context, ip, *echo, message);
    } else {
      on_echo_request(context, ip, *echo, message);
    }
  } else if (const auto* redirect = std::get_if<wire::IcmpRedirect>(&*parsed)) {
    on_icmp_redirect(context, *redirect, {ip.source, from, ip.hop_limit});
  }
}

/// RFC1122-3.2.2.2: packets to that destination go by the better gateway from now on.
void Stack::Impl::on_icmp_redirect(const Context& context, const wire::IcmpRedirect& redirect,
                                   const IcmpSender& sender) {
  const bool followed = sender.interface != ip::kLoopback && interfaces_.is_ours(redirect.source) &&
                        autoconfiguration_.on_redirect(
                            context.now, sender.interface, sender.address,
                            {.target = redirect.gateway, .destination = redirect.destination});
  if (!followed) drop(context, DropReason::bad_redirect, 0);
}

IcmpErrorReport Stack::Impl::report_of(const Context& context, const wire::IcmpError& error,
                                       const IcmpSender& sender) const {
  return {.at = context.now,
          .kind = error.kind,
          .type = error.type,
          .code = error.code,
          .reporter = sender.address,
          .destination = {error.destination, error.destination_port},
          .mtu = error.mtu};
}

/// RFC9293-MUST-54: to the connection that the quoted segment is of.
void Stack::Impl::on_icmp_error(const Context& context, const wire::IcmpError& error,
                                const IcmpSender& sender) {
  if (error.kind == wire::IcmpErrorKind::packet_too_big &&
      !on_packet_too_big(context, error, sender.interface)) {
    return;
  }
  switch (static_cast<wire::IpProtocol>(error.protocol)) {
    case wire::IpProtocol::udp:
      return on_udp_error(context, error, sender);
    case wire::IpProtocol::icmp:
    case wire::IpProtocol::icmpv6:
      return on_echo_error(context, error, sender);
    default:
      break;
  }
  const auto meaning = meaning_of(error.kind);
  if (!meaning) return;
  const Tuple tuple{end_on(sender.interface, error.source, error.source_port),
                    end_on(sender.interface, error.destination, error.destination_port)};
  const bool is_tcp = error.protocol == static_cast<std::uint8_t>(wire::IpProtocol::tcp);
  const Flow flow = is_tcp ? demux_.find(tuple) : Flow{};
  if (!flow) return drop(context, DropReason::bad_icmp, 0);
  // The records of opening and of closed connections have nobody to tell, and their timers go on.
  if (flow.kind() != FlowKind::connection) return;
  tcp::Connection& connection = connections_[flow.slot()].connection;
  const bool opening = connection.state() == TcpState::syn_sent;
  if (connection.on_icmp_error(context, error.seq, meaning->error, meaning->hard) && opening) {
    error_reports_[flow.slot()] = report_of(context, error, sender);
  }
  settle(context, flow.slot());
}

void Stack::Impl::on_echo_request(const Context& context, const wire::IpHeader& ip,
                                  const wire::IcmpEcho& request, Packet& data) {
  const auto route = interfaces_.route(ip.source, end_on(data.interface(), ip.source, Port{}).zone);
  if (!route) return drop(context, DropReason::no_route, data.size());
  if (!echo_limit_.take(context.now)) {
    return drop(context, DropReason::rate_limited, data.size());
  }
  data.trim_front(wire::kIcmpHeader);
  wire::push_icmp_echo(
      data, {.reply = true, .identifier = request.identifier, .sequence = request.sequence},
      ip.destination, ip.source);
  send_ip(context, std::move(data),
          {.source = ip.destination,
           .destination = ip.source,
           .protocol = protocol_of(ip.source.family()),
           .hop_limit = hop_limit_of(config_.tcp.defaults.hop_limit, route->interface, ip.source),
           .dscp = ip.dscp},  // RFC1122-3.2.1.6
          route->interface);
}

}  // namespace hawser
