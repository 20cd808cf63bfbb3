// What the IP parser says of fragments, and how they are emitted.
#include <gtest/gtest.h>

#include <optional>

#include "tests/wire/support.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"
#include "wire/ip.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;

IpHeader header_of(Family family, std::uint8_t protocol) {
  IpHeader header;
  const bool v4 = family == Family::ipv4;
  header.source = *IpAddress::parse(v4 ? "10.9.0.2" : "fd00:9::2");
  header.destination = *IpAddress::parse(v4 ? "192.0.2.255" : "2001:db8::ffff");
  header.protocol = protocol;
  return header;
}

Bytes fragment(Family family, std::uint16_t offset, bool more, std::size_t size,
               std::uint8_t protocol = 17, std::uint32_t identification = 0x1234) {
  BufferPool pool;
  Packet packet = testing::received(pool, Bytes(size));
  push_fragment(packet, header_of(family, protocol),
                {.identification = identification, .offset = offset, .more = more});
  return contents(packet);
}

struct Outcome {
  std::expected<ParsedIp, DropReason> parsed;
  std::optional<ParameterProblem> problem;

  std::optional<DropReason> refusal() const {
    return parsed ? std::nullopt : std::optional(parsed.error());
  }
};

Outcome parse(const Bytes& packet) {
  Outcome outcome{std::unexpected(DropReason::count_), {}};
  outcome.parsed = parse_ip(packet, static_cast<std::uint32_t>(packet.size()), &outcome.problem);
  return outcome;
}

class Fragments : public ::testing::TestWithParam<Family> {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  std::size_t headers() const { return v4() ? 20 : 48; }
};
INSTANTIATE_TEST_SUITE_P(Families, Fragments, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(Fragments, AreReadAsTheyWereEmitted) {  // RFC8200-4.5
  for (const auto& [offset, more] : {std::pair{0, true}, {1480, true}, {65000, false}}) {
    const Bytes packet = fragment(GetParam(), static_cast<std::uint16_t>(offset), more, 64);
    const Outcome outcome = parse(packet);
    ASSERT_TRUE(outcome.parsed);
    EXPECT_EQ(outcome.parsed->header.protocol, 17);
    EXPECT_EQ(outcome.parsed->header_bytes, headers());
    EXPECT_EQ(outcome.parsed->payload_bytes, 64U);
    EXPECT_EQ(outcome.parsed->header.source, header_of(GetParam(), 17).source);
    ASSERT_TRUE(outcome.parsed->fragment);
    EXPECT_EQ(outcome.parsed->fragment->identification, 0x1234U);
    EXPECT_EQ(outcome.parsed->fragment->offset, offset);
    EXPECT_EQ(outcome.parsed->fragment->more, more);
    EXPECT_EQ(outcome.parsed->fragment->header_at, v4() ? 0 : 40);
    EXPECT_EQ(outcome.parsed->fragment->announced_at, v4() ? 0 : 6);
    EXPECT_FALSE(outcome.problem);
  }
}

TEST_P(Fragments, AreQuotedToo) {
  Bytes quote = fragment(GetParam(), 1480, true, 1000);
  quote.resize(headers() + 8);
  const auto parsed = parse_quoted_ip(quote);
  ASSERT_TRUE(parsed);
  ASSERT_TRUE(parsed->fragment);
  EXPECT_EQ(parsed->fragment->offset, 1480);
  EXPECT_EQ(parsed->payload_bytes, 1000U);
}

TEST_P(Fragments, AreRefusedWhenCutAnywhere) {
  const Bytes whole = fragment(GetParam(), 8, true, 16);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    ASSERT_EQ(parse(cut).refusal(), DropReason::truncated) << length;
  }
}

TEST_P(Fragments, ButTheLastAreMultiplesOfEight) {
  const Outcome outcome = parse(fragment(GetParam(), 8, true, 17));
  EXPECT_EQ(outcome.refusal(), DropReason::bad_fragment);
  EXPECT_EQ(outcome.problem.has_value(), !v4());
  if (outcome.problem) {  // RFC8200-4.5: the Payload Length field
    EXPECT_EQ(outcome.problem->code, 0);
    EXPECT_EQ(outcome.problem->pointer, 4);
    EXPECT_EQ(outcome.problem->source, header_of(GetParam(), 17).source);
    EXPECT_EQ(outcome.problem->destination, header_of(GetParam(), 17).destination);
  }
  EXPECT_FALSE(parse(fragment(GetParam(), 8, false, 17)).refusal());
}

TEST_P(Fragments, OfNothingAreRefused) {
  EXPECT_EQ(parse(fragment(GetParam(), 8, false, 0)).refusal(), DropReason::bad_fragment);
  EXPECT_EQ(parse(fragment(GetParam(), 8, true, 0)).refusal(), DropReason::bad_fragment);
}

TEST_P(Fragments, EndWhereADatagramMayEnd) {  // the "ping of death"
  const std::size_t most = v4() ? 65535 - 20 : 65535;
  const std::uint16_t offset = 65528;
  const std::size_t room = most > offset ? most - offset : 0;
  if (room > 0) {
    EXPECT_FALSE(parse(fragment(GetParam(), offset, false, room)).refusal());
  }
  const Outcome outcome = parse(fragment(GetParam(), offset, false, room + 1));
  EXPECT_EQ(outcome.refusal(), DropReason::bad_fragment);
  if (!v4()) {  // RFC8200-4.5: the Fragment Offset field
    ASSERT_TRUE(outcome.problem);
    EXPECT_EQ(outcome.problem->pointer, 42);
  }
}

