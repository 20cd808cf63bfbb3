// TAP interfaces of Linux: an Ethernet with the kernel on one side and this stack on the other.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/mac_address.hpp"
#include "hawser/tun_tap.hpp"

namespace hawser {

struct TapConfig {
  /// At most 15 bytes; empty lets the kernel choose one.
  std::string name{};
  /// Bytes of the largest IP packet. Unset leaves the interface's own, 1500 for a new one.
  std::optional<std::uint32_t> mtu{};
  /// Addresses of the kernel's end, each with the length of its network: "10.9.0.1/24". A TAP that
  /// is a port of a bridge needs none.
  std::vector<Prefix> host_addresses{};
  /// Of our end. Unset draws a locally administered one by chance, another each time.
  std::optional<MacAddress> mac{};
};

class TapDevice final : public TunTapDevice {
 public:
  /// Opens or creates the interface, gives it its addresses and brings it up. Needs CAP_NET_ADMIN,
  /// unless a persistent interface that belongs to this user is up already and needs no change.
  /// Throws std::system_error when the kernel gives no random numbers.
  static std::expected<std::unique_ptr<TapDevice>, DeviceError> open(const TapConfig& config);

  std::optional<MacAddress> mac() const override { return mac_; }
  /// The address of the kernel's end.
  const MacAddress& kernel_mac() const { return kernel_mac_; }

 private:
  TapDevice(link::TunTapFile& file, const MacAddress& mac);

  MacAddress mac_;
  MacAddress kernel_mac_;
};

}  // namespace hawser
