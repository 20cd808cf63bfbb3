#include "observe/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "wire/ip.hpp"
#include "wire/tcp.hpp"

namespace hawser::observe {

namespace {

std::uint32_t seq_length(const TcpHeader& header, std::uint32_t length) {
  return length + (header.flags.has(TcpFlag::syn) ? 1U : 0U) +
         (header.flags.has(TcpFlag::fin) ? 1U : 0U);
}

bool same(const LadderRow& row, const TcpHeader& header, std::uint32_t length) {
  return row.header.seq == header.seq && row.header.ack == header.ack &&
         row.header.flags == header.flags && row.length == length;
}

}  // namespace

std::size_t Ladder::add(LadderRow row) {
  rows_.push_back(std::move(row));
  return rows_.size() - 1;
}

std::size_t Ladder::add_segment(End end, Instant at, const TcpHeader& header,
                                std::uint32_t length) {
  LadderRow row;
  row.kind = LadderRow::Kind::segment;
  row.end = end;
  row.at = at;
  row.header = header;
  row.length = length;
  const SeqNum behind = header.seq + seq_length(header, length);
  std::optional<SeqNum>& highest = side(end).highest;
  row.sent_before = behind != header.seq && highest && behind <= *highest;
  if (!header.flags.has(TcpFlag::rst)) highest = highest ? max(*highest, behind) : behind;
  return add(std::move(row));
}

void Ladder::add_note(End end, Instant at, std::string text, bool minor) {
  LadderRow row;
  row.end = end;
  row.at = at;
  row.note = std::move(text);
  row.minor = minor;
  add(std::move(row));
}

void Ladder::on_event(End end, const Event& event) {
  now_ = event.at;
  if (event.remote.port != Port{}) side(end).local = event.local;
  if (const auto* sent = std::get_if<SegmentSent>(&event.what)) {
    on_segment_sent(end, event.at, *sent);
  } else if (const auto* received = std::get_if<SegmentReceived>(&event.what)) {
    on_segment_received(end, *received);
  } else if (const auto* changed = std::get_if<StateChanged>(&event.what)) {
    auto& first = first_states_[static_cast<std::size_t>(end)];
    if (!first) first = changed->from;
    on_state(end, event.at, changed->to);
  } else if (const auto* timer = std::get_if<TimerFired>(&event.what)) {
    side(end).cause.reset();
    add_note(end, event.at, fmt::format("{} timer fires", to_string(timer->timer)),
             timer->timer == TcpTimer::delayed_ack);
  } else if (const auto* spurious = std::get_if<SpuriousRecovery>(&event.what)) {
    add_note(end, event.at, fmt::format("nothing was lost: {}", to_string(spurious->how)), false);
  } else if (std::holds_alternative<MarkHeeded>(event.what)) {
    add_note(end, event.at, "heeds a mark: smaller window", false);
  } else if (const auto* dropped = std::get_if<Dropped>(&event.what)) {
    const std::string what =
        dropped->length == 0 ? "a segment" : fmt::format("{} B", dropped->length);
    add_note(end, event.at, fmt::format("drops {}: {}", what, to_string(dropped->reason)), false);
  } else if (const auto* closed = std::get_if<Closed>(&event.what)) {
    if (closed->reason == CloseReason::finished) return;
    add_note(end, event.at, fmt::format("ends: {}", to_string(closed->reason)), false);
  }
}

void Ladder::on_segment_sent(End end, Instant at, const SegmentSent& sent) {
  const std::size_t index = add_segment(end, at, sent.header, sent.length);
  LadderRow& row = rows_[index];
  row.reason = sent.reason;
  Side& sender = side(end);
  sender.unseen.push_back(index);
  sender.cause.reset();
  adopt_state(end, row);
}

/// A change of state at this instant that `row` tells the other end of, or that it has caused, is
/// shown beside it.
void Ladder::adopt_state(End end, LadderRow& row) {
  std::optional<std::size_t>& state_row = side(end).state_row;
  if (!state_row) return;
  LadderRow& alone = rows_[*state_row];
  const auto slot = static_cast<std::size_t>(end);
  if (alone.at == now_) row.states[slot] = std::exchange(alone.states[slot], std::nullopt);
  state_row.reset();
}

void Ladder::on_segment_received(End end, const SegmentReceived& received) {
  for (const std::size_t index : side(other(end)).on_the_way) {
    LadderRow& row = rows_[index];
    if (!row.arrived || row.received || !same(row, received.header, received.length)) continue;
    row.received = true;
    side(end).cause = index;
    adopt_state(end, row);
    return;
  }
}

void Ladder::on_state(End end, Instant at, TcpState state) {
  Side& changed = side(end);
  const auto slot = static_cast<std::size_t>(end);
  if (changed.cause && !rows_[*changed.cause].states[slot]) {
    rows_[*changed.cause].states[slot] = state;
    return;
  }
  LadderRow row;
  row.kind = LadderRow::Kind::state;
  row.end = end;
  row.at = at;
  row.states[slot] = state;
  changed.state_row = add(std::move(row));
}

void Ladder::on_sent(End from, Instant at, const Packet& frame, const FrameVerdict& verdict) {
  const auto ip = wire::parse_ip(frame.head(), frame.size());
  if (!ip || ip->fragment ||
      ip->header.protocol != static_cast<std::uint8_t>(wire::IpProtocol::tcp))
    return;
  const auto tcp = wire::parse_tcp(frame.head().subspan(ip->header_bytes));
  if (!tcp) return;
  const std::uint32_t length = ip->payload_bytes - tcp->header_bytes;

  Side& sender = side(from);
  const auto found = std::ranges::find_if(
      sender.unseen, [&](std::size_t index) { return same(rows_[index], tcp->header, length); });
  std::size_t index = 0;
  if (found != sender.unseen.end()) {
    index = *found;
    sender.unseen.erase(found);
  } else {
    index = add_segment(from, at, tcp->header, length);  // of no connection, so without an event
  }
  rows_[index].header.options = tcp->header.options;
  rows_[index].verdict = verdict;
  if (verdict.fate == FrameFate::delivered && !verdict.corrupted)
    sender.on_the_way.push_back(index);
}

void Ladder::on_arrived(End from, std::uint64_t serial) {
  std::vector<std::size_t>& waiting = side(from).on_the_way;
  // What was received may go, once a later arrival can no longer be mistaken for it.
  std::erase_if(waiting, [&](std::size_t index) { return rows_[index].received; });
  for (const std::size_t index : waiting) {
    if (rows_[index].verdict->serial == serial) rows_[index].arrived = true;
  }
  side(other(from)).cause.reset();
}

}  // namespace hawser::observe
