// Neighbour discovery on the wire: what is emitted is read back, and every check of RFC 4861 has a
// message that fails it.
#include "wire/neighbour_discovery.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "tests/wire/support.hpp"
#include "wire/bytes.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;

const IpAddress kRouter = *IpAddress::parse("fe80::1");
const IpAddress kHost = *IpAddress::parse("fe80::2");
const IpAddress kGlobal = *IpAddress::parse("2001:db8::2");
const MacAddress kMac = *MacAddress::parse("02:00:00:00:00:01");

IpHeader header(const IpAddress& source = kRouter, const IpAddress& destination = kHost) {
  return {.source = source,
          .destination = destination,
          .protocol = static_cast<std::uint8_t>(IpProtocol::icmpv6),
          .hop_limit = 255};
}

void repair(Bytes& message, const IpHeader& ip) {
  if (message.size() < 4) return;
  write16(&message[2], 0);
  const auto sum = testing::reference_sum(testing::pseudo_header(
      ip.source, ip.destination, 58, static_cast<std::uint32_t>(message.size())));
  write16(&message[2], static_cast<std::uint16_t>(~testing::reference_sum(message, sum)));
}

/// Reads bytes as a message whose checksum is right.
auto parse(Bytes message, const IpHeader& ip = header()) {
  BufferPool pool;
  repair(message, ip);
  return parse_neighbour_message(testing::received(pool, message), ip);
}

Bytes emit(const NeighbourMessage& message, const IpHeader& ip = header()) {
  BufferPool pool;
  return contents(make_neighbour_message(pool, message, ip.source, ip.destination));
}

RouterAdvertisement advertisement() {
  RouterAdvertisement message;
  message.hop_limit = 64;
  message.managed = true;
  message.preference = RouterPreference::low;
  message.lifetime_seconds = 1800;
  message.reachable_ms = 30000;
  message.retransmit_ms = 1000;
  message.mtu = 1400;
  message.source_mac = kMac;
  message.prefixes.push_back({.prefix = *Prefix::parse("2001:db8::/64"),
                              .on_link = true,
                              .autonomous = true,
                              .valid_seconds = kInfiniteLifetime,
                              .preferred_seconds = 600});
  message.prefixes.push_back({.prefix = *Prefix::parse("2001:db8:1::/48"), .valid_seconds = 7});
  message.dns_servers.push_back({*IpAddress::parse("2001:db8::53"), 900});
  message.dns_servers.push_back({*IpAddress::parse("2001:db8::54"), 0});
  return message;
}

std::vector<NeighbourMessage> messages() {
  return {
      NeighbourSolicitation{kGlobal, kMac, Nonce{1, 2, 3, 4, 5, 6}},
      NeighbourSolicitation{kGlobal, {}, {}},
      NeighbourAdvertisement{kGlobal, true, true, true, kMac},
      NeighbourAdvertisement{kGlobal, false, false, false, {}},
      RouterSolicitation{kMac},
      RouterSolicitation{},
      advertisement(),
      RouterAdvertisement{},
      Redirect{kRouter, kGlobal, kMac},
      Redirect{kGlobal, kGlobal, {}},
  };
}

void expect_bad(const Bytes& message, const char* what, const IpHeader& ip = header()) {
  const auto parsed = parse(message, ip);
  ASSERT_FALSE(parsed) << what;
  EXPECT_EQ(parsed.error(), DropReason::bad_neighbour_message) << what;
}

Bytes joined(Bytes message, std::initializer_list<int> option) {
  const Bytes more = bytes(option);
  message.insert(message.end(), more.begin(), more.end());
  return message;
}

TEST(NeighbourDiscovery, EachMessageIsReadBack) {
  BufferPool pool;
  for (const NeighbourMessage& message : messages()) {
    SCOPED_TRACE(message.index());
    const Packet packet = make_neighbour_message(pool, message, kRouter, kHost);
    const auto parsed = parse_neighbour_message(packet, header());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, message);
    EXPECT_TRUE(is_neighbour_message(std::to_integer<std::uint8_t>(packet.head()[0])));
  }
  EXPECT_FALSE(is_neighbour_message(132));
  EXPECT_FALSE(is_neighbour_message(138));
}

TEST(NeighbourDiscovery, ASolicitationIsBytesAsTheRfcDrawsThem) {
  Bytes message = emit(NeighbourSolicitation{kGlobal, kMac, {}});
  message[2] = message[3] = std::byte{0};
  EXPECT_EQ(message, bytes({135, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0,
                            0,   0, 0, 0, 0, 0, 0, 2, 1,    1, 2,    0,    0, 0, 0, 1}));
}

