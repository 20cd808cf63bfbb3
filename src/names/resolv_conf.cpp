#include "names/resolv_conf.hpp"

#include <algorithm>
#include <istream>
#include <sstream>
#include <string>

namespace hawser::names {

namespace {

constexpr Port kDns{53};

}  // namespace

std::vector<Endpoint> name_servers_in(std::istream& file,
                                      std::span<const InterfaceConfig> interfaces) {
  std::vector<Endpoint> servers;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string keyword;
    std::string text;
    if (!(words >> keyword >> text) || keyword != "nameserver") continue;
    const std::size_t percent = text.find('%');
    const auto address = IpAddress::parse(text.substr(0, percent));
    if (!address) continue;
    Endpoint server{*address, kDns};
    if (percent != std::string::npos) {
      const auto link =
          std::ranges::find(interfaces, text.substr(percent + 1), &InterfaceConfig::name);
      if (link == interfaces.end()) continue;
      server.zone = zone_of(static_cast<InterfaceId>(link - interfaces.begin()));
    }
    servers.push_back(server);
  }
  return servers;
}

}  // namespace hawser::names
