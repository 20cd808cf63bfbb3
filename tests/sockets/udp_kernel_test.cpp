// UDP and ICMP sockets against those of the kernel, over a TUN in a network namespace that each
// test makes for itself in a child process. They need root; an ordinary user is told so.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "hawser/host.hpp"
#include "hawser/sockets.hpp"
#include "hawser/tun.hpp"
#include "tests/link/namespace.hpp"
#include "tests/link/support.hpp"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using link::testing::pattern;

constexpr auto kLong = 20s;
constexpr std::uint16_t kPort = 7000;
const IpAddress kOurs4 = IpAddress::v4(10, 9, 0, 2);
const IpAddress kKernels4 = IpAddress::v4(10, 9, 0, 1);
const IpAddress kKernels6 = *IpAddress::parse("fd00:9::1");
const IpAddress kGroup = IpAddress::v4(239, 1, 2, 3);

/// Where the kernel is, and how it is written there.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_kernel(const IpAddress& address, std::uint16_t port) {
  SocketAddress result;
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, address.v4_bytes().data(), 4);
    result.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes().data(), 16);
    result.size = sizeof *v6;
  }
  return result;
}

/// A UDP socket of the kernel, bound to `address`; it waits for at most as long as is generous.
class KernelSocket {
 public:
  KernelSocket(const IpAddress& address, std::uint16_t port)
      : fd_(::socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    SocketAddress where = to_kernel(address, port);
    EXPECT_EQ(::bind(fd_, where.get(), where.size), 0) << std::strerror(errno);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~KernelSocket() { ::close(fd_); }
  KernelSocket(const KernelSocket&) = delete;
  KernelSocket& operator=(const KernelSocket&) = delete;

  int get() const { return fd_; }
  std::vector<std::byte> receive(SocketAddress* from = nullptr) const {
    std::vector<std::byte> room(65536);
    SocketAddress sender;
    sender.size = sizeof sender.storage;
    const ssize_t got = ::recvfrom(fd_, room.data(), room.size(), 0, sender.get(), &sender.size);
    EXPECT_GE(got, 0) << std::strerror(errno);
    room.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (from != nullptr) *from = sender;
    return room;
  }
  void send(std::span<const std::byte> data, SocketAddress to) const {
    EXPECT_EQ(::sendto(fd_, data.data(), data.size(), 0, to.get(), to.size),
              static_cast<ssize_t>(data.size()))
        << std::strerror(errno);
  }

 private:
  int fd_;
};

class WithKernel : public link::testing::NamespaceTest {
 protected:
  static Host make_host() {
    auto device = TunDevice::open(
        {"hwt0", 1400, {*Prefix::parse("10.9.0.1/24"), *Prefix::parse("fd00:9::1/64")}});
    if (!device) throw std::runtime_error(device.error().message);
    HostConfig config;
    config.stack.interfaces.push_back(
        {.name = "hwt0",
         .addresses = {*Prefix::parse("10.9.0.2/24"), *Prefix::parse("fd00:9::2/64")}});
    return Host(std::move(config), std::move(*device));
  }
};

TEST_F(WithKernel, DatagramsGoBothWaysInOnePieceAndInMany) {
  in_namespace([] {
    Host host = make_host();
    UdpSocket ours = UdpSocket::open(host).value();
    std::vector<std::byte> room(65536);
    for (const IpAddress& address : {kKernels4, kKernels6}) {
      const KernelSocket kernels(address, kPort);
      for (const std::size_t size : {0U, 1U, 1300U, 5000U, 40000U}) {
        SCOPED_TRACE(address.to_string() + ", bytes: " + std::to_string(size));
        const auto data = pattern(size);
        ASSERT_TRUE(ours.send_to(data, {address, Port{kPort}}));
        SocketAddress sender;
        EXPECT_EQ(kernels.receive(&sender), data);
        kernels.send(data, sender);
        const IoResult<UdpReceived> got = ours.receive_from(room, kLong);
        ASSERT_TRUE(got) << got.error().message();
        EXPECT_EQ(got->source, (Endpoint{address, Port{kPort}}));
        EXPECT_TRUE(std::equal(data.begin(), data.end(), room.begin(),
                               room.begin() + static_cast<std::ptrdiff_t>(got->size)));
      }
    }
  });
}

TEST_F(WithKernel, TheKernelRefusesWhereNobodyListens) {
  in_namespace([] {
    Host host = make_host();
    std::array<std::byte, 64> room{};
    for (const IpAddress& address : {kKernels4, kKernels6}) {
      UdpSocket ours = UdpSocket::open(host).value();
      ASSERT_TRUE(ours.connect({address, Port{kPort}}));
      ASSERT_TRUE(ours.send(pattern(20)));
      EXPECT_EQ(ours.receive_from(room, kLong).error(), Error::connection_refused);
    }
    // And we refuse: the kernel's socket learns it.
    const KernelSocket kernels(kKernels4, kPort);
    SocketAddress where = to_kernel(kOurs4, kPort);
    ASSERT_EQ(::connect(kernels.get(), where.get(), where.size), 0);
    ASSERT_EQ(::send(kernels.get(), room.data(), room.size(), 0), 64);
    EXPECT_LT(::recv(kernels.get(), room.data(), room.size(), 0), 0);
    EXPECT_EQ(errno, ECONNREFUSED);
  });
}

TEST_F(WithKernel, TheKernelAnswersEchoes) {
  in_namespace([] {
    Host host = make_host();
    IcmpSocket ours = IcmpSocket::open(host).value();
    std::vector<std::byte> room(65536);
    std::uint16_t sequence = 0;
    for (const IpAddress& address : {kKernels4, kKernels6}) {
      for (const std::size_t size : {0U, 56U, 4000U}) {
        ++sequence;
        const auto data = pattern(size);
        ASSERT_TRUE(ours.send({address, Port{}}, data, {.sequence = sequence}));
        const IoResult<EchoAnswer> answer = ours.receive(room, kLong);
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_FALSE(answer->error);
        EXPECT_EQ(answer->sequence, sequence);
        EXPECT_EQ(answer->from, address);
        EXPECT_EQ(answer->length, size);
        EXPECT_TRUE(std::equal(data.begin(), data.end(), room.begin()));
      }
    }
  });
}

TEST_F(WithKernel, GroupsReachTheKernelAndCome) {
  in_namespace([] {
    Host host = make_host();
    const KernelSocket kernels(IpAddress::any(Family::ipv4), kPort);
    ip_mreqn membership{};
    membership.imr_ifindex = static_cast<int>(::if_nametoindex("hwt0"));
    std::memcpy(&membership.imr_multiaddr, kGroup.v4_bytes().data(), 4);
    ASSERT_EQ(
        ::setsockopt(kernels.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership),
        0);
    ASSERT_EQ(
        ::setsockopt(kernels.get(), IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership),
        0);
    UdpSocket ours = UdpSocket::bind(host, {IpAddress{}, Port{kPort}}).value();
    ASSERT_TRUE(ours.join(kGroup));
    UdpSettings settings = ours.settings().value();
    settings.multicast_loop = false;
    ASSERT_TRUE(ours.set_settings(settings));
    ASSERT_TRUE(ours.send_to(pattern(33), {kGroup, Port{kPort}}));
    EXPECT_EQ(kernels.receive(), pattern(33));
    kernels.send(pattern(44), to_kernel(kGroup, kPort));
    std::vector<std::byte> room(2048);
    const IoResult<UdpReceived> got = ours.receive_from(room, kLong);
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->size, 44U);
    EXPECT_EQ(got->destination, kGroup);
  });
}

}  // namespace
}  // namespace hawser
