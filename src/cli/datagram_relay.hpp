// Datagrams both ways between a UDP socket and a pair of descriptors.
#pragma once

#include <cstddef>
#include <optional>

#include "cli/byte_stream.hpp"
#include "cli/relay.hpp"
#include "hawser/poller.hpp"
#include "hawser/udp_socket.hpp"

namespace hawser::cli {

struct DatagramRelayOptions {
  /// What input there is goes into datagrams of at most so many bytes.
  std::size_t datagram = 1400;
  /// How long to wait for more once the input has ended; unset: for ever.
  std::optional<Duration> idle;
  /// Input goes to whoever sent last, and all are heard. If not, the first who sends is the peer.
  bool follow = false;
};

class DatagramRelay {
 public:
  /// `stop` ends it when it polls readable. SIGPIPE must be ignored.
  DatagramRelay(Host& host, int input, int output, int stop, const DatagramRelayOptions& options);

  /// UDP knows no end: it goes on until `stop`, an error of the socket, or the idle time is over.
  /// `peer` is set when the socket is connected.
  RelayOutcome run(UdpSocket socket, std::optional<Endpoint> peer);

 private:
  void send_pending(UdpSocket& socket);
  void receive_one(UdpSocket& socket);
  void adopt(UdpSocket& socket, const Endpoint& sender);
  int milliseconds_left() const;
  RelayOutcome outcome() const;

  Host& host_;
  InputStream input_;
  OutputStream output_;
  int stop_;
  DatagramRelayOptions options_;
  std::optional<Endpoint> peer_;
  std::error_code failure_;
  bool send_blocked_ = false;
  Deadline::Clock::time_point heard_at_{};  ///< or when the input ended
};

}  // namespace hawser::cli
