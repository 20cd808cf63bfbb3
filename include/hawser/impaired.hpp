// A device behind a bad link: any other device with impairments in both directions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hawser/device.hpp"
#include "hawser/frame_fate.hpp"
#include "hawser/impairment.hpp"

namespace hawser {

struct ImpairedConfig {
  Impairment outbound{};   ///< of frames that are written
  Impairment inbound{};    ///< of frames that are read
  std::uint64_t seed = 1;  ///< the same frames at the same times meet the same fate
};

/// Wraps a device. What is delayed waits here, and `next_deadline` tells for how long; what is lost
/// counts as taken. When the device below is blocked, frames whose time has come wait for it and
/// no more are taken.
class ImpairedDevice final : public Device {
 public:
  ImpairedDevice(std::unique_ptr<Device> device, const ImpairedConfig& config);
  ~ImpairedDevice() override;

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  std::size_t write(Instant now, std::span<Packet> frames) override;
  Instant next_deadline() const override;
  int descriptor() const override;
  bool wants_writable() const override;
  std::uint32_t mtu() const override;
  std::optional<DeviceError> fault() const override;
  std::optional<MacAddress> mac() const override;

  const PathCounters& outbound() const;
  const PathCounters& inbound() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
