// What the peer says it has received out of order: the sender's half of SACK (RFC 2018 5,
// RFC 6675 4), and the duplicates it reports (RFC 2883 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "hawser/seq_num.hpp"
#include "hawser/tcp_header.hpp"

namespace hawser::tcp {

/// The ranges between SND.UNA and SND.NXT which the peer has SACKed. One pointer wide while empty.
class Scoreboard {
 public:
  /// Further ranges are not noted, which costs a retransmission and nothing else.
  static constexpr std::size_t kMaxRanges = 256;
  /// RFC 6675 2.
  static constexpr std::uint32_t kDupThresh = 3;

  struct Update {
    std::uint32_t newly_sacked = 0;  ///< bytes
    std::optional<SackBlock> dsack;  ///< what the peer has received twice (RFC 2883 5)
  };

  Scoreboard();
  ~Scoreboard();
  Scoreboard(Scoreboard&&) noexcept;
  Scoreboard& operator=(Scoreboard&&) noexcept;

  /// Notes the blocks of a segment whose SEG.ACK is `snd_una` (an older segment would make old
  /// blocks look like duplicates). Blocks outside (snd_una, snd_nxt] are ignored: they are hostile
  /// or stale. A first block below snd_una or inside the second is a D-SACK.
  Update on_sack(SeqNum snd_una, SeqNum snd_nxt, std::span<const SackBlock> blocks);
  /// Forgets what lies below.
  void on_ack(SeqNum snd_una);
  /// Forgets all: after a timeout the peer may have reneged (RFC 2018 8).
  void clear();

  bool empty() const { return state_ == nullptr; }
  bool is_sacked(SeqNum seq) const;
  /// The first run of bytes at or after `from` and before `end` that was not SACKed.
  std::optional<SackBlock> next_hole(SeqNum from, SeqNum end) const;
  /// End of the highest SACKed range; only when not empty.
  SeqNum highest() const;
  /// RFC 6675 4 IsLost: three discontiguous ranges, or more than two segments, SACKed above.
  bool is_lost(SeqNum seq, std::uint32_t mss) const;
  /// The end of what counts as lost: every byte below it that was not SACKed is_lost. `snd_una`
  /// when none is.
  SeqNum lost_below(SeqNum snd_una, std::uint32_t mss) const;
  /// RFC 6675 4 SetPipe: bytes thought to be in the network. `high_rxt` is the end of what was
  /// retransmitted in this recovery, at most `snd_nxt`.
  std::uint32_t pipe(SeqNum snd_una, SeqNum snd_nxt, SeqNum high_rxt, std::uint32_t mss) const;
  std::uint32_t sacked_bytes() const;

 private:
  struct State;
  std::uint32_t mark(SackBlock block);

  std::unique_ptr<State> state_;  ///< null while nothing is SACKed
};

}  // namespace hawser::tcp
