#include "ip/reassembly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/wire/support.hpp"
#include "wire/bytes.hpp"

namespace hawser::ip {
namespace {

using namespace std::chrono_literals;
using wire::testing::Bytes;
using wire::testing::contents;
using wire::testing::received;

constexpr Instant kStart{std::chrono::hours(1)};

/// A reassembly that is fed with pieces of a pattern.
class ReassemblyOf : public ::testing::TestWithParam<Family> {
 protected:
  struct Piece {
    std::uint32_t begin;
    std::uint32_t end;
    bool more;
    std::uint32_t id = 7;
    std::uint8_t ecn = 0;
    std::uint8_t change = 0;  ///< to each byte of the payload
    int source = 1;
  };

  bool v4() const { return GetParam() == Family::ipv4; }
  std::uint32_t headers() const { return v4() ? 20 : 40; }

  wire::IpHeader header(int source) const {
    wire::IpHeader header;
    header.source = v4() ? IpAddress::v4(10, 0, static_cast<std::uint8_t>(source >> 8),
                                         static_cast<std::uint8_t>(source))
                         : *IpAddress::parse("2001:db8::1");
    if (!v4()) {
      auto bytes = header.source.bytes();
      bytes[6] = static_cast<std::uint8_t>(source >> 8);
      bytes[7] = static_cast<std::uint8_t>(source);
      header.source = IpAddress::v6(bytes);
    }
    header.destination = *IpAddress::parse(v4() ? "10.0.0.2" : "2001:db8::2");
    header.protocol = 17;
    header.dscp = 10;
    return header;
  }
  static Bytes pattern(std::uint32_t begin, std::uint32_t end, std::uint8_t change = 0) {
    Bytes bytes;
    for (std::uint32_t i = begin; i < end; ++i) {
      bytes.push_back(static_cast<std::byte>((i * 7 + i / 251) ^ change));
    }
    return bytes;
  }
  Packet fragment(const Piece& piece) {
    Packet packet = received(pool, pattern(piece.begin, piece.end, piece.change));
    wire::IpHeader ip = header(piece.source);
    ip.ecn = piece.ecn;
    wire::push_fragment(packet, ip,
                        {.identification = piece.id,
                         .offset = static_cast<std::uint16_t>(piece.begin),
                         .more = piece.more});
    return packet;
  }
  Packet give(Packet packet) {
    // As a device gives it: all in one slice.
    packet = received(pool, contents(packet));
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    EXPECT_TRUE(parsed && parsed->fragment);
    if (!parsed || !parsed->fragment) return {};
    return reassembly.on_fragment(now, *parsed, std::move(packet));
  }
  Packet give(const Piece& piece) { return give(fragment(piece)); }

  void expect_whole(const Packet& packet, std::uint32_t size) {
    ASSERT_TRUE(packet);
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    ASSERT_TRUE(parsed) << "with its checksum right";
    EXPECT_FALSE(parsed->fragment);
    EXPECT_EQ(parsed->header_bytes, headers());
    EXPECT_EQ(parsed->payload_bytes, size);
    EXPECT_EQ(packet.size(), headers() + size);
    EXPECT_EQ(parsed->header.protocol, 17);
    EXPECT_EQ(parsed->header.dscp, 10);
    const Bytes bytes = contents(packet);
    EXPECT_EQ(Bytes(bytes.begin() + headers(), bytes.end()), pattern(0, size));
  }
  std::uint64_t dropped(DropReason reason) const { return counters.dropped(reason); }
  void expect_empty() {
    EXPECT_EQ(reassembly.datagrams(), 0U);
    EXPECT_EQ(reassembly.memory(), 0U);
    EXPECT_EQ(reassembly.next_deadline(), kNever);
    EXPECT_EQ(pool.bytes_in_use(), 0U);
  }

