#include "hawser/tap.hpp"

#include "link/interface.hpp"
#include "link/tun_tap.hpp"

namespace hawser {

std::expected<std::unique_ptr<TapDevice>, DeviceError> TapDevice::open(const TapConfig& config) {
  auto file =
      link::open_tun_tap({link::TunTapKind::tap, config.name, config.mtu, config.host_addresses});
  if (!file) return std::unexpected(file.error());
  const auto mac = link::choose_mac(config.mac, file->kernel_mac, file->name);
  if (!mac) return std::unexpected(mac.error());
  return std::unique_ptr<TapDevice>(new TapDevice(*file, *mac));
}

TapDevice::TapDevice(link::TunTapFile& file, const MacAddress& mac)
    : TunTapDevice(file), mac_(mac), kernel_mac_(file.kernel_mac) {}

}  // namespace hawser
