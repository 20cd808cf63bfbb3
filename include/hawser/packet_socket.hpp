// Packet sockets of Linux (packet(7)): this stack beside the kernel on an interface that is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/device.hpp"
#include "hawser/mac_address.hpp"

namespace hawser {

struct PacketSocketConfig {
  std::string interface{};
  /// Ours, beside the kernel's. Unset draws a locally administered one by chance, another each
  /// time.
  std::optional<MacAddress> mac{};
  /// Fills checksums in that a sender on this machine left open, for whoever looks at the frames:
  /// a capture. It costs a pass over their bytes.
  bool complete_checksums = false;
  /// Every frame that arrives, whoever it is for, as it would be on a wire: cut into segments where
  /// a sender left that to its card, its checksum filled in. For whoever passes frames on.
  bool every_frame = false;
};

/// A packet socket on an existing Ethernet interface: a veth, a card, a bridge. The stack is one
/// more host at that port, with an address of its own; the kernel keeps the interface and its own
/// traffic. What both send goes out to the wire, so the kernel on the same interface is not reached
/// (across a veth the other end is).
///
/// Frames are read and written in batches. They may be larger than the MTU, where a sender on this
/// machine leaves the cutting to its card: TCP segments arrive in one piece, UDP datagrams one by
/// one. Checksums that such a sender left open are marked as verified.
class PacketSocketDevice final : public Device {
 public:
  /// The interface must exist, be an Ethernet and be up. Needs CAP_NET_RAW. Throws
  /// std::system_error when the kernel gives no random numbers.
  static std::expected<std::unique_ptr<PacketSocketDevice>, DeviceError> open(
      const PacketSocketConfig& config);
  ~PacketSocketDevice() override;

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  /// What the kernel refuses, since the interface is down or the frame too large, is lost.
  std::size_t write(Instant now, std::span<Packet> frames) override;
  /// While the interface is down it is looked at now and then.
  Instant next_deadline() const override;
  int descriptor() const override;
  bool wants_writable() const override;
  std::uint32_t mtu() const override;
  /// Once somebody has removed the interface.
  std::optional<DeviceError> fault() const override;
  std::optional<MacAddress> mac() const override;

  /// With `every_frame`: when the frames of the last `read` arrived, one for each of them, in
  /// order. The latest may lie after the `now` of that read.
  std::span<const Instant> arrivals() const;

  /// The kernel's address on the interface.
  const MacAddress& kernel_mac() const;
  /// Frames that the kernel refused.
  std::uint64_t refused() const;
  /// Frames that arrived and were lost: read too late for the socket's buffer, or of a kind that
  /// cannot be given on.
  std::uint64_t lost() const;

 private:
  class State;
  explicit PacketSocketDevice(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace hawser
