// Ethernet II headers, tags and group addresses.
#include "wire/ethernet.hpp"

#include <gtest/gtest.h>

#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;

Bytes frame(std::initializer_list<int> from_type) {
  Bytes result = bytes({0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2});
  const Bytes rest = bytes(from_type);
  result.insert(result.end(), rest.begin(), rest.end());
  return result;
}

TEST(Ethernet, IsReadAndWritten) {
  BufferPool pool;
  Packet packet = testing::received(pool, bytes({0x45, 0, 7}));
  const EthernetHeader header{*MacAddress::parse("02:00:00:00:00:01"),
                              *MacAddress::parse("02:00:00:00:00:02"), EtherType::ipv6};
  push_ethernet(packet, header);
  EXPECT_EQ(contents(packet), frame({0x86, 0xdd, 0x45, 0, 7}));
  const auto parsed = parse_ethernet(packet.head());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->header.destination, header.destination);
  EXPECT_EQ(parsed->header.source, header.source);
  EXPECT_EQ(parsed->header.type, EtherType::ipv6);
  EXPECT_EQ(parsed->header_bytes, 14);
}

TEST(Ethernet, APriorityTagIsSteppedOver) {
  const auto parsed = parse_ethernet(frame({0x81, 0, 0xf0, 0, 8, 0}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->header.type, EtherType::ipv4);
  EXPECT_EQ(parsed->header_bytes, 18);
}

TEST(Ethernet, WhatIsNotForUsHasItsReason) {
  struct Case {
    const char* what;
    Bytes frame;
    DropReason reason;
  };
  Bytes from_group = frame({8, 0});
  from_group[6] = std::byte{0x03};
  const Case cases[] = {
      {"a VLAN", frame({0x81, 0, 0, 1, 8, 0}), DropReason::other_vlan},
      {"the last VLAN", frame({0x81, 0, 0x0f, 0xff, 8, 0}), DropReason::other_vlan},
      {"a tag in a tag", frame({0x81, 0, 0, 0, 0x81, 0, 0, 0, 8, 0}), DropReason::other_vlan},
      {"a length", frame({0, 46}), DropReason::bad_ethernet},
      {"neither length nor type", frame({0x05, 0xff}), DropReason::bad_ethernet},
      {"a tagged length", frame({0x81, 0, 0, 0, 0, 46}), DropReason::bad_ethernet},
      {"a group as source", from_group, DropReason::bad_ethernet},
  };
  for (const Case& expected : cases) {
    const auto parsed = parse_ethernet(expected.frame);
    ASSERT_FALSE(parsed) << expected.what;
    EXPECT_EQ(parsed.error(), expected.reason) << expected.what;
  }
  EXPECT_TRUE(parse_ethernet(frame({6, 0}))) << "the first type";
}

TEST(Ethernet, EveryCutIsTruncated) {
  const Bytes tagged = frame({0x81, 0, 0, 0, 8, 0});
  for (std::size_t length = 0; length < tagged.size(); ++length) {
    const Bytes cut(tagged.begin(), tagged.begin() + static_cast<std::ptrdiff_t>(length));
    const auto parsed = parse_ethernet(cut);
    ASSERT_FALSE(parsed) << length;
    EXPECT_EQ(parsed.error(), DropReason::truncated) << length;
  }
}

TEST(Ethernet, GroupsHaveTheirAddresses) {
  const auto mac = [](const char* group) {
    return multicast_mac(*IpAddress::parse(group)).to_string();
  };
  EXPECT_EQ(mac("224.0.0.1"), "01:00:5e:00:00:01");
  EXPECT_EQ(mac("239.255.129.7"), "01:00:5e:7f:81:07") << "23 bits of the group";
  EXPECT_EQ(mac("ff02::1:ff12:3456"), "33:33:ff:12:34:56");
}

}  // namespace
}  // namespace hawser::wire
