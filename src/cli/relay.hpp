// Bytes both ways between a connection and a pair of descriptors, with half close at either end.
#pragma once

#include <string>
#include <system_error>

#include "cli/byte_stream.hpp"
#include "hawser/host.hpp"
#include "hawser/poller.hpp"
#include "hawser/tcp_stream.hpp"

namespace hawser::cli {

struct RelayOutcome {
  enum class End : unsigned char {
    finished,       ///< both directions ended, and the peer has acknowledged all
    broken,         ///< the connection, or the input: `problem` says why
    output_failed,  ///< `problem` says why
    output_gone,    ///< nobody reads our output any more
    stopped,        ///< `stop` polled readable
  };
  End end = End::finished;
  std::string problem;
};

/// Neither direction waits for the other, so that a peer which answers before it has read all does
/// not block us. What cannot be passed on at once is not read: the peer sees its window close, the
/// program before us its pipe fill.
class Relay {
 public:
  /// `stop` ends it when it polls readable. SIGPIPE must be ignored.
  Relay(Host& host, int input, int output, int stop);

  /// Until both directions have ended. What input there is left goes to the next connection.
  RelayOutcome run(TcpStream stream);

 private:
  /// Of the connection at hand.
  struct Line {
    TcpStream stream;
    Poller poller;
    Endpoint remote{};
    std::error_code failure{};
    Ready interest = Ready::none;
    bool fin_sent = false;
    bool peer_ended = false;
    bool closed = false;  ///< nothing more will happen; the poller knows it no longer
  };

  void send_pending(Line& line);
  void receive_more(Line& line);
  bool is_over(const Line& line) const;
  /// False when it was stopped.
  bool wait(Line& line);
  void ask_poller(Line& line);
  RelayOutcome outcome(const Line& line) const;

  Host& host_;
  InputStream input_;
  OutputStream output_;
  int stop_;
};

}  // namespace hawser::cli
