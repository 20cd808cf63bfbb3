#include "wire/tcp.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/wire/support.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;
using testing::contents;
using testing::reference_sum;

const IpAddress kV4Source = IpAddress::v4(10, 9, 0, 2);
const IpAddress kV4Destination = IpAddress::v4(10, 9, 0, 1);
const IpAddress kV6Source = *IpAddress::parse("fd00:9::2");
const IpAddress kV6Destination = *IpAddress::parse("fd00:9::1");

TcpHeader plain_header(TcpFlags flags) {
  TcpHeader header;
  header.source = Port{0x1234};
  header.destination = Port{80};
  header.seq = SeqNum(0x01020304);
  header.ack = SeqNum(0xf0e0d0c0);
  header.flags = flags;
  header.window = 0xffff;
  header.urgent = 0x0102;
  return header;
}

TcpHeader with_all_options(TcpFlags flags) {
  TcpHeader header = plain_header(flags);
  header.options.mss = 1460;
  header.options.window_scale = 7;
  header.options.sack_permitted = true;
  header.options.timestamps = TcpTimestamps{0x11223344, 0x55667788};
  header.options.sack_count = 4;
  for (std::uint32_t i = 0; i < 4; ++i) {
    header.options.sack_blocks[i] = {SeqNum(0xfffffff0 + 16 * i), SeqNum(0xfffffff8 + 16 * i)};
  }
  return header;
}

Bytes emitted(const TcpHeader& header) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  push_tcp(packet, header, kV4Source, kV4Destination);
  return contents(packet);
}

Bytes options_of(const TcpHeader& header) {
  const Bytes all = emitted(header);
  return {all.begin() + 20, all.end()};
}

/// A segment with these options behind a plain header, padded with zeros to a whole word.
Bytes segment_with(const Bytes& options, TcpFlags flags = TcpFlag::ack) {
  Bytes segment = emitted(plain_header(flags));
  segment.insert(segment.end(), options.begin(), options.end());
  segment.resize((segment.size() + 3) / 4 * 4);
  segment[12] = static_cast<std::byte>(segment.size() / 4 << 4);
  return segment;
}

TEST(TcpEmit, PutsEachFieldInItsPlace) {
  TcpHeader header = plain_header(TcpFlag::psh | TcpFlag::ack);
  Bytes segment = emitted(header);
  segment[16] = segment[17] = std::byte{0};  // the checksum is looked at elsewhere
  EXPECT_EQ(segment, bytes({0x12, 0x34, 0x00, 80,   1,    2,    3, 4, 0xf0, 0xe0,
                            0xd0, 0xc0, 0x50, 0x18, 0xff, 0xff, 0, 0, 1,    2}));
}

