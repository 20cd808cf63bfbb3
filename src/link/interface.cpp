#include "link/interface.hpp"

#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "link/descriptor.hpp"

namespace hawser::link {

std::unexpected<DeviceError> failure(int number, std::string message) {
  return std::unexpected(
      DeviceError{std::error_code(number, std::generic_category()), std::move(message)});
}

std::unexpected<DeviceError> failure(std::error_code code, const std::string& what,
                                     const std::string& capability) {
  if (code == std::errc::operation_not_permitted || code == std::errc::permission_denied) {
    std::string lower = capability;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return failure(code.value(), what + " needs " + capability +
                                     ": run it as root (sudo), or give the program the capability "
                                     "(setcap " +
                                     lower + "+ep)");
  }
  return failure(code.value(), what + " failed: " + code.message());
}

std::expected<void, DeviceError> check_name(const std::string& name) {
  if (name.size() < IFNAMSIZ && name.find('/') == std::string::npos) return {};
  return failure(EINVAL,
                 "'" + name + "' cannot be the name of an interface: at most 15 bytes, no '/'");
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  return request;
}

std::expected<Present, DeviceError> look_at(const std::string& name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq flags = request_for(name);
  ifreq mtu = request_for(name);
  ifreq hardware = request_for(name);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &flags) != 0 ||
      ::ioctl(socket.get(), SIOCGIFMTU, &mtu) != 0 ||
      ::ioctl(socket.get(), SIOCGIFHWADDR, &hardware) != 0) {
    return failure(std::error_code(errno, std::generic_category()), "looking at " + name);
  }
  Present present;
  present.up = (flags.ifr_flags & IFF_UP) != 0;
  present.mtu = static_cast<std::uint32_t>(mtu.ifr_mtu);
  present.index = static_cast<int>(::if_nametoindex(name.c_str()));
  present.ethernet = hardware.ifr_hwaddr.sa_family == ARPHRD_ETHER;
  std::array<std::uint8_t, 6> bytes{};
  std::memcpy(bytes.data(), hardware.ifr_hwaddr.sa_data, bytes.size());
  present.mac = MacAddress(bytes);
  return present;
}

MacAddress random_mac() {
  std::array<std::uint8_t, 6> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  constexpr unsigned kGroup = 1;
  constexpr unsigned kLocal = 2;
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & ~kGroup) | kLocal);
  return MacAddress(bytes);
}

std::expected<MacAddress, DeviceError> choose_mac(const std::optional<MacAddress>& wanted,
                                                  const MacAddress& kernels,
                                                  const std::string& interface) {
  if (!wanted) {
    for (;;) {
      const MacAddress drawn = random_mac();
      if (drawn != kernels) return drawn;
    }
  }
  const std::string text = wanted->to_string();
  if (wanted->is_multicast() || wanted->is_unspecified()) {
    return failure(EINVAL, text +
                               " cannot be the address of one host: choose another, as in "
                               "02:00:00:00:00:01");
  }
  if (*wanted == kernels) {
    return failure(EINVAL, text + " is the kernel's own address on " + interface +
                               ": our end of the link needs another");
  }
  return *wanted;
}

}  // namespace hawser::link
