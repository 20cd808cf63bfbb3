#include "link/netlink.hpp"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <span>
#include <thread>

namespace hawser::link {

namespace {

// For the kernel's work queue, which adds the route of an IPv6 address; it takes milliseconds.
constexpr auto kLongestWait = std::chrono::seconds(5);
constexpr auto kBetweenLooks = std::chrono::microseconds(200);

std::error_code system_code(int number) { return {number, std::generic_category()}; }

/// The four or sixteen bytes of an address, as attributes hold them.
std::span<const std::byte> bytes_of(const IpAddress& address) {
  return std::as_bytes(std::span(address.bytes())).subspan(address.is_v4() ? 12 : 0);
}

}  // namespace

/// A message that is put together piece by piece: a header, a body, attributes that may nest.
class Netlink::Request {
 public:
  template <typename Body>
  Request(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    put(std::as_bytes(std::span(&header, 1)));
    put(std::as_bytes(std::span(&body, 1)));
  }

  void attribute(std::uint16_t type, std::span<const std::byte> value) {
    const std::size_t begin = open_nest(type);
    put(value);
    close_nest(begin);
  }
  template <typename Value>
  void attribute(std::uint16_t type, const Value& value) {
    attribute(type, std::as_bytes(std::span(&value, 1)));
  }
  std::size_t open_nest(std::uint16_t type) {
    const std::size_t begin = size_;
    rtattr header{};
    header.rta_type = type;
    put(std::as_bytes(std::span(&header, 1)));
    return begin;
  }
  void close_nest(std::size_t begin) {
    const auto length = static_cast<std::uint16_t>(size_ - begin);
    std::memcpy(&bytes_[begin], &length, sizeof length);
    size_ = RTA_ALIGN(size_);
  }

  std::span<const std::byte> finish() {
    const auto length = static_cast<std::uint32_t>(size_);
    std::memcpy(bytes_.data(), &length, sizeof length);
    return std::span(bytes_).first(size_);
  }

 private:
  void put(std::span<const std::byte> bytes) {
    std::memcpy(&bytes_[size_], bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  alignas(nlmsghdr) std::array<std::byte, 256> bytes_{};
  std::size_t size_ = 0;
};

std::error_code Netlink::open() {
  socket_ = Descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  return socket_ ? std::error_code{} : system_code(errno);
}

struct Netlink::Answer {
  alignas(nlmsghdr) std::array<std::byte, 4096> bytes{};
  std::uint16_t type = 0;

  template <typename Body>
  Body body() const {
    Body value;
    std::memcpy(&value, &bytes[NLMSG_HDRLEN], sizeof value);
    return value;
  }
};

std::error_code Netlink::exchange(Request& request, Answer& answer) {
  const auto message = request.finish();
  if (::send(socket_.get(), message.data(), message.size(), 0) < 0) return system_code(errno);
  const ssize_t size = ::recv(socket_.get(), answer.bytes.data(), answer.bytes.size(), 0);
  if (size < 0) return system_code(errno);
  if (size < NLMSG_HDRLEN) return system_code(EPROTO);
  nlmsghdr header{};
  std::memcpy(&header, answer.bytes.data(), sizeof header);
  answer.type = header.nlmsg_type;
  if (answer.type != NLMSG_ERROR) return {};
  const int error = answer.body<nlmsgerr>().error;
  return error == 0 ? std::error_code{} : system_code(-error);
}

std::error_code Netlink::perform(Request& request) {
  Answer answer;
  if (const auto code = exchange(request, answer)) return code;
  return answer.type == NLMSG_ERROR ? std::error_code{} : system_code(EPROTO);
}

std::error_code Netlink::bring_up(int interface, std::optional<std::uint32_t> mtu) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = interface;
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_ACK, body);
  if (mtu) request.attribute(IFLA_MTU, *mtu);
  return perform(request);
}

std::error_code Netlink::disable_generated_addresses(int interface) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = interface;
  Request request(RTM_NEWLINK, NLM_F_ACK, body);
  const std::size_t families = request.open_nest(IFLA_AF_SPEC);
  const std::size_t ipv6 = request.open_nest(AF_INET6);
  request.attribute(IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE});
  request.close_nest(ipv6);
  request.close_nest(families);
  return perform(request);
}

std::error_code Netlink::add_address(int interface, const Prefix& prefix) {
  const bool v4 = prefix.address.is_v4();
  ifaddrmsg body{};
  body.ifa_family = v4 ? AF_INET : AF_INET6;
  body.ifa_prefixlen = prefix.length;
  body.ifa_index = static_cast<std::uint32_t>(interface);
  // There is nobody on the other side who could answer duplicate address detection.
  body.ifa_flags = v4 ? 0 : IFA_F_NODAD;
  Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, body);
  request.attribute(IFA_LOCAL, bytes_of(prefix.address));
  request.attribute(IFA_ADDRESS, bytes_of(prefix.address));
  if (const auto code = perform(request)) return code;
  return wait_until_local(prefix.address);
}

bool Netlink::is_local(const IpAddress& address) {
  rtmsg body{};
  body.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
  body.rtm_dst_len = address.is_v4() ? 32 : 128;
  Request request(RTM_GETROUTE, 0, body);
  request.attribute(RTA_DST, bytes_of(address));
  Answer answer;
  if (exchange(request, answer)) return false;
  return answer.type == RTM_NEWROUTE && answer.body<rtmsg>().rtm_type == RTN_LOCAL;
}

/// Without duplicate address detection the kernel adds the route to an IPv6 address from a work
/// queue, after it has answered the request. Until then it throws away what is sent to the address:
/// a connection's first SYN.
std::error_code Netlink::wait_until_local(const IpAddress& address) {
  const auto until = std::chrono::steady_clock::now() + kLongestWait;
  while (!is_local(address)) {
    if (std::chrono::steady_clock::now() >= until) return system_code(ETIMEDOUT);
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

}  // namespace hawser::link
