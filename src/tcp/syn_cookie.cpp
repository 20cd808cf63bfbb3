#include "tcp/syn_cookie.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <span>

#include "tcp/isn.hpp"
#include "tcp/window.hpp"

namespace hawser::tcp {

namespace {

// What peers say most often; the largest that does not exceed what the peer said is taken.
constexpr std::array<std::uint16_t, 8> kMss = {kMinMss, 216, 536, 1220, 1360, 1440, 1460, 8940};

constexpr std::uint32_t kMarkBits = 12;
constexpr std::uint32_t kMarkMask = (1U << kMarkBits) - 1;
constexpr SeqNum kAnyNumber{0};

constexpr std::uint32_t kOptionBits = 6;
constexpr std::uint32_t kOptionMask = (1U << kOptionBits) - 1;
constexpr std::uint32_t kNoScale = 15;  // four bits of the shift, which is at most 14
constexpr std::uint32_t kSackBit = 16;
constexpr std::uint32_t kEcnBit = 32;

std::uint64_t minute_of(Instant now) {
  return static_cast<std::uint64_t>(now.time_since_epoch() / std::chrono::minutes(1));
}

/// What a cookie says of itself.
struct Claim {
  std::uint32_t cookie;
  std::uint64_t minute;
  std::uint32_t mss_index;
};

/// Nothing when it is older than two minutes.
std::optional<Claim> read_claim(Instant now, const TcpHeader& ack) {
  const std::uint32_t cookie = ack.ack.value() - 1;
  const std::uint64_t now_minute = minute_of(now);
  const std::uint64_t age = (now_minute - (cookie >> 27)) & 31;
  if (age > 1 || age > now_minute) return std::nullopt;
  return Claim{cookie, now_minute - age, (cookie >> 24) & 7};
}

std::uint32_t mss_index_of(std::uint16_t mss) {
  std::uint32_t index = 0;
  while (index + 1 < kMss.size() && kMss[index + 1] <= mss) ++index;
  return index;
}

/// Our clock, its low bits replaced by options, and never ahead of what it really shows: the next
/// timestamps of the connection must not be older.
std::uint32_t clock_with_options(Instant now, const SynReceived& record) {
  const std::uint32_t options =
      (record.window_scaling ? std::uint32_t{record.snd_wscale} : kNoScale) |
      (record.sack ? kSackBit : 0) | (record.ecn_capable ? kEcnBit : 0);
  const std::uint32_t clock = timestamp_clock(now);
  const std::uint32_t marked = (clock & ~kOptionMask) | options;
  return static_cast<std::int32_t>(marked - clock) > 0 ? marked - (kOptionMask + 1) : marked;
}

}  // namespace

std::uint32_t SynCookies::mark(const Tuple& tuple, SeqNum irs, std::uint64_t minute,
                               std::uint32_t mss_index) const {
  struct {
    std::uint64_t minute;
    Tuple tuple;
    std::uint32_t irs;
    std::uint32_t mss_index;
  } const input{minute, tuple, irs.value(), mss_index};
  static_assert(sizeof(input) == 56);
  return static_cast<std::uint32_t>(hash_(std::as_bytes(std::span(&input, 1)))) & kMarkMask;
}

std::uint32_t SynCookies::authenticate(const Tuple& tuple, SeqNum irs, std::uint64_t minute,
                                       std::uint32_t mss_index) const {
  return mark(tuple, kAnyNumber, minute, mss_index) << kMarkBits |
         mark(tuple, irs, minute, mss_index);
}

void SynCookies::encode(Instant now, SynReceived& record) const {
  const std::uint64_t minute = minute_of(now);
  const std::uint32_t index = mss_index_of(record.peer_mss);
  record.peer_mss = kMss[index];
  record.iss = SeqNum((static_cast<std::uint32_t>(minute & 31) << 27) | (index << 24) |
                      authenticate(record.tuple, record.irs, minute, index));
  if (record.timestamps) return;
  record.window_scaling = false;
  record.snd_wscale = 0;
  record.sack = false;
  record.ecn_echoes = record.ecn_capable = false;
}

TcpHeader SynCookies::syn_ack(const SynReceived& record, Instant now) {
  TcpHeader header = syn_ack_of(record, now);
  if (record.timestamps) {
    header.options.timestamps->value = clock_with_options(now, record) + record.ts_offset;
  }
  return header;
}

bool SynCookies::is_of(Instant now, const Tuple& tuple, const TcpHeader& ack) const {
  const std::optional<Claim> claim = read_claim(now, ack);
  return claim && ((claim->cookie >> kMarkBits) & kMarkMask) ==
                      mark(tuple, kAnyNumber, claim->minute, claim->mss_index);
}

std::optional<SynReceived> SynCookies::decode(Instant now, const Tuple& tuple, const TcpHeader& ack,
                                              const TcpConfig& config, const Offer& offer,
                                              std::uint32_t ts_offset) const {
  const SeqNum irs = ack.seq - 1;
  const std::optional<Claim> claim = read_claim(now, ack);
  if (!claim ||
      (claim->cookie & 0xffffff) != authenticate(tuple, irs, claim->minute, claim->mss_index)) {
    return std::nullopt;
  }
  SynReceived record;
  record.tuple = tuple;
  record.iss = SeqNum(claim->cookie);
  record.irs = irs;
  record.offer = offer;
  record.ts_offset = ts_offset;
  record.peer_mss = kMss[claim->mss_index];
  record.syn_window = ack.window;
  record.retransmitted = true;  // when the SYN-ACK went is forgotten: no round trip to measure
  if (!config.timestamps || !ack.options.timestamps) return record;
  const std::uint32_t options = (ack.options.timestamps->echo - ts_offset) & kOptionMask;
  record.timestamps = true;
  record.ts_recent = ack.options.timestamps->value;
  record.sack = config.sack && (options & kSackBit) != 0;
  record.ecn_echoes = record.ecn_capable = offer.ecn && (options & kEcnBit) != 0;
  if ((options & 15) <= kMaxWindowScale && config.window_scaling) {
    record.window_scaling = true;
    record.snd_wscale = static_cast<std::uint8_t>(options & 15);
  }
  return record;
}

}  // namespace hawser::tcp
