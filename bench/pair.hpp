// What every contender of the benchmark can do: two hosts in one process, joined by a link of MTU
// 1500 that hands frames over without loss, driven by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace hawser::bench {

/// A case went wrong: bytes that differ, or a stack that does not get on. The run ends.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How closely delivered payload is compared with what was sent.
enum class Check : std::uint8_t {
  ends,   ///< the first and last bytes of each read: cheap enough for a timed run
  every,  ///< all bytes
};

/// Bytes that one established idle connection keeps allocated at each of its ends.
struct Footprint {
  double client = 0;
  double server = 0;
  std::optional<double> pool;  ///< of them in packet buffers, both ends together
};

class Pair {
 public:
  Pair() = default;
  virtual ~Pair() = default;
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  /// Opens connections until there are `connections`, each with one request and its response done.
  virtual void open(std::size_t connections) = 0;
  /// Opens `connections` more and tells what each of them keeps once it is idle.
  virtual Footprint footprint(std::size_t connections) = 0;

  /// Sends `bytes` one way over the first connection; returns when the receiver has read them.
  virtual void transfer(std::uint64_t bytes) = 0;
  /// One byte there and one back on connection `index`.
  virtual void request_response(std::size_t index) = 0;
  /// Connect, one byte there and one back, close by the client and then by the server, until both
  /// have forgotten the connection but for TIME-WAIT.
  virtual void connect_cycle() = 0;
  /// All the work that one second of time gives both hosts while no frame moves.
  virtual void idle_second() = 0;

  virtual void set_check(Check check) = 0;
  /// Time stands still between `pause` and `resume`, while other contenders have their turn, so
  /// that no timer expires in a stack that nobody drives. It begins paused.
  virtual void pause() {}
  virtual void resume() {}
};

}  // namespace hawser::bench
