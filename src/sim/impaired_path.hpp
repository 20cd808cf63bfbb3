// One direction of a link: takes frames, does to them what an Impairment says, and gives them back
// when they arrive. Without a clock: the simulator and real devices drive the same path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/random.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/impairment.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser::sim {

/// A frame that has arrived.
struct Arrival {
  Packet frame;              ///< false when nothing has arrived
  std::uint64_t serial = 0;  ///< as in the FrameVerdict of on_frame
  bool duplicate = false;    ///< the second copy
  Instant at;

  explicit operator bool() const { return static_cast<bool>(frame); }
};

/// Order is kept, whatever jitter or a change of the delay says, except for frames that `reorder`
/// holds back. Every frame costs the same number of draws whatever becomes of it, so that a change
/// of one probability does not shift the fates that another one deals.
///
/// Keeps its memory: no allocation for a frame once the largest number in flight has been seen.
/// Frames share the blocks of their sender; one that is corrupted, or marked where the sender is a
/// device, is copied, into `pool`.
class ImpairedPath {
 public:
  /// `pool` outlives the path. `ethernet`: what frames are, if not bare IP packets.
  ImpairedPath(const Impairment& impairment, Random random, BufferPool& pool,
               bool ethernet = false);

  /// Takes a frame at the near end. A transport checksum must be filled in already.
  FrameVerdict on_frame(Instant now, Packet frame) { return on_frame(now, std::move(frame), now); }
  /// Likewise for one that has waited to be looked at: it queued for the link from `entered` on,
  /// which may lie before `now` and not before that of the frame ahead. Its delay begins now, so
  /// that it is never shorter than asked for.
  FrameVerdict on_frame(Instant now, Packet frame, Instant entered);
  /// The next frame that has arrived at the far end by `now`.
  Arrival poll(Instant now);
  /// Moves at most `limit` frames that have arrived to the end of `out`; returns how many.
  std::size_t poll_frames(Instant now, std::vector<Packet>& out, std::size_t limit = 256);
  /// When the next frame arrives; kNever when none is on its way.
  Instant next_deadline() const;

  const Impairment& impairment() const { return impairment_; }
  /// For frames that enter from now on; those on their way arrive as planned.
  void set_impairment(const Impairment& impairment) { impairment_ = impairment; }
  const PathCounters& counters() const { return counters_; }
  /// Frames on their way.
  std::size_t in_flight() const { return flight_.size(); }

 private:
  struct InFlight {
    Instant at;
    std::uint64_t order;
    std::uint64_t serial;
    Packet frame;
    bool duplicate;
  };
  struct Draws;
  struct Later;

  Draws draw();
  bool lose(Instant now, const Draws& draws);
  bool exceeds(Instant now, std::uint32_t bytes, std::uint64_t queue) const;
  bool mark(Instant now, Packet& frame, std::uint32_t bytes, double chance);
  Instant leave_link(Instant now, std::uint32_t bytes);
  bool corrupt(Packet& frame, std::uint64_t where);
  void launch(Instant at, std::uint64_t serial, Packet frame, bool duplicate);
  FrameVerdict refuse(FrameFate fate, std::uint64_t serial);

  Impairment impairment_;
  Random random_;
  Random marks_;  // so that other frames are lost for no mark
  BufferPool* pool_;
  bool ethernet_;
  PathCounters counters_;
  std::vector<InFlight> flight_;  // a heap, the earliest first
  std::uint64_t next_order_ = 0;
  Instant link_free_at_{};
  Instant last_arrival_{};
  bool bad_ = false;  // within a burst of losses
  Instant bad_since_{};
};

}  // namespace hawser::sim
