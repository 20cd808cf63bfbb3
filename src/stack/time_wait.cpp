// Connections in TIME-WAIT, bounded and kept in the order of their end (RFC 9293 3.6.1, 3.10.7.4;
// RFC 6191).
#include "stack/impl.hpp"

namespace hawser {

void Stack::Impl::enter_time_wait(const Context& context, std::uint32_t index) {
  ConnectionSlot& slot = connections_[index];
  if (config_.tcp.max_time_wait == 0) return detach(index);
  if (time_wait_.size() >= config_.tcp.max_time_wait) forget_time_wait(time_wait_list_.front());
  const auto facts = slot.connection.time_wait_facts();
  const TcpSettings& settings = slot.connection.settings();
  const std::uint32_t record = time_wait_.emplace(
      tcp::TimeWait{.tuple = slot.connection.tuple(),
                    .snd_nxt = facts.snd_nxt,
                    .rcv_nxt = facts.rcv_nxt,
                    .ts_recent = facts.ts_recent,
                    .ts_offset = facts.ts_offset,
                    .window = facts.window,
                    .interface = slot.interface,
                    .hop_limit = settings.hop_limit,
                    .dscp = settings.dscp,
                    .timestamps = facts.timestamps,
                    .deadline = context.now + 2 * config_.tcp.msl,  // RFC9293-MUST-13
                    .links = {}});
  time_wait_list_.push_back(record,
                            [&](std::uint32_t i) -> SlotLinks& { return time_wait_[i].links; });
  demux_.replace({FlowKind::connection, index}, {FlowKind::time_wait, record});
  slot.detached = true;
  timers_.disarm(index);
}

void Stack::Impl::on_time_wait_segment(const Context& context, std::uint32_t index,
                                       const Segment& segment) {
  tcp::TimeWait& record = time_wait_[index];
  const Tuple tuple = record.tuple;
  context.emit(tuple.local, tuple.remote,
               SegmentReceived{segment.header, segment.length, segment.ecn});
  if (segment.has(TcpFlag::syn) && !segment.has(TcpFlag::ack) && !segment.has(TcpFlag::rst) &&
      tcp::may_reopen(record, segment.header, config_.tcp.timestamps)) {
    const std::uint32_t listener = listeners_.find(tuple.local);
    if (listener != stack::ListenerTable::kNone && !listeners_[listener].accept_queue_full()) {
      const SeqNum iss = tcp::isn_beyond(record, numbers_.sequence(context.now, tuple));
      forget_time_wait(index);
      return on_syn(context, listener, tuple, segment, iss);
    }
  }
  const tcp::TimeWaitVerdict verdict = tcp::judge(record, segment);
  drop(context, DropReason::old_duplicate, segment.length, tuple);
  if (verdict == tcp::TimeWaitVerdict::drop) return;
  if (verdict == tcp::TimeWaitVerdict::restart) {
    const auto links = [&](std::uint32_t i) -> SlotLinks& { return time_wait_[i].links; };
    record.deadline = context.now + 2 * config_.tcp.msl;
    time_wait_list_.remove(index, links);
    time_wait_list_.push_back(index, links);
    send_control(context, tcp::ack_of(record, context.now), tuple, record.interface,
                 record.hop_limit, record.dscp, SendReason::ack);
  } else if (challenge_limit_.take(context.now)) {
    send_control(context, tcp::ack_of(record, context.now), tuple, record.interface,
                 record.hop_limit, record.dscp, SendReason::challenge_ack);
  }
}

void Stack::Impl::on_time_wait_timers(const Context& context) {
  while (!time_wait_list_.empty() && time_wait_[time_wait_list_.front()].deadline <= context.now) {
    const std::uint32_t index = time_wait_list_.front();
    const Tuple& tuple = time_wait_[index].tuple;
    context.emit(tuple.local, tuple.remote, TimerFired{TcpTimer::time_wait});
    context.emit(tuple.local, tuple.remote, StateChanged{TcpState::time_wait, TcpState::closed});
    forget_time_wait(index);
  }
}

void Stack::Impl::forget_time_wait(std::uint32_t index) {
  demux_.erase({FlowKind::time_wait, index});
  time_wait_list_.remove(index, [&](std::uint32_t i) -> SlotLinks& { return time_wait_[i].links; });
  time_wait_.erase(index);
}

}  // namespace hawser