TEST(TcpEmit, WritesSynOptionsInTheCustomaryOrder) {
  EXPECT_EQ(options_of(with_all_options(TcpFlag::syn)),
            bytes({2,    4,    0x05, 0xb4, 4,    2,    8, 10, 0x11, 0x22,
                   0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 1, 3,  3,    7}));
  TcpHeader no_timestamps = with_all_options(TcpFlag::syn | TcpFlag::ack);
  no_timestamps.options.timestamps.reset();
  EXPECT_EQ(options_of(no_timestamps), bytes({2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7}));
  TcpHeader no_sack = with_all_options(TcpFlag::syn);
  no_sack.options.sack_permitted = false;
  no_sack.options.window_scale.reset();
  EXPECT_EQ(options_of(no_sack),
            bytes({2, 4, 0x05, 0xb4, 1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
  TcpHeader only_mss = plain_header(TcpFlag::syn);
  only_mss.options.mss = 536;
  EXPECT_EQ(options_of(only_mss), bytes({2, 4, 0x02, 0x18}));
}

// RFC9293-MUST-65, RFC 7323 2.2, RFC 2018 2
TEST(TcpEmit, LeavesSynOptionsOutOfOtherSegments) {
  for (const TcpFlags flags : {TcpFlags(TcpFlag::ack), TcpFlag::fin | TcpFlag::ack,
                               TcpFlags(TcpFlag::rst), TcpFlag::psh | TcpFlag::ack, TcpFlags{}}) {
    const auto parsed = parse_tcp(emitted(with_all_options(flags)));
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->header.options.mss);
    EXPECT_FALSE(parsed->header.options.window_scale);
    EXPECT_FALSE(parsed->header.options.sack_permitted);
    EXPECT_TRUE(parsed->header.options.timestamps);
  }
}

TEST(TcpEmit, WritesAsManySackBlocksAsFit) {
  TcpHeader header = with_all_options(TcpFlag::ack);
  EXPECT_EQ(tcp_header_size(header), 20U + 12 + 4 + 24);
  Bytes options = options_of(header);
  EXPECT_EQ(Bytes(options.begin(), options.begin() + 16),
            bytes({1, 1, 8, 10, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 1, 1, 5, 26}));
  EXPECT_EQ(parse_tcp(emitted(header))->header.options.sack_count, 3);
  header.options.timestamps.reset();
  EXPECT_EQ(tcp_header_size(header), 20U + 4 + 32);
  options = options_of(header);
  EXPECT_EQ(Bytes(options.begin(), options.begin() + 12),
            bytes({1, 1, 5, 34, 0xff, 0xff, 0xff, 0xf0, 0xff, 0xff, 0xff, 0xf8}));
  const auto parsed = parse_tcp(emitted(header));
  ASSERT_EQ(parsed->header.options.sack().size(), 4U);
  EXPECT_TRUE(std::ranges::equal(parsed->header.options.sack(), header.options.sack()));
}

// RFC9293-MUST-68, RFC9293-MUST-69: the walk by kind and length ends exactly at the data offset.
TEST(TcpEmit, EveryCombinationOfOptionsWalksToItsEnd) {
  for (unsigned bits = 0; bits < 128; ++bits) {
    TcpHeader header = with_all_options((bits & 1U) != 0 ? TcpFlag::syn : TcpFlag::ack);
    if ((bits & 2U) != 0) header.options.mss.reset();
    if ((bits & 4U) != 0) header.options.window_scale.reset();
    if ((bits & 8U) != 0) header.options.timestamps.reset();
    header.options.sack_permitted = (bits & 16U) != 0;
    header.options.sack_count = static_cast<std::uint8_t>(bits >> 5);
    const Bytes segment = emitted(header);
    ASSERT_EQ(segment.size(), tcp_header_size(header));
    ASSERT_EQ(segment.size(), std::to_integer<std::size_t>(segment[12] >> 4) * 4);
    std::size_t at = 20;
    while (at < segment.size()) {
      ASSERT_NE(segment[at], std::byte{0}) << "no End-of-List is needed";
      at += segment[at] == std::byte{1} ? 1 : std::to_integer<std::size_t>(segment[at + 1]);
    }
    ASSERT_EQ(at, segment.size());
    ASSERT_TRUE(parse_tcp(segment));
  }
}

struct Family {
  IpAddress source;
  IpAddress destination;
};

// RFC9293-MUST-2, RFC9293-MUST-3
TEST(TcpChecksum, IsRightForEachKindOfSegmentAndWrongAfterAnyFlippedBit) {
  BufferPool pool;
  Random random(4);
  for (const Family& ip : {Family{kV4Source, kV4Destination}, Family{kV6Source, kV6Destination}}) {
    for (const TcpFlags flags : {TcpFlags(TcpFlag::syn), TcpFlags(TcpFlag::ack),
                                 TcpFlag::fin | TcpFlag::ack, TcpFlags(TcpFlag::rst)}) {
      for (const std::size_t length : {0U, 1U, 2U, 7U, 93U}) {
        Packet packet = pool.take_packet();
        ASSERT_TRUE(packet.append_copy(testing::random_bytes(random, length)));
        push_tcp(packet, with_all_options(flags), ip.source, ip.destination);
        Bytes segment = contents(packet);
        Bytes all = testing::pseudo_header(ip.source, ip.destination, 6,
                                           static_cast<std::uint32_t>(segment.size()));
        all.insert(all.end(), segment.begin(), segment.end());
        ASSERT_EQ(reference_sum(all), 0xffff);
        ASSERT_TRUE(tcp_checksum_ok(packet, ip.source, ip.destination));
        for (std::size_t bit = 0; bit < segment.size() * 8; ++bit) {
          segment[bit / 8] ^= std::byte{1} << (bit % 8);
          ASSERT_FALSE(tcp_checksum_ok(testing::received(pool, segment), ip.source, ip.destination))
              << "bit " << bit;
          segment[bit / 8] ^= std::byte{1} << (bit % 8);
        }
        ASSERT_FALSE(tcp_checksum_ok(packet, kV4Source, IpAddress::v4(10, 9, 0, 3)));
      }
    }
  }
}

TEST(TcpChecksum, CoversSlicesOfOddLength) {
  BufferPool pool;
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    Packet packet = pool.take_packet();
    ASSERT_TRUE(packet.append_copy(testing::random_bytes(random, random.below(64))));
    for (std::uint64_t i = random.below(Packet::kMaxSlices); i > 0; --i) {
      Packet piece = testing::received(pool, testing::random_bytes(random, 1 + random.below(200)));
      ASSERT_TRUE(packet.append(piece.slices()[0]));
    }
    push_tcp(packet, plain_header(TcpFlag::ack), kV6Source, kV6Destination);
    EXPECT_EQ(packet.checksum(), ChecksumMark::in_frame);
    ASSERT_TRUE(tcp_checksum_ok(packet, kV6Source, kV6Destination));
    ASSERT_TRUE(
        tcp_checksum_ok(testing::received(pool, contents(packet)), kV6Source, kV6Destination));
  }
}

TEST(TcpChecksum, IsLeftToTheDeviceWhenAsked) {
  BufferPool pool;
  Packet packet = pool.take_packet();
  ASSERT_TRUE(packet.append_copy(bytes({1, 2, 3})));
  push_tcp(packet, plain_header(TcpFlag::ack), kV4Source, kV4Destination, ChecksumMark::to_fill);
  EXPECT_EQ(packet.checksum(), ChecksumMark::to_fill);
  Bytes segment = contents(packet);
  // The device sums what is there, pseudo-header's sum included, and stores the complement.
  const auto sum = static_cast<std::uint16_t>(~reference_sum(segment));
  segment[16] = static_cast<std::byte>(sum >> 8);
  segment[17] = static_cast<std::byte>(sum);
  EXPECT_TRUE(tcp_checksum_ok(testing::received(pool, segment), kV4Source, kV4Destination));
}

TEST(TcpParse, ReadsWhatWasEmitted) {
  for (const TcpFlags flags : {TcpFlags(TcpFlag::syn), TcpFlags(TcpFlag::ack), TcpFlags(0x1ff)}) {
    const TcpHeader header = with_all_options(flags);
    const auto parsed = parse_tcp(emitted(header));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header_bytes, tcp_header_size(header));
    EXPECT_EQ(parsed->header.source, header.source);
    EXPECT_EQ(parsed->header.destination, header.destination);
    EXPECT_EQ(parsed->header.seq, header.seq);
    EXPECT_EQ(parsed->header.ack, header.ack);
    EXPECT_EQ(parsed->header.flags, header.flags);
    EXPECT_EQ(parsed->header.window, 0xffff);  // RFC9293-MUST-1
    EXPECT_EQ(parsed->header.urgent, header.urgent);
    EXPECT_EQ(parsed->header.options.timestamps, header.options.timestamps);
    if (!flags.has(TcpFlag::syn)) continue;
    EXPECT_EQ(parsed->header.options.mss, header.options.mss);
    EXPECT_EQ(parsed->header.options.window_scale, header.options.window_scale);
    EXPECT_TRUE(parsed->header.options.sack_permitted);
  }
}

