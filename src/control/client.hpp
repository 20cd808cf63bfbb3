// Asks running hosts, by their control sockets.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "control/folder.hpp"

namespace hawser::control {

/// A host, or an emulated link.
struct FoundHost {
  std::string name;
  std::string path;  ///< of its control socket
  Kind kind = Kind::host;
};

/// The hosts of this user that run, by folder and name. Sockets that dead processes left in
/// `folders` are removed.
std::vector<FoundHost> running_hosts(const std::vector<std::string>& folders,
                                     Kind kind = Kind::host);

/// The lines of the answer to a request, which is one line without its end, or one line that says
/// why there is none. Whether the answer is whole its last line tells.
std::expected<std::vector<std::string>, std::string> send_request(const FoundHost& host,
                                                                  const std::string& request);

}  // namespace hawser::control
