// LISTEN and what grows from it: the SYN queue, cookies when it is full, and the accept queue
// (RFC 9293 3.10.7.2, 3.10.7.4 for SYN-RECEIVED; RFC 4987).
#include "stack/impl.hpp"

namespace hawser {

void Stack::Impl::on_listener_segment(const Context& context, std::uint32_t listener,
                                      const Tuple& tuple, const Segment& segment, Packet& payload) {
  if (!segment.has(TcpFlag::syn) && segment.has(TcpFlag::ack) && !segment.has(TcpFlag::rst) &&
      on_cookie(context, listener, tuple, segment, payload)) {
    return;
  }
  context.emit(tuple.local, tuple.remote,
               SegmentReceived{segment.header, segment.length, segment.ecn});
  if (segment.has(TcpFlag::rst)) {
    return drop(context, DropReason::bad_rst, segment.length, tuple);
  }
  if (segment.has(TcpFlag::ack)) {
    drop(context, DropReason::no_connection, segment.length, tuple);
    return send_reset(context, tuple, segment);
  }
  if (!segment.has(TcpFlag::syn)) return drop(context, DropReason::no_ack, segment.length, tuple);
  on_syn(context, listener, tuple, segment, numbers_.sequence(context.now, tuple));
}

void Stack::Impl::on_syn(const Context& context, std::uint32_t listener_index, const Tuple& tuple,
                         const Segment& segment, SeqNum iss) {
  tcp::Listener& listener = listeners_[listener_index];
  const auto route = interfaces_.route(tuple.remote.address, tuple.remote.zone);
  if (!route) return drop(context, DropReason::no_route, segment.length, tuple);
  // The ACK of this SYN would have to be refused: the peer had better ask again later.
  if (listener.accept_queue_full()) {
    return drop(context, DropReason::accept_queue_full, segment.length, tuple);
  }
  const tcp::Offer offer =
      tcp::make_offer(listener.settings, route->mtu, tuple.remote.address.family());
  tcp::SynReceived record = tcp::make_syn_received(tuple, segment.header, config_.tcp, offer, iss,
                                                   numbers_.timestamp_offset(tuple));
  record.interface = route->interface;
  record.listener = listener_index;
  record.listener_generation = listeners_.generation(listener_index);
  if (listener.syn_queue_full()) {
    cookies_.encode(context.now, record);
    listener.cookies_until = context.now + tcp::kCookieLifetime;
    ++counters_.cookies_sent;
    TcpHeader answer = tcp::SynCookies::syn_ack(record, context.now);
    // RFC9293-SHLD-5 would add the option, and so make the answers to a flood longer than what was
    // sent in the name of others; who says no MSS is hardly one who heeds ours.
    if (!segment.header.options.mss) answer.options.mss.reset();
    return send_syn_ack(context, answer, record);
  }
  record.deadline = context.now + config_.tcp.initial_rto;
  const std::uint32_t index = syn_received_.emplace(record);
  demux_.insert({FlowKind::syn_received, index});
  syn_ack_lists_[0].push_back(
      index, [&](std::uint32_t i) -> SlotLinks& { return syn_received_[i].links; });
  ++listener.syn_received;
  context.emit(tuple.local, tuple.remote, StateChanged{TcpState::listen, TcpState::syn_received});
  send_syn_ack(context, tcp::syn_ack_of(record, context.now), record);
}

void Stack::Impl::send_syn_ack(const Context& context, const TcpHeader& header,
                               const tcp::SynReceived& record) {
  const tcp::Listener* listener = listeners_.find(record.listener, record.listener_generation);
  const TcpSettings& settings = listener == nullptr ? config_.tcp.defaults : listener->settings;
  send_control(context, header, record.tuple, record.interface, settings.hop_limit, settings.dscp,
               SendReason::handshake);
}

bool Stack::Impl::on_cookie(const Context& context, std::uint32_t listener_index,
                            const Tuple& tuple, const Segment& segment, Packet& payload) {
  const tcp::Listener& listener = listeners_[listener_index];
  if (context.now >= listener.cookies_until) return false;
  const auto route = interfaces_.route(tuple.remote.address, tuple.remote.zone);
  if (!route) return false;
  auto record =
      cookies_.decode(context.now, tuple, segment.header, config_.tcp,
                      tcp::make_offer(listener.settings, route->mtu, tuple.remote.address.family()),
                      numbers_.timestamp_offset(tuple));
  if (!record) {
    context.emit(tuple.local, tuple.remote,
                 SegmentReceived{segment.header, segment.length, segment.ecn});
    drop(context, DropReason::bad_cookie, segment.length, tuple);
    // What follows a segment that was lost does not tell the number of the SYN, of which the cookie
    // is made. The peer, which is established, sends that segment again and so brings the cookie: a
    // reset would end a good connection.
    if (!cookies_.is_of(context.now, tuple, segment.header)) send_reset(context, tuple, segment);
    return true;
  }
  record->interface = route->interface;
  record->listener = listener_index;
  record->listener_generation = listeners_.generation(listener_index);
  // When it is refused nothing remembers the peer: its data, sent again, brings the cookie again.
  if (!admit(context, *record, {}, {})) return true;
  ++counters_.cookies_accepted;
  const std::uint32_t index = listener.accept_queue.back();
  connections_[index].connection.on_segment(context, segment, payload);
  settle(context, index);
  return true;
}

void Stack::Impl::on_syn_received_segment(const Context& context, std::uint32_t index,
                                          const Arrival& arrival, const Segment& segment,
                                          Packet& payload) {
  tcp::SynReceived& record = syn_received_[index];
  const tcp::Listener* listener = listeners_.find(record.listener, record.listener_generation);
  if (listener == nullptr) {
    forget_syn_received(index);
    return on_unmatched(context, arrival, segment, payload);
  }
  const Tuple& tuple = arrival.tuple;
  const auto [verdict, reason] = tcp::judge(record, segment);
  if (verdict == tcp::SynReceivedVerdict::establish) {
    return establish(context, index, segment, payload);
  }
  context.emit(tuple.local, tuple.remote,
               SegmentReceived{segment.header, segment.length, segment.ecn});
  switch (verdict) {
    case tcp::SynReceivedVerdict::repeat:
      tcp::on_repeated_syn(record, segment.header);
      ++counters_.retransmits;
      return send_syn_ack(context, tcp::syn_ack_of(record, context.now), record);
    case tcp::SynReceivedVerdict::forget:
      context.emit(tuple.local, tuple.remote,
                   StateChanged{TcpState::syn_received, TcpState::listen});
      return forget_syn_received(index);
    case tcp::SynReceivedVerdict::challenge:
      drop(context, reason, segment.length, tuple);
      if (!challenge_limit_.take(context.now)) return;
      return send_control(context, tcp::challenge_of(record, context.now), tuple, record.interface,
                          listener->settings.hop_limit, listener->settings.dscp,
                          SendReason::challenge_ack);
    case tcp::SynReceivedVerdict::reset:
      drop(context, reason, segment.length, tuple);
      return send_reset(context, tuple, segment);
    default:
      return drop(context, reason, segment.length, tuple);
  }
}

void Stack::Impl::establish(const Context& context, std::uint32_t index, const Segment& segment,
                            Packet& payload) {
  const tcp::SynReceived record = syn_received_[index];
  if (!admit(context, record, record.deadline - config_.tcp.initial_rto,
             {FlowKind::syn_received, index})) {
    return;  // the SYN-ACK will go again, and the peer's ACK come again
  }
  const std::uint32_t connection = listeners_[record.listener].accept_queue.back();
  connections_[connection].connection.on_segment(context, segment, payload);
  settle(context, connection);
}

/// Makes a connection of a completed handshake and puts it into the accept queue; `replaces` is the
/// record that it grows from, if there is one.
bool Stack::Impl::admit(const Context& context, const tcp::SynReceived& record,
                        Instant syn_ack_sent_at, Flow replaces) {
  tcp::Listener& listener = listeners_[record.listener];
  if (listener.accept_queue_full() || connections_.size() >= config_.tcp.max_connections) {
    drop(context, DropReason::accept_queue_full, 0, record.tuple);
    return false;
  }
  const std::uint32_t index = connections_.emplace(record.interface, context, record.tuple,
                                                   tcp::handshake_of(record, syn_ack_sent_at),
                                                   record.offer.mss, listener.settings);
  ConnectionSlot& slot = connections_[index];
  slot.connection.set_flow_label(flow_label_of(record.tuple));
  adopt_path_mtu(context, index);
  slot.in_accept_queue = true;
  const Flow flow{FlowKind::connection, index};
  if (replaces) {
    demux_.replace(replaces, flow);
    syn_ack_lists_[record.retries].remove(
        replaces.slot(), [&](std::uint32_t i) -> SlotLinks& { return syn_received_[i].links; });
    syn_received_.erase(replaces.slot());
    --listener.syn_received;
  } else {
    demux_.insert(flow);
  }
  ++counters_.connections_accepted;
  listener.accept_queue.push_back(index);
  tell_listener(record.listener);
  return true;
}

void Stack::Impl::forget_syn_received(std::uint32_t index) {
  const tcp::SynReceived& record = syn_received_[index];
  tcp::Listener* listener = listeners_.find(record.listener, record.listener_generation);
  if (listener != nullptr) --listener->syn_received;
  demux_.erase({FlowKind::syn_received, index});
  syn_ack_lists_[record.retries].remove(
      index, [&](std::uint32_t i) -> SlotLinks& { return syn_received_[i].links; });
  syn_received_.erase(index);
}

void Stack::Impl::on_syn_ack_timers(const Context& context) {
  const auto links = [&](std::uint32_t i) -> SlotLinks& { return syn_received_[i].links; };
  // The most patient first: what is moved on is not looked at again.
  for (std::size_t retries = syn_ack_lists_.size(); retries-- > 0;) {
    SlotList& list = syn_ack_lists_[retries];
    while (!list.empty() && syn_received_[list.front()].deadline <= context.now) {
      const std::uint32_t index = list.front();
      tcp::SynReceived& record = syn_received_[index];
      const bool orphan = listeners_.find(record.listener, record.listener_generation) == nullptr;
      if (retries == tcp::kSynAckRetries || orphan) {
        context.emit(record.tuple.local, record.tuple.remote,
                     StateChanged{TcpState::syn_received, TcpState::listen});
        forget_syn_received(index);
        continue;
      }
      list.remove(index, links);
      ++record.retries;
      record.retransmitted = true;
      record.deadline = context.now + config_.tcp.initial_rto * (1U << record.retries);
      syn_ack_lists_[record.retries].push_back(index, links);
      context.emit(record.tuple.local, record.tuple.remote, TimerFired{TcpTimer::retransmit});
      // An honest peer that misses it repeats its SYN; a forged one never asked for it.
      if (!syn_ack_limit_.take(context.now)) {
        drop(context, DropReason::rate_limited, 0, record.tuple);
        continue;
      }
      ++counters_.retransmits;
      send_syn_ack(context, tcp::syn_ack_of(record, context.now), record);
    }
  }
}

void Stack::Impl::tell_listener(std::uint32_t index) {
  tcp::Listener& listener = listeners_[index];
  if (listener.in_readiness) return;
  listener.in_readiness = true;
  readiness_.push_back(stack::handle_of(SocketKind::listener, index, listeners_.generation(index)));
}

}  // namespace hawser
