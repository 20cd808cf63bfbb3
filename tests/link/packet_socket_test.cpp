// Packet sockets on a veth pair, in network namespaces that each test makes for itself in a child
// process: the device on one end, the kernel on both.
#include "hawser/packet_socket.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "link/interface.hpp"
#include "link/offload.hpp"
#include "tests/link/ethernet.hpp"
#include "tests/link/namespace.hpp"
#include "wire/checksum.hpp"
#include "wire/tcp.hpp"

namespace hawser {
namespace {

using namespace link::testing;

constexpr Instant kNow{};
const MacAddress kOurs({0x02, 0, 0, 0, 0, 2});

class PacketSocketTest : public NamespaceTest {
 protected:
  bool needs_tun() const override { return false; }
};

/// hwv0, where the device is, and hwv1, whose kernel has addresses and knows ours. The kernel has
/// none on hwv0: both ends are in one namespace.
/// Both ends up, and known to be: the kernel loses what is sent before it has noticed the carrier.
void bring_up() {
  run("ip link set hwv0 up && ip link set hwv1 up");
  for (const std::string end : {"hwv0", "hwv1"}) {
    run("timeout 60 sh -c 'until ip link show " + end +
        " | grep -q \"state UP\"; do sleep 0.01; done'");
  }
}

void make_veth() {
  run("ip link add hwv0 type veth peer name hwv1");
  bring_up();
  run("ip addr add 10.9.0.1/24 dev hwv1 && ip addr add fd00:9::1/64 dev hwv1 nodad");
  for (const char* address : {"10.9.0.2", "fd00:9::2"}) {
    run(std::string("ip neigh replace ") + address + " lladdr " + kOurs.to_string() +
        " dev hwv1 nud permanent");
  }
}

std::unique_ptr<PacketSocketDevice> open_device(std::optional<MacAddress> mac = kOurs) {
  auto device = PacketSocketDevice::open({"hwv0", mac});
  EXPECT_TRUE(device) << device.error().message;
  return device ? std::move(*device) : nullptr;
}

MacAddress mac_of(const std::string& interface) { return link::look_at(interface)->mac; }

bool is_udp(const Packet& frame) {
  const std::uint16_t type = ethernet_of(frame).type;
  if (type != kIpv4Type && type != kIpv6Type) return false;
  return read_u8(frame, kEthernetHeader + (type == kIpv4Type ? 9 : 6)) == 17;
}

Bytes udp_data(const Packet& frame) {
  const bool v4 = ethernet_of(frame).type == kIpv4Type;
  Bytes data = contents(frame);
  data.erase(data.begin(), data.begin() + kEthernetHeader + (v4 ? 28 : 48));
  return data;
}

/// Whether the checksum of UDP in the frame is right.
bool has_right_checksum(const Packet& frame) {
  Packet packet = frame.share();
  packet.trim_front(kEthernetHeader);
  const auto ip = wire::parse_ip(packet.head(), packet.size());
  wire::Checksum sum;
  sum.add_pseudo_header(ip->header.source, ip->header.destination, 17, ip->payload_bytes);
  packet.trim_front(ip->header_bytes);
  sum.add(packet);
  return sum.value() == 0;
}

/// A TCP segment of any size whose checksum is left open.
Packet large_segment(BufferPool& pool, const EthernetFrame& ethernet, std::size_t payload) {
  Packet packet = packet_of(pool, pattern(payload));
  wire::IpHeader ip;
  ip.source = *IpAddress::parse("10.9.0.1");
  ip.destination = *IpAddress::parse("10.9.0.2");
  ip.protocol = 6;
  TcpHeader tcp;
  tcp.source = Port{1};
  tcp.destination = Port{2};
  tcp.flags = TcpFlag::ack;
  wire::push_tcp(packet, tcp, ip.source, ip.destination);
  wire::push_ip(packet, ip);
  push_ethernet(packet, ethernet);
  return packet;
}

/// What the kernel's own TCP says of such a segment over IPv4.
Bytes offload_of_tcp() {
  link::OffloadHeader header;
  header.flags = link::OffloadHeader::kNeedsChecksum;
  header.segmentation = link::OffloadHeader::kTcp4;
  header.header_bytes = kEthernetHeader + 40;
  header.segment_bytes = 1460;
  header.checksum_start = kEthernetHeader + 20;
  header.checksum_offset = 16;
  const auto bytes = std::as_bytes(std::span(&header, 1));
  return {bytes.begin(), bytes.end()};
}

TEST_F(PacketSocketTest, GivesWhatTheOtherEndSendsToUs) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    EXPECT_EQ(device->mtu(), 1500U);
    EXPECT_EQ(device->mac(), kOurs);
    EXPECT_EQ(device->kernel_mac(), mac_of("hwv0"));
    BufferPool pool;
    for (const char* to : {"10.9.0.2", "fd00:9::2"}) {
      for (const std::size_t size : {1U, 1400U}) {
        send_datagram(*IpAddress::parse(to), pattern(size));
        const Packet frame = read_until(*device, pool, is_udp);
        ASSERT_TRUE(frame) << to;
        EXPECT_EQ(ethernet_of(frame).destination, kOurs);
        EXPECT_EQ(ethernet_of(frame).source, mac_of("hwv1"));
        EXPECT_EQ(udp_data(frame), pattern(size));
      }
    }
    EXPECT_EQ(device->lost(), 0U);
  });
}

