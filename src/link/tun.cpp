#include "hawser/tun.hpp"

#include "link/tun_tap.hpp"

namespace hawser {

std::expected<std::unique_ptr<TunDevice>, DeviceError> TunDevice::open(const TunConfig& config) {
  auto file =
      link::open_tun_tap({link::TunTapKind::tun, config.name, config.mtu, config.host_addresses});
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<TunDevice>(new TunDevice(*file));
}

}  // namespace hawser
