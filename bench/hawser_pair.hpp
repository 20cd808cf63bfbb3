// Hawser as a contender: two stacks that share a pool, frames moved from one to the other in
// batches, as a host moves them between a stack and a device.
#pragma once

#include <chrono>
#include <vector>

#include "hawser/packet.hpp"
#include "hawser/stack.hpp"
#include "pair.hpp"
#include "payload.hpp"

namespace hawser::bench {

class HawserPair final : public Pair {
 public:
  HawserPair();

  void open(std::size_t connections) override;
  Footprint footprint(std::size_t connections) override;
  void transfer(std::uint64_t bytes) override;
  void request_response(std::size_t index) override;
  void connect_cycle() override;
  void idle_second() override;
  void set_check(Check check) override { check_ = check; }
  void pause() override;
  void resume() override;

  /// Whether the link vouches for checksums, so that the receiver need not verify them.
  void set_trusted_link(bool trusted) { trusted_ = trusted; }

 private:
  enum class Mode : std::uint8_t { echo, sink };

  Instant clock() const;
  /// Lets due timers fire, then carries all frames that are ready across; false when none was.
  bool step(Instant now);
  std::size_t carry(Instant now, Stack& from, Stack& to);
  template <typename Done>
  void run_until(Done done, const char* what);

  SocketHandle connect();
  void exchange_byte(SocketHandle connection);
  void fill(SocketHandle connection, std::uint64_t end);
  void settle();
  Instant next_deadline() const;

  void serve(Instant now);
  void serve(Instant now, SocketHandle connection);
  void watch_client(Instant now);

  BufferPool pool_;
  Stack client_;
  Stack server_;
  SocketHandle listener_;
  Payload payload_;
  std::vector<SocketHandle> clients_;
  std::vector<Packet> frames_;
  std::vector<std::byte> read_buffer_ = std::vector<std::byte>(kChunk);
  Duration skipped_{};  // how far our clock is ahead of the real one
  Instant paused_at_;
  Instant now_;  // read once for each step, as a host reads it once for each wake-up
  Check check_ = Check::ends;
  bool trusted_ = false;

  // What is awaited of `watched_`, and what both ends have done.
  Mode mode_ = Mode::echo;
  SocketHandle watched_;
  bool connected_ = false;
  bool answered_ = false;
  std::uint64_t accepted_ = 0;
  std::uint64_t server_closed_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace hawser::bench
