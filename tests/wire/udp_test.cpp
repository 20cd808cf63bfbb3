#include "wire/udp.hpp"

#include <gtest/gtest.h>

#include "tests/wire/support.hpp"
#include "wire/bytes.hpp"

namespace hawser::wire {
namespace {

using testing::Bytes;
using testing::bytes;

const IpAddress kV4 = IpAddress::v4(10, 9, 0, 1);
const IpAddress kOther4 = IpAddress::v4(10, 9, 0, 2);
const IpAddress kV6 = *IpAddress::parse("fd00:9::1");
const IpAddress kOther6 = *IpAddress::parse("fd00:9::2");

TEST(UdpParse, ReadsTheHeader) {  // RFC768
  const Bytes datagram = bytes({0x12, 0x34, 0, 53, 0, 10, 0xab, 0xcd, 1, 2});
  const auto parsed = parse_udp(datagram, 10, Family::ipv4);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->header.source, Port{0x1234});
  EXPECT_EQ(parsed->header.destination, Port{53});
  EXPECT_EQ(parsed->length, 10);
  EXPECT_TRUE(parsed->has_checksum);
}

TEST(UdpParse, TakesALengthOfTheHeaderUpToWhatIpGives) {  // RFC768
  Bytes datagram = bytes({0, 1, 0, 2, 0, 0, 1, 1});
  const auto with_length = [&](int length) {
    write16(&datagram[4], static_cast<std::uint16_t>(length));
    return parse_udp(datagram, 20, Family::ipv4);
  };
  for (const int length : {0, 7, 21, 65535}) {
    ASSERT_FALSE(with_length(length)) << length;
    EXPECT_EQ(with_length(length).error(), DropReason::bad_udp_header) << length;
  }
  for (const int length : {8, 19, 20}) {
    ASSERT_TRUE(with_length(length)) << length;
    EXPECT_EQ(with_length(length)->length, length);
  }
}

TEST(UdpParse, RefusesLessThanAHeader) {
  const Bytes datagram = bytes({0, 1, 0, 2, 0, 8, 0});
  EXPECT_EQ(parse_udp(datagram, 7, Family::ipv4).error(), DropReason::truncated);
  EXPECT_EQ(parse_udp({}, 0, Family::ipv6).error(), DropReason::truncated);
}

TEST(UdpParse, DoesWithoutAChecksumInIpv4Only) {  // RFC768, RFC8200-8.1, RFC1122-4.1.3.4
  const Bytes datagram = bytes({0, 1, 0, 2, 0, 8, 0, 0});
  const auto v4 = parse_udp(datagram, 8, Family::ipv4);
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->has_checksum);
  EXPECT_EQ(parse_udp(datagram, 8, Family::ipv6).error(), DropReason::bad_udp_checksum);
}

TEST(UdpPush, EmitsWhatTheReferenceSumsToZero) {  // RFC768, RFC1122-4.1.3.4
  Random random(1);
  BufferPool pool;
  for (std::size_t size = 0; size < 70; ++size) {
    for (const auto& [source, destination] : {std::pair{kV4, kOther4}, {kV6, kOther6}}) {
      Packet packet = pool.take_packet();
      if (size != 0) packet = testing::received(pool, testing::random_bytes(random, size));
      push_udp(packet, {Port{7}, Port{9}}, source, destination);
      const Bytes whole = testing::contents(packet);
      const auto length = static_cast<std::uint32_t>(whole.size());
      const std::uint16_t pseudo =
          testing::reference_sum(testing::pseudo_header(source, destination, 17, length));
      EXPECT_EQ(testing::reference_sum(whole, pseudo), 0xffff) << size;
      EXPECT_TRUE(udp_checksum_ok(packet, 0, source, destination));
      const auto parsed = parse_udp(whole, length, source.family());
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->length, length);
      EXPECT_EQ(parsed->header.destination, Port{9});
    }
  }
}

TEST(UdpPush, NeverSendsAChecksumOfZero) {  // RFC768
  BufferPool pool;
  // The payload is the complement of everything else: the sum is all ones, its complement zero.
  Packet first = testing::received(pool, bytes({0, 0}));
  push_udp(first, {Port{7}, Port{9}}, kV4, kOther4);
  const std::uint16_t checksum = read16(&testing::contents(first)[6]);
  Bytes payload(2);
  write16(payload.data(), checksum);
  Packet second = testing::received(pool, payload);
  push_udp(second, {Port{7}, Port{9}}, kV4, kOther4);
  EXPECT_EQ(read16(&testing::contents(second)[6]), 0xffff);
  EXPECT_TRUE(udp_checksum_ok(second, 0, kV4, kOther4));
}

TEST(UdpChecksum, IsOfWhatStandsBehindTheOffset) {
  BufferPool pool;
  Packet packet = testing::received(pool, bytes({1, 2, 3}));
  push_udp(packet, {Port{7}, Port{9}}, kV6, kOther6);
  std::ranges::fill(packet.prepend(40), std::byte{0x5a});
  EXPECT_TRUE(udp_checksum_ok(packet, 40, kV6, kOther6));
  EXPECT_FALSE(udp_checksum_ok(packet, 38, kV6, kOther6));
  EXPECT_FALSE(udp_checksum_ok(packet, 40, kV6, kV6));
  // The offset may lie behind the first piece.
  Packet pieces = testing::received(pool, Bytes(40, std::byte{1}));
  packet.trim_front(40);
  const Bytes rest = testing::contents(packet);
  Slice slice = pool.take(64);
  std::ranges::copy(rest, slice.spare().begin());
  slice.extend(static_cast<std::uint32_t>(rest.size()));
  ASSERT_TRUE(pieces.append(std::move(slice)));
  EXPECT_TRUE(udp_checksum_ok(pieces, 40, kV6, kOther6));
}

TEST(UdpChecksum, SeesEachBit) {
  BufferPool pool;
  Packet packet = testing::received(pool, bytes({1, 2, 3, 4, 5}));
  push_udp(packet, {Port{7}, Port{9}}, kV4, kOther4);
  Bytes whole = testing::contents(packet);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    whole[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(udp_checksum_ok(testing::received(pool, whole), 0, kV4, kOther4)) << bit;
    whole[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(UdpPush, LeavesTheRestToTheDevice) {
  BufferPool pool;
  Packet packet = testing::received(pool, bytes({1, 2}));
  push_udp(packet, {Port{7}, Port{9}}, kV4, kOther4, ChecksumMark::to_fill);
  EXPECT_EQ(packet.checksum(), ChecksumMark::to_fill);
  Bytes whole = testing::contents(packet);
  const std::uint16_t pseudo = testing::reference_sum(testing::pseudo_header(kV4, kOther4, 17, 10));
  EXPECT_EQ(read16(&whole[6]), pseudo);
}

}  // namespace
}  // namespace hawser::wire