TEST(NeighbourDiscovery, HasComeOverNoRouter) {  // RFC4861-6.1.1, RFC4861-7.1.1
  for (const NeighbourMessage& message : messages()) {
    IpHeader ip = header();
    ip.hop_limit = 254;
    expect_bad(emit(message), "hop limit", ip);
  }
}

TEST(NeighbourDiscovery, RefusesAnyFlippedBit) {
  BufferPool pool;
  for (const NeighbourMessage& message : messages()) {
    Bytes damaged = emit(message);
    for (std::size_t bit = 0; bit < damaged.size() * 8; ++bit) {
      damaged[bit / 8] ^= std::byte{1} << (bit % 8);
      ASSERT_FALSE(parse_neighbour_message(testing::received(pool, damaged), header())) << bit;
      damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }
}

TEST(NeighbourDiscovery, ACutBetweenOptionsAloneLeavesAMessage) {
  for (const NeighbourMessage& message : messages()) {
    const Bytes whole = emit(message);
    std::size_t fixed = 24;
    if (std::holds_alternative<RouterSolicitation>(message)) fixed = 8;
    if (std::holds_alternative<RouterAdvertisement>(message)) fixed = 16;
    if (std::holds_alternative<Redirect>(message)) fixed = 40;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      const bool expected_whole = length >= fixed && length % 8 == 0;
      const auto parsed = parse(cut);
      if (!expected_whole) {
        ASSERT_FALSE(parsed) << message.index() << " at " << length;
      } else if (std::get_if<RouterAdvertisement>(&message) == nullptr) {
        ASSERT_TRUE(parsed) << message.index() << " at " << length;
      }
    }
  }
}

TEST(NeighbourDiscovery, RefusesOtherCodes) {
  for (const NeighbourMessage& message : messages()) {
    Bytes other = emit(message);
    other[1] = std::byte{1};
    expect_bad(other, "code");
  }
}

TEST(NeighbourDiscovery, RefusesOptionsOfNoLength) {  // RFC4861-4.6
  for (const NeighbourMessage& message : messages()) {
    expect_bad(joined(emit(message), {200, 0, 0, 0, 0, 0, 0, 0}), "length zero");
    expect_bad(joined(emit(message), {200, 2, 0, 0, 0, 0, 0, 0}), "length beyond the end");
    expect_bad(joined(emit(message), {200}), "half an option");
    EXPECT_TRUE(parse(joined(emit(message), {200, 1, 0, 0, 0, 0, 0, 0}))) << "an unknown option";
  }
}

TEST(NeighbourDiscovery, RefusesAddressesThatNoStationHas) {
  const Bytes plain = emit(NeighbourSolicitation{kGlobal, {}, {}});
  expect_bad(joined(plain, {1, 1, 3, 0, 0, 0, 0, 1}), "a group");
  expect_bad(joined(plain, {1, 1, 0, 0, 0, 0, 0, 0}), "nobody");
  expect_bad(joined(plain, {1, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}), "a longer one");
  const auto twice =
      parse(joined(joined(plain, {1, 1, 2, 0, 0, 0, 0, 1}), {1, 1, 2, 0, 0, 0, 0, 9}));
  ASSERT_TRUE(twice);
  EXPECT_EQ(std::get<NeighbourSolicitation>(*twice).source_mac, kMac) << "the first counts";
}

TEST(NeighbourDiscovery, SolicitationsAreChecked) {  // RFC4861-7.1.1
  const IpAddress unspecified;
  const IpHeader probe = header(unspecified, solicited_node(kGlobal));
  EXPECT_TRUE(parse(emit(NeighbourSolicitation{kGlobal, {}, {}}, probe), probe));
  expect_bad(emit(NeighbourSolicitation{kGlobal, kMac, {}}, probe), "a probe with an address",
             probe);
  const IpHeader elsewhere = header(unspecified, kAllNodes);
  expect_bad(emit(NeighbourSolicitation{kGlobal, {}, {}}, elsewhere), "a probe to all", elsewhere);
  expect_bad(emit(NeighbourSolicitation{kAllNodes, {}, {}}), "a group as target");
}

TEST(NeighbourDiscovery, AdvertisementsAreChecked) {  // RFC4861-7.1.2
  const IpHeader to_all = header(kRouter, kAllNodes);
  expect_bad(emit(NeighbourAdvertisement{kGlobal, false, true, true, kMac}, to_all),
             "solicited, yet to all", to_all);
  EXPECT_TRUE(
      parse(emit(NeighbourAdvertisement{kGlobal, false, false, true, kMac}, to_all), to_all));
  expect_bad(emit(NeighbourAdvertisement{kAllNodes, false, false, true, kMac}), "a group");
}

