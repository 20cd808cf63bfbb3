// ICMP errors that we send, to whom, and how many (RFC 1122 3.2.2, RFC 1812 4.3.2, RFC 4443 2.4).
#include "stack/impl.hpp"

namespace hawser {

/// RFC1122-3.2.2, RFC4443-2.4: never about broadcasts and groups, nor to a source that is not one
/// host, nor about errors and later fragments; and only so often. `source` and `destination` are
/// those of `offending`.
void Stack::Impl::send_icmp_error(const Context& context, const IpAddress& source,
                                  const IpAddress& destination, const Packet& offending,
                                  const wire::IcmpReport& report, InterfaceId from) {
  const Zone zone = end_on(from, source, Port{}).zone;
  const auto route = interfaces_.route(source, zone);
  if (!route || wire::forbids_icmp_error(offending.head())) return;
  const auto ours = interfaces_.is_ours(destination) ? std::optional(destination)
                                                     : interfaces_.source_for(source, zone);
  if (!ours || check_addresses(source, *ours, from)) return;
  // Half of the errors cost two tokens, so that what is left tells an outsider little of whom else
  // we send errors: the count of them was once used to find open ports.
  if (!icmp_limit_.take(context.now)) {
    return drop(context, DropReason::rate_limited, offending.size());
  }
  if (random_.chance(0.5)) icmp_limit_.take(context.now);
  Packet message = wire::make_icmp_error(offending, report, *ours, source);
  if (!message) return drop(context, DropReason::no_memory, 0);
  const bool v4 = source.is_v4();
  const std::size_t size = message.size() + (v4 ? wire::kIpv4MinHeader : wire::kIpv6Header);
  if (size > offending.size() && !icmp_excess_limit_.take(context.now)) {
    return drop(context, DropReason::rate_limited, offending.size());
  }
  ++counters_.icmp_errors_sent;
  const auto protocol = v4 ? wire::IpProtocol::icmp : wire::IpProtocol::icmpv6;
  send_ip(context, std::move(message),
          {.source = *ours,
           .destination = source,
           .protocol = static_cast<std::uint8_t>(protocol),
           .hop_limit = hop_limit_of(config_.tcp.defaults.hop_limit, route->interface, source)},
          route->interface);
}

/// That nobody here speaks what `offending` holds.
void Stack::Impl::send_unreachable(const Context& context, const wire::IpHeader& ip,
                                   const Packet& offending, wire::IcmpErrorKind kind,
                                   InterfaceId from) {
  if (!interfaces_.is_ours(ip.destination)) return;
  send_icmp_error(context, ip.source, ip.destination, offending, kind, from);
}

/// RFC1122-3.2.2.5, RFC4443-3.4
void Stack::Impl::send_parameter_problem(const Context& context,
                                         const wire::ParameterProblem& problem,
                                         const Packet& offending, InterfaceId from) {
  const bool group = problem.even_multicast && problem.destination.is_multicast() &&
                     multicast_.is_member(from, problem.destination);
  if (!interfaces_.is_ours(problem.destination) && !group) return;
  send_icmp_error(context, problem.source, problem.destination, offending,
                  {wire::IcmpErrorKind::parameter_problem, problem.code, problem.pointer}, from);
}

/// RFC1122-3.3.2, RFC8200-4.5: the sender is told, if we have its first fragment to quote.
void Stack::Impl::on_reassembly_timers(const Context& context) {
  while (const auto expired = reassembly_.poll_expired(context.now)) {
    if (!expired->first_fragment) continue;
    const Packet& packet = expired->first_fragment;
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    if (!parsed || !interfaces_.is_ours(parsed->header.destination)) continue;
    send_icmp_error(context, parsed->header.source, parsed->header.destination, packet,
                    {wire::IcmpErrorKind::time_exceeded, wire::kReassemblyTimeExceeded},
                    packet.interface());
  }
}

}  // namespace hawser
