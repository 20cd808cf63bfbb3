#include "wire/ip.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;
using testing::reference_sum;

IpHeader v4_header() {
  IpHeader header;
  header.source = IpAddress::v4(10, 9, 0, 2);
  header.destination = IpAddress::v4(192, 0, 2, 255);
  header.protocol = 6;
  header.hop_limit = 63;
  header.dscp = 46;
  header.ecn = 1;
  header.identification = 0xabcd;
  return header;
}

IpHeader v6_header() {
  IpHeader header = v4_header();
  header.source = *IpAddress::parse("fd00:9::2");
  header.destination = *IpAddress::parse("2001:db8::ffff");
  header.identification = 0;
  header.flow_label = 0xfedcb;
  return header;
}

Bytes emitted(const IpHeader& header, const Bytes& payload) {
  BufferPool pool;
  Packet packet = testing::received(pool, payload);
  push_ip(packet, header);
  return contents(packet);
}

std::expected<ParsedIp, DropReason> parse(const Bytes& packet) {
  return parse_ip(packet, static_cast<std::uint32_t>(packet.size()));
}

std::optional<DropReason> refusal(const Bytes& packet) {
  const auto parsed = parse(packet);
  return parsed ? std::nullopt : std::optional(parsed.error());
}

Bytes first_bytes(const Bytes& all, std::size_t count) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

void fix_v4_checksum(Bytes& packet) {
  const std::size_t header_bytes = std::to_integer<std::size_t>(packet[0] & std::byte{15}) * 4;
  packet[10] = packet[11] = std::byte{0};
  const auto value =
      static_cast<std::uint16_t>(~reference_sum(std::span(packet).first(header_bytes)));
  packet[10] = static_cast<std::byte>(value >> 8);
  packet[11] = static_cast<std::byte>(value);
}

/// An IPv4 packet with `options`, a multiple of four, and 8 bytes of payload.
Bytes v4_with_options(const Bytes& options) {
  Bytes packet = emitted(v4_header(), Bytes(8));
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  packet[0] = static_cast<std::byte>(0x40 + packet.size() / 4 - 2);
  packet[3] = static_cast<std::byte>(packet.size());
  fix_v4_checksum(packet);
  return packet;
}

/// An IPv6 packet with these bytes behind its header.
Bytes v6_with(std::uint8_t next_header, const Bytes& payload) {
  IpHeader header = v6_header();
  header.protocol = next_header;
  return emitted(header, payload);
}

TEST(IpEmit, PutsEachFieldOfIpv4InItsPlace) {
  const Bytes packet = emitted(v4_header(), bytes({7, 8, 9}));
  EXPECT_EQ(reference_sum(std::span(packet).first(20)), 0xffff);
  Bytes without_checksum = packet;
  without_checksum[10] = without_checksum[11] = std::byte{0};
  EXPECT_EQ(without_checksum, bytes({0x45, 0xb9, 0, 23, 0xab, 0xcd, 0x40, 0,   63, 6, 0, 0,
                                     10,   9,    0, 2,  192,  0,    2,    255, 7,  8, 9}));
  IpHeader may_fragment = v4_header();
  may_fragment.dont_fragment = false;
  EXPECT_EQ(emitted(may_fragment, {})[6], std::byte{0});
}

TEST(IpEmit, PutsEachFieldOfIpv6InItsPlace) {
  EXPECT_EQ(emitted(v6_header(), bytes({7, 8, 9})),
            bytes({0x6b, 0x9f, 0xed, 0xcb, 0, 3, 6, 63, 0xfd, 0,    0, 9,    0,    0, 0,
                   0,    0,    0,    0,    0, 0, 0, 0,  2,    0x20, 1, 0x0d, 0xb8, 0, 0,
                   0,    0,    0,    0,    0, 0, 0, 0,  0xff, 0xff, 7, 8,    9}));
}

