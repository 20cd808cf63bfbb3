// The ICMP echo sockets of a stack, as ping and traceroute use them: identifiers, and answers that
// were not read (RFC 792, RFC 4443 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "core/random.hpp"
#include "core/slab.hpp"
#include "hawser/echo.hpp"
#include "hawser/error.hpp"
#include "hawser/packet.hpp"
#include "hawser/ready.hpp"

namespace hawser::udp {

/// An answer that waits to be read, and the data that a reply brought back.
struct QueuedAnswer {
  EchoAnswer answer;
  Packet data;
};

struct EchoSocket {
  std::uint16_t identifier = 0;
  std::deque<QueuedAnswer> queue{};
  std::uint32_t queued_memory = 0;
  std::uint32_t outgoing = 0;  ///< bytes of requests that wait to leave
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  Ready pending = Ready::none;  ///< to be told; if any, its handle is among those to tell

  Ready ready() const {
    return queue.empty() ? Ready::writable : Ready::readable | Ready::writable;
  }
  EchoInfo info() const;
  void on_request(std::uint32_t bytes) {
    outgoing += bytes;
    ++sent;
  }
  void on_left(std::uint32_t bytes) { outgoing -= bytes; }
};

class EchoTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::size_t kMaxSockets = 4096;
  /// Bytes of memory of the answers that one socket holds.
  static constexpr std::uint32_t kMaxQueued = 512U << 10;

  explicit EchoTable(Random& random) : hash_(random) {}

  /// Zero for an identifier that nobody has and nobody can guess. Errors: address_in_use,
  /// no_buffer_space.
  Result<std::uint32_t> open(std::uint16_t identifier);
  void close(std::uint32_t index);

  /// The socket of an identifier, kNone when there is none.
  std::uint32_t find(std::uint16_t identifier) const;
  /// False when the socket holds too much.
  bool push(std::uint32_t index, QueuedAnswer answer);
  /// Takes the oldest answer; there must be one.
  QueuedAnswer pop(std::uint32_t index);

  EchoSocket& operator[](std::uint32_t index) { return sockets_[index]; }
  EchoSocket* find(std::uint32_t index, std::uint32_t generation) {
    return sockets_.find(index, generation);
  }
  std::uint32_t generation(std::uint32_t index) const { return sockets_.generation(index); }
  std::size_t size() const { return sockets_.size(); }
  /// Calls `visit(index)` for each socket in the order of the indexes.
  template <typename Visit>
  void for_each(Visit visit) const {
    sockets_.for_each([&](std::uint32_t index, const EchoSocket&) { visit(index); });
  }

 private:
  std::uint16_t choose_identifier();

  KeyedHash hash_;
  std::uint64_t draws_ = 0;
  Slab<EchoSocket, 16> sockets_;
  absl::flat_hash_map<std::uint16_t, std::uint32_t> by_identifier_;
};

}  // namespace hawser::udp
