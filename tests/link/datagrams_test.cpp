// What a sender on this machine could give us to cut, and what nobody should.
#include "link/datagrams.hpp"

#include <gtest/gtest.h>

#include "tests/link/support.hpp"
#include "wire/bytes.hpp"

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

}  // namespace
}  // namespace hawser::link