TEST(IpParse, ReadsWhatWasEmitted) {
  for (const IpHeader& header : {v4_header(), v6_header()}) {
    const auto parsed = parse(emitted(header, Bytes(77)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header.source, header.source);
    EXPECT_EQ(parsed->header.destination, header.destination);
    EXPECT_EQ(parsed->header.protocol, header.protocol);
    EXPECT_EQ(parsed->header.hop_limit, header.hop_limit);
    EXPECT_EQ(parsed->header.dscp, header.dscp);
    EXPECT_EQ(parsed->header.ecn, header.ecn);
    EXPECT_EQ(parsed->header.identification, header.identification);
    EXPECT_EQ(parsed->header.flow_label, header.flow_label);
    EXPECT_TRUE(parsed->header.dont_fragment);
    EXPECT_EQ(parsed->header_bytes, header.source.is_v4() ? 20 : 40);
    EXPECT_EQ(parsed->payload_bytes, 77U);
  }
}

TEST(IpParse, LeavesPaddingOut) {
  for (const IpHeader& header : {v4_header(), v6_header()}) {
    Bytes packet = emitted(header, Bytes(5));
    packet.insert(packet.end(), 21, std::byte{0});  // as Ethernet does
    EXPECT_EQ(parse(packet)->payload_bytes, 5U);
  }
}

TEST(IpParse, RefusesAPacketCutAnywhere) {
  const Bytes extension = bytes({6, 0, 1, 4, 0, 0, 0, 0, 1, 2, 3, 4});
  for (const Bytes& whole : {emitted(v4_header(), Bytes(9)), v4_with_options(bytes({1, 1, 1, 0})),
                             emitted(v6_header(), Bytes(9)), v6_with(0, extension)}) {
    ASSERT_TRUE(parse(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
      ASSERT_EQ(refusal(first_bytes(whole, length)), DropReason::truncated) << length;
    }
  }
}

TEST(IpParse, RefusesHeadersThatTheFirstPieceDoesNotHold) {
  const Bytes v4 = v4_with_options(bytes({1, 1, 1, 0}));
  EXPECT_EQ(parse_ip(std::span(v4).first(20), 32).error(), DropReason::truncated);
  EXPECT_TRUE(parse_ip(std::span(v4).first(24), 32));
  const Bytes v6 = v6_with(60, bytes({6, 0, 1, 4, 0, 0, 0, 0}));
  EXPECT_EQ(parse_ip(std::span(v6).first(47), 48).error(), DropReason::truncated);
}

TEST(IpParse, RefusesOtherVersions) {
  for (unsigned version = 0; version < 16; ++version) {
    if (version == 4 || version == 6) continue;
    Bytes packet = emitted(v4_header(), Bytes(40));
    packet[0] = static_cast<std::byte>(version << 4 | 5);
    EXPECT_EQ(refusal(packet), DropReason::bad_ip_version);
  }
}

TEST(IpParse, RefusesIpv4LengthsThatCannotBe) {
  Bytes packet = emitted(v4_header(), Bytes(40));
  for (unsigned words = 0; words < 5; ++words) {
    packet[0] = static_cast<std::byte>(0x40 | words);
    EXPECT_EQ(refusal(packet), DropReason::bad_ip_header);
  }
  packet = emitted(v4_header(), Bytes(40));
  packet[3] = std::byte{19};
  fix_v4_checksum(packet);
  EXPECT_EQ(refusal(packet), DropReason::bad_ip_header);
  packet[3] = std::byte{61};
  fix_v4_checksum(packet);
  EXPECT_EQ(refusal(packet), DropReason::truncated);
}

TEST(IpParse, RefusesAnyFlippedBitOfAnIpv4Header) {
  Bytes packet = v4_with_options(bytes({1, 1, 1, 1}));
  for (std::size_t bit = 0; bit < 24 * 8; ++bit) {
    packet[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_TRUE(refusal(packet)) << bit;
    packet[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  packet[12] ^= std::byte{1};
  EXPECT_EQ(refusal(packet), DropReason::bad_ip_checksum);
}

struct ExtensionCase {
  const char* what;
  Bytes bytes;
  std::optional<DropReason> refused;
  std::uint8_t first = 0;
};

TEST(IpParse, StepsOverIpv4Options) {
  const ExtensionCase cases[] = {
      {"NOPs and End-of-List", bytes({1, 1, 0, 77}), {}},
      {"router alert", bytes({148, 4, 0, 0}), {}},
      {"record route", bytes({7, 7, 4, 0, 0, 0, 0, 0}), {}},
      {"unknown", bytes({200, 8, 1, 2, 3, 4, 5, 6}), {}},
      {"forty bytes", Bytes(40, std::byte{1}), {}},
      {"source route at its end", bytes({131, 7, 8, 10, 0, 0, 1, 0}), {}},
      {"loose source route", bytes({131, 7, 4, 10, 0, 0, 1, 0}), DropReason::not_ours},
      {"strict source route", bytes({1, 137, 7, 4, 10, 0, 0, 1}), DropReason::not_ours},
      {"source route of two bytes", bytes({131, 2, 0, 0}), DropReason::ip_options_malformed},
      {"length zero", bytes({200, 0, 0, 0}), DropReason::ip_options_malformed},
      {"length one", bytes({200, 1, 0, 0}), DropReason::ip_options_malformed},
      {"past the end", bytes({200, 5, 0, 0}), DropReason::ip_options_malformed},
      {"no room for a length", bytes({1, 1, 1, 200}), DropReason::ip_options_malformed},
  };
  for (const ExtensionCase& expected : cases) {
    SCOPED_TRACE(expected.what);
    const Bytes packet = v4_with_options(expected.bytes);
    EXPECT_EQ(refusal(packet), expected.refused);
    if (expected.refused) continue;
    EXPECT_EQ(parse(packet)->header_bytes, 20 + expected.bytes.size());
    EXPECT_EQ(parse(packet)->payload_bytes, 8U);
  }
}

TEST(IpParse, StepsOverIpv6Extensions) {
  const ExtensionCase cases[] = {
      {"hop-by-hop of padding", bytes({6, 0, 1, 4, 0, 0, 0, 0}), {}, 0},
      {"hop-by-hop of Pad1", bytes({6, 0, 0, 0, 0, 0, 0, 0}), {}, 0},
      {"destination options of two words",
       bytes({6, 1, 0x1e, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
       {},
       60},
      {"routing at its end", bytes({6, 0, 0, 0, 0, 0, 0, 0}), {}, 43},
      {"atomic fragment", bytes({6, 0, 0, 0, 1, 2, 3, 4}), {}, 44},
      {"chain",
       bytes({60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0}),
       {},
       0},
      {"routing with segments left", bytes({6, 0, 0, 1, 0, 0, 0, 0}), DropReason::not_ours, 43},
      {"unknown option to step over", bytes({6, 0, 0x3e, 4, 0, 0, 0, 0}), {}, 60},
      {"unknown option to discard", bytes({6, 0, 0x7e, 4, 0, 0, 0, 0}),
       DropReason::ip_options_malformed, 60},
      {"jumbo payload", bytes({6, 0, 0xc2, 4, 0, 1, 0, 0}), DropReason::ip_options_malformed, 0},
      {"option past the end", bytes({6, 0, 1, 5, 0, 0, 0, 0}), DropReason::ip_options_malformed, 0},
      {"option without length", bytes({6, 0, 1, 3, 0, 0, 0, 1}), DropReason::ip_options_malformed,
       0},
      {"eight options",
       bytes({6,    2, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0,
              0x1e, 0, 0x1e, 0, 0x1e, 0, 0,    0, 0,    0, 0,    0}),
       {},
       60},
      {"nine options", bytes({6,    2, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0,
                              0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0,    0, 0,    0}),
       DropReason::extension_headers, 60},
      {"too much padding", bytes({6, 1, 1, 4, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0}),
       DropReason::extension_headers, 0},
      {"extension past the payload", bytes({6, 1, 1, 4, 0, 0, 0, 0}), DropReason::bad_ip_header, 0},
      {"no next header", bytes({59, 0, 1, 4, 0, 0, 0, 0}), DropReason::unknown_protocol, 0},
  };
  for (const ExtensionCase& expected : cases) {
    SCOPED_TRACE(expected.what);
    const Bytes packet = v6_with(expected.first, expected.bytes);
    EXPECT_EQ(refusal(packet), expected.refused);
    if (expected.refused) continue;
    EXPECT_EQ(parse(packet)->header.protocol, 6);
    EXPECT_EQ(parse(packet)->header_bytes, 40 + expected.bytes.size());
    EXPECT_EQ(parse(packet)->payload_bytes, 0U);
  }
}

TEST(IpParse, TakesHopByHopOptionsOnlyInFront) {
  const auto parsed = parse(v6_with(60, bytes({0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0})));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->header.protocol, 0);  // which nobody knows
  EXPECT_EQ(parsed->payload_bytes, 8U);
}

TEST(IpParse, BoundsAChainOfExtensions) {
  Bytes chain;
  while (chain.size() + 8 <= 65535) {
    for (const int byte : {60, 0, 1, 4, 0, 0, 0, 0}) chain.push_back(static_cast<std::byte>(byte));
  }
  EXPECT_EQ(refusal(v6_with(60, chain)), DropReason::extension_headers);
  chain.resize(8 * kMaxExtensions);
  chain[chain.size() - 8] = std::byte{6};
  EXPECT_FALSE(refusal(v6_with(60, chain)));
}

TEST(IpParse, RefusesMappedAddressesOnTheWire) {
  const Bytes mapped = bytes({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 9, 0, 2});
  Bytes packet = emitted(v6_header(), Bytes(20));
  std::ranges::copy(mapped, packet.begin() + 8);
  EXPECT_EQ(refusal(packet), DropReason::bad_source);
  packet = emitted(v6_header(), Bytes(20));
  std::ranges::copy(mapped, packet.begin() + 24);
  EXPECT_EQ(refusal(packet), DropReason::not_ours);
}

TEST(IpParse, ReadsAQuoteThatEndsEarly) {
  for (const IpHeader& header : {v4_header(), v6_header()}) {
    Bytes quote = emitted(header, Bytes(1000));
    quote = first_bytes(quote, header.source.is_v4() ? 28 : 48);
    if (header.source.is_v4()) quote[8] = std::byte{1};  // a router's TTL, and no new checksum
    ASSERT_TRUE(refusal(quote));
    const auto parsed = parse_quoted_ip(quote);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header.source, header.source);
    EXPECT_EQ(parsed->header.destination, header.destination);
    EXPECT_EQ(parsed->payload_bytes, 1000U);
    quote = first_bytes(quote, quote.size() - 9);
    EXPECT_EQ(parse_quoted_ip(quote).error(), DropReason::truncated);
  }
}

}  // namespace
}  // namespace hawser::wire
