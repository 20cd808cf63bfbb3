#include "cli/look_up.hpp"

#include <fmt/format.h>

#include "cli/http_text.hpp"
#include "hawser/resolver.hpp"

namespace hawser::cli {

void add_family_options(CLI::App& command, FamilyOptions& options) {
  CLI::Option* v4 = command.add_flag("-4", options.only_v4, "only IPv4");
  command.add_flag("-6", options.only_v6, "only IPv6")->excludes(v4);
}

std::expected<std::vector<IpAddress>, std::string> look_up(const RunningHost& host,
                                                           const std::string& name,
                                                           const FamilyOptions& family,
                                                           int cancel) {
  ResolveOptions options;
  for (const IpAddress& server : host.name_servers()) options.servers.push_back({server, Port{}});
  options.cancel = cancel;
  if (family.only_v4) options.family = Family::ipv4;
  if (family.only_v6) options.family = Family::ipv6;
  auto addresses = resolve(*host, name, options);
  if (addresses) return std::move(*addresses);
  return std::unexpected(fmt::format("cannot find the address of '{}': {}", printable(name),
                                     addresses.error().message));
}

}  // namespace hawser::cli
