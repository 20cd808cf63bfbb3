// A ladder diagram of one connection, as RFC 9293 draws it in figures 6 to 12: both ends' states
// left and right, a line for each segment between them, and what repaired those that were lost.
//
// It reads the event streams of two stacks and what a tap on the link between them sees.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hawser/event.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/packet.hpp"
#include "hawser/tcp.hpp"
#include "hawser/tcp_header.hpp"
#include "hawser/time.hpp"

namespace hawser::observe {

/// The two rails of a ladder. The left end is the one that opens the connection.
enum class End : std::uint8_t { left, right };
constexpr End other(End end) { return end == End::left ? End::right : End::left; }

/// One line of a ladder before it is laid out.
struct LadderRow {
  enum class Kind : std::uint8_t { segment, note, state };

  Kind kind = Kind::note;
  End end = End::left;  ///< who sent the segment, or what the note is about
  Instant at;
  std::string note;
  bool minor = false;  ///< a note that may be hidden in a run of plain segments

  TcpHeader header;
  std::uint32_t length = 0;  ///< bytes of payload
  std::optional<SendReason> reason;
  bool sent_before = false;
  std::optional<FrameVerdict> verdict;  ///< unset until the link has seen the segment
  bool arrived = false;
  bool received = false;  ///< the other end's TCP took it

  /// The states that the segment, or what happened here, led to; by End.
  std::array<std::optional<TcpState>, 2> states;
};

/// Collects what happens and draws it. Feed it everything in the order in which it happens.
class Ladder {
 public:
  struct Style {
    std::string left_name = "client";
    std::string right_name = "server";
    bool colour = false;
    /// Shortens long runs of delivered data and acknowledgments; losses, retransmissions,
    /// handshake, close, notes and changes of state are always shown.
    bool collapse = true;
  };

  /// An event of the stack at `end`.
  void on_event(End end, const Event& event);
  /// A frame of TCP that `from` has put on the link, with its fate.
  void on_sent(End from, Instant at, const Packet& frame, const FrameVerdict& verdict);
  /// The frame that was sent with this serial number reaches the other end.
  void on_arrived(End from, std::uint64_t serial);

  const std::vector<LadderRow>& rows() const { return rows_; }
  /// At most 80 columns wide, a line feed behind each line.
  std::string render(const Style& style) const;

 private:
  struct Side {
    std::vector<std::size_t> unseen;       // rows whose segments the link has not shown yet
    std::vector<std::size_t> on_the_way;   // rows that may still arrive or be received
    std::optional<std::size_t> cause;      // the row whose segment this end is processing
    std::optional<std::size_t> state_row;  // a state without a segment, at this instant
    std::optional<SeqNum> highest;         // end of what was sent
    std::optional<Endpoint> local;
  };

  Side& side(End end) { return sides_[static_cast<std::size_t>(end)]; }
  std::size_t add(LadderRow row);
  std::size_t add_segment(End end, Instant at, const TcpHeader& header, std::uint32_t length);
  void add_note(End end, Instant at, std::string text, bool minor);
  void on_segment_sent(End end, Instant at, const SegmentSent& sent);
  void on_segment_received(End end, const SegmentReceived& received);
  void on_state(End end, Instant at, TcpState state);
  void adopt_state(End end, LadderRow& row);

  std::vector<LadderRow> rows_;
  std::array<Side, 2> sides_;
  Instant now_{};
  std::array<std::optional<TcpState>, 2> first_states_;
  friend class LadderPrinter;
};

}  // namespace hawser::observe
