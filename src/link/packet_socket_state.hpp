// The inside of a PacketSocketDevice: one socket and the memory that its batches are read into.
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/buffer.hpp"
#include "hawser/packet_socket.hpp"
#include "link/descriptor.hpp"
#include "link/interface.hpp"
#include "link/offload.hpp"

namespace hawser {

class PacketSocketDevice::State {
 public:
  State(link::Descriptor socket, const PacketSocketConfig& config, const link::Present& present,
        const MacAddress& mac);

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out, std::size_t limit);
  std::size_t write(std::span<Packet> frames);
  std::uint64_t dropped_by_socket();

  const link::Descriptor socket;
  const std::string name;
  const int interface;
  const MacAddress mac;
  const MacAddress kernel_mac;
  const std::uint32_t mtu;
  const bool complete_checksums;
  const bool every_frame;
  bool blocked = false;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  /// When to look again what has become of an interface that went down.
  Instant look_at = kNever;
  std::optional<DeviceError> fault;
  /// Of what arrived as one frame; they go before all that is read after them.
  std::vector<Packet> waiting;
  /// With `every_frame`: of the frames of the last read, and of those that wait.
  std::vector<Instant> arrival_times;
  std::vector<Instant> waiting_times;

 private:
  /// Frames in one system call.
  static constexpr std::size_t kBatch = 16;
  /// A frame fills one small block, and only if it is larger, large ones behind it: together they
  /// hold the largest that there is (64 KiB and its header).
  static constexpr std::size_t kLargeBlocks = 4;
  /// Left free before a frame for the tag of a VLAN, which the kernel takes out and tells of apart.
  static constexpr std::uint32_t kTagRoom = 4;

  /// Where one frame is read into.
  struct Arrival {
    Packet frame;
    link::OffloadHeader offload;
    std::array<Slice, 1 + kLargeBlocks> room;
    std::array<iovec, 2 + kLargeBlocks> pieces;
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(tpacket_auxdata)) +
                                               CMSG_SPACE(sizeof(timespec))> control;
  };

  void look_after_interface(Instant now);
  std::size_t prepare(BufferPool& pool, std::size_t wanted);
  bool prepare(BufferPool& pool, Arrival& arrival, mmsghdr& message);
  void take(BufferPool& pool, std::size_t index, std::vector<Packet>& out, std::size_t full);
  bool cut(const Packet& frame, const link::OffloadHeader& offload, bool tagged, BufferPool& pool);
  Instant time_of(const timespec& taken_down);
  static Packet frame_of(Arrival& arrival, std::size_t size, bool tagged);
  static void complete_checksum(const Arrival& arrival, std::size_t size);
  void hand_over_waiting(std::vector<Packet>& out, std::size_t full);
  std::size_t describe(std::span<const Packet> frames);

  std::vector<Arrival> arrivals_;
  std::vector<std::array<iovec, 2 + Packet::kMaxSlices>> departures_;
  std::vector<mmsghdr> messages_;  // of either
  Duration realtime_ahead_{};      // of the steady clock, at the last read
  Instant last_arrival_{};
  std::uint64_t dropped_ = 0;
};

}  // namespace hawser
