// A web server for the files of a folder: one thread, any number of connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "cli/folder.hpp"
#include "cli/http_connection.hpp"
#include "hawser/host.hpp"
#include "hawser/poller.hpp"
#include "hawser/tcp_listener.hpp"

namespace hawser::cli {

struct HttpServerOptions {
  Port port{80};
  /// More than these wait in the backlog until others have gone.
  std::size_t max_connections = 10000;
  HttpPatience patience;
};

class HttpServer {
 public:
  /// Listens on all addresses of `host`. Throws std::system_error when it cannot.
  HttpServer(Host& host, Folder folder, const HttpServerOptions& options, HttpConnection::Log log);

  Endpoint local_endpoint() const;
  /// Serves until `stop`, a descriptor, polls readable; then closes what is open.
  void run(int stop);
  std::size_t connections() const { return connections_.size(); }

 private:
  using Clock = HttpConnection::Clock;
  struct Client {
    Client(TcpStream stream, const Folder& folder, const HttpPatience& patience,
           const HttpConnection::Log& log)
        : connection(std::move(stream), folder, patience, log) {}

    HttpConnection connection;
    Ready interest = Ready::readable;
    Clock::time_point next_look = Clock::time_point::max();  ///< its place in timeouts_
  };

  void handle(const PollEvent& event);
  void accept_some();
  void advance(std::uint64_t key);
  void remove(std::uint64_t key);
  void watch_deadline(std::uint64_t key, Client& client);
  void expire();
  int milliseconds_to_next_timeout() const;

  HttpServerOptions options_;
  Folder folder_;
  HttpConnection::Log log_;
  TcpListener listener_;
  Poller poller_;
  bool accepting_ = true;
  std::uint64_t next_key_ = 1;
  std::unordered_map<std::uint64_t, Client> connections_;
  /// When to look at the deadline of a connection. An entry counts if it is the connection's next
  /// look; others are left over.
  std::multimap<Clock::time_point, std::uint64_t> timeouts_;
  std::vector<std::byte> scratch_;
};

}  // namespace hawser::cli
