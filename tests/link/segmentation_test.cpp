// What a sender on this machine could give us to cut, and what nobody should.
#include "link/segmentation.hpp"

#include <gtest/gtest.h>

#include "tests/link/support.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::link {
namespace {

using testing::Bytes;
using testing::contents;
using testing::pattern;

/// Ethernet, IPv4 without options, UDP and `payload` bytes, in slices of `slice` bytes.
Packet frame_of(BufferPool& pool, std::size_t payload, std::size_t slice = 2000) {
  Bytes bytes = pattern(42 + payload);
  bytes[14] = std::byte{0x45};
  bytes[23] = std::byte{17};
  Packet frame = pool.take_packet();
  for (std::size_t at = 0; at < bytes.size(); at += slice) {
    const std::size_t size = std::min(slice, bytes.size() - at);
    Slice piece = pool.take(static_cast<std::uint32_t>(size));
    std::ranges::copy(std::span(bytes).subspan(at, size), piece.spare().begin());
    piece.extend(static_cast<std::uint32_t>(size));
    frame.append(std::move(piece));
  }
  return frame;
}

TEST(CutDatagrams, SharesPayloadAcrossSlices) {
  BufferPool pool;
  const Packet frame = frame_of(pool, 5000, 777);
  std::vector<Packet> parts;
  ASSERT_TRUE(cut_datagrams(frame, 34, 999, pool, parts));
  ASSERT_EQ(parts.size(), 6U);
  Bytes payload;
  for (const Packet& part : parts) {
    const Bytes bytes = contents(part);
    payload.insert(payload.end(), bytes.begin() + 42, bytes.end());
    EXPECT_EQ(wire::read16(&bytes[16]), bytes.size() - 14);
    EXPECT_EQ(wire::read16(&bytes[38]), bytes.size() - 34);
  }
  const Bytes whole = contents(frame);
  EXPECT_EQ(payload, Bytes(whole.begin() + 42, whole.end()));
}

TEST(CutDatagrams, RefusesWhatIsNoSuchFrame) {
  BufferPool pool;
  std::vector<Packet> parts;
  const Packet frame = frame_of(pool, 100);
  for (const std::uint32_t udp_at : {0U, 14U, 33U, 35U, 54U, 134U, 135U, 65535U, ~0U - 7}) {
    EXPECT_FALSE(cut_datagrams(frame, udp_at, 10, pool, parts)) << udp_at;
  }
  EXPECT_FALSE(cut_datagrams(frame, 34, 0, pool, parts)) << "of no size";
  Packet tcp = frame_of(pool, 100);
  Slice& head = tcp.slices()[0];
  Slice changed = pool.take(head.size());
  std::ranges::copy(head.bytes(), changed.spare().begin());
  changed.spare()[23] = std::byte{6};
  changed.extend(head.size());
  Packet other = pool.take_packet();
  other.append(std::move(changed));
  EXPECT_FALSE(cut_datagrams(other, 34, 10, pool, parts)) << "of another protocol";
  EXPECT_TRUE(parts.empty());
}

TEST(CutDatagrams, AddsNothingWithoutMemory) {
  BufferPool pool(64 * 1024);
  const Packet frame = frame_of(pool, 5000);
  std::vector<Packet> parts;
  EXPECT_FALSE(cut_datagrams(frame, 34, 1, pool, parts)) << "thousands of packets";
  EXPECT_TRUE(parts.empty());
  EXPECT_TRUE(cut_datagrams(frame, 34, 1000, pool, parts));
}

/// Ethernet with a tag or none, IPv4 or IPv6, TCP with 12 bytes of options, and `payload` bytes;
/// with CWR, ACK, PSH and FIN.
Packet tcp_frame(BufferPool& pool, bool v4, bool tagged, std::size_t payload) {
  const std::size_t ip_at = tagged ? 18 : 14;
  const std::size_t tcp_at = ip_at + (v4 ? 20 : 40);
  Bytes bytes = pattern(tcp_at + 32 + payload);
  wire::write16(&bytes[12], tagged ? 0x8100 : (v4 ? 0x0800 : 0x86dd));
  bytes[ip_at] = std::byte{v4 ? std::uint8_t{0x45} : std::uint8_t{0x60}};
  if (v4) bytes[ip_at + 9] = std::byte{6};
  wire::write16(&bytes[ip_at + 4], 0xfffe);
  wire::write32(&bytes[tcp_at + 4], 0xffffff00);
  bytes[tcp_at + 12] = std::byte{0x80};
  bytes[tcp_at + 13] = std::byte{0x99};
  Packet frame = pool.take_packet();
  Slice piece = pool.take(static_cast<std::uint32_t>(bytes.size()));
  std::ranges::copy(bytes, piece.spare().begin());
  piece.extend(static_cast<std::uint32_t>(bytes.size()));
  frame.append(std::move(piece));
  return frame;
}

/// Of the segment and its pseudo-header: zero when the checksum is right.
std::uint16_t sum_of(const Bytes& frame, std::size_t ip_at, std::size_t tcp_at, bool v4) {
  wire::Checksum sum;
  sum.add(std::span(frame).subspan(v4 ? ip_at + 12 : ip_at + 8, v4 ? 8 : 32));
  Bytes rest(4);
  rest[1] = std::byte{6};
  wire::write16(&rest[2], static_cast<std::uint16_t>(frame.size() - tcp_at));
  sum.add(rest);
  sum.add(std::span(frame).subspan(tcp_at));
  return sum.value();
}

TEST(CutSegments, EachIsOneThatASenderCouldHaveSent) {
  for (const bool v4 : {true, false}) {
    for (const bool tagged : {true, false}) {
      BufferPool pool;
      const Packet frame = tcp_frame(pool, v4, tagged, 2500);
      const std::uint32_t ip_at = tagged ? 18 : 14;
      const std::uint32_t tcp_at = ip_at + (v4 ? 20 : 40);
      std::vector<Packet> parts;
      ASSERT_TRUE(cut_segments(frame, tcp_at, 1000, pool, parts));
      ASSERT_EQ(parts.size(), 3U);
      Bytes payload;
      for (std::size_t i = 0; i < 3; ++i) {
        const Bytes bytes = contents(parts[i]);
        EXPECT_EQ(wire::read32(&bytes[tcp_at + 4]),
                  static_cast<std::uint32_t>(0xffffff00 + 1000 * i));
        // CWR, ACK; ACK; ACK, PSH and FIN.
        EXPECT_EQ(std::to_integer<int>(bytes[tcp_at + 13]), i == 0 ? 0x90 : (i == 1 ? 0x10 : 0x19));
        EXPECT_EQ(sum_of(bytes, ip_at, tcp_at, v4), 0);
        if (v4) {
          EXPECT_EQ(wire::read16(&bytes[ip_at + 2]), bytes.size() - ip_at);
          EXPECT_EQ(wire::read16(&bytes[ip_at + 4]), static_cast<std::uint16_t>(0xfffe + i));
          wire::Checksum header;
          header.add(std::span(bytes).subspan(ip_at, 20));
          EXPECT_EQ(header.value(), 0);
        } else {
          EXPECT_EQ(wire::read16(&bytes[ip_at + 4]), bytes.size() - tcp_at);
        }
        payload.insert(payload.end(), bytes.begin() + tcp_at + 32, bytes.end());
      }
      const Bytes whole = contents(frame);
      EXPECT_EQ(payload, Bytes(whole.begin() + tcp_at + 32, whole.end()));
    }
  }
}

TEST(CutSegments, RefusesWhatIsNoSuchFrame) {
  BufferPool pool;
  std::vector<Packet> parts;
  const Packet frame = tcp_frame(pool, true, false, 100);
  for (const std::uint32_t tcp_at : {0U, 14U, 33U, 35U, 54U, 150U, 166U, 65535U, ~0U - 19}) {
    EXPECT_FALSE(cut_segments(frame, tcp_at, 10, pool, parts)) << tcp_at;
  }
  EXPECT_FALSE(cut_segments(frame, 34, 0, pool, parts)) << "of no size";
  EXPECT_FALSE(cut_segments(frame_of(pool, 100), 34, 10, pool, parts)) << "of another protocol";
  EXPECT_TRUE(parts.empty());
}

}  // namespace
}  // namespace hawser::link