struct OptionCase {
  const char* what;
  Bytes options;
  std::optional<int> mss;
  std::optional<int> scale;
  std::optional<TcpTimestamps> timestamps;
  int sack_blocks = 0;
  bool sack_permitted = false;
};

// RFC9293-MUST-4, RFC9293-MUST-5, RFC9293-MUST-6, RFC9293-MUST-64, RFC9293-MUST-68
TEST(TcpParse, ReadsOptionsInAnyOrderAlignmentAndSegment) {
  const TcpTimestamps stamps{0x01020304, 0x05060708};
  const OptionCase cases[] = {
      {"none", {}, {}, {}, {}},
      {"only NOPs", bytes({1, 1, 1, 1}), {}, {}, {}},
      {"End-of-List at once", bytes({0, 2, 4, 5}), {}, {}, {}},
      {"MSS", bytes({2, 4, 0x05, 0xb4}), 1460, {}, {}},
      {"MSS behind one NOP", bytes({1, 2, 4, 0x05, 0xb4, 0}), 1460, {}, {}},
      {"MSS behind three NOPs", bytes({1, 1, 1, 2, 4, 0xff, 0xff}), 65535, {}, {}},
      {"MSS, End-of-List, then not zero", bytes({2, 4, 2, 0x18, 0, 0xff, 0xff, 0xff}), 536, {}, {}},
      {"timestamps with no NOP", bytes({8, 10, 1, 2, 3, 4, 5, 6, 7, 8}), {}, {}, stamps},
      {"timestamps behind one NOP", bytes({1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}), {}, {}, stamps},
      {"timestamps aligned", bytes({1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}), {}, {}, stamps},
      {"unknown kind between", bytes({254, 6, 9, 9, 9, 9, 2, 4, 0, 99, 253, 2}), 99, {}, {}},
      {"fast open, MD5 and AO skipped",
       bytes({34, 6, 1, 2, 3, 4, 19, 18, 0,  0, 0, 0, 0, 0, 0, 0,
              0,  0, 0, 0, 0, 0, 0,  0,  29, 4, 0, 0, 3, 3, 14}),
       {},
       14,
       {}},
      {"scale beyond 14 is told as it is", bytes({3, 3, 255}), {}, 255, {}},
      {"SACK permitted", bytes({4, 2}), {}, {}, {}, 0, true},
      {"SACK of one block", bytes({5, 10, 0, 0, 0, 1, 0, 0, 0, 2}), {}, {}, {}, 1},
      {"SACK of no block", bytes({5, 2}), {}, {}, {}, 0},
      {"SACK of four blocks",
       bytes({5, 34, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0,
              4, 0,  0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8}),
       {},
       {},
       {},
       4},
      {"the last of two MSS counts", bytes({2, 4, 1, 0, 2, 4, 2, 0}), 512, {}, {}},
  };
  for (const OptionCase& expected : cases) {
    for (const TcpFlags flags : {TcpFlags(TcpFlag::syn), TcpFlags(TcpFlag::ack),
                                 TcpFlag::fin | TcpFlag::ack, TcpFlags(TcpFlag::rst)}) {
      SCOPED_TRACE(expected.what);
      Bytes segment = segment_with(expected.options, flags);
      segment[13] = static_cast<std::byte>(flags.bits());
      const auto parsed = parse_tcp(segment);
      ASSERT_TRUE(parsed);
      const TcpOptions& options = parsed->header.options;
      EXPECT_EQ(options.mss ? std::optional<int>(*options.mss) : std::nullopt, expected.mss);
      EXPECT_EQ(options.window_scale ? std::optional<int>(*options.window_scale) : std::nullopt,
                expected.scale);
      EXPECT_EQ(options.timestamps, expected.timestamps);
      EXPECT_EQ(options.sack_count, expected.sack_blocks);
      EXPECT_EQ(options.sack_permitted, expected.sack_permitted);
      for (std::uint32_t i = 0; i < options.sack_count; ++i) {
        EXPECT_EQ(options.sack_blocks[i], (SackBlock{SeqNum(2 * i + 1), SeqNum(2 * i + 2)}));
      }
    }
  }
}

