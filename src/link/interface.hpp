// What a network interface of the kernel is like now, and what to say when it will not do.
#pragma once

#include <net/if.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <system_error>

#include "hawser/device.hpp"
#include "hawser/mac_address.hpp"

namespace hawser::link {

std::unexpected<DeviceError> failure(int number, std::string message);
/// What failed, and why; a privilege that is missing is called by its name.
std::unexpected<DeviceError> failure(std::error_code code, const std::string& what,
                                     const std::string& capability = "CAP_NET_ADMIN");

/// Whether the kernel could have an interface of that name; empty is none.
std::expected<void, DeviceError> check_name(const std::string& name);

/// A request of netdevice(7) about the interface.
ifreq request_for(const std::string& name);

struct Present {
  bool up = false;
  std::uint32_t mtu = 0;
  int index = 0;
  bool ethernet = false;  ///< has an address of an Ethernet: `mac`
  MacAddress mac{};
};

std::expected<Present, DeviceError> look_at(const std::string& name);

/// An address that no maker gives to a card (IEEE 802 8.2: locally administered), drawn by chance.
/// Throws std::system_error when the kernel gives no random numbers.
MacAddress random_mac();

/// Our own address beside the kernel's on one interface: `wanted`, or one drawn by chance. An error
/// when it is of a group, zero or the kernel's own.
std::expected<MacAddress, DeviceError> choose_mac(const std::optional<MacAddress>& wanted,
                                                  const MacAddress& kernels,
                                                  const std::string& interface);

}  // namespace hawser::link
