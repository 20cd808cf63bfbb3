#include "cli/icmp_text.hpp"

#include <fmt/format.h>

namespace hawser::cli {

std::string icmp_text(const IcmpErrorReport& report) {
  switch (report.kind) {
    case IcmpErrorKind::network_unreachable:
      return "Destination Net Unreachable";
    case IcmpErrorKind::host_unreachable:
      return "Destination Host Unreachable";
    case IcmpErrorKind::protocol_unreachable:
      return "Destination Protocol Unreachable";
    case IcmpErrorKind::port_unreachable:
      return "Destination Port Unreachable";
    case IcmpErrorKind::packet_too_big:
      return report.reporter.is_v4() ? fmt::format("Frag needed and DF set (mtu = {})", report.mtu)
                                     : fmt::format("Packet too big: mtu={}", report.mtu);
    case IcmpErrorKind::source_route_failed:
      return "Source Route Failed";
    case IcmpErrorKind::prohibited:
      return "Packet filtered";
    case IcmpErrorKind::time_exceeded:
      return report.code == 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
    case IcmpErrorKind::parameter_problem:
      return "Parameter problem";
    case IcmpErrorKind::source_quench:
      return "Source Quench";
    case IcmpErrorKind::unknown:
      return fmt::format("Error of type {}, code {}", report.type, report.code);
  }
  return std::string(to_string(report.kind));
}

std::string trace_mark(const IcmpErrorReport& report) {
  switch (report.kind) {
    case IcmpErrorKind::network_unreachable:
      return "!N";
    case IcmpErrorKind::host_unreachable:
      return "!H";
    case IcmpErrorKind::protocol_unreachable:
      return "!P";
    case IcmpErrorKind::packet_too_big:
      return fmt::format("!F-{}", report.mtu);
    case IcmpErrorKind::source_route_failed:
      return "!S";
    case IcmpErrorKind::prohibited:
      return "!X";
    default:
      return {};
  }
}

}  // namespace hawser::cli
