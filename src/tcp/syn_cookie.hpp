// A handshake without memory: when the SYN queue is full, what must be remembered goes into the
// numbers of the SYN-ACK and comes back with the ACK (RFC 4987 3.6).
#pragma once

#include <cstdint>
#include <optional>

#include "core/random.hpp"
#include "tcp/syn_received.hpp"

namespace hawser::tcp {

/// The initial sequence number is five bits of a minute counter, three bits that name an MSS, 12
/// bits of a keyed hash over these and the tuple, and 12 bits of one that takes in the peer's
/// number as well. When timestamps are agreed upon, the window scale, SACK and ECN go into the six
/// low bits of ours; else they are lost.
class SynCookies {
 public:
  explicit SynCookies(Random& random) : hash_(random) {}

  /// Changes the record that a SYN would have made into one that fits a cookie.
  void encode(Instant now, SynReceived& record) const;
  /// The SYN-ACK of an encoded record.
  static TcpHeader syn_ack(const SynReceived& record, Instant now);
  /// The record that an ACK brings back; nothing when the cookie is forged or older than two
  /// minutes.
  std::optional<SynReceived> decode(Instant now, const Tuple& tuple, const TcpHeader& ack,
                                    const TcpConfig& config, const Offer& offer,
                                    std::uint32_t ts_offset) const;
  /// Whether `ack` acknowledges a cookie for that tuple, whatever the peer's number was: one that
  /// `decode` refuses is then ahead of the segment that brings the number.
  bool is_of(Instant now, const Tuple& tuple, const TcpHeader& ack) const;

 private:
  std::uint32_t mark(const Tuple& tuple, SeqNum irs, std::uint64_t minute,
                     std::uint32_t mss_index) const;
  std::uint32_t authenticate(const Tuple& tuple, SeqNum irs, std::uint64_t minute,
                             std::uint32_t mss_index) const;

  KeyedHash hash_;
};

}  // namespace hawser::tcp
