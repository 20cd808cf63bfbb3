#include "tcp/syn_received.hpp"

#include <algorithm>

#include "tcp/isn.hpp"
#include "tcp/paws.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

namespace {

constexpr std::uint32_t kTcpHeaderBytes = 20;

TcpHeader header_to(const Tuple& tuple) {
  TcpHeader header;
  header.source = tuple.local.port;
  header.destination = tuple.remote.port;
  return header;
}

TcpTimestamps timestamps_of(const SynReceived& record, Instant now) {
  return {.value = timestamp_clock(now) + record.ts_offset, .echo = record.ts_recent};
}

/// RFC 9293 3.10.7.4 first, as for the synchronized states.
bool is_acceptable(const SynReceived& record, const Segment& segment) {
  const SeqNum begin = segment.header.seq;
  const SeqNum rcv_nxt = record.irs + 1;
  const SeqNum edge = rcv_nxt + record.offer.window;
  const std::uint32_t length = segment.seq_length();
  if (record.offer.window == 0) return length == 0 && begin == rcv_nxt;
  if (begin >= rcv_nxt && begin < edge) return true;
  if (length == 0) return false;
  const SeqNum last = begin + (length - 1);
  return last >= rcv_nxt && last < edge;
}

}  // namespace

std::uint16_t mss_for(std::uint32_t mtu, Family family) {
  const std::uint32_t headers = (family == Family::ipv4 ? 20U : 40U) + kTcpHeaderBytes;
  const std::uint32_t payload = mtu > headers ? mtu - headers : 0;
  return static_cast<std::uint16_t>(std::clamp<std::uint32_t>(payload, kMinMss, 65535));
}

Offer make_offer(const TcpSettings& settings, std::uint32_t mtu, Family family) {
  return {.mss = mss_for(mtu, family),
          .window = static_cast<std::uint16_t>(std::min(settings.initial_receive_buffer(), 65535U)),
          .window_scale = window_scale_for(settings.largest_receive_buffer()),
          .ecn = settings.ecn != TcpEcn::off};
}

SynReceived make_syn_received(const Tuple& tuple, const TcpHeader& syn, const TcpConfig& config,
                              const Offer& offer, SeqNum iss, std::uint32_t ts_offset) {
  SynReceived record;
  record.tuple = tuple;
  record.iss = iss;
  record.irs = syn.seq;
  record.ts_offset = ts_offset;
  record.offer = offer;
  record.syn_window = syn.window;
  // RFC9293-MUST-15: without the option the least that every host takes.
  const std::uint16_t unsaid = tuple.remote.address.is_v4() ? 536 : 1220;
  record.peer_mss = std::max(syn.options.mss.value_or(unsaid), kMinMss);
  if (config.window_scaling && syn.options.window_scale) {
    record.window_scaling = true;
    record.snd_wscale = std::min(*syn.options.window_scale, kMaxWindowScale);
  }
  if (config.timestamps && syn.options.timestamps) {
    record.timestamps = true;
    record.ts_recent = syn.options.timestamps->value;
  }
  record.sack = config.sack && syn.options.sack_permitted;
  record.ecn_echoes = record.ecn_capable = offer.ecn && is_ecn_setup(syn);
  return record;
}

void on_repeated_syn(SynReceived& record, const TcpHeader& syn) {
  record.retransmitted = true;
  if (record.timestamps && syn.options.timestamps) record.ts_recent = syn.options.timestamps->value;
  // RFC3168-6.1.1.1: something on the way does not take the flags, or that is what the peer thinks.
  if (!is_ecn_setup(syn)) record.ecn_capable = false;
}

TcpHeader syn_ack_of(const SynReceived& record, Instant now) {
  TcpHeader header = header_to(record.tuple);
  header.seq = record.iss;
  header.ack = record.irs + 1;
  header.flags = TcpFlag::syn | TcpFlag::ack;
  if (record.ecn_capable) header.flags |= TcpFlag::ece;
  header.window = record.offer.window;
  header.options.mss = record.offer.mss;  // RFC9293-MUST-14, RFC9293-SHLD-5
  if (record.window_scaling) header.options.window_scale = record.offer.window_scale;
  if (record.timestamps) header.options.timestamps = timestamps_of(record, now);
  header.options.sack_permitted = record.sack;
  return header;
}

TcpHeader challenge_of(const SynReceived& record, Instant now) {
  TcpHeader header = header_to(record.tuple);
  header.seq = record.iss + 1;
  header.ack = record.irs + 1;
  header.flags = TcpFlag::ack;
  const std::uint8_t shift = record.window_scaling ? record.offer.window_scale : std::uint8_t{0};
  header.window = static_cast<std::uint16_t>(record.offer.window >> shift);
  if (record.timestamps) header.options.timestamps = timestamps_of(record, now);
  return header;
}

SynReceivedJudgement judge(const SynReceived& record, const Segment& segment) {
  using enum SynReceivedVerdict;
  const TcpHeader& header = segment.header;
  const bool is_reset = segment.has(TcpFlag::rst);
  if (segment.has(TcpFlag::syn) && !segment.has(TcpFlag::ack) && !is_reset &&
      header.seq == record.irs) {
    return {repeat, {}};
  }
  if (record.timestamps && !is_reset && header.options.timestamps &&
      timestamp_before(header.options.timestamps->value, record.ts_recent)) {
    return {challenge, DropReason::paws};
  }
  if (!is_acceptable(record, segment)) {
    return {is_reset ? drop : challenge,
            is_reset ? DropReason::bad_rst : DropReason::out_of_window};
  }
  if (is_reset) {
    // RFC9293-U-5, RFC9293-U-6: only the exact number ends it.
    if (header.seq == record.irs + 1) return {forget, DropReason::bad_rst};
    return {challenge, DropReason::challenge};
  }
  // RFC 9293 would return to LISTEN for a SYN; a challenge does the same for an honest peer, which
  // answers with an exact reset, and takes the means from a forger (RFC 5961 4).
  if (segment.has(TcpFlag::syn)) return {challenge, DropReason::challenge};
  if (!segment.has(TcpFlag::ack)) return {drop, DropReason::no_ack};
  if (header.ack != record.iss + 1) return {reset, DropReason::bad_ack};
  return {establish, {}};
}

Handshake handshake_of(const SynReceived& record, Instant sent_at) {
  return {.iss = record.iss,
          .irs = record.irs,
          .peer_mss = record.peer_mss,
          .snd_wscale = record.snd_wscale,
          .rcv_wscale = record.window_scaling ? record.offer.window_scale : std::uint8_t{0},
          .timestamps = record.timestamps,
          .sack = record.sack,
          .ecn_echoes = record.ecn_echoes,
          .ecn_capable = record.ecn_capable,
          .ts_recent = record.ts_recent,
          .ts_offset = record.ts_offset,
          .syn_window = record.syn_window,
          .retransmitted = record.retransmitted,
          .lost_twice = record.retries > 1,
          .syn_sent_at = sent_at};
}

}  // namespace hawser::tcp