// RFC9293-MUST-7
TEST(TcpParse, RefusesOptionLengthsThatCannotBe) {
  const Bytes cases[] = {
      bytes({2, 0, 5, 0xb4}),   // zero
      bytes({2, 1, 5, 0xb4}),   // less than kind and length themselves
      bytes({254, 0, 0, 0}),    // the same of an unknown kind
      bytes({254, 1, 0, 0}),    //
      bytes({1, 1, 1, 254}),    // a kind with no room for its length
      bytes({2, 5, 5, 0xb4}),   // past the end of the header
      bytes({254, 255, 0, 0}),  //
      bytes({2, 3, 5, 0}),      // lengths that the kind cannot have
      bytes({3, 2, 1, 1}),      //
      bytes({3, 4, 7, 7}),      //
      bytes({4, 3, 0, 0}),      //
      bytes({8, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}),
      bytes({5, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}),
      bytes({1, 1, 8, 11, 0, 0, 0, 0, 0, 0, 0, 0}),  // nearly the fast path
  };
  for (const Bytes& options : cases) {
    const auto parsed = parse_tcp(segment_with(options));
    ASSERT_FALSE(parsed) << ::testing::PrintToString(options.size());
    EXPECT_EQ(parsed.error(), DropReason::bad_tcp_options);
  }
}

TEST(TcpParse, RefusesDataOffsetsThatCannotBe) {
  for (unsigned offset = 0; offset < 16; ++offset) {
    Bytes segment = emitted(plain_header(TcpFlag::ack));
    segment.resize(48, std::byte{1});
    segment[12] = static_cast<std::byte>(offset << 4);
    const auto parsed = parse_tcp(segment);
    ASSERT_EQ(parsed.has_value(), offset >= 5 && offset <= 12) << offset;
    if (!parsed) {
      EXPECT_EQ(parsed.error(), DropReason::bad_tcp_header);
    }
  }
}

TEST(TcpParse, RefusesAHeaderCutAnywhere) {
  for (const TcpFlags flags : {TcpFlags(TcpFlag::syn), TcpFlags(TcpFlag::ack)}) {
    const Bytes segment = emitted(with_all_options(flags));
    for (std::size_t length = 0; length < segment.size(); ++length) {
      const Bytes cut(segment.begin(), segment.begin() + static_cast<std::ptrdiff_t>(length));
      const auto parsed = parse_tcp(cut);
      ASSERT_FALSE(parsed) << length;
      EXPECT_EQ(parsed.error(), length < 20 ? DropReason::truncated : DropReason::bad_tcp_header);
    }
  }
}

}  // namespace
}  // namespace hawser::wire
