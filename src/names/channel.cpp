#include "names/channel.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

namespace hawser::names {

namespace {

/// c-ares asks for this once in a process; it is never undone.
int initialise_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

/// None: those of /etc/resolv.conf.
std::vector<IpAddress> servers_to_ask(const ResolveOptions& options, host::Engine& engine) {
  if (!options.servers.empty()) return options.servers;
  std::vector<IpAddress> servers;
  const host::Engine::Lock lock = engine.lock();
  if (engine.stopped()) return servers;
  for (const Endpoint& server : engine.stack().dns_servers()) servers.push_back(server.address);
  return servers;
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
  ares_channel made = nullptr;
  int status =
      ares_init_options(&made, &how, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) return std::unexpected(status);
  Channel channel(made);
  sockets.attach(made);
  std::string servers;
  for (const IpAddress& server : servers_to_ask(options, engine)) {
    servers +=
        fmt::format("{}{}", servers.empty() ? "" : ",", Endpoint{server, Port{53}}.to_string());
  }
  if (!servers.empty()) status = ares_set_servers_ports_csv(made, servers.c_str());
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