// A veth leaves checksums open, since no wire will see them: such a frame looks corrupt.
TEST_F(PacketSocketTest, VouchesForChecksumsThatWereLeftOpen) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    send_datagram(*IpAddress::parse("10.9.0.2"), pattern(100));
    const Packet open = read_until(*device, pool, is_udp);
    ASSERT_TRUE(open);
    EXPECT_FALSE(has_right_checksum(open)) << "else this test shows nothing";
    EXPECT_EQ(open.checksum(), ChecksumMark::verified);

    for (const std::size_t size : {1U, 100U, 1401U}) {
      const auto completing = PacketSocketDevice::open({"hwv0", kOurs, true}).value();
      for (const char* to : {"10.9.0.2", "fd00:9::2"}) {
        send_datagram(*IpAddress::parse(to), pattern(size));
        const Packet completed = read_until(*completing, pool, is_udp);
        ASSERT_TRUE(completed);
        EXPECT_TRUE(has_right_checksum(completed));
        EXPECT_EQ(udp_data(completed), pattern(size));
        EXPECT_TRUE(read_until(*device, pool, is_udp));
      }
    }

    // What a raw sender has filled in, nobody vouches for.
    Packet filled = echo_frame(pool, {kOurs, mac_of("hwv1"), kIpv4Type},
                               *IpAddress::parse("10.9.0.1"), *IpAddress::parse("10.9.0.2"), {});
    send_raw("hwv1", contents(filled));
    const Packet frame = read_until(*device, pool, [](const Packet& candidate) {
      return read_u8(candidate, kEthernetHeader + 9) == 1;
    });
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame.checksum(), ChecksumMark::in_frame);
  });
}

TEST_F(PacketSocketTest, TakesWhatTheOtherEndAnswers) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    for (const auto& [ours, kernels] :
         {std::pair{"10.9.0.2", "10.9.0.1"}, std::pair{"fd00:9::2", "fd00:9::1"}}) {
      const IpAddress from = *IpAddress::parse(ours);
      const std::uint16_t type = from.is_v4() ? kIpv4Type : kIpv6Type;
      // Several batches. Large ones would not do: when others keep the kernel busy it answers many
      // at once, and the replies that its ICMP socket has no room for are lost.
      std::vector<Packet> requests;
      for (std::size_t i = 0; i < 100; ++i) {
        requests.push_back(echo_frame(pool, {mac_of("hwv1"), kOurs, type}, from,
                                      *IpAddress::parse(kernels), pattern(100, i)));
      }
      EXPECT_EQ(device->write(kNow, requests), 100U);
      for (const Packet& request : requests) EXPECT_FALSE(request) << "left empty";
      for (std::size_t i = 0; i < 100; ++i) {
        const Packet reply = read_until(*device, pool, [](const Packet& frame) {
          return echo_reply_data(frame.share()).has_value();
        });
        ASSERT_TRUE(reply) << kernels << " " << i;
        EXPECT_EQ(echo_reply_data(reply.share()), pattern(100, i));
      }
    }
    EXPECT_EQ(device->refused(), 0U);
  });
}

