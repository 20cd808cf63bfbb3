// One cell in a World: bulk senders on one host, their receivers on another, one link between.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cell.hpp"
#include "hawser/event.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/tcp.hpp"
#include "hawser/world.hpp"

namespace hawser::recovery {

struct FlowResult {
  std::uint64_t delivered = 0;  ///< bytes that the receiving program read
  std::uint64_t settled = 0;    ///< of those, what came after the first third of the time
  Duration longest_gap{};       ///< in which it read nothing, from its first byte to the end
  double gap_rtos = 0;          ///< the same in retransmission timeouts, as the sender's then was
};

/// Whether a segment that left for this reason repeats what was sent before, or probes.
bool is_repetition(SendReason reason);

/// What the senders did, all flows together.
struct Result {
  /// Room for every SendReason there is or may come.
  static constexpr std::size_t kReasons = 32;

  Duration elapsed{};
  std::vector<FlowResult> flows;
  std::array<std::uint64_t, kReasons> sent{};  ///< segments, by SendReason
  std::uint64_t recoveries = 0;                ///< times that fast recovery began
  std::uint64_t timeouts = 0;
  PathCounters path;    ///< of data
  std::string failure;  ///< why a connection ended; empty if none did

  std::uint64_t delivered() const;
  /// Segments that were sent again, for whatever reason.
  std::uint64_t repeated() const;
  /// Frames that the path did not deliver.
  std::uint64_t dropped() const;
  /// Segments that were sent again although no frame was missing: one is enough for each that was
  /// dropped.
  std::uint64_t in_vain() const;
  /// Bits of payload that arrived in a second.
  double goodput() const;
  /// The flow that waited longest, in retransmission timeouts.
  const FlowResult& slowest() const;
  /// Jain's index, 1 / flows to 1 (RFC 5166 2.3.1), of the bytes after the first third of the time.
  double fairness() const;
  /// Of the same bytes, the share of the flows `offset`, `offset + step`, …
  double share(std::size_t offset, std::size_t step) const;
};

/// Who looks on while a cell runs. What is not set is not called.
struct Watch {
  std::function<void(const Event&)> sender;    ///< as World::on_event
  std::function<void(const Event&)> receiver;  ///< likewise
  World::FrameTap frame;
  std::function<void(Instant, const TcpInfo&)> sample;  ///< of the first flow's sender
  Duration every = std::chrono::milliseconds(10);       ///< between samples
};

/// The same arguments give the same result.
Result run(const Cell& cell, Duration span = kSpan, std::uint64_t seed = 1,
           const Watch& watch = {});

}  // namespace hawser::recovery
