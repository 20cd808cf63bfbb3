// The inside of a control socket: a thread that answers one client at a time.
//
// A client that says or takes nothing cannot hold up the others for longer than kPatience, and no
// request is longer than kLongestRequest.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "control/answer_lines.hpp"
#include "control/folder.hpp"
#include "hawser/control.hpp"
#include "host/wake_up.hpp"

namespace hawser::control {

inline constexpr std::size_t kLongestRequest = 4096;  ///< bytes
inline constexpr std::chrono::seconds kPatience(2);

/// Answers one request, in the thread of the server.
using Answerer = std::function<void(std::string_view request, const Emit& emit)>;

class Server {
 public:
  /// Takes over a socket that listens.
  Server(Answerer answerer, std::string name, std::string path, Descriptor socket);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }

 private:
  void run();
  void serve(const Descriptor& client);
  /// The first line of what the client says; empty when none came in time.
  std::string read_request(const Descriptor& client) const;
  bool send_all(const Descriptor& client, std::string_view text) const;
  /// False when `events` did not come before the deadline, or the server is to end.
  bool wait_for(int descriptor, short events, Deadline deadline) const;

  Answerer answerer_;
  std::string name_;
  std::string path_;
  Descriptor socket_;
  host::WakeUp end_;
  std::thread thread_;
};

/// A server at a socket of its own, as ControlSocket::open; `make` gives what answers in that name.
std::expected<std::unique_ptr<Server>, ControlError> open_server(
    Kind kind, const ControlConfig& config,
    const std::function<Answerer(const Identity& identity)>& make);

}  // namespace hawser::control
