// From the name of a host to its addresses, by DNS over a host's own sockets (RFC 1034, RFC 1035,
// RFC 3596, RFC 7766).
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/host.hpp"
#include "hawser/io.hpp"

namespace hawser {

struct ResolveOptions {
  /// Whom to ask, in this order; without any, those that the network told the host, or else those
  /// of /etc/resolv.conf. A port of zero means 53.
  std::vector<Endpoint> servers{};
  /// Domains in which short names are looked for, in this order; without any, those that the
  /// network told the host (Host::search_domains), or else those of /etc/resolv.conf.
  std::vector<std::string> search{};
  /// Only addresses of this family.
  std::optional<Family> family{};
  /// How long the first try waits for each server; later ones wait longer.
  Duration timeout = std::chrono::seconds(2);
  int tries = 3;  ///< of each server
  Deadline deadline = Deadline::never();
  /// A descriptor that ends the look-up with std::errc::operation_canceled when it polls readable.
  int cancel = -1;
};

/// Why a name has no address.
struct ResolveError {
  std::error_code code;
  std::string message;  ///< one line without the name
};

/// The addresses of `name`, never none, the most promising first (RFC 6724 6). An address as text
/// is its own; names in /etc/hosts are not asked for; a name of few dots is looked for in
/// the search domains; other options of /etc/resolv.conf hold, as how few dots those are (`ndots`).
/// An answer that is too long for UDP is fetched over TCP. Waits, and is safe from any thread.
/// Errors: host_unreachable when there is no such name or no address of it, timed_out, shut_down,
/// invalid_argument, network_unreachable when no server can be asked.
std::expected<std::vector<IpAddress>, ResolveError> resolve(Host& host, const std::string& name,
                                                            const ResolveOptions& options = {});

}  // namespace hawser
