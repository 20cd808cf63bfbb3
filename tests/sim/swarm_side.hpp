// The program at one end of a connection: writes, reads and leaves as planned, and checks each byte
// it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hawser/world.hpp"
#include "swarm_plan.hpp"

namespace hawser::swarm {

class Stage;
struct Connection;

class Side {
 public:
  Side(Stage& stage, Connection& connection, const SidePlan& plan, StackId stack, bool is_a,
       std::uint64_t seed);

  /// Takes over a connection that was opened or accepted.
  void begin(SocketHandle handle);
  /// tcp_connect refused; nothing will ever happen here.
  void fail_to_open(Error error);
  void on_ready(Ready ready);
  /// Gives up on a peer that has vanished.
  void abandon();
  /// Whoever has something to send that is not acknowledged is never silent for longer than its
  /// retransmission timeout: it sends again, or probes (RFC 6298 5, RFC 9293 3.8.6.1).
  void check_not_silent();

  bool begun() const { return begun_; }
  bool done() const { return done_; }
  /// The application took leave, or saw an error: the other end may see a reset.
  bool left_early() const { return left_early_; }
  std::optional<Error> error() const { return error_; }
  std::optional<Instant> closed_at() const { return closed_at_; }
  /// A FIN is behind what was written.
  bool sent_end() const { return sent_end_; }
  SocketHandle handle() const { return handle_; }
  StackId stack() const { return stack_; }
  std::uint64_t written() const { return written_; }
  std::uint64_t received() const { return received_; }
  std::string describe() const;

 private:
  void work();
  void write();
  void write_once();
  void read();
  void read_once();
  void finish_if_due();
  void leave();
  void close();
  void end(Error error);
  void wake(Duration gap, bool Side::* pause);
  bool may_leave() const;
  void check(std::span<const std::byte> bytes);
  void at_end_of_stream();

  Stage& stage_;
  Connection& connection_;
  const SidePlan& plan_;
  StackId stack_;
  bool is_a_;
  Random random_;
  SocketHandle handle_;
  std::vector<std::byte> scratch_;
  std::uint64_t written_ = 0;
  std::uint64_t received_ = 0;
  bool begun_ = false;
  bool writable_ = true;  // until a call says would_block
  bool readable_ = true;
  bool write_pause_ = false;
  bool read_pause_ = false;
  bool shut_down_ = false;
  bool sent_end_ = false;
  bool end_of_stream_ = false;
  bool leave_now_ = false;
  bool left_early_ = false;
  bool done_ = false;
  std::optional<Error> error_;
  std::optional<Instant> closed_at_;
  bool was_idle_ = true;        // nothing to send, or to be acknowledged
  std::uint64_t segments_ = 0;  // sent and received
  Instant last_segment_;        // or when there was something to send
  std::uint64_t acked_ = 0;
  Duration last_rto_{};
  Duration longest_rto_{};  // since anything was acknowledged
};

}  // namespace hawser::swarm
