// What the two ends of a pipe share: a bounded ring of frames for each direction, and the signal of
// each end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "hawser/packet.hpp"
#include "hawser/pipe.hpp"
#include "link/descriptor.hpp"

namespace hawser::link {

/// Makes a descriptor readable from `raise` to `lower`. It is the reading end of a pipe(2), since
/// that never polls writable: an eventfd always does, and would wake a writer that waits for room
/// over and over.
class Signal {
 public:
  /// Throws std::system_error.
  Signal();

  int descriptor() const { return reading_.get(); }
  void raise();
  void lower();

 private:
  Descriptor reading_;
  Descriptor writing_;
  bool raised_ = false;
};

/// Frames in order, each its length and then its bytes.
class FrameRing {
 public:
  explicit FrameRing(std::size_t bytes);

  bool empty() const { return used_ == 0; }
  bool is_at_most_half_full() const { return used_ <= size_ / 2; }
  void clear() { used_ = 0; }

  /// False when there is no room for it.
  bool push(const Packet& frame);
  /// The oldest frame in memory of `pool`; false when the pool is exhausted. There must be one.
  Packet pop(BufferPool& pool);

  static constexpr std::size_t bytes_for(std::uint32_t frame) { return sizeof(Length) + frame; }

 private:
  using Length = std::uint32_t;

  void put(std::span<const std::byte> bytes);
  void copy_out(std::size_t offset, std::span<std::byte> bytes) const;

  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t begin_ = 0;  // where the oldest frame is
  std::size_t used_ = 0;
};

struct PipeState {
  explicit PipeState(const PipeConfig& config);

  struct End {
    explicit End(std::size_t queue_bytes) : arriving(queue_bytes) {}
    FrameRing arriving;
    Signal signal;  ///< frames have arrived, or there is room again in the peer's ring
    bool waits_for_room = false;
    bool gone = false;
  };

  const std::uint32_t mtu;
  const std::uint32_t largest_frame;  // bytes, with the header of the link
  const std::optional<std::array<MacAddress, 2>> macs;
  std::mutex mutex;  // of all below
  std::array<End, 2> ends;
};

}  // namespace hawser::link
