// Opening a TUN or TAP interface of the kernel through the clone device /dev/net/tun.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "hawser/address.hpp"
#include "hawser/device.hpp"
#include "link/descriptor.hpp"

namespace hawser::link {

enum class TunTapKind : std::uint8_t { tun, tap };

/// As in TunConfig and TapConfig.
struct TunTapConfig {
  TunTapKind kind{};
  std::string name;
  std::optional<std::uint32_t> mtu;
  std::vector<Prefix> host_addresses;
};

struct TunTapFile {
  Descriptor descriptor;
  std::string name;
  std::uint32_t mtu = 0;
  std::uint32_t largest_frame = 0;  ///< bytes, with the header of the link
  MacAddress kernel_mac{};          ///< of the kernel's end of a TAP
};

/// Opens or creates the interface, gives it its addresses and brings it up.
std::expected<TunTapFile, DeviceError> open_tun_tap(const TunTapConfig& config);

}  // namespace hawser::link