TEST_F(PacketSocketTest, ReadsNeitherItsOwnNorTheKernelsFrames) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    const MacAddress kernels = mac_of("hwv0");
    const auto frame_to = [&](const MacAddress& to, const MacAddress& from, std::size_t number) {
      Packet frame = packet_of(pool, pattern(100, number));
      push_ethernet(frame, {to, from, 0x88b5});  // for experiments
      return frame;
    };
    Packet own = frame_to(MacAddress::broadcast(), kOurs, 1);
    EXPECT_EQ(device->write(kNow, std::span(&own, 1)), 1U);
    send_raw("hwv0", contents(frame_to(MacAddress::broadcast(), kernels, 2)));  // leaves
    send_raw("hwv1", contents(frame_to(kernels, mac_of("hwv1"), 3)));           // not to us
    send_raw("hwv1", contents(frame_to(MacAddress({2, 0, 0, 0, 0, 3}), mac_of("hwv1"), 4)));
    for (const MacAddress& to :
         {MacAddress::broadcast(), MacAddress({0x33, 0x33, 0, 0, 0, 1}), kOurs}) {
      send_raw("hwv1", contents(frame_to(to, mac_of("hwv1"), 5)));
      const Packet frame = read_until(
          *device, pool, [](const Packet& seen) { return ethernet_of(seen).type == 0x88b5; });
      ASSERT_TRUE(frame);
      EXPECT_EQ(ethernet_of(frame).destination, to);
      EXPECT_EQ(contents(frame), contents(frame_to(to, mac_of("hwv1"), 5)));
    }
  });
}

TEST_F(PacketSocketTest, GivesATagBackToTheFrame) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    Packet tagged = packet_of(pool, pattern(1504));
    tagged.own_bytes()[0] = std::byte{0x60};  // priority 3, VID 5
    tagged.own_bytes()[1] = std::byte{0x05};
    push_ethernet(tagged, {kOurs, mac_of("hwv1"), 0x8100});
    send_raw("hwv1", contents(tagged));
    const Packet frame = read_until(
        *device, pool, [](const Packet& seen) { return ethernet_of(seen).type == 0x8100; });
    ASSERT_TRUE(frame);
    EXPECT_EQ(contents(frame), contents(tagged));
  });
}

// TCP gives segments of up to 64 KiB to a veth, which would have to cut them only for a wire.
TEST_F(PacketSocketTest, GivesSegmentsLargerThanTheMtuWhole) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    for (const std::size_t payload : {std::size_t{2010}, std::size_t{20000}, std::size_t{65000}}) {
      const Bytes sent = contents(large_segment(pool, {kOurs, mac_of("hwv1"), kIpv4Type}, payload));
      Bytes offloaded = sent;
      const Bytes header = offload_of_tcp();
      offloaded.insert(offloaded.begin(), header.begin(), header.end());
      send_raw("hwv1", offloaded, true);
      const Packet frame = read_until(*device, pool, [](const Packet& seen) {
        return ethernet_of(seen).type == kIpv4Type && read_u8(seen, kEthernetHeader + 9) == 6;
      });
      ASSERT_TRUE(frame) << payload;
      EXPECT_EQ(contents(frame), sent);
      EXPECT_EQ(frame.checksum(), ChecksumMark::verified);
      EXPECT_GE(frame.head().size(), 54U) << "all headers are in the first piece";
    }
  });
}

TEST_F(PacketSocketTest, CutsDatagramsThatCameAsOneFrame) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    for (const char* to : {"10.9.0.2", "fd00:9::2"}) {
      BufferPool pool;
      send_datagram(*IpAddress::parse(to), pattern(10 * 1000 + 7), 1000);
      send_datagram(*IpAddress::parse(to), pattern(1));
      std::vector<Packet> frames;
      std::uint16_t identification = 0;
      for (std::size_t i = 0; i < 12; ++i) {  // one at a time, so that the others wait
        const Packet frame = read_until(*device, pool, is_udp);
        ASSERT_TRUE(frame) << i;
        const Bytes whole = pattern(10 * 1000 + 7);
        const std::size_t size = i < 10 ? 1000 : i == 10 ? 7 : 1;
        const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(i < 11 ? i * 1000 : 0);
        EXPECT_EQ(udp_data(frame), Bytes(begin, begin + static_cast<std::ptrdiff_t>(size))) << i;
        if (i == 11) break;
        EXPECT_TRUE(has_right_checksum(frame));
        EXPECT_EQ(frame.checksum(), ChecksumMark::verified);
        Bytes ids(2);
        frame.copy_to(kEthernetHeader + 4, ids);
        if (i > 0 && i < 11 && ethernet_of(frame).type == kIpv4Type) {
          EXPECT_EQ(wire::read16(ids.data()), static_cast<std::uint16_t>(identification + 1));
        }
        identification = wire::read16(ids.data());
      }
    }
    EXPECT_EQ(device->lost(), 0U);
  });
}

