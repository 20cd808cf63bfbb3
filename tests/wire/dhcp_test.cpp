#include "wire/dhcp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/random.hpp"
#include "wire/bytes.hpp"

namespace hawser::wire {
namespace {

using Bytes = std::vector<std::byte>;

const MacAddress kMac({2, 0, 0, 0, 0, 9});

DhcpMessage full_offer() {
  DhcpMessage message;
  message.type = DhcpType::offer;
  message.transaction = 0x01020304;
  message.seconds = 7;
  message.broadcast = true;
  message.client = IpAddress::v4(10, 0, 0, 3);
  message.yours = IpAddress::v4(10, 0, 0, 4);
  message.mac = kMac;
  message.prefix_length = 22;
  message.routers = {IpAddress::v4(10, 0, 0, 1), IpAddress::v4(10, 0, 0, 2)};
  message.dns = {IpAddress::v4(10, 0, 0, 53)};
  message.host_name = "boat";
  message.domain = "harbour.example";
  message.search = {"quay.example", "harbour.example"};
  message.mtu = 1400;
  message.requested = IpAddress::v4(10, 0, 0, 5);
  message.lease_seconds = 3600;
  message.server = IpAddress::v4(10, 0, 0, 1);
  message.wanted = {1, 3, 6};
  message.largest = 1472;
  message.renew_seconds = 1800;
  message.rebind_seconds = 3150;
  message.routes = {{{IpAddress::v4(0, 0, 0, 0), 0}, IpAddress::v4(10, 0, 0, 1)},
                    {{IpAddress::v4(192, 168, 128, 0), 17}, IpAddress::v4(10, 0, 0, 2)},
                    {{IpAddress::v4(172, 16, 1, 2), 32}, IpAddress::v4(0, 0, 0, 0)}};
  return message;
}

/// A message of only the fixed fields and the options given, without padding.
Bytes with_options(const Bytes& options, DhcpType type = DhcpType::offer) {
  DhcpMessage message;
  message.type = type;
  message.mac = kMac;
  Bytes bytes = emit_dhcp(message);
  bytes.resize(243);  // the type is the first option
  bytes.insert(bytes.end(), options.begin(), options.end());
  return bytes;
}

Bytes bytes_of(std::initializer_list<int> numbers) {
  Bytes bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

bool is_bad(const Bytes& bytes) {
  const auto parsed = parse_dhcp(bytes);
  return !parsed && parsed.error() == DropReason::bad_dhcp;
}

TEST(Dhcp, ComesBackAsItWasSent) {
  for (const DhcpType type :
       {DhcpType::discover, DhcpType::offer, DhcpType::request, DhcpType::decline, DhcpType::ack,
        DhcpType::nak, DhcpType::release, DhcpType::inform}) {
    DhcpMessage message = full_offer();
    message.type = type;
    EXPECT_EQ(parse_dhcp(emit_dhcp(message)), message);
  }
  EXPECT_EQ(emit_dhcp(DhcpMessage{}).size(), 300U) << "RFC 1542 2.1";
}

// RFC 2131 2: the fields of a DISCOVER, byte by byte.
TEST(Dhcp, HasEachFieldInItsPlace) {
  DhcpMessage message;
  message.type = DhcpType::discover;
  message.transaction = 0xa1a2a3a4;
  message.seconds = 0x0102;
  message.broadcast = true;
  message.mac = kMac;
  message.tell_client_id = true;
  const Bytes bytes = emit_dhcp(message);
  const Bytes begin = bytes_of({1, 1, 6, 0, 0xa1, 0xa2, 0xa3, 0xa4, 1, 2, 0x80, 0});
  EXPECT_TRUE(std::ranges::equal(begin, std::span(bytes).first(12)));
  EXPECT_TRUE(std::ranges::equal(bytes_of({2, 0, 0, 0, 0, 9, 0}), std::span(bytes).subspan(28, 7)));
  const Bytes end = bytes_of({0x63, 0x82, 0x53, 0x63, 53, 1, 1, 61, 7, 1, 2, 0, 0, 0, 0, 9, 255});
  EXPECT_TRUE(std::ranges::equal(end, std::span(bytes).subspan(236, end.size())));
}

TEST(Dhcp, RefusesWhatIsNoMessageOfAnEthernet) {
  const Bytes good = emit_dhcp(full_offer());
  for (const std::size_t at : {0U, 1U, 2U, 236U, 239U}) {
    Bytes bytes = good;
    bytes[at] ^= std::byte{0x11};
    EXPECT_TRUE(is_bad(bytes)) << at;
  }
  for (std::size_t size = 0; size < 243; ++size) {
    EXPECT_TRUE(is_bad(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  Bytes request = good;
  request[0] = std::byte{1};
  EXPECT_TRUE(is_bad(request)) << "an offer is a reply";
}

TEST(Dhcp, RefusesOptionsThatLeaveTheirField) {
  EXPECT_TRUE(is_bad(with_options(bytes_of({3}))));
  EXPECT_TRUE(is_bad(with_options(bytes_of({3, 4, 10, 0, 0}))));
  EXPECT_TRUE(is_bad(with_options(bytes_of({200, 255}))));
  EXPECT_FALSE(is_bad(with_options(bytes_of({0, 0, 255, 200, 255}))))
      << "what follows the end is no option";
  EXPECT_FALSE(is_bad(with_options({}))) << "the end may be missing";
}

TEST(Dhcp, RefusesVitalOptionsThatCannotBe) {
  for (const Bytes& options :
       {bytes_of({1, 3, 255, 255, 0}), bytes_of({1, 4, 255, 0, 255, 0}), bytes_of({1, 0}),
        bytes_of({51, 3, 0, 0, 1}), bytes_of({51, 5, 0, 0, 0, 0, 1}),
        bytes_of({54, 4, 255, 255, 255, 255}), bytes_of({54, 4, 0, 0, 0, 0}),
        bytes_of({54, 4, 224, 0, 0, 1}), bytes_of({54, 4, 127, 0, 0, 1}),
        bytes_of({54, 8, 10, 0, 0, 1, 10, 0, 0, 1}), bytes_of({53, 1, 2})}) {
    EXPECT_TRUE(is_bad(with_options(options)));
  }
  Bytes untyped = with_options({});
  untyped[242] = std::byte{0};
  EXPECT_TRUE(is_bad(untyped));
  untyped[242] = std::byte{9};
  EXPECT_TRUE(is_bad(untyped));
}

TEST(Dhcp, LeavesOtherOptionsOutThatCannotBe) {
  const auto read = [](std::initializer_list<int> numbers) {
    const auto parsed = parse_dhcp(with_options(bytes_of(numbers)));
    EXPECT_TRUE(parsed);
    return parsed.value_or(DhcpMessage{});
  };
  EXPECT_TRUE(read({3, 5, 10, 0, 0, 1, 2}).routers.empty());
  EXPECT_EQ(read({6, 12, 255, 255, 255, 255, 10, 0, 0, 2, 224, 0, 0, 1}).dns,
            std::vector{IpAddress::v4(10, 0, 0, 2)});
  EXPECT_FALSE(read({26, 2, 0, 67}).mtu);
  EXPECT_EQ(read({26, 2, 0, 68}).mtu, 68);
  EXPECT_FALSE(read({26, 1, 6}).mtu);
  EXPECT_FALSE(read({58, 2, 0, 1}).renew_seconds);
  EXPECT_TRUE(read({15, 3, 'a', 27, 'b'}).domain.empty()) << "an escape sequence for a terminal";
  EXPECT_EQ(read({15, 4, 'a', '.', 'b', 0}).domain, "a.b");
  EXPECT_EQ(read({119, 5, 1, 'a', 1, 'b', 0}).search, std::vector<std::string>{"a.b"});
  EXPECT_TRUE(read({119, 4, 1, 'a', 0xc0, 0}).search.empty()) << "a pointer to itself";
  EXPECT_TRUE(read({121, 6, 33, 10, 0, 0, 0, 1}).routes.empty()) << "a length of 33 bits";
  EXPECT_TRUE(read({121, 4, 0, 10, 0, 0}).routes.empty()) << "ends within its router";
  EXPECT_TRUE(read({121, 5, 24, 10, 0, 0, 1}).routes.empty());
}

// RFC 3442: "2.0.0.0/7" with bits behind the mask means 2.0.0.0/7 all the same.
TEST(Dhcp, ReadsRoutesWithOnlyTheBytesThatTheyNeed) {
  const auto parsed = parse_dhcp(with_options(
      bytes_of({121, 19, 7, 3, 10, 0, 0, 1, 24, 10, 17, 7, 10, 0, 0, 2, 0, 10, 0, 0, 1})));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->routes,
            (std::vector<DhcpRoute>{{{IpAddress::v4(2, 0, 0, 0), 7}, IpAddress::v4(10, 0, 0, 1)},
                                    {{IpAddress::v4(10, 17, 7, 0), 24}, IpAddress::v4(10, 0, 0, 2)},
                                    {{IpAddress::v4(0, 0, 0, 0), 0}, IpAddress::v4(10, 0, 0, 1)}}));
}

// RFC 3396: one option in several pieces, across the fields that options overflow into.
TEST(Dhcp, JoinsOptionsThatCameInPieces) {
  Bytes bytes = with_options(bytes_of({52, 1, 3, 6, 2, 10, 0, 255}));
  const Bytes in_file = bytes_of({6, 3, 0, 53, 10, 0, 255});
  const Bytes in_name = bytes_of({6, 3, 0, 0, 54, 255});
  std::ranges::copy(in_file, bytes.begin() + 108);
  std::ranges::copy(in_name, bytes.begin() + 44);
  const auto parsed = parse_dhcp(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->dns, (std::vector{IpAddress::v4(10, 0, 0, 53), IpAddress::v4(10, 0, 0, 54)}));
  bytes[44 + 1] = std::byte{63};
  EXPECT_TRUE(is_bad(bytes)) << "it leaves the name of the server";

  DhcpMessage many = full_offer();
  many.dns.assign(100, IpAddress::v4(10, 0, 0, 53));
  EXPECT_EQ(parse_dhcp(emit_dhcp(many)), many);
}

TEST(Dhcp, SurvivesAnyChange) {
  const Bytes good = emit_dhcp(full_offer());
  Random random(1);
  std::size_t legal = 0;
  for (int round = 0; round < 100'000; ++round) {
    Bytes bytes = good;
    for (std::uint64_t changes = random.below(4) + 1; changes > 0; --changes) {
      const std::size_t begin = random.chance(0.8) ? 240 : 0;
      bytes[begin + random.below(bytes.size() - begin)] = static_cast<std::byte>(random.next());
    }
    if (random.chance(0.3)) bytes.resize(random.below(bytes.size()));
    const auto parsed = parse_dhcp(bytes);
    if (!parsed) continue;
    ++legal;
    EXPECT_LE(parsed->prefix_length.value_or(0), 32);
    for (const DhcpRoute& route : parsed->routes) EXPECT_LE(route.destination.length, 32);
    // What was understood can be said again, and means the same.
    EXPECT_EQ(parse_dhcp(emit_dhcp(*parsed)), *parsed);
  }
  EXPECT_GT(legal, 1000U);
}

}  // namespace
}  // namespace hawser::wire
