// The real device, in network namespaces that each test makes for itself in a child process.
#include "hawser/tap.hpp"

#include <gtest/gtest.h>
#include <net/if.h>
#include <unistd.h>

#include "tests/link/ethernet.hpp"
#include "tests/link/namespace.hpp"

namespace hawser {
namespace {

using namespace link::testing;

constexpr Instant kNow{};
const MacAddress kOurs({0x02, 0, 0, 0, 0, 2});

class TapTest : public NamespaceTest {};

TapConfig two_families(const std::string& name = "hwt0") {
  return {name, 1400, {*Prefix::parse("10.9.0.1/24"), *Prefix::parse("fd00:9::1/64")}, kOurs};
}

std::unique_ptr<TapDevice> open_tap(const TapConfig& config) {
  auto device = TapDevice::open(config);
  EXPECT_TRUE(device) << device.error().message;
  return device ? std::move(*device) : nullptr;
}

TEST_F(TapTest, HearsTheKernelAskAndSendsToWhomAnswered) {
  in_namespace([] {
    const auto device = open_tap(two_families());
    ASSERT_TRUE(device);
    EXPECT_EQ(device->mac(), kOurs);
    EXPECT_EQ(device->mtu(), 1400U);
    EXPECT_NE(flags_of("hwt0") & IFF_UP, 0U);
    BufferPool pool;
    send_datagram(*IpAddress::parse("10.9.0.2"), pattern(1300));
    const Packet request = read_until(
        *device, pool, [](const Packet& frame) { return ethernet_of(frame).type == kArpType; });
    ASSERT_TRUE(request);
    EXPECT_EQ(ethernet_of(request).destination, MacAddress::broadcast());
    EXPECT_EQ(ethernet_of(request).source, device->kernel_mac());

    // RFC 826: the same packet with the roles exchanged, as a reply.
    Bytes arp = contents(request);
    arp.erase(arp.begin(), arp.begin() + kEthernetHeader);
    arp.resize(28);
    const Bytes asked(arp.begin() + 24, arp.begin() + 28);
    std::copy_n(arp.begin() + 8, 10, arp.begin() + 18);
    std::memcpy(&arp[8], kOurs.bytes().data(), 6);
    std::ranges::copy(asked, arp.begin() + 14);
    arp[7] = std::byte{2};
    Packet reply = packet_of(pool, arp);
    push_ethernet(reply, {device->kernel_mac(), kOurs, kArpType});
    EXPECT_EQ(device->write(kNow, std::span(&reply, 1)), 1U);

    const Packet datagram = read_until(
        *device, pool, [](const Packet& frame) { return ethernet_of(frame).type == kIpv4Type; });
    ASSERT_TRUE(datagram);
    EXPECT_EQ(ethernet_of(datagram).destination, kOurs);
    Bytes data = contents(datagram);
    data.erase(data.begin(), data.begin() + kEthernetHeader + 28);
    EXPECT_EQ(data, pattern(1300));
  });
}

TEST_F(TapTest, TakesWhatTheKernelAnswers) {
  in_namespace([] {
    const auto device = open_tap(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    for (const auto& [ours, kernels] :
         {std::pair{"10.9.0.2", "10.9.0.1"}, std::pair{"fd00:9::2", "fd00:9::1"}}) {
      run(std::string("ip neigh replace ") + ours + " lladdr " + kOurs.to_string() +
          " dev hwt0 nud permanent");
      const IpAddress from = *IpAddress::parse(ours);
      Packet request =
          echo_frame(pool, {device->kernel_mac(), kOurs, from.is_v4() ? kIpv4Type : kIpv6Type},
                     from, *IpAddress::parse(kernels), pattern(1200));
      EXPECT_EQ(device->write(kNow, std::span(&request, 1)), 1U);
      EXPECT_FALSE(request);
      EXPECT_EQ(device->refused(), 0U);
      const Packet reply = read_until(*device, pool, [](const Packet& frame) {
        return echo_reply_data(frame.share()) == pattern(1200);
      });
      ASSERT_TRUE(reply) << kernels;
      EXPECT_EQ(ethernet_of(reply).destination, kOurs);
      EXPECT_EQ(ethernet_of(reply).source, device->kernel_mac());
    }
  });
}

TEST_F(TapTest, GivesTheLargestFrameWithATagWhole) {
  in_namespace([] {
    const auto device = open_tap(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    Packet tagged = packet_of(pool, pattern(1404));  // four bytes of them belong to the tag
    push_ethernet(tagged, {kOurs, device->kernel_mac(), 0x8100});
    send_raw("hwt0", contents(tagged));
    const Packet frame = read_until(*device, pool, [](const Packet& candidate) {
      return ethernet_of(candidate).type == 0x8100;
    });
    ASSERT_TRUE(frame);
    EXPECT_EQ(contents(frame), contents(tagged));
  });
}

TEST_F(TapTest, CountsWhatTheKernelRefuses) {
  in_namespace([] {
    const auto device = open_tap(two_families());
    ASSERT_TRUE(device);
    BufferPool pool;
    Packet noise = packet_of(pool, pattern(13));
    EXPECT_EQ(device->write(kNow, std::span(&noise, 1)), 1U);
    EXPECT_EQ(device->refused(), 1U);
  });
}

TEST_F(TapTest, DrawsAnAddressOfItsOwn) {
  in_namespace([] {
    const auto one = open_tap({.name = "hwt0"});
    const auto two = open_tap({.name = "hwt1"});
    ASSERT_TRUE(one && two);
    for (const auto* device : {one.get(), two.get()}) {
      EXPECT_FALSE(device->mac()->is_multicast());
      EXPECT_EQ(device->mac()->bytes()[0] & 2, 2) << "locally administered";
      EXPECT_NE(device->mac(), device->kernel_mac());
    }
    EXPECT_NE(one->mac(), two->mac());
  });
}

TEST_F(TapTest, RefusesAnAddressThatCannotBeOurs) {
  in_namespace([] {
    const auto refusal = [](const MacAddress& mac) {
      const auto device = TapDevice::open({.name = "hwt0", .mac = mac});
      EXPECT_FALSE(device);
      return device ? "" : device.error().message;
    };
    EXPECT_NE(refusal(MacAddress::broadcast()).find("one host"), std::string::npos);
    EXPECT_NE(refusal(MacAddress{}).find("one host"), std::string::npos);
    EXPECT_EQ(::if_nametoindex("hwt0"), 0U) << "nothing is left behind";

    run("ip tuntap add dev hwt0 mode tap");
    const MacAddress kernels = open_tap({.name = "hwt0"})->kernel_mac();
    EXPECT_NE(refusal(kernels).find("the kernel's own address on hwt0"), std::string::npos);
  });
}

TEST_F(TapTest, TellsItsKindWhenTheNameIsTaken) {
  in_namespace([] {
    run("ip tuntap add dev hwt0 mode tun");
    const auto device = TapDevice::open({.name = "hwt0"});
    ASSERT_FALSE(device);
    EXPECT_NE(device.error().message.find("the TAP interface hwt0"), std::string::npos);
    EXPECT_NE(device.error().message.find("is no TAP"), std::string::npos)
        << device.error().message;
    const auto first = open_tap(two_families("hwt1"));
    const auto second = TapDevice::open(two_families("hwt1"));
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("the TAP interface hwt1 is in use"), std::string::npos);
  });
}

TEST(TapConfig, IsCheckedBeforeAnythingIsOpened) {
  const auto device = TapDevice::open({.name = "a", .mtu = 65535});
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message.find("65521"), std::string::npos) << device.error().message;
}

}  // namespace
}  // namespace hawser