TEST(NeighbourDiscovery, RouterMessagesAreChecked) {  // RFC4861-6.1.1, RFC4861-6.1.2
  const IpHeader global = header(kGlobal, kHost);
  expect_bad(emit(advertisement(), global), "a router without link-local address", global);
  const IpHeader nobody = header({}, kAllRouters);
  expect_bad(emit(RouterSolicitation{kMac}, nobody), "from nobody with an address", nobody);
  EXPECT_TRUE(parse(emit(RouterSolicitation{}, nobody), nobody));
}

TEST(NeighbourDiscovery, RedirectsAreChecked) {  // RFC4861-8.1
  const IpHeader global = header(kGlobal, kHost);
  expect_bad(emit(Redirect{kRouter, kGlobal, kMac}, global), "not from a link-local address",
             global);
  expect_bad(emit(Redirect{kRouter, kAllNodes, kMac}), "for a group");
  expect_bad(emit(Redirect{*IpAddress::parse("2001:db8::3"), kGlobal, kMac}), "to a third");
}

TEST(NeighbourDiscovery, OptionsOfImpossibleLengthAreSteppedOver) {
  RouterAdvertisement plain;
  plain.source_mac = kMac;
  const auto read = [&](std::initializer_list<int> option, std::size_t units) {
    Bytes padded = bytes(option);
    padded[1] = static_cast<std::byte>(units);
    padded.resize(units * 8);
    Bytes message = emit(plain);
    message.insert(message.end(), padded.begin(), padded.end());
    return parse(message);
  };
  for (const auto& odd : {read({3, 0, 64}, 3), read({3, 0, 129}, 4), read({5, 0, 0, 0, 1}, 2),
                          read({25, 0}, 1), read({25, 0}, 2), read({25, 0}, 4)}) {
    ASSERT_TRUE(odd);
    EXPECT_EQ(std::get<RouterAdvertisement>(*odd), plain);
  }
  const auto servers = read({25, 0, 0, 0, 0, 0, 0, 9, 0x20}, 5);
  ASSERT_TRUE(servers);
  EXPECT_EQ(std::get<RouterAdvertisement>(*servers).dns_servers.size(), 2U) << "RFC8106-5.1";
}

TEST(NeighbourDiscovery, ManyPrefixesFillTheListAndNoMore) {
  RouterAdvertisement full = advertisement();
  while (full.prefixes.push_back(full.prefixes[0])) continue;
  Bytes message = emit(full);
  const Bytes once = emit(advertisement());
  // Behind the fixed part and two options of eight bytes: a prefix, many times.
  for (int i = 0; i < 40; ++i) {
    message.insert(message.end(), once.begin() + 32, once.begin() + 64);
  }
  const auto parsed = parse(message);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<RouterAdvertisement>(*parsed), full);
}

TEST(NeighbourDiscovery, PreferenceOfARouterThatIsNoneIsMedium) {  // RFC4191-2.2
  RouterAdvertisement message;
  message.preference = RouterPreference::high;
  EXPECT_EQ(std::get<RouterAdvertisement>(*parse(emit(message))).preference,
            RouterPreference::medium);
  message.lifetime_seconds = 1;
  EXPECT_EQ(std::get<RouterAdvertisement>(*parse(emit(message))).preference,
            RouterPreference::high);
}

TEST(NeighbourDiscovery, IsInOnePiece) {  // RFC 6980 5: nothing that was in fragments
  BufferPool pool;
  Bytes message = emit(NeighbourSolicitation{kGlobal, kMac, {}});
  Packet packet = testing::received(pool, std::span(message).first(24));
  Packet rest = testing::received(pool, std::span(message).subspan(24));
  ASSERT_TRUE(packet.append(rest.slices()[0]));
  EXPECT_FALSE(parse_neighbour_message(packet, header()));
}

TEST(NeighbourDiscovery, GivesNothingWithoutMemory) {
  BufferPool pool(2048);
  std::vector<Packet> taken;
  while (Packet packet = pool.take_packet()) taken.push_back(std::move(packet));
  EXPECT_FALSE(make_neighbour_message(pool, RouterSolicitation{}, kHost, kAllRouters));
}

TEST(NeighbourDiscovery, EachAddressHasItsSolicitedNodeGroup) {
  EXPECT_EQ(solicited_node(*IpAddress::parse("2001:db8::12:3456")),
            *IpAddress::parse("ff02::1:ff12:3456"));
}

}  // namespace
}  // namespace hawser::wire