TEST_P(Fragments, TooSmallForATcpHeaderAreRefused) {  // RFC1858-3, RFC7112-5
  const Outcome outcome = parse(fragment(GetParam(), 0, true, 16, 6));
  EXPECT_EQ(outcome.refusal(), DropReason::tiny_fragment);
  if (!v4()) {
    ASSERT_TRUE(outcome.problem);
    EXPECT_EQ(outcome.problem->code, 3);
    EXPECT_EQ(outcome.problem->pointer, 0);
  }
  EXPECT_FALSE(parse(fragment(GetParam(), 0, true, 24, 6)).refusal());
  EXPECT_FALSE(parse(fragment(GetParam(), 0, true, 8, 17)).refusal());
  if (v4()) {  // RFC3128-2: what lies behind may not overwrite it either
    EXPECT_EQ(parse(fragment(GetParam(), 8, false, 16, 6)).refusal(), DropReason::tiny_fragment);
  }
}

TEST_P(Fragments, ThatAreWholePacketsAreNone) {  // RFC6946-4
  const Outcome outcome = parse(fragment(GetParam(), 0, false, 4));
  ASSERT_TRUE(outcome.parsed);
  EXPECT_FALSE(outcome.parsed->fragment);
  EXPECT_EQ(outcome.parsed->header_bytes, headers());
  EXPECT_EQ(outcome.parsed->payload_bytes, 4U);
}

/// An IPv6 packet with these bytes behind its header.
Bytes v6_with(std::uint8_t next_header, const Bytes& payload) {
  BufferPool pool;
  Packet packet = testing::received(pool, payload);
  push_ip(packet, header_of(Family::ipv6, next_header));
  return contents(packet);
}

TEST(Ipv6Fragments, FollowOtherExtensions) {
  const Bytes packet = v6_with(0, bytes({43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0,
                                         17, 0, 0, 9, 1, 2, 3, 4, 0,  1, 0, 2, 0, 8, 0, 0}));
  const Outcome outcome = parse(packet);
  ASSERT_TRUE(outcome.parsed);
  ASSERT_TRUE(outcome.parsed->fragment);
  EXPECT_EQ(outcome.parsed->fragment->header_at, 56);
  EXPECT_EQ(outcome.parsed->fragment->announced_at, 48);
  EXPECT_EQ(outcome.parsed->fragment->offset, 8);
  EXPECT_EQ(outcome.parsed->fragment->identification, 0x01020304U);
  EXPECT_EQ(outcome.parsed->header_bytes, 64);
  EXPECT_EQ(outcome.parsed->header.protocol, 17);
}

TEST(Ipv6Fragments, HoldAllHeadersInTheFirst) {  // RFC7112-5
  const Bytes fragment_header = bytes({60, 0, 0, 1, 0, 0, 0, 1});
  const auto with = [&](const Bytes& rest) {
    Bytes payload = fragment_header;
    payload.insert(payload.end(), rest.begin(), rest.end());
    return parse(v6_with(44, payload)).refusal();
  };
  Bytes options = bytes({17, 0, 1, 4, 0, 0, 0, 0});
  EXPECT_EQ(with(options), DropReason::tiny_fragment) << "no transport header";
  options.resize(16);
  EXPECT_FALSE(with(options));
  options[1] = std::byte{1};
  EXPECT_EQ(with(options), DropReason::tiny_fragment) << "options cut in half";
  EXPECT_EQ(with(bytes({60, 0, 1, 4, 0, 0, 0, 0})), DropReason::tiny_fragment);
}

struct ProblemCase {
  const char* what;
  std::uint8_t first;
  Bytes payload;
  std::uint8_t code;
  std::uint16_t pointer;
  bool even_multicast = false;
};

TEST(Ipv6Problems, PointAtWhatIsNotKnown) {  // RFC4443-3.4, RFC8200-4.2
  const ProblemCase cases[] = {
      {"option to discard and tell", 60, bytes({6, 0, 1, 0, 0x80, 2, 0, 0}), 2, 44, true},
      {"unless it was multicast", 0, bytes({6, 0, 0xc2, 4, 0, 1, 0, 0}), 2, 42},
      {"routing header with segments left", 43, bytes({6, 0, 77, 1, 0, 0, 0, 0}), 0, 42},
  };
  for (const ProblemCase& expected : cases) {
    SCOPED_TRACE(expected.what);
    const Outcome outcome = parse(v6_with(expected.first, expected.payload));
    EXPECT_TRUE(outcome.refusal());
    ASSERT_TRUE(outcome.problem);
    EXPECT_EQ(outcome.problem->code, expected.code);
    EXPECT_EQ(outcome.problem->pointer, expected.pointer);
    EXPECT_EQ(outcome.problem->even_multicast, expected.even_multicast);
  }
  const Outcome silent = parse(v6_with(60, bytes({6, 0, 0x40, 4, 0, 0, 0, 0})));
  EXPECT_EQ(silent.refusal(), DropReason::ip_options_malformed);
  EXPECT_FALSE(silent.problem);
}

TEST(Ipv4Problems, PointAtTheOptionThatIsWrong) {  // RFC1122-3.2.2.5
  Bytes packet = fragment(Family::ipv4, 0, false, 8);
  const Bytes options = bytes({1, 200, 9, 0});
  packet.insert(packet.begin() + 20, options.begin(), options.end());
  packet[0] = std::byte{0x46};
  write16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  write16(&packet[10], 0);
  Checksum checksum;
  checksum.add(std::span(packet).first(24));
  write16(&packet[10], checksum.value());
  const Outcome outcome = parse(packet);
  EXPECT_EQ(outcome.refusal(), DropReason::ip_options_malformed);
  ASSERT_TRUE(outcome.problem);
  EXPECT_EQ(outcome.problem->pointer, 22);
}

}  // namespace
}  // namespace hawser::wire
