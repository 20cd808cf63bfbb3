// What a link does to the frames that cross it in one direction, and how people write that down.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "hawser/time.hpp"

namespace hawser {

/// Loss in bursts, the model of Gilbert: the path is good or bad, and a bad one loses every frame.
/// With `leave` = 0.25 a burst is four frames long on average.
struct BurstLoss {
  double enter = 0;  ///< probability for each frame that a good path turns bad; 0: no bursts
  double leave = 1;  ///< probability for each frame that a bad path turns good
  /// A burst that began so long ago is over, even if no frame came to end it: else a sender that
  /// tries again seldom meets the same burst for minutes.
  Duration longest = Duration::max();

  friend bool operator==(const BurstLoss&, const BurstLoss&) = default;
};

/// One direction of a link. The defaults are a perfect wire.
///
/// A frame meets these in order: partition, MTU, loss, queue, marking, serialisation at `rate`,
/// then `delay` and `jitter`. Jitter lets frames bunch together but never lets one overtake
/// another: only `reorder` does that.
struct Impairment {
  std::uint64_t rate = 0;  ///< bits a second of IP packets; 0: without limit
  Duration delay{};        ///< propagation, added to every frame
  Duration jitter{};       ///< up to this much more, drawn evenly for each frame
  std::uint64_t queue =
      1 << 20;        ///< bytes that may wait for the link; an idle link takes any frame
  double loss = 0;    ///< probability that a frame is lost
  BurstLoss burst{};  ///< beside `loss`
  /// Probability that a router marks an IP packet whose sender has said that it may (ECN, RFC
  /// 3168), and bytes that wait for the link beyond which each such packet is marked; 0: never.
  double mark = 0;
  std::uint64_t mark_above = 0;
  double reorder = 0;  ///< probability that a frame is held back and overtaken
  Duration reorder_delay = std::chrono::milliseconds(10);  ///< for how long
  double duplicate = 0;      ///< probability that a frame arrives twice
  double corrupt = 0;        ///< probability that one byte arrives changed: every checksum sees it
  bool partitioned = false;  ///< no frame enters; those on their way still arrive
  /// Bytes of the largest frame that passes, as if a router stood there; 0: any. In a World the
  /// router sends an ICMP error about what it drops, and cuts IPv4 packets that allow it, unless
  /// `mtu_silent`: then larger frames just vanish, as they always do on a real device.
  std::uint32_t mtu = 0;
  bool mtu_silent = false;

  friend bool operator==(const Impairment&, const Impairment&) = default;
};

/// A value, or one line which says what is wrong with the text and what a right one looks like.
template <typename T>
using Parsed = std::expected<T, std::string>;

/// "2%" or "0.02": from 0 to 1.
Parsed<double> parse_probability(std::string_view text);
/// "20ms", "1.5s", "250us", "10ns", "2m" (minutes), "1h"; zero needs no unit.
Parsed<Duration> parse_duration(std::string_view text);
/// "10mbit", "1gbit", "64kbit", "9600bit" in decimal units, with or without "/s"; 0: no limit.
Parsed<std::uint64_t> parse_rate(std::string_view text);
/// "1500", "64k", "1m", "2g" in units of 1024, with or without a "b" or "ib" behind them.
Parsed<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace hawser
