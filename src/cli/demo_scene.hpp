// What `hawser demo` shows: two hosts on an impaired link in virtual time, and the whole life of
// one connection between them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hawser/impairment.hpp"
#include "hawser/tcp.hpp"
#include "hawser/world.hpp"
#include "observe/ladder.hpp"

namespace hawser::cli {

struct DemoResult {
  bool complete = false;    ///< every byte arrived, and both ends closed
  std::uint64_t bytes = 0;  ///< that the server received
  Duration elapsed{};       ///< from the SYN to the server's last byte
  std::optional<Error> client_error;
  std::optional<Error> server_error;
  TcpInfo client;  ///< when it had read the answer
  PathCounters to_server;
  PathCounters to_client;
};

/// The client sends `bytes` bytes and shuts down; the server reads to the end, answers with one
/// line while its half is still open, and closes. A program of its own on each side checks every
/// byte.
class DemoScene {
 public:
  DemoScene(const Impairment& link, std::uint64_t bytes, std::uint64_t seed,
            TcpEcn ecn = TcpEcn::passive);

  using Capture = std::function<void(Instant at, bool sent, const Packet& frame)>;

  /// Called for each frame that passes the client's interface, sent or received.
  void on_frame(Capture capture) { capture_ = std::move(capture); }
  /// Runs until nothing more will happen: TIME-WAIT is over, or both ends have given up.
  DemoResult run();
  const observe::Ladder& ladder() const { return ladder_; }

 private:
  void watch(StackId stack, observe::End end);
  void watch_link();
  void on_client_ready();
  void on_server_ready(SocketHandle socket);
  void client_writes();
  void client_reads();
  void client_ends(std::optional<Error> error);
  void server_reads();
  void server_answers();

  World world_;
  std::uint64_t bytes_;
  StackId client_;
  StackId server_;
  LinkId link_;
  SocketHandle listener_;
  SocketHandle client_socket_;
  SocketHandle server_socket_;
  std::uint64_t written_ = 0;
  bool shut_down_ = false;
  bool client_done_ = false;
  bool server_done_ = false;
  bool corrupt_ = false;
  std::string answer_;
  std::vector<std::byte> scratch_;
  DemoResult result_;
  observe::Ladder ladder_;
  Capture capture_;
};

}  // namespace hawser::cli
