// What arrived out of order and waits for the bytes before it (RFC9293-SHLD-31), and what the
// receiver says of it in SACK blocks (RFC 2018 4, RFC 2883).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hawser/buffer.hpp"
#include "hawser/packet.hpp"
#include "hawser/seq_num.hpp"
#include "hawser/tcp_header.hpp"
#include "tcp/receive_queue.hpp"

namespace hawser::tcp {

/// Disjoint ranges of the sequence space with their bytes. One pointer wide while empty.
class Reassembly {
 public:
  struct Inserted {
    std::uint32_t new_bytes = 0;         ///< bytes that were not there and are kept now
    std::optional<SackBlock> duplicate;  ///< the first run of bytes that was there (RFC 2883 4)
  };

  Reassembly();
  ~Reassembly();
  Reassembly(Reassembly&&) noexcept;
  Reassembly& operator=(Reassembly&&) noexcept;

  /// Keeps the bytes of `payload`, which begin at `seq`, that are not there yet; `seq` lies beyond
  /// RCV.NXT and the end within the window (the caller has trimmed). What would cost more than
  /// `limit` bytes of memory in all, or exhaust the pool, is not kept: blocks count whole, and each
  /// range something for itself, so that small segments with holes between them are soon too many.
  /// `payload` may keep its bytes. Takes the same time behind all that is held, however much that
  /// is, and elsewhere grows with the logarithm of the ranges.
  Inserted insert(BufferPool& pool, SeqNum seq, Packet& payload, std::uint32_t limit);
  /// Moves the bytes that begin at or before `rcv_nxt` and are new to the end of `queue`; returns
  /// how many bytes RCV.NXT advances.
  std::uint32_t take(BufferPool& pool, SeqNum rcv_nxt, ReceiveQueue& queue);
  /// At most out.size() blocks: the range that holds the newest segment first, then the others, the
  /// most recently reported first (RFC 2018 4). Returns how many.
  std::uint8_t sack_blocks(std::span<SackBlock> out) const;

  /// Bytes of payload that are held.
  std::uint32_t bytes() const;
  bool empty() const { return state_ == nullptr; }
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;  ///< null while nothing is held
};

}  // namespace hawser::tcp
