#include "hawser/tun_tap.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "link/interface.hpp"
#include "link/largest_header.hpp"
#include "link/netlink.hpp"
#include "link/tun_tap.hpp"

namespace hawser::link {

namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr std::uint32_t kSmallestMtu = 576;  // RFC 791 3.2: what every host must accept
constexpr std::uint32_t kSmallestMtu6 = 1280;
constexpr std::uint32_t kLargestMtu = 65535;
// A TAP is a card of Ethernet to the kernel, which leaves room for its header below 64 KiB.
constexpr std::uint32_t kLargestMtuOfTap = 65521;

const char* name_of(TunTapKind kind) { return kind == TunTapKind::tun ? "TUN" : "TAP"; }

std::unexpected<DeviceError> attach_failure(int number, const TunTapConfig& config) {
  const std::string kind = name_of(config.kind);
  const std::string what =
      "the " + kind + " interface " + (config.name.empty() ? "" : config.name + " ");
  switch (number) {
    case EBUSY:
      return failure(number,
                     what + "is in use by another program: end that, or choose another name");
    case EINVAL:
      return failure(number, what +
                                 "cannot be opened: an interface of that name exists and is no " +
                                 kind + "; choose another name");
    default:
      return failure(std::error_code(number, std::generic_category()), "opening " + what);
  }
}

std::expected<void, DeviceError> check(const TunTapConfig& config) {
  if (auto good = check_name(config.name); !good) return good;
  const bool v6 = std::ranges::any_of(config.host_addresses,
                                      [](const Prefix& p) { return !p.address.is_v4(); });
  const std::uint32_t smallest = v6 ? kSmallestMtu6 : kSmallestMtu;
  const std::uint32_t largest = config.kind == TunTapKind::tun ? kLargestMtu : kLargestMtuOfTap;
  if (config.mtu && (*config.mtu < smallest || *config.mtu > largest)) {
    return failure(EINVAL, "an MTU of " + std::to_string(*config.mtu) + " is not between " +
                               std::to_string(smallest) + " and " + std::to_string(largest));
  }
  return {};
}

struct Attached {
  Descriptor descriptor;
  std::string name;
};

/// Frames come and go bare (IFF_NO_PI) and one by one: without IFF_VNET_HDR the kernel neither
/// leaves checksums to us nor gives segments larger than the MTU.
std::expected<Attached, DeviceError> attach(const TunTapConfig& config) {
  Descriptor descriptor(::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor) {
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
      return failure(errno, std::string(kDevice) +
                                " is missing: load the module (modprobe tun), "
                                "or give it to the container (--device /dev/net/tun)");
    }
    return failure(std::error_code(errno, std::generic_category()),
                   std::string("opening ") + kDevice);
  }
  ifreq request = request_for(config.name);
  request.ifr_flags =
      static_cast<short>((config.kind == TunTapKind::tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI);
  if (::ioctl(descriptor.get(), TUNSETIFF, &request) != 0) return attach_failure(errno, config);
  return Attached{std::move(descriptor), request.ifr_name};
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
                                        const TunTapConfig& config) {
  const bool change_mtu = config.mtu && *config.mtu != present.mtu;
  if (present.up && !change_mtu && config.host_addresses.empty()) return {};
  Netlink netlink;
  if (const auto code = netlink.open()) return failure(code, "opening a netlink socket");
  // A TUN has nobody who would want it; on an Ethernet the kernel needs its fe80:: address as any
  // host does. Without IPv6 in the kernel this fails, and then there is nothing to keep quiet.
  const bool keep_quiet = config.kind == TunTapKind::tun && !present.up;
  if (keep_quiet) static_cast<void>(netlink.disable_generated_addresses(present.index));
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

std::expected<TunTapFile, DeviceError> open_tun_tap(const TunTapConfig& config) {
  if (const auto good = check(config); !good) return std::unexpected(good.error());
  auto attached = attach(config);
  if (!attached) return std::unexpected(attached.error());
  const auto present = look_at(attached->name);
  if (!present) return std::unexpected(present.error());
  if (const auto done = set_up(attached->name, *present, config); !done) {
    return std::unexpected(done.error());
  }
  const std::uint32_t mtu = config.mtu.value_or(present->mtu);
  const std::uint32_t header = config.kind == TunTapKind::tun ? 0 : kLargestEthernetHeader;
  return TunTapFile{std::move(attached->descriptor), attached->name, mtu, mtu + header,
                    present->mac};
}

}  // namespace hawser::link

namespace hawser {

TunTapDevice::TunTapDevice(link::TunTapFile& file)
    : fd_(file.descriptor.release()),
      name_(std::move(file.name)),
      mtu_(file.mtu),
      largest_frame_(file.largest_frame) {}

TunTapDevice::~TunTapDevice() { ::close(fd_); }

bool TunTapDevice::set_queue(std::uint32_t frames) {
  const link::Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = link::request_for(name_);
  request.ifr_qlen = static_cast<int>(frames);
  return ::ioctl(socket.get(), SIOCSIFTXQLEN, &request) == 0;
}

std::size_t TunTapDevice::read(Instant, BufferPool& pool, std::vector<Packet>& out,
                               std::size_t limit) {
  std::size_t count = 0;
  while (count < limit) {
    Packet frame = pool.take_packet();
    Slice slice = pool.take(largest_frame_);
    if (!frame || !slice) break;
    const std::span<std::byte> room = slice.spare();
    const ssize_t size = ::read(fd_, room.data(), room.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EBADFD) {  // from then on the descriptor polls readable for ever
      failure_ = DeviceError{std::error_code(errno, std::generic_category()),
                             "the interface " + name_ + " was removed"};
    }
    if (size <= 0) break;
    slice.extend(static_cast<std::uint32_t>(size));
    frame.append(std::move(slice));
    out.push_back(std::move(frame));
    ++count;
  }
  return count;
}

std::size_t TunTapDevice::write(Instant, std::span<Packet> frames) {
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
