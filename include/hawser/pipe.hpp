// Two devices in memory, joined back to back: for two hosts in one process, on any threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "hawser/device.hpp"
#include "hawser/mac_address.hpp"

namespace hawser {

namespace link {
struct PipeState;
}

struct PipeConfig {
  std::uint32_t mtu = 1500;
  /// Bytes that may wait in each direction. A writer that finds no room waits; nothing is lost.
  std::size_t queue = std::size_t{1} << 20;
  /// The addresses of the two ends if the frames are those of an Ethernet; unset: bare IP packets.
  std::optional<std::array<MacAddress, 2>> macs{};
};

/// One end of a pipe. Its peer may be used by another thread at the same time: bytes are copied,
/// nothing else is shared. When the peer is gone, what is written to it is lost.
///
/// The descriptor polls readable when there are frames, and also when a writer that found no room
/// may go on; it never polls writable.
class PipeEnd final : public Device {
 public:
  ~PipeEnd() override;

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  /// Frames larger than the MTU, and the header of the link if there is one, are lost.
  std::size_t write(Instant now, std::span<Packet> frames) override;
  int descriptor() const override;
  bool wants_writable() const override { return blocked_; }
  std::uint32_t mtu() const override;
  std::optional<MacAddress> mac() const override;

 private:
  friend std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(
      const PipeConfig& config);
  PipeEnd(std::shared_ptr<link::PipeState> state, std::size_t side);

  std::shared_ptr<link::PipeState> state_;
  std::size_t side_;  // 0 or 1
  bool blocked_ = false;
};

/// Both ends of a new pipe. Throws std::system_error when the operating system gives no
/// descriptors, and std::invalid_argument when the queue has no room for one frame.
std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> make_pipe(
    const PipeConfig& config = {});

}  // namespace hawser
