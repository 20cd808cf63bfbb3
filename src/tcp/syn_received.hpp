// A passive open between its SYN and its last ACK, kept as a small record (RFC 9293 3.10.7.2 third,
// 3.10.7.4 for SYN-RECEIVED; RFC 5961; RFC 7323 2, 3).
#pragma once

#include <cstdint>

#include "core/slot_list.hpp"
#include "hawser/drop.hpp"
#include "tcp/connection.hpp"
#include "tcp/handshake.hpp"
#include "tcp/tuple.hpp"

namespace hawser::tcp {

/// How often a SYN-ACK goes again before the record is forgotten: after 255 s with an initial
/// timeout of one second, since a SYN is to be given three minutes (RFC9293-MUST-23).
inline constexpr std::uint8_t kSynAckRetries = 7;

/// What our side brings to a handshake.
struct Offer {
  std::uint16_t mss = 0;     ///< advertised, bytes (RFC9293-MUST-67)
  std::uint16_t window = 0;  ///< of the SYN-ACK: never scaled (RFC 7323 2.2)
  std::uint8_t window_scale = 0;
  bool ecn = false;  ///< if the peer asks for it
};
/// By the settings of the listener and the MTU of the way to the peer.
Offer make_offer(const TcpSettings& settings, std::uint32_t mtu, Family family);

/// The payload that fits an IP packet of `mtu` bytes without options.
std::uint16_t mss_for(std::uint32_t mtu, Family family);
/// The IP packet without options that `mss` bytes of payload fill.
constexpr std::uint32_t mtu_for(std::uint16_t mss, Family family) {
  return mss + (family == Family::ipv4 ? 40U : 60U);
}

struct SynReceived {
  Tuple tuple;
  SeqNum iss;
  SeqNum irs;
  std::uint32_t ts_recent = 0;
  std::uint32_t ts_offset = 0;
  std::uint16_t peer_mss = 0;
  std::uint16_t syn_window = 0;
  Offer offer;
  std::uint8_t snd_wscale = 0;
  bool window_scaling : 1 = false;  // what both sides want
  bool timestamps : 1 = false;
  bool sack : 1 = false;
  bool ecn_echoes : 1 = false;   // as in Handshake
  bool ecn_capable : 1 = false;  // and the SYN-ACK says so
  bool retransmitted : 1 = false;
  std::uint8_t retries = 0;
  InterfaceId interface{};     ///< the way to the peer
  std::uint32_t listener = 0;  ///< index and generation of its listener
  std::uint32_t listener_generation = 0;
  Instant deadline;  ///< when the SYN-ACK goes again, or the record is forgotten
  SlotLinks links;   ///< among the records with as many retries
};
static_assert(sizeof(SynReceived) <= 96);

/// The record for a SYN. Of what the peer offers, that is agreed upon which we want too.
SynReceived make_syn_received(const Tuple& tuple, const TcpHeader& syn, const TcpConfig& config,
                              const Offer& offer, SeqNum iss, std::uint32_t ts_offset);

/// The SYN came again, as `syn` has it.
void on_repeated_syn(SynReceived& record, const TcpHeader& syn);

/// <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> with only those options that the peer offered too.
TcpHeader syn_ack_of(const SynReceived& record, Instant now);
/// <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.
TcpHeader challenge_of(const SynReceived& record, Instant now);

enum class SynReceivedVerdict : std::uint8_t {
  drop,
  forget,     ///< the record goes without a word (RFC9293-MUST-11)
  repeat,     ///< the SYN came again: the SYN-ACK goes again
  challenge,  ///< answer with an ACK (RFC 5961)
  reset,      ///< answer with <SEQ=SEG.ACK><CTL=RST>, the record stays
  establish,  ///< the handshake is complete: make a connection, give it the segment
};
struct SynReceivedJudgement {
  SynReceivedVerdict verdict{};
  DropReason reason{};  ///< unless it establishes, or repeats
};
/// What becomes of a segment for the record, in the order of RFC 9293 3.10.7.4.
SynReceivedJudgement judge(const SynReceived& record, const Segment& segment);

/// What a Connection is made of. `sent_at` is when the SYN-ACK went, of use if it went once only.
Handshake handshake_of(const SynReceived& record, Instant sent_at);

}  // namespace hawser::tcp
