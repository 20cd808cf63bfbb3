#include "hawser/tun.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "link/descriptor.hpp"
#include "link/netlink.hpp"

namespace hawser {

namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr std::uint32_t kSmallestMtu = 576;  // RFC 791 3.2: what every host must accept
constexpr std::uint32_t kSmallestMtu6 = 1280;
constexpr std::uint32_t kLargestMtu = 65535;

std::unexpected<DeviceError> failure(int number, std::string message) {
  return std::unexpected(
      DeviceError{std::error_code(number, std::generic_category()), std::move(message)});
}

std::unexpected<DeviceError> failure(std::error_code code, const std::string& what) {
  if (code == std::errc::operation_not_permitted || code == std::errc::permission_denied) {
    return failure(code.value(), what +
                                     " needs CAP_NET_ADMIN: run it as root (sudo), or give the "
                                     "program the capability (setcap cap_net_admin+ep)");
  }
  return failure(code.value(), what + " failed: " + code.message());
}

std::unexpected<DeviceError> attach_failure(int number, const std::string& name) {
  const std::string what = "the TUN interface " + (name.empty() ? "" : name + " ");
  switch (number) {
    case EBUSY:
      return failure(number,
                     what + "is in use by another program: end that, or choose another name");
    case EINVAL:
      return failure(number, what +
                                 "cannot be opened: an interface of that name exists and is no "
                                 "TUN; choose another name");
    default:
      return failure(std::error_code(number, std::generic_category()), "opening " + what);
  }
}

std::expected<void, DeviceError> check(const TunConfig& config) {
  if (config.name.size() >= IFNAMSIZ || config.name.find('/') != std::string::npos) {
    return failure(EINVAL, "'" + config.name +
                               "' cannot be the name of an interface: at most 15 bytes, no '/'");
  }
  const bool v6 = std::ranges::any_of(config.host_addresses,
                                      [](const Prefix& p) { return !p.address.is_v4(); });
  const std::uint32_t smallest = v6 ? kSmallestMtu6 : kSmallestMtu;
  if (config.mtu && (*config.mtu < smallest || *config.mtu > kLargestMtu)) {
    return failure(EINVAL, "an MTU of " + std::to_string(*config.mtu) + " is not between " +
                               std::to_string(smallest) + " and " + std::to_string(kLargestMtu));
  }
  return {};
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  return request;
}

struct Attached {
  link::Descriptor descriptor;
  std::string name;
};

/// Frames come and go bare (IFF_NO_PI) and one by one: without IFF_VNET_HDR the kernel neither
/// leaves checksums to us nor gives segments larger than the MTU.
std::expected<Attached, DeviceError> attach(const std::string& name) {
  link::Descriptor descriptor(::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor) {
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
      return failure(errno, std::string(kDevice) +
                                " is missing: load the module (modprobe tun), "
                                "or give it to the container (--device /dev/net/tun)");
    }
    return failure(std::error_code(errno, std::generic_category()),
                   std::string("opening ") + kDevice);
  }
  ifreq request = request_for(name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(descriptor.get(), TUNSETIFF, &request) != 0) return attach_failure(errno, name);
  return Attached{std::move(descriptor), request.ifr_name};
}

/// What the interface is like now.
struct Present {
  bool up = false;
  std::uint32_t mtu = 0;
  int index = 0;
};

std::expected<Present, DeviceError> look_at(const std::string& name) {
  const link::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq flags = request_for(name);
  ifreq mtu = request_for(name);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &flags) != 0 ||
      ::ioctl(socket.get(), SIOCGIFMTU, &mtu) != 0) {
    return failure(std::error_code(errno, std::generic_category()), "looking at " + name);
  }
  return Present{(flags.ifr_flags & IFF_UP) != 0, static_cast<std::uint32_t>(mtu.ifr_mtu),
                 static_cast<int>(::if_nametoindex(name.c_str()))};
}

std::unexpected<DeviceError> address_failure(std::error_code code, const Prefix& address) {
  const std::string what = "adding " + address.to_string() + " to the interface";
  // IPv6 that is switched off answers so too, to root as to anyone.
  if (!address.address.is_v4() && ::geteuid() == 0 &&
      (code == std::errc::permission_denied || code == std::errc::operation_not_supported)) {
    return failure(code.value(), what +
                                     " failed: IPv6 is switched off here "
                                     "(sysctl net.ipv6.conf.all.disable_ipv6=0 switches it on)");
  }
  return failure(code, what);
}

std::expected<void, DeviceError> set_up(const std::string& name, const Present& present,
                                        const TunConfig& config) {
  const bool change_mtu = config.mtu && *config.mtu != present.mtu;
  if (present.up && !change_mtu && config.host_addresses.empty()) return {};
  link::Netlink netlink;
  if (const auto code = netlink.open()) return failure(code, "opening a netlink socket");
  // Without IPv6 in the kernel this fails, and then there is nothing to keep quiet.
  if (!present.up) static_cast<void>(netlink.disable_generated_addresses(present.index));
  const std::optional<std::uint32_t> mtu = change_mtu ? config.mtu : std::nullopt;
  if (const auto code = netlink.bring_up(present.index, mtu)) {
    return failure(code, "bringing up " + name);
  }
  for (const Prefix& address : config.host_addresses) {
    const auto code = netlink.add_address(present.index, address);
    if (code) return address_failure(code, address);
  }
  return {};
}

}  // namespace

std::expected<std::unique_ptr<TunDevice>, DeviceError> TunDevice::open(const TunConfig& config) {
  if (const auto good = check(config); !good) return std::unexpected(good.error());
  auto attached = attach(config.name);
  if (!attached) return std::unexpected(attached.error());
  const auto present = look_at(attached->name);
  if (!present) return std::unexpected(present.error());
  if (const auto done = set_up(attached->name, *present, config); !done) {
    return std::unexpected(done.error());
  }
  return std::unique_ptr<TunDevice>(new TunDevice(attached->descriptor.release(), attached->name,
                                                  config.mtu.value_or(present->mtu)));
}

TunDevice::TunDevice(int fd, std::string name, std::uint32_t mtu)
    : fd_(fd), name_(std::move(name)), mtu_(mtu) {}

TunDevice::~TunDevice() { ::close(fd_); }

std::size_t TunDevice::read(Instant, BufferPool& pool, std::vector<Packet>& out,
                            std::size_t limit) {
  std::size_t count = 0;
  while (count < limit) {
    Packet frame = pool.take_packet();
    Slice slice = pool.take(mtu_);
    if (!frame || !slice) break;
    const std::span<std::byte> room = slice.spare();
    const ssize_t size = ::read(fd_, room.data(), room.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    slice.extend(static_cast<std::uint32_t>(size));
    frame.append(std::move(slice));
    out.push_back(std::move(frame));
    ++count;
  }
  return count;
}

std::size_t TunDevice::write(Instant, std::span<Packet> frames) {
  std::size_t taken = 0;
  blocked_ = false;
  while (taken < frames.size()) {
    std::array<iovec, 1 + Packet::kMaxSlices> pieces;
    int count = 0;
    frames[taken].for_each_piece([&](std::span<const std::byte> piece) {
      // writev does not write to what it is given.
      pieces[static_cast<std::size_t>(count++)] = {const_cast<std::byte*>(piece.data()),
                                                   piece.size()};
    });
    const ssize_t written = ::writev(fd_, pieces.data(), count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      blocked_ = true;
      break;
    }
    if (written < 0) ++refused_;
    frames[taken++].reset();
  }
  return taken;
}

}  // namespace hawser
