// What the peer says it has received out of order: the sender's half of SACK (RFC 2018 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "hawser/seq_num.hpp"
#include "hawser/tcp_header.hpp"

namespace hawser::tcp {

/// The ranges above SND.UNA which the peer has SACKed. One pointer wide while empty.
class Scoreboard {
 public:
  /// Further ranges are not noted, which costs a retransmission and nothing else.
  static constexpr std::size_t kMaxRanges = 4096;

  Scoreboard();
  ~Scoreboard();
  Scoreboard(const Scoreboard&) = delete;
  Scoreboard& operator=(const Scoreboard&) = delete;

  /// Notes a range, which must not be empty; false when there is no room for it.
  bool mark(SackBlock range);
  /// Forgets what lies below.
  void on_ack(SeqNum snd_una);
  /// Forgets all: the peer may have reneged (RFC 2018 8).
  void clear();

  bool empty() const { return state_ == nullptr; }
  bool is_sacked(SeqNum seq) const;
  /// The first run of bytes at or after `from` and before `end` that was not SACKed.
  std::optional<SackBlock> next_hole(SeqNum from, SeqNum end) const;

 private:
  struct State;

  std::unique_ptr<State> state_;  ///< null while nothing is SACKed
};

}  // namespace hawser::tcp
