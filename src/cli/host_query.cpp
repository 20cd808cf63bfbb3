#include "cli/host_query.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "cli/command.hpp"
#include "cli/http_text.hpp"
#include "control/answers.hpp"
#include "control/client.hpp"
#include "control/folder.hpp"

namespace hawser::cli {

namespace {

using control::FoundHost;
using control::Kind;

std::vector<FoundHost> all_hosts(Kind kind = Kind::host) {
  return control::running_hosts(control::possible_folders(), kind);
}

std::string list_of(const std::vector<FoundHost>& hosts) {
  std::string names;
  for (const FoundHost& host : hosts)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", host.name);
  return names;
}

[[noreturn]] void no_host(const std::string& name, const std::vector<FoundHost>& hosts,
                          Kind kind = Kind::host) {
  if (hosts.empty()) {
    give_up(fmt::format("no {} of yours is running (those of root are shown to root only)",
                        to_string(kind)));
  }
  give_up(fmt::format("there is no running {} '{}', but: {}", to_string(kind), printable(name),
                      list_of(hosts)));
}

/// Ends the command unless the answer is whole.
HostAnswer answer_to(const FoundHost& host, const std::string& request) {
  const auto lines = control::send_request(host, request);
  if (!lines) give_up(lines.error());
  HostAnswer answer{host.name, {}};
  const auto wrong = [&](std::string_view why) {
    give_up(fmt::format("{} '{}': {}", to_string(host.kind), host.name, why));
  };
  if (lines->empty()) wrong("it gave no answer");
  for (std::size_t i = 0; i < lines->size(); ++i) {
    Json line = Json::parse((*lines)[i], nullptr, false);
    if (!line.is_object()) wrong("its answer is no JSON");
    if (i == 0) {
      if (line.contains("error")) wrong(text_of(line, "error"));
      if (line.value("hawser", 0) != control::kProtocolVersion) wrong("it is of another version");
    } else if (i + 1 < lines->size()) {
      answer.items.push_back(std::move(line));
    } else if (!line.contains("end")) {
      wrong("its answer was cut off");
    }
  }
  if (lines->size() < 2) wrong("its answer was cut off");
  return answer;
}

HostAnswer answer_of(const FoundHost& host, std::string_view question) {
  return answer_to(host, Json{{"ask", question}}.dump());
}

}  // namespace

void add_query_options(CLI::App& command, QueryOptions& options) {
  command.add_option("--host", options.host, "the running host to ask, as its --name says")
      ->type_name("NAME");
  command.add_flag("--json", options.json, "print JSON");
  command.add_flag("-H,--no-header", options.no_header, "print no titles");
}

HostAnswer ask_one(const QueryOptions& options, std::string_view question) {
  const std::vector<FoundHost> hosts = all_hosts();
  if (options.host.empty() && hosts.size() == 1) return answer_of(hosts.front(), question);
  for (const FoundHost& host : hosts) {
    if (host.name == options.host) return answer_of(host, question);
  }
  if (options.host.empty() && !hosts.empty()) {
    refuse_usage(
        fmt::format("several hosts are running: choose one with --host ({})", list_of(hosts)));
  }
  no_host(options.host, hosts);
}

HostAnswer ask_link(const std::string& name, const Json& request) {
  const std::vector<FoundHost> links = all_hosts(Kind::link);
  if (name.empty() && links.size() > 1) {
    refuse_usage(fmt::format("several links are running: name one of {}", list_of(links)));
  }
  for (const FoundHost& link : links) {
    if (name.empty() || link.name == name) return answer_to(link, request.dump());
  }
  no_host(name, links, Kind::link);
}

std::vector<HostAnswer> ask_all(const QueryOptions& options, std::string_view question) {
  const std::vector<FoundHost> hosts = all_hosts();
  std::vector<HostAnswer> answers;
  for (const FoundHost& host : hosts) {
    if (options.host.empty() || host.name == options.host)
      answers.push_back(answer_of(host, question));
  }
  if (answers.empty()) no_host(options.host, hosts);
  return answers;
}

std::string text_of(const Json& item, std::string_view field) {
  const auto found = item.find(field);
  if (found == item.end() || found->is_null()) return {};
  // From another process: nothing in it may disturb the terminal.
  return found->is_string() ? printable(found->get<std::string>()) : found->dump();
}

std::string lifetime_of(const Json& item, std::string_view field) {
  const auto found = item.find(field);
  if (found == item.end() || !found->is_number()) return "for ever";
  const auto seconds = static_cast<long long>(std::llround(found->get<double>()));
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds / 3600 % 24);
}

void print_json(const std::vector<HostAnswer>& answers, std::string_view kind) {
  Json all = Json::array();
  for (const HostAnswer& answer : answers) {
    for (const Json& item : answer.items) {
      Json with_host = {{std::string(kind), answer.host}};
      with_host.update(item);
      all.push_back(std::move(with_host));
    }
  }
  fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace hawser::cli
