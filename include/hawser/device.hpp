// Where frames come from and go to: a TUN interface, the end of a pipe, or another device wrapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "hawser/buffer.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/packet.hpp"
#include "hawser/time.hpp"

namespace hawser {

/// Why a device or a file could not be opened or used.
struct DeviceError {
  std::error_code code;
  std::string message;  ///< one line that also says what to do about it
};

/// A device that takes and gives frames in batches: bare IP packets, or frames of an Ethernet if it
/// has a `mac`. No call of it ever blocks.
///
/// Its driver calls `read` when the descriptor polls readable and when `next_deadline` is reached,
/// and `write` when there are frames, when the descriptor polls writable while `wants_writable`,
/// and, with whatever frames there are (none will do), when `next_deadline` is reached. Late and
/// spurious calls are legal. One thread at a time.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device();

  /// Moves at most `limit` frames that have arrived to the end of `out`, in memory of `pool`, and
  /// returns how many. Fewer than `limit`: there are no more now, or the pool is exhausted.
  virtual std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                           std::size_t limit) = 0;
  /// Takes frames from the front of `frames` and returns how many; those that are taken are left
  /// empty. Fewer than there are: try again when the descriptor polls writable or readable. A frame
  /// that the medium loses counts as taken.
  virtual std::size_t write(Instant now, std::span<Packet> frames) = 0;
  /// When there will be work although nothing is readable; kNever when only the descriptor tells.
  virtual Instant next_deadline() const { return kNever; }
  /// A descriptor that polls readable while there are frames to read; -1 when there is none and
  /// `next_deadline` tells all. It stays the same, and the device's.
  virtual int descriptor() const = 0;
  /// Whether the last write could not take everything, so that the driver waits for the descriptor
  /// to poll writable.
  virtual bool wants_writable() const { return false; }
  /// Bytes of the largest IP packet that it carries, without any header of the link.
  virtual std::uint32_t mtu() const = 0;
  /// Why it will never carry a frame again, as when its interface was removed; nothing while it
  /// works. Its driver asks after `read`.
  virtual std::optional<DeviceError> fault() const { return std::nullopt; }
  /// Our address on the Ethernet whose frames it carries; unset when they are bare IP packets.
  virtual std::optional<MacAddress> mac() const { return std::nullopt; }
};

}  // namespace hawser
