// hawser ss: the sockets of running hosts.
#include <fmt/format.h>

#include <initializer_list>
#include <memory>
#include <utility>

#include "cli/command.hpp"
#include "cli/host_query.hpp"
#include "cli/table.hpp"

namespace hawser::cli {

namespace {

struct SsOptions {
  QueryOptions query;
  bool listening = false;
  bool tcp = false;
  bool udp = false;
  bool icmp = false;
  bool info = false;
};

constexpr const char* kFooter =
    R"(Recv-Q is what arrived and was not read, or of a listener the connections that
wait to be accepted; Send-Q is what was written and not acknowledged, or of a
listener how many may wait.

Examples:
  sudo hawser serve . --name web --link tun:hw0 \
      --address 10.9.0.2/24 --host-address 10.9.0.1/24 &
  sudo hawser ss
  sudo hawser ss -ti --host web
  sudo hawser ss --json | jq '.[].state')";

std::string end_of(const Json& item, std::string_view field) {
  const Json& end = item.at(field);
  const std::string address = text_of(end, "address");
  const std::string port = end.value("port", 0) == 0 ? "*" : text_of(end, "port");
  return fmt::format("{}:{}", address.contains(':') ? fmt::format("[{}]", address) : address, port);
}

/// "name:value" for each field, with `unit` behind it.
std::string fields(const Json& json,
                   std::initializer_list<std::pair<const char*, const char*>> names) {
  std::string text;
  for (const auto& [name, label] : names) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", label, text_of(json, name));
  }
  return text;
}

std::string times_of(const Json& connection) {
  const auto number = [&](const char* name) { return connection.value(name, 0.0); };
  if (!connection.contains("rtt_ms")) return fmt::format("rto:{:.0f}ms", number("rto_ms"));
  return fmt::format("rtt:{:.3f}/{:.3f}ms rto:{:.0f}ms", number("rtt_ms"), number("rttvar_ms"),
                     number("rto_ms"));
}

std::string options_of(const Json& connection) {
  std::string text;
  if (connection.value("timestamps", false)) text += "ts ";
  if (connection.value("sack", false)) text += "sack ";
  if (connection.value("ecn_echoes", false)) {
    text += connection.value("ecn_capable", false) ? "ecn " : "ecn_in ";
  }
  return text + fmt::format("wscale:{},{}", text_of(connection, "snd_wscale"),
                            text_of(connection, "rcv_wscale"));
}

std::vector<std::string> details_of(const Json& item) {
  std::vector<std::string> lines;
  if (const auto found = item.find("connection"); found != item.end()) {
    const Json& connection = *found;
    lines.push_back(fmt::format("not sending: {}", text_of(connection, "not_sending_because")));
    lines.push_back(fmt::format("{} {} {}", options_of(connection), times_of(connection),
                                fields(connection, {{"mss", "mss"},
                                                    {"congestion_control", "control"},
                                                    {"recovery", "recovery"},
                                                    {"cwnd", "cwnd"},
                                                    {"ssthresh", "ssthresh"},
                                                    {"pacing_rate", "pacing_rate"},
                                                    {"delivery_rate", "delivery_rate"},
                                                    {"snd_wnd", "snd_wnd"},
                                                    {"rcv_wnd", "rcv_wnd"},
                                                    {"in_flight", "in_flight"},
                                                    {"out_of_order", "out_of_order"},
                                                    {"send_buffer", "sndbuf"},
                                                    {"receive_buffer", "rcvbuf"}})));
    lines.push_back(fields(connection, {{"bytes_sent", "bytes_sent"},
                                        {"bytes_acked", "bytes_acked"},
                                        {"bytes_received", "bytes_received"},
                                        {"segments_sent", "segs_out"},
                                        {"segments_received", "segs_in"},
                                        {"retransmits", "retrans"},
                                        {"timeouts", "timeouts"},
                                        {"fast_recoveries", "recoveries"},
                                        {"spurious_recoveries", "spurious"},
                                        {"duplicate_segments", "duplicates"},
                                        {"marks_received", "marked_in"},
                                        {"echoes_received", "ece_in"},
                                        {"mark_reductions", "mark_reductions"}}));
  }
  if (const auto found = item.find("datagrams"); found != item.end()) {
    lines.push_back(fields(*found, {{"received", "received"},
                                    {"sent", "sent"},
                                    {"dropped", "dropped"},
                                    {"receive_memory", "memory"}}));
  }
  if (item.contains("syn_queue")) lines.push_back(fields(item, {{"syn_queue", "syn_queue"}}));
  if (item.contains("ends_in_s")) {
    lines.push_back(fmt::format("ends in {}", lifetime_of(item, "ends_in_s")));
  }
  return lines;
}

bool is_wanted(const Json& item, const SsOptions& options) {
  const std::string protocol = item.value("protocol", "");
  const bool all = !options.tcp && !options.udp && !options.icmp;
  if (!all && !(options.tcp && protocol == "tcp") && !(options.udp && protocol == "udp") &&
      !(options.icmp && protocol == "icmp")) {
    return false;
  }
  if (!options.listening) return true;
  const std::string state = item.value("state", "");
  return state == "LISTEN" || state == "UNCONNECTED";
}

void print_sockets(const SsOptions& options) {
  std::vector<HostAnswer> answers = ask_all(options.query, "sockets");
  for (HostAnswer& answer : answers) {
    std::erase_if(answer.items, [&](const Json& item) { return !is_wanted(item, options); });
  }
  if (options.query.json) return print_json(answers);
  Table table({{"Netid"},
               {"State"},
               {"Recv-Q", Table::Align::right},
               {"Send-Q", Table::Align::right},
               {"Local Address:Port"},
               {"Peer Address:Port"},
               {"Host"}});
  for (const HostAnswer& answer : answers) {
    for (const Json& item : answer.items) {
      table.add_row(
          {text_of(item, "protocol"), text_of(item, "state"), text_of(item, "receive_queue"),
           text_of(item, "send_queue"), end_of(item, "local"), end_of(item, "remote"), answer.host},
          options.info ? details_of(item) : std::vector<std::string>{});
    }
  }
  fmt::print("{}", table.render(!options.query.no_header, wants_colour()));
}

}  // namespace

void add_ss(CLI::App& app) {
  const auto options = std::make_shared<SsOptions>();
  CLI::App* command = app.add_subcommand("ss", "Show the sockets of running hosts");
  add_query_options(*command, options->query);
  command->add_flag("-l,--listening", options->listening, "only what waits for others to begin");
  command->add_flag("-t,--tcp", options->tcp, "only TCP");
  command->add_flag("-u,--udp", options->udp, "only UDP");
  command->add_flag("-w,--icmp", options->icmp, "only ICMP echo, with its identifier as port");
  command->add_flag("-i,--info", options->info,
                    "also round trip, windows, counters, and why nothing is being sent");
  command->footer(kFooter);
  command->callback([options] { print_sockets(*options); });
}

}  // namespace hawser::cli