TEST_F(PacketSocketTest, ReadsInBatchesUntilThereIsNoMore) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    for (std::size_t i = 0; i < 100; ++i) {
      send_datagram(*IpAddress::parse("10.9.0.2"), pattern(100, i));
    }
    ASSERT_TRUE(polls(device->descriptor(), POLLIN, kGenerous));
    std::vector<Packet> frames;
    EXPECT_EQ(device->read(kNow, pool, frames, 5), 5U);
    EXPECT_GE(device->read(kNow, pool, frames, 1000), 95U);
    EXPECT_EQ(device->read(kNow, pool, frames, 1000), 0U);
    EXPECT_FALSE(polls(device->descriptor(), POLLIN));
    EXPECT_EQ(device->next_deadline(), kNever);
    std::erase_if(frames, [](const Packet& frame) { return !is_udp(frame); });
    ASSERT_EQ(frames.size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(udp_data(frames[i]), pattern(100, i));
  });
}

TEST_F(PacketSocketTest, GivesFewerFramesWhenThePoolIsExhausted) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool(300 * 1024);
    for (std::size_t i = 0; i < 20; ++i) {
      send_datagram(*IpAddress::parse("10.9.0.2"), pattern(100, i));
    }
    std::vector<Packet> frames;
    std::size_t seen = 0;
    while (seen < 20 && polls(device->descriptor(), POLLIN, kGenerous)) {
      ASSERT_GT(device->read(kNow, pool, frames, 100), 0U);
      seen += static_cast<std::size_t>(std::ranges::count_if(frames, is_udp));
      frames.clear();
    }
    EXPECT_EQ(seen, 20U);
  });
}

TEST_F(PacketSocketTest, LosesWhatCannotBeSentAndGoesOnWhenTheInterfaceIsUpAgain) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    Packet frames[] = {packet_of(pool, pattern(13)), packet_of(pool, pattern(1700))};
    EXPECT_EQ(device->write(kNow, frames), 2U);
    EXPECT_EQ(device->refused(), 2U);
    run("ip link set hwv0 down");
    Packet lost = packet_of(pool, pattern(100));
    EXPECT_EQ(device->write(kNow, std::span(&lost, 1)), 1U);
    EXPECT_EQ(device->refused(), 3U);
    EXPECT_FALSE(device->wants_writable());
    std::vector<Packet> none;
    device->read(kNow, pool, none, 10);
    bring_up();
    send_datagram(*IpAddress::parse("10.9.0.2"), pattern(100));
    EXPECT_TRUE(read_until(*device, pool, is_udp));
  });
}

TEST_F(PacketSocketTest, SaysThatTheInterfaceWasRemoved) {
  in_namespace([] {
    make_veth();
    const auto device = open_device();
    ASSERT_TRUE(device);
    BufferPool pool;
    std::vector<Packet> frames;
    run("ip link set hwv0 down");
    ASSERT_TRUE(polls(device->descriptor(), POLLIN | POLLERR, kGenerous));
    device->read(kNow, pool, frames, 100);
    EXPECT_LE(device->next_deadline(), kNow + std::chrono::seconds(1)) << "it may come back";
    EXPECT_FALSE(device->fault());
    run("ip link set hwv0 up");
    device->read(kNow + std::chrono::seconds(1), pool, frames, 100);
    EXPECT_EQ(device->next_deadline(), kNever);

    run("ip link delete hwv0");
    ASSERT_TRUE(polls(device->descriptor(), POLLIN | POLLERR, kGenerous));
    device->read(kNow + std::chrono::seconds(2), pool, frames, 100);
    device->read(kNow + std::chrono::seconds(3), pool, frames, 100);
    ASSERT_TRUE(device->fault());
    EXPECT_EQ(device->fault()->message, "the interface hwv0 was removed");
    EXPECT_EQ(device->next_deadline(), kNever);
    EXPECT_FALSE(polls(device->descriptor(), POLLIN | POLLERR)) << "no busy loop";
  });
}

TEST_F(PacketSocketTest, SaysWhatToDo) {
  in_namespace([] {
    make_veth();
    const auto refusal = [](const PacketSocketConfig& config) {
      const auto device = PacketSocketDevice::open(config);
      EXPECT_FALSE(device);
      return device ? "" : device.error().message;
    };
    const auto contains = [](const std::string& text, const char* part) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    };
    contains(refusal({"none0"}), "there is no interface none0: 'ip link'");
    contains(refusal({}), "name of an interface");
    contains(refusal({"a-name-of-16-byt"}), "at most 15 bytes");
    contains(refusal({"lo"}), "lo is no Ethernet");
    contains(refusal({"hwv0", mac_of("hwv0")}), "the kernel's own address on hwv0");
    run("ip link set hwv0 down");
    contains(refusal({"hwv0"}), "ip link set hwv0 up");
    run("ip link set hwv0 up");
    ASSERT_EQ(::setuid(65534), 0);
    contains(refusal({"hwv0"}), "needs CAP_NET_RAW");
  });
}

}  // namespace
}  // namespace hawser
