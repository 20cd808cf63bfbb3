// The real device, in network namespaces that each test makes for itself in a child process. They
// need root; an ordinary user is told so.
#include "hawser/tun.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "link/netlink.hpp"
#include "tests/link/namespace.hpp"
#include "tests/link/support.hpp"
#include "wire/icmp.hpp"
#include "wire/ip.hpp"

namespace hawser {
namespace {

using link::testing::Bytes;
using link::testing::contents;
using link::testing::flags_of;
using link::testing::kGenerous;
using link::testing::packet_of;
using link::testing::pattern;
using link::testing::polls;
using link::testing::send_datagram;

constexpr Instant kNow{};

class TunTest : public link::testing::NamespaceTest {};

TunConfig two_families(const std::string& name = "hwt0") {
  return {name, 1400, {*Prefix::parse("10.9.0.1/24"), *Prefix::parse("fd00:9::1/64")}};
}

/// The device, or a failure with its message.
std::unique_ptr<TunDevice> open_tun(const TunConfig& config) {
  auto device = TunDevice::open(config);
  EXPECT_TRUE(device) << device.error().message;
  return device ? std::move(*device) : nullptr;
}

/// Reads until a packet of `protocol` comes: the kernel may have something of its own to say.
Packet read_protocol(TunDevice& device, BufferPool& pool, std::uint8_t protocol) {
  while (polls(device.descriptor(), POLLIN, kGenerous)) {
    std::vector<Packet> frames;
    device.read(kNow, pool, frames, 1);
    for (Packet& frame : frames) {
      const auto ip = wire::parse_ip(frame.head(), frame.size());
      if (ip && ip->header.protocol == protocol) return std::move(frame);
    }
  }
  return Packet{};
}

TEST_F(TunTest, GivesWhatTheKernelSends) {
  in_namespace([] {
    const auto device = open_tun(two_families());
    ASSERT_TRUE(device);
    EXPECT_EQ(device->name(), "hwt0");
    EXPECT_EQ(device->mtu(), 1400U);
    EXPECT_NE(flags_of("hwt0") & IFF_UP, 0U);
    BufferPool pool;
    for (const char* text : {"10.9.0.2", "fd00:9::2"}) {
      const IpAddress to = *IpAddress::parse(text);
      for (const std::size_t size : {1U, 1300U}) {
        send_datagram(to, pattern(size));
        const Packet frame = read_protocol(*device, pool, 17);
        ASSERT_TRUE(frame) << text;
        const auto ip = wire::parse_ip(frame.head(), frame.size());
        EXPECT_EQ(ip->header.destination, to);
        EXPECT_EQ(ip->header.source, *IpAddress::parse(to.is_v4() ? "10.9.0.1" : "fd00:9::1"));
        Bytes data = contents(frame);
        data.erase(data.begin(), data.begin() + ip->header_bytes + 8);
        EXPECT_EQ(data, pattern(size));
      }
    }
  });
}

TEST_F(TunTest, TakesWhatTheKernelAnswers) {
  in_namespace([] {
    const auto device = open_tun(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    for (const auto& [ours, kernels] :
         {std::pair{"10.9.0.2", "10.9.0.1"}, std::pair{"fd00:9::2", "fd00:9::1"}}) {
      wire::IpHeader ip;
      ip.source = *IpAddress::parse(ours);
      ip.destination = *IpAddress::parse(kernels);
      ip.protocol = ip.source.is_v4() ? 1 : 58;
      Packet request = packet_of(pool, pattern(1200));  // in several pieces
      wire::push_icmp_echo(request, {.identifier = 7, .sequence = 9}, ip.source, ip.destination);
      wire::push_ip(request, ip);
      EXPECT_EQ(device->write(kNow, std::span(&request, 1)), 1U);
      EXPECT_FALSE(request);
      EXPECT_EQ(device->refused(), 0U);
      // Over IPv6 the kernel may first report multicast groups.
      bool answered = false;
      while (!answered) {
        Packet reply = read_protocol(*device, pool, ip.protocol);
        ASSERT_TRUE(reply) << "no answer to " << kernels;
        const auto parsed = wire::parse_ip(reply.head(), reply.size());
        reply.trim_front(parsed->header_bytes);
        const auto icmp =
            wire::parse_icmp(reply, parsed->header.source, parsed->header.destination);
        const auto* echo = icmp ? std::get_if<wire::IcmpEcho>(&*icmp) : nullptr;
        if (echo == nullptr) continue;
        answered = true;
        EXPECT_TRUE(echo->reply);
        EXPECT_EQ(echo->sequence, 9);
        reply.trim_front(wire::kIcmpHeader);
        EXPECT_EQ(contents(reply), pattern(1200));
      }
    }
  });
}

// The kernel adds the route to an IPv6 address after it has answered the request for the address:
// what was sent to it at once was lost, once in some hundred times on a busy machine.
TEST_F(TunTest, IsReadyForPacketsOnceOpen) {
  for (int round = 0; round < 30; ++round) {
    in_namespace([] {
      const auto device = open_tun(two_families());
      ASSERT_TRUE(device);
      link::Netlink netlink;
      ASSERT_FALSE(netlink.open());
      EXPECT_TRUE(netlink.is_local(*IpAddress::parse("fd00:9::1")));
      EXPECT_TRUE(netlink.is_local(*IpAddress::parse("10.9.0.1")));
      EXPECT_FALSE(netlink.is_local(*IpAddress::parse("fd00:9::2")));
      EXPECT_FALSE(netlink.is_local(*IpAddress::parse("10.9.0.2")));
    });
  }
}

TEST_F(TunTest, ReadsInBatchesUntilThereIsNoMore) {
  in_namespace([] {
    const auto device = open_tun(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    for (int i = 0; i < 20; ++i) send_datagram(*IpAddress::parse("10.9.0.2"), pattern(100));
    ASSERT_TRUE(polls(device->descriptor(), POLLIN, kGenerous));
    std::vector<Packet> frames;
    EXPECT_EQ(device->read(kNow, pool, frames, 5), 5U);
    EXPECT_GE(device->read(kNow, pool, frames, 100), 15U);
    EXPECT_EQ(device->read(kNow, pool, frames, 100), 0U);
    EXPECT_FALSE(polls(device->descriptor(), POLLIN));
  });
}

TEST_F(TunTest, CountsWhatTheKernelRefuses) {
  in_namespace([] {
    const auto device = open_tun(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    Packet noise = packet_of(pool, Bytes(40, std::byte{0xff}));
    EXPECT_EQ(device->write(kNow, std::span(&noise, 1)), 1U);
    EXPECT_EQ(device->refused(), 1U);
    EXPECT_FALSE(device->wants_writable());
  });
}

TEST_F(TunTest, GoesWithItsOwnerUnlessItWasThereBefore) {
  in_namespace([] {
    auto device = open_tun(two_families("hwt1"));
    ASSERT_TRUE(device);
    EXPECT_NE(::if_nametoindex("hwt1"), 0U);
    device.reset();
    EXPECT_EQ(::if_nametoindex("hwt1"), 0U);

    const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    ifreq request{};
    std::memcpy(request.ifr_name, "hwt2", 4);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    ASSERT_EQ(::ioctl(fd, TUNSETIFF, &request), 0);
    ASSERT_EQ(::ioctl(fd, TUNSETPERSIST, 1), 0);
    ::close(fd);
    device = open_tun(two_families("hwt2"));
    ASSERT_TRUE(device);
    device.reset();
    EXPECT_NE(::if_nametoindex("hwt2"), 0U);
    EXPECT_TRUE(open_tun(two_families("hwt2"))) << "addresses that are there are no error";
  });
}

TEST_F(TunTest, LetsTheKernelChooseANameAndKeepsItsMtu) {
  in_namespace([] {
    const auto device = open_tun({});
    ASSERT_TRUE(device);
    EXPECT_NE(::if_nametoindex(device->name().c_str()), 0U);
    EXPECT_EQ(device->mtu(), 1500U);
  });
}

TEST_F(TunTest, SaysThatAnotherProgramHasIt) {
  in_namespace([] {
    const auto first = open_tun(two_families());
    ASSERT_TRUE(first);
    const auto second = TunDevice::open(two_families());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, std::errc::device_or_resource_busy);
    EXPECT_NE(second.error().message.find("hwt0 is in use by another program"), std::string::npos)
        << second.error().message;
  });
}

TEST_F(TunTest, SaysThatTheNameBelongsToAnotherKindOfInterface) {
  in_namespace([] {
    const auto device = TunDevice::open({.name = "lo"});
    ASSERT_FALSE(device);
    EXPECT_NE(device.error().message.find("no TUN"), std::string::npos) << device.error().message;
  });
}

TEST_F(TunTest, SaysWhatPrivilegeIsMissing) {
  in_namespace([] {
    ASSERT_EQ(::setuid(65534), 0);
    const auto device = TunDevice::open(two_families());
    ASSERT_FALSE(device);
    EXPECT_NE(device.error().message.find("needs CAP_NET_ADMIN"), std::string::npos)
        << device.error().message;
    EXPECT_EQ(device.error().message.find('\n'), std::string::npos);
  });
}

TEST(TunConfig, IsCheckedBeforeAnythingIsOpened) {
  const auto message = [](const TunConfig& config) {
    const auto device = TunDevice::open(config);
    EXPECT_FALSE(device);
    EXPECT_EQ(device.error().code, std::errc::invalid_argument);
    return device.error().message;
  };
  EXPECT_NE(message({.name = "sixteen-bytes-xx"}).find("sixteen-bytes-xx"), std::string::npos);
  EXPECT_NE(message({.name = "a/b"}).find("a/b"), std::string::npos);
  EXPECT_NE(message({.name = "a", .mtu = 100}).find("100"), std::string::npos);
  EXPECT_NE(message({.name = "a", .mtu = 65536}).find("65536"), std::string::npos);
  EXPECT_NE(message({.name = "a", .mtu = 1279, .host_addresses = {*Prefix::parse("fd00::1/64")}})
                .find("1280"),
            std::string::npos);
}

}  // namespace
}  // namespace hawser
