#include "control/describe.hpp"

#include <algorithm>
#include <string>

namespace hawser::control {

namespace {

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e9; }

double milliseconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

Json end_of(const Endpoint& endpoint) {
  return {{"address", endpoint.address.to_string()}, {"port", to_number(endpoint.port)}};
}

/// Of the instants in the future: null is never.
Json seconds_until(Instant instant, Instant now) {
  if (instant == kNever) return nullptr;
  return std::max(seconds(instant - now), 0.0);
}

Json describe_connection(const TcpInfo& info) {
  Json json = {
      {"not_sending_because", to_string(info.send_blocked)},
      {"close_reason", to_string(info.close_reason)},
      {"mss", info.mss},
      {"snd_wscale", info.snd_wscale},
      {"rcv_wscale", info.rcv_wscale},
      {"timestamps", info.timestamps},
      {"sack", info.sack},
      {"ecn_echoes", info.ecn_echoes},
      {"ecn_capable", info.ecn_capable},
  };
  if (info.srtt) {
    json["rtt_ms"] = milliseconds(*info.srtt);
    json["rttvar_ms"] = milliseconds(info.rttvar);
  }
  if (info.min_rtt) {
    json["min_rtt_ms"] = milliseconds(*info.min_rtt);
  }
  json["rto_ms"] = milliseconds(info.rto);
  const Json numbers = {
      {"backoff", info.backoff},
      {"congestion_control", info.congestion_control},
      {"recovery", to_string(info.recovery)},
      {"cwnd", info.cwnd},
      {"ssthresh", info.ssthresh},
      {"pacing_rate", info.pacing_rate},
      {"delivery_rate", info.delivery_rate},
      {"snd_wnd", info.snd_wnd},
      {"rcv_wnd", info.rcv_wnd},
      {"in_flight", info.in_flight},
      {"out_of_order", info.out_of_order},
      {"send_buffer", info.send_buffer},
      {"receive_buffer", info.receive_buffer},
      {"bytes_sent", info.bytes_sent},
      {"bytes_acked", info.bytes_acked},
      {"bytes_received", info.bytes_received},
      {"segments_sent", info.segments_sent},
      {"segments_received", info.segments_received},
      {"retransmits", info.retransmits},
      {"timeouts", info.timeouts},
      {"fast_recoveries", info.fast_recoveries},
      {"spurious_recoveries", info.spurious_recoveries},
      {"duplicate_segments", info.duplicate_segments},
      {"marks_received", info.marks_received},
      {"echoes_received", info.echoes_received},
      {"mark_reductions", info.mark_reductions},
  };
  json.update(numbers);
  return json;
}

}  // namespace

Json describe(const TcpSocketInfo& socket, Instant now) {
  const TcpInfo& info = socket.info;
  const bool listens = info.state == TcpState::listen;
  Json json = {
      {"protocol", "tcp"},
      {"state", to_string(info.state)},
      {"local", end_of(info.local)},
      {"remote", end_of(info.remote)},
      // As ss(8) shows them: of a listener, what waits to be accepted and how many may.
      {"receive_queue", listens ? socket.accept_queue : info.receive_queue},
      {"send_queue", listens ? socket.backlog : info.send_queue},
      {"held", socket.held},
  };
  if (listens) {
    json["syn_queue"] = socket.syn_queue;
  } else if (info.state == TcpState::time_wait) {
    json["ends_in_s"] = seconds_until(socket.until, now);
  } else if (info.state != TcpState::syn_received) {
    json["connection"] = describe_connection(info);
  }
  return json;
}

Json describe(const UdpInfo& socket) {
  return {
      {"protocol", "udp"},
      {"state", socket.remote ? "CONNECTED" : "UNCONNECTED"},
      {"local", end_of(socket.local)},
      {"remote", end_of(socket.remote.value_or(
                     Endpoint{IpAddress::any(socket.local.address.family()), Port{}}))},
      {"receive_queue", socket.receive_queue},
      {"send_queue", socket.send_queue},
      {"held", true},
      {"datagrams",
       {{"received", socket.datagrams_received},
        {"sent", socket.datagrams_sent},
        {"dropped", socket.dropped},
        {"receive_memory", socket.receive_memory}}},
  };
}

/// As ss(8) shows the sockets of ping: the identifier stands where others have their port.
Json describe(const EchoInfo& socket) {
  return {
      {"protocol", "icmp"},
      {"state", "UNCONNECTED"},
      {"local", end_of({IpAddress{}, Port{socket.identifier}})},
      {"remote", end_of({IpAddress{}, Port{}})},
      {"receive_queue", socket.receive_queue},
      {"send_queue", socket.send_queue},
      {"held", true},
      {"datagrams",
       {{"received", socket.answers_received},
        {"sent", socket.requests_sent},
        {"dropped", socket.dropped},
        {"receive_memory", socket.receive_memory}}},
  };
}

Json describe(const StackCounters& counters) {
  Json json = {
      {"frames_received", counters.frames_received},
      {"frames_sent", counters.frames_sent},
      {"segments_received", counters.segments_received},
      {"segments_sent", counters.segments_sent},
      {"resets_sent", counters.resets_sent},
      {"retransmits", counters.retransmits},
      {"connections_opened", counters.connections_opened},
      {"connections_accepted", counters.connections_accepted},
      {"cookies_sent", counters.cookies_sent},
      {"cookies_accepted", counters.cookies_accepted},
      {"marks_received", counters.marks_received},
      {"mark_reductions", counters.mark_reductions},
      {"echoes_ignored", counters.echoes_ignored},
      {"datagrams_received", counters.datagrams_received},
      {"datagrams_sent", counters.datagrams_sent},
  };
  Json drops = Json::object();
  for (std::size_t i = 0; i < counters.drops.size(); ++i) {
    if (counters.drops[i] == 0) continue;
    drops[std::string(to_string(static_cast<DropReason>(i)))] = counters.drops[i];
  }
  json["drops"] = drops;
  return json;
}

Json describe(const AddressInfo& address, const std::string& interface, Instant now) {
  return {
      {"interface", interface},
      {"address", address.prefix.address.to_string()},
      {"prefix_length", address.prefix.length},
      {"state", to_string(address.state)},
      {"origin", to_string(address.origin)},
      {"preferred_s", seconds_until(address.preferred_until, now)},
      {"valid_s", seconds_until(address.valid_until, now)},
  };
}

Json describe(const RouteInfo& route, const std::string& interface, Instant now) {
  Json json = {
      {"destination", route.destination.to_string()},
      {"gateway", nullptr},
      {"interface", interface},
      {"metric", route.metric},
      {"origin", to_string(route.origin)},
      {"valid_s", seconds_until(route.valid_until, now)},
  };
  if (route.gateway) json["gateway"] = route.gateway->to_string();
  return json;
}

Json describe(const NeighbourInfo& neighbour, const std::string& interface) {
  Json json = {
      {"address", neighbour.address.to_string()},
      {"interface", interface},
      {"mac", nullptr},
      {"state", to_string(neighbour.state)},
      {"router", neighbour.is_router},
      {"age_s", seconds(neighbour.age)},
  };
  if (neighbour.mac) json["mac"] = neighbour.mac->to_string();
  return json;
}

Json describe(const InterfaceConfig& interface) {
  Json json = {{"name", interface.name}, {"mtu", interface.mtu}, {"mac", nullptr}};
  if (interface.mac) json["mac"] = interface.mac->to_string();
  return json;
}

}  // namespace hawser::control