  IpConfig config;
  BufferPool pool;
  Random random{1};
  StackCounters counters;
  Reassembly reassembly{config, pool, random, counters};
  Instant now = kStart;
};
INSTANTIATE_TEST_SUITE_P(Families, ReassemblyOf, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(ReassemblyOf, FragmentsInAnyOrder) {  // RFC8200-4.5
  std::vector<Piece> pieces = {
      {0, 1000, true}, {1000, 1480, true}, {1480, 2000, true}, {2000, 2003, false}};
  std::vector<int> order = {0, 1, 2, 3};
  std::uint64_t made = 0;
  do {
    for (int i = 0; i < 3; ++i) ASSERT_FALSE(give(pieces[static_cast<std::size_t>(order[i])]));
    expect_whole(give(pieces[static_cast<std::size_t>(order[3])]), 2003);
    EXPECT_EQ(counters.datagrams_reassembled, ++made);
    expect_empty();
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(made, 24U);
  EXPECT_EQ(counters.fragments_received, 96U);
}

TEST_P(ReassemblyOf, TheLargestDatagram) {
  const std::uint32_t size = v4() ? 65515 : 65535;
  for (std::uint32_t begin = 0; begin < size; begin += 1232) {
    const std::uint32_t end = std::min(begin + 1232, size);
    const Packet whole = give({begin, end, end != size});
    ASSERT_EQ(static_cast<bool>(whole), end == size);
    if (whole) expect_whole(whole, size);
  }
  expect_empty();
}

TEST_P(ReassemblyOf, DatagramsApart) {
  ASSERT_FALSE(give({0, 800, true, 1}));
  ASSERT_FALSE(give({0, 800, true, 2}));
  ASSERT_FALSE(give({0, 800, true, 1, 0, 0, 2})) << "from another host";
  expect_whole(give({800, 900, false, 2}), 900);
  expect_whole(give({800, 900, false, 1}), 900);
  expect_whole(give({800, 900, false, 1, 0, 0, 2}), 900);
  expect_empty();
}

TEST_P(ReassemblyOf, ProtocolsApartInIpv4Only) {
  ASSERT_FALSE(give({0, 800, true}));
  Packet other = received(pool, pattern(800, 900));
  wire::IpHeader ip = header(1);
  ip.protocol = 99;
  wire::push_fragment(other, ip, {.identification = 7, .offset = 800});
  const Packet whole = give(std::move(other));
  EXPECT_EQ(static_cast<bool>(whole), !v4());
  if (whole) expect_whole(whole, 900);  // RFC8200-4.5: the first fragment says what it is
}

TEST_P(ReassemblyOf, PaddingIsLeftOut) {
  ASSERT_FALSE(give({0, 16, true}));
  Packet last = fragment({16, 20, false});
  Slice padding = pool.take(18);
  padding.extend(18);
  last.append(std::move(padding));
  expect_whole(give(std::move(last)), 20);
}

TEST_P(ReassemblyOf, RepetitionsAreHarmless) {  // RFC5722-4, RFC8200-4.5
  ASSERT_FALSE(give({0, 800, true}));
  ASSERT_FALSE(give({0, 800, true}));
  ASSERT_FALSE(give({1600, 1700, false}));
  ASSERT_FALSE(give({1600, 1700, false}));
  ASSERT_FALSE(give({0, 800, true}));
  EXPECT_EQ(dropped(DropReason::fragment_duplicate), 3U);
  expect_whole(give({800, 1600, true}), 1700);
  expect_empty();
}

TEST_P(ReassemblyOf, OverlapsMakeADatagramVoid) {  // RFC5722-4, RFC8200-4.5, RFC1858-3
  const std::vector<std::vector<Piece>> attacks = {
      {{0, 800, true}, {792, 1600, true}},        // into the end
      {{800, 1600, true}, {0, 808, true}},        // into the beginning
      {{0, 800, true}, {8, 16, true}},            // inside: "teardrop"
      {{8, 16, true}, {0, 800, true}},            // around
      {{0, 800, true}, {0, 800, true, 7, 0, 1}},  // the same place, other bytes
      {{0, 800, true}, {0, 792, true}},           // the same beginning
      {{0, 800, true}, {0, 808, true}},
      {{800, 1600, false}, {1600, 2000, true}},  // behind the end
      {{800, 1600, false}, {800, 1600, true}},   // no longer the last
      {{800, 1600, true}, {800, 1600, false}},
      {{800, 1600, false}, {1600, 2000, false}},  // two ends
      {{1600, 2000, true}, {800, 1600, false}},   // an end before what is there
  };
  for (const std::vector<Piece>& attack : attacks) {
    SCOPED_TRACE(&attack - attacks.data());
    const std::uint64_t before = dropped(DropReason::fragment_overlap);
    ASSERT_FALSE(give(attack[0]));
    ASSERT_FALSE(give(attack[1]));
    EXPECT_EQ(dropped(DropReason::fragment_overlap), before + 2) << "both of them";
    EXPECT_EQ(pool.bytes_in_use(), 0U);
    // And what would have made it whole finds it void.
    for (std::uint32_t begin = 0; begin < 2000; begin += 800) {
      ASSERT_FALSE(give({begin, std::min(begin + 800, 2000U), begin < 1600}));
    }
    EXPECT_EQ(dropped(DropReason::fragment_overlap), before + 5);
    EXPECT_EQ(reassembly.datagrams(), 1U);
    now = reassembly.next_deadline();
    const auto expired = reassembly.poll_expired(now);
    ASSERT_TRUE(expired);
    EXPECT_FALSE(expired->first_fragment) << "the sender is not told";
    expect_empty();
    expect_whole((give({0, 800, true}), give({800, 900, false})), 900);
  }
}

TEST_P(ReassemblyOf, WaitsSoLongAndNoLonger) {  // RFC1122-3.3.2, RFC8200-4.5
  const Duration timeout = v4() ? 30s : 60s;
  ASSERT_FALSE(give({0, 800, true}));
  const Bytes first = contents(fragment({0, 800, true}));
  now += 10s;
  ASSERT_FALSE(give({800, 1600, true}));
  ASSERT_FALSE(give({800, 1600, true, 8}));
  EXPECT_EQ(reassembly.next_deadline(), kStart + timeout) << "later fragments prolong nothing";
  EXPECT_FALSE(reassembly.poll_expired(kStart + timeout - 1ns));
  auto expired = reassembly.poll_expired(kStart + timeout);
  ASSERT_TRUE(expired);
  EXPECT_EQ(contents(expired->first_fragment), first);
  expired.reset();
  EXPECT_FALSE(reassembly.poll_expired(kStart + timeout));
  EXPECT_EQ(reassembly.next_deadline(), kStart + 10s + timeout);
  expired = reassembly.poll_expired(kStart + 10s + timeout);
  ASSERT_TRUE(expired);
  EXPECT_FALSE(expired->first_fragment) << "it never came";
  EXPECT_EQ(dropped(DropReason::fragment_timeout), 3U);
  expect_empty();
}

TEST_P(ReassemblyOf, ATinyFloodOfOneDatagramIsBounded) {
  for (std::uint32_t i = 0; i < 1000; ++i) give({8 * i, 8 * i + 8, true});
  EXPECT_EQ(reassembly.datagrams(), 1U);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
  EXPECT_EQ(dropped(DropReason::fragment_memory), Reassembly::kMaxFragments + 1);
}

TEST_P(ReassemblyOf, OneSourceHasItsShare) {
  ASSERT_FALSE(give({0, 800, true, 1, 0, 0, 2}));
  for (std::uint32_t id = 0; id < 10000; ++id) {
    give({0, 1200, true, id});
    ASSERT_LE(reassembly.memory(), config.reassembly_memory_per_source + 8192);
  }
  EXPECT_GT(reassembly.datagrams(), 300U);
  EXPECT_EQ(dropped(DropReason::fragment_memory), 10001 - reassembly.datagrams());
  // The newest are there, and other sources never suffered.
  expect_whole(give({1200, 1300, false, 9999}), 1300);
  expect_whole(give({800, 900, false, 1, 0, 0, 2}), 900);
}

TEST_P(ReassemblyOf, AllTogetherHaveTheirs) {
  for (int source = 1; source < 10000; ++source) {
    give({0, 1200, true, 1, 0, 0, source});
    ASSERT_LE(reassembly.memory(), config.reassembly_memory);
    // What is accounted for is about what is taken.
    ASSERT_LE(pool.bytes_in_use(), config.reassembly_memory);
  }
  EXPECT_GT(reassembly.datagrams(), 1000U);
  expect_whole(give({1200, 1300, false, 1, 0, 0, 9999}), 1300);
  EXPECT_FALSE(give({1200, 1300, false, 1, 0, 0, 1})) << "the oldest are gone";
  now += 60s;
  while (reassembly.poll_expired(now)) {
  }
  expect_empty();
}

TEST_P(ReassemblyOf, LargeBlocksAreNotPinnedBySmallFragments) {
  Packet packet = fragment({0, 800, true});
  const Bytes bytes = contents(packet);
  Slice block = pool.take(BufferPool::kFrameBlock);
  std::ranges::copy(bytes, block.spare().begin());
  block.extend(static_cast<std::uint32_t>(bytes.size()));
  packet = pool.take_packet();
  packet.append(std::move(block));
  const auto parsed = wire::parse_ip(packet.head(), packet.size());
  ASSERT_FALSE(reassembly.on_fragment(now, *parsed, std::move(packet)));
  EXPECT_LT(pool.bytes_in_use(), 4096U);
  expect_whole(give({800, 900, false}), 900);
}

TEST_P(ReassemblyOf, WithoutMemoryItIsADrop) {
  BufferPool small(6000);
  Reassembly poor(config, small, random, counters);
  const auto feed = [&](const Piece& piece) {
    Packet packet = fragment(piece);
    const auto parsed = wire::parse_ip(packet.head(), packet.size());
    return poor.on_fragment(now, *parsed, std::move(packet));
  };
  Slice most = small.take(4000);
  ASSERT_FALSE(feed({0, 800, true}));
  most = small.take(2048);
  Slice rest = small.take(2048);
  EXPECT_FALSE(feed({800, 900, false}));
  EXPECT_EQ(dropped(DropReason::no_memory), 2U);
}

struct EcnCase {
  std::uint8_t a, b;
  int merged;  ///< -1: no datagram
};

TEST_P(ReassemblyOf, CongestionOfAnyFragmentIsKept) {  // RFC3168-5.3
  for (const EcnCase& ecn : {EcnCase{0, 0, 0}, EcnCase{2, 2, 2}, EcnCase{2, 3, 3}, EcnCase{3, 1, 3},
                             EcnCase{0, 3, -1}, EcnCase{3, 0, -1}, EcnCase{0, 2, 0}}) {
    ASSERT_FALSE(give({0, 800, true, 7, ecn.a}));
    const Packet whole = give({800, 900, false, 7, ecn.b});
    ASSERT_EQ(static_cast<bool>(whole), ecn.merged >= 0);
    if (!whole) continue;
    expect_whole(whole, 900);
    EXPECT_EQ(wire::parse_ip(whole.head(), whole.size())->header.ecn, ecn.merged);
  }
  EXPECT_EQ(dropped(DropReason::fragment_overlap), 4U);
  expect_empty();
}

TEST_P(ReassemblyOf, AChecksumIsVouchedForByAllOrNone) {
  for (const bool all : {true, false}) {
    Packet a = fragment({0, 800, true});
    Packet b = fragment({800, 900, false});
    a.set_checksum(ChecksumMark::verified);
    if (all) b.set_checksum(ChecksumMark::verified);
    const auto first = wire::parse_ip(a.head(), a.size());
    const auto last = wire::parse_ip(b.head(), b.size());
    reassembly.on_fragment(now, *first, std::move(a));
    const Packet whole = reassembly.on_fragment(now, *last, std::move(b));
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole.checksum(), all ? ChecksumMark::verified : ChecksumMark::in_frame);
  }
}

class Ipv6Reassembly : public ReassemblyOf {};
INSTANTIATE_TEST_SUITE_P(Ipv6, Ipv6Reassembly, ::testing::Values(Family::ipv6));

/// A fragment behind destination options, whose options are `padding` long.
TEST_P(Ipv6Reassembly, KeepsWhatStandsBeforeTheFragmentHeader) {  // RFC8200-4.5
  const auto with_options = [&](std::uint32_t begin, std::uint32_t end, bool more, bool longer) {
    Bytes bytes = contents(fragment({begin, end, more}));
    Bytes options(longer ? 16 : 8);
    options[0] = std::byte{44};
    options[1] = std::byte{static_cast<std::uint8_t>(longer ? 1 : 0)};
    for (std::size_t at = 2; at < options.size(); at += 6) {
      options[at] = std::byte{0x1e};  // unknown, to be stepped over
      options[at + 1] =
          std::byte{static_cast<std::uint8_t>(std::min<std::size_t>(4, options.size() - at - 2))};
    }
    bytes.insert(bytes.begin() + 40, options.begin(), options.end());
    bytes[6] = std::byte{60};
    wire::write16(&bytes[4], static_cast<std::uint16_t>(bytes.size() - 40));
    return received(pool, bytes);
  };
  ASSERT_FALSE(give(with_options(0, 800, true, false)));
  const Packet whole = give(with_options(800, 900, false, true));
  ASSERT_TRUE(whole);
  const auto parsed = wire::parse_ip(whole.head(), whole.size());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->header_bytes, 48) << "those of the first";
  EXPECT_EQ(parsed->header.protocol, 17);
  EXPECT_EQ(parsed->payload_bytes, 900U);
  // What fits with the headers of the last fragment must fit with those of the first.
  std::uint32_t begin = 0;
  for (; begin < 65520; begin += 8 * 1024) {
    const std::uint32_t end = std::min(begin + 8 * 1024, 65520U);
    ASSERT_FALSE(
        give(begin == 0 ? with_options(begin, end, true, true) : fragment({begin, end, true})));
  }
  EXPECT_FALSE(give({65520, 65535, false}));
  EXPECT_EQ(dropped(DropReason::bad_fragment), 9U);
}

}  // namespace
}  // namespace hawser::ip
