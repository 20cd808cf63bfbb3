// TUN interfaces of Linux: the kernel on one side, this stack on the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/device.hpp"

namespace hawser {

struct TunConfig {
  /// At most 15 bytes; empty lets the kernel choose one.
  std::string name{};
  /// Unset leaves the interface's own, 1500 for a new one.
  std::optional<std::uint32_t> mtu{};
  /// Addresses of the kernel's end, each with the length of its network: "10.9.0.1/24". What the
  /// stack has on the other side lies in the same network, or behind a route.
  std::vector<Prefix> host_addresses{};
};

/// A TUN interface, one frame a system call. It is removed when this ends, unless it was there
/// before as a persistent one; then its addresses stay, too.
class TunDevice final : public Device {
 public:
  /// Opens or creates the interface, gives it its addresses and brings it up. Needs CAP_NET_ADMIN,
  /// unless a persistent interface that belongs to this user is up already and needs no change.
  static std::expected<std::unique_ptr<TunDevice>, DeviceError> open(const TunConfig& config);
  ~TunDevice() override;

  std::size_t read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                   std::size_t limit) override;
  /// What the kernel refuses, since the interface is down or the frame is no IP packet, is lost.
  std::size_t write(Instant now, std::span<Packet> frames) override;
  int descriptor() const override { return fd_; }
  bool wants_writable() const override { return blocked_; }
  std::uint32_t mtu() const override { return mtu_; }

  const std::string& name() const { return name_; }
  /// Frames that the kernel refused.
  std::uint64_t refused() const { return refused_; }

 private:
  TunDevice(int fd, std::string name, std::uint32_t mtu);

  int fd_;
  std::string name_;
  std::uint32_t mtu_;
  bool blocked_ = false;
  std::uint64_t refused_ = 0;
};

}  // namespace hawser
