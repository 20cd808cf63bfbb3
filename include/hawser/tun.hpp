// TUN interfaces of Linux: bare IP packets, with the kernel on one side and this stack on the
// other.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/tun_tap.hpp"

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

class TunDevice final : public TunTapDevice {
 public:
  /// Opens or creates the interface, gives it its addresses and brings it up. Needs CAP_NET_ADMIN,
  /// unless a persistent interface that belongs to this user is up already and needs no change.
  static std::expected<std::unique_ptr<TunDevice>, DeviceError> open(const TunConfig& config);

 private:
  using TunTapDevice::TunTapDevice;
};

}  // namespace hawser
