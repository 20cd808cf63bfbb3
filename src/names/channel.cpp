#include "names/channel.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "names/resolv_conf.hpp"

namespace hawser::names {

namespace {

/// c-ares asks for this once in a process; it is never undone.
int initialise_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

/// None: as c-ares chooses.
std::vector<Endpoint> servers_to_ask(const ResolveOptions& options, host::Engine& engine) {
  std::vector<Endpoint> servers = options.servers;
  for (Endpoint& server : servers) {
    if (server.port == Port{}) server.port = Port{53};
  }
  const host::Engine::Lock lock = engine.lock();
  if (!servers.empty() || engine.stopped()) return servers;
  servers = engine.stack().dns_servers();
  if (!servers.empty()) return servers;
  std::ifstream file("/etc/resolv.conf");
  return name_servers_in(file, engine.stack().config().interfaces);
}

/// None: those of /etc/resolv.conf.
std::vector<std::string> domains_to_search(const ResolveOptions& options, host::Engine& engine) {
  const host::Engine::Lock lock = engine.lock();
  if (!options.search.empty() || engine.stopped()) return options.search;
  return engine.stack().search_domains();
}

}  // namespace

std::expected<Channel, int> open_channel(const ResolveOptions& options, host::Engine& engine,
                                         DnsSockets& sockets) {
  if (const int status = initialise_library(); status != ARES_SUCCESS) {
    return std::unexpected(status);
  }
  ares_options how{};
  how.timeout =
      static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(options.timeout).count());
  how.tries = options.tries;
  how.sock_state_cb = &DnsSockets::on_state;
  how.sock_state_cb_data = &sockets;
  std::vector<std::string> domains = domains_to_search(options, engine);
  std::vector<char*> search;
  search.reserve(domains.size());
  for (std::string& domain : domains) search.push_back(domain.data());
  how.domains = search.data();
  how.ndomains = static_cast<int>(search.size());
  ares_channel made = nullptr;
  int status = ares_init_options(&made, &how,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
                                     (search.empty() ? 0 : ARES_OPT_DOMAINS));
  if (status != ARES_SUCCESS) return std::unexpected(status);
  Channel channel(made);
  sockets.attach(made);
  std::vector<Endpoint> servers = servers_to_ask(options, engine);
  std::string text;
  for (const Endpoint& server : servers) {
    text += fmt::format("{}{}", text.empty() ? "" : ",",
                        Endpoint{server.address, server.port}.to_string());
  }
  sockets.set_servers(std::move(servers));
  if (!text.empty()) status = ares_set_servers_ports_csv(made, text.c_str());
  if (status != ARES_SUCCESS) return std::unexpected(status);
  return channel;
}

Duration time_until_next(ares_channel channel) {
  timeval longest{1, 0};
  timeval left{};
  ares_timeout(channel, &longest, &left);
  return std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

}  // namespace hawser::names
