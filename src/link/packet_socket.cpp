#include "hawser/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "link/interface.hpp"
#include "link/packet_socket_state.hpp"

namespace hawser {

namespace {

using link::failure;

/// Bytes that may wait in the socket in each direction. Frames of 64 KiB come by the dozen.
constexpr int kSocketBuffer = 8 << 20;

std::error_code last_error() { return {errno, std::generic_category()}; }

std::expected<link::Present, DeviceError> find_interface(const std::string& name) {
  if (auto good = link::check_name(name); !good) return std::unexpected(good.error());
  if (name.empty()) return failure(EINVAL, "a packet socket needs the name of an interface");
  if (::if_nametoindex(name.c_str()) == 0) {
    return failure(ENODEV, "there is no interface " + name + ": 'ip link' lists those that are");
  }
  auto present = link::look_at(name);
  if (!present) return present;
  if (!present->ethernet) {
    return failure(EINVAL, name +
                               " is no Ethernet: choose a card, a veth or a bridge ('ip link' "
                               "says link/ether of those)");
  }
  if (!present->up) {
    return failure(ENETDOWN, name + " is down: bring it up first (ip link set " + name + " up)");
  }
  return present;
}

template <typename Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// Lets only frames through that are sent to us or to a group: else each frame of the kernel's own
/// traffic would be copied to us in vain.
bool filter_by_destination(int fd, const MacAddress& mac) {
  const auto& bytes = mac.bytes();
  const auto first_two = static_cast<std::uint32_t>(bytes[0] << 8 | bytes[1]);
  const auto last_four = static_cast<std::uint32_t>(bytes[2]) << 24 |
                         static_cast<std::uint32_t>(bytes[3] << 16 | bytes[4] << 8 | bytes[5]);
  std::array<sock_filter, 8> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 4, 0),  // of a group: accept
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, last_four, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first_two, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter);
}

/// The limit of the system holds without CAP_NET_ADMIN; then some frames may be lost in a burst.
void enlarge_buffers(int fd) {
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBuffer)) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBuffer);
  }
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBuffer)) {
    set_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBuffer);
  }
}

/// A socket that gives what others send to us on the interface, or all that arrives there, with the
/// time at which it did, and not what leaves it; what a sender left to a card is told with each
/// frame (PACKET_VNET_HDR, PACKET_AUXDATA).
bool set_up(int fd, int interface, const MacAddress& mac, bool every_frame) {
  const int on = 1;
  const bool chosen =
      every_frame ? set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, on) : filter_by_destination(fd, mac);
  if (!set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, on) ||
      !set_option(fd, SOL_PACKET, PACKET_VNET_HDR, on) ||
      !set_option(fd, SOL_PACKET, PACKET_AUXDATA, on) || !chosen) {
    return false;
  }
  enlarge_buffers(fd);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  // A card takes only frames to its own address by itself.
  packet_mreq membership{};
  membership.mr_ifindex = interface;
  membership.mr_type = PACKET_MR_PROMISC;
  return set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership);
}

}  // namespace

std::expected<std::unique_ptr<PacketSocketDevice>, DeviceError> PacketSocketDevice::open(
    const PacketSocketConfig& config) {
  const auto present = find_interface(config.interface);
  if (!present) return std::unexpected(present.error());
  const auto mac = link::choose_mac(config.mac, present->mac, config.interface);
  if (!mac) return std::unexpected(mac.error());
  // Of no protocol until it is bound: it would begin with frames of all interfaces.
  link::Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    return failure(last_error(), "opening a packet socket on " + config.interface, "CAP_NET_RAW");
  }
  if (!set_up(socket.get(), present->index, *mac, config.every_frame)) {
    return failure(last_error(), "setting up a packet socket on " + config.interface,
                   "CAP_NET_RAW");
  }
  return std::unique_ptr<PacketSocketDevice>(
      new PacketSocketDevice(std::make_unique<State>(std::move(socket), config, *present, *mac)));
}

PacketSocketDevice::PacketSocketDevice(std::unique_ptr<State> state) : state_(std::move(state)) {}
PacketSocketDevice::~PacketSocketDevice() = default;

std::size_t PacketSocketDevice::read(Instant now, BufferPool& pool, std::vector<Packet>& out,
                                     std::size_t limit) {
  return state_->read(now, pool, out, limit);
}

std::size_t PacketSocketDevice::write(Instant, std::span<Packet> frames) {
  return state_->write(frames);
}

Instant PacketSocketDevice::next_deadline() const {
  return state_->waiting.empty() ? state_->look_at : Instant{};
}

int PacketSocketDevice::descriptor() const { return state_->socket.get(); }
bool PacketSocketDevice::wants_writable() const { return state_->blocked; }
std::uint32_t PacketSocketDevice::mtu() const { return state_->mtu; }
std::optional<DeviceError> PacketSocketDevice::fault() const { return state_->fault; }
std::span<const Instant> PacketSocketDevice::arrivals() const { return state_->arrival_times; }
std::optional<MacAddress> PacketSocketDevice::mac() const { return state_->mac; }
const MacAddress& PacketSocketDevice::kernel_mac() const { return state_->kernel_mac; }
std::uint64_t PacketSocketDevice::refused() const { return state_->refused; }
std::uint64_t PacketSocketDevice::lost() const {
  return state_->lost + state_->dropped_by_socket();
}

}  // namespace hawser
