// ARP messages (RFC 826).
#include "wire/arp.hpp"

#include <gtest/gtest.h>

#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;

const Bytes kRequest = bytes({0,    1, 8, 0, 6, 4, 0,  1,        //
                              0x02, 0, 0, 0, 0, 1, 10, 0, 0, 1,  //
                              0,    0, 0, 0, 0, 0, 10, 0, 0, 2});

ArpMessage request() {
  return {.operation = ArpOperation::request,
          .sender_mac = *MacAddress::parse("02:00:00:00:00:01"),
          .sender = IpAddress::v4(10, 0, 0, 1),
          .target_mac = {},
          .target = IpAddress::v4(10, 0, 0, 2)};
}

Bytes with(std::size_t at, int value) {
  Bytes changed = kRequest;
  changed[at] = static_cast<std::byte>(value);
  return changed;
}

TEST(Arp, IsReadAndWritten) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  push_arp(packet, request());
  EXPECT_EQ(contents(packet), kRequest);
  EXPECT_EQ(parse_arp(kRequest), request());
  EXPECT_EQ(parse_arp(with(7, 2))->operation, ArpOperation::reply);
  Bytes padded = kRequest;
  padded.resize(46);  // the shortest payload of an Ethernet
  EXPECT_EQ(parse_arp(padded), request());
}

TEST(Arp, EveryCutIsTruncated) {
  for (std::size_t length = 0; length < kRequest.size(); ++length) {
    const auto parsed = parse_arp(std::span(kRequest).first(length));
    ASSERT_FALSE(parsed) << length;
    EXPECT_EQ(parsed.error(), DropReason::truncated);
  }
}

TEST(Arp, RefusesWhatIsNotIpv4OnAnEthernet) {
  struct Case {
    const char* what;
    Bytes message;
  };
  Bytes nobody = kRequest;
  nobody[8] = nobody[13] = std::byte{0};
  const Case cases[] = {
      {"hardware", with(1, 6)},
      {"protocol", with(2, 0x86)},
      {"length of a hardware address", with(4, 8)},
      {"length of a protocol address", with(5, 16)},
      {"no operation", with(7, 0)},
      {"reverse ARP", with(7, 3)},
      {"operation beyond a byte", with(6, 1)},
      {"a group as sender", with(8, 0x03)},
      {"nobody as sender", nobody},
      {"a multicast sender", with(14, 224)},
  };
  for (const Case& wrong : cases) {
    const auto parsed = parse_arp(wrong.message);
    ASSERT_FALSE(parsed) << wrong.what;
    EXPECT_EQ(parsed.error(), DropReason::bad_arp) << wrong.what;
  }
}

TEST(Arp, TellsAnAnnouncementAndLetsAProbePass) {
  ArpMessage message = request();
  EXPECT_FALSE(message.is_announcement());
  message.target = message.sender;
  EXPECT_TRUE(message.is_announcement());
  Bytes probe = with(14, 0);
  probe[17] = std::byte{0};
  ASSERT_TRUE(parse_arp(probe));
  EXPECT_TRUE(parse_arp(probe)->sender.is_unspecified());
}

}  // namespace
}  // namespace hawser::wire
