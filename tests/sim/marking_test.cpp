// What a link marks in place of a router (RFC 3168 5), and that nothing else of a packet changes.
#include "sim/marking.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hawser/ip.hpp"
#include "sim/impaired_path.hpp"
#include "wire/checksum.hpp"
#include "wire/ethernet.hpp"
#include "wire/ip.hpp"

namespace hawser::sim {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};

class MarkingTest : public ::testing::Test {
 protected:
  Packet packet(Ecn ecn, Family family = Family::ipv4, std::uint16_t identification = 0) {
    Packet made = pool_.take_packet();
    Slice slice = pool_.take(1000);
    std::ranges::fill(slice.spare().first(1000), std::byte{0x5a});
    slice.extend(1000);
    made.append(std::move(slice));
    const bool v4 = family == Family::ipv4;
    wire::push_ip(made, {.source = *IpAddress::parse(v4 ? "10.0.0.1" : "fd00::1"),
                         .destination = *IpAddress::parse(v4 ? "10.0.0.2" : "fd00::2"),
                         .protocol = 17,
                         .dscp = 46,
                         .ecn = static_cast<std::uint8_t>(ecn),
                         .identification = identification,
                         .flow_label = v4 ? 0 : 0xabcdeU});
    return made;
  }
  static std::vector<std::byte> bytes_of(const Packet& packet) {
    std::vector<std::byte> bytes(packet.size());
    packet.copy_to(0, bytes);
    return bytes;
  }
  static Ecn ecn_of(const Packet& packet) {
    const auto parsed = wire::parse_ip(packet.head(), packet.size());  // the checksum included
    EXPECT_TRUE(parsed);
    return parsed ? Ecn{parsed->header.ecn} : Ecn::not_ect;
  }

  BufferPool pool_;
};

TEST_F(MarkingTest, MarksWhatMayBeMarkedAndChangesNothingElse) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    // Many sums, so that the carries of the checksum's update are met.
    for (std::uint32_t id = 0; id < 65536; id += family == Family::ipv4 ? 13 : 65535) {
      for (const Ecn ecn : {Ecn::ect0, Ecn::ect1}) {
        Packet frame = packet(ecn, family, static_cast<std::uint16_t>(id));
        ASSERT_TRUE(mark_congestion(frame, false, pool_));
        const Packet wanted = packet(Ecn::ce, family, static_cast<std::uint16_t>(id));
        ASSERT_EQ(bytes_of(frame), bytes_of(wanted)) << id;
      }
    }
  }
}

TEST_F(MarkingTest, LeavesTheOthersAlone) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (const Ecn ecn : {Ecn::not_ect, Ecn::ce}) {
      Packet frame = packet(ecn, family);
      EXPECT_FALSE(mark_congestion(frame, false, pool_));
      EXPECT_EQ(ecn_of(frame), ecn);
    }
  }
  Packet noise = pool_.take_packet();
  std::ranges::fill(noise.prepend(40), std::byte{0xff});
  EXPECT_FALSE(mark_congestion(noise, false, pool_));
  noise.truncate(1);
  EXPECT_FALSE(mark_congestion(noise, false, pool_));
  EXPECT_FALSE(mark_congestion(noise, true, pool_));
}

TEST_F(MarkingTest, CopiesWhatADeviceHasRead) {
  const Packet original = packet(Ecn::ect0);
  const auto bytes = bytes_of(original);
  Slice slice = pool_.take(original.size());
  std::ranges::copy(bytes, slice.spare().begin());
  slice.extend(original.size());
  Packet frame = pool_.take_packet();
  frame.append(slice);
  EXPECT_TRUE(mark_congestion(frame, false, pool_));
  EXPECT_EQ(ecn_of(frame), Ecn::ce);
  EXPECT_TRUE(std::ranges::equal(slice.bytes(), bytes)) << "others may hold it";
}

TEST_F(MarkingTest, LooksIntoFramesOfAnEthernet) {
  Packet frame = packet(Ecn::ect0);
  wire::push_ethernet(frame, {MacAddress{{2, 0, 0, 0, 0, 1}}, MacAddress{{2, 0, 0, 0, 0, 2}},
                              wire::EtherType::ipv4});
  EXPECT_TRUE(mark_congestion(frame, true, pool_));
  frame.trim_front(14);
  EXPECT_EQ(ecn_of(frame), Ecn::ce);
}

TEST_F(MarkingTest, ALinkMarksByChance) {
  ImpairedPath link({.mark = 0.25}, Random(3), pool_);
  for (int i = 0; i < 400; ++i) {
    link.on_frame(kStart, packet(Ecn::ect0));
    EXPECT_FALSE(link.on_frame(kStart, packet(Ecn::not_ect)).marked);
  }
  EXPECT_NEAR(static_cast<double>(link.counters().marked), 100, 30);
  std::uint64_t arrived = 0;
  for (Arrival next = link.poll(kStart); next; next = link.poll(kStart)) {
    arrived += ecn_of(next.frame) == Ecn::ce ? 1U : 0U;
  }
  EXPECT_EQ(arrived, link.counters().marked);
}

TEST_F(MarkingTest, ALinkMarksWhatMeetsALongQueue) {
  // 1020 bytes take 8.16 ms; four may wait unmarked.
  ImpairedPath link({.rate = 1'000'000, .mark_above = 4080}, Random(3), pool_);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(link.on_frame(kStart, packet(Ecn::ect0)).marked, i >= 4) << i;
  }
  EXPECT_FALSE(link.on_frame(kStart + 1s, packet(Ecn::ect0)).marked);
}

TEST_F(MarkingTest, MarksLoseNoOtherFrame) {
  ImpairedPath a({.loss = 0.2}, Random(3), pool_);
  ImpairedPath b({.loss = 0.2, .mark = 0.5}, Random(3), pool_);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(a.on_frame(kStart, packet(Ecn::ect0)).fate,
              b.on_frame(kStart, packet(Ecn::ect0)).fate);
  }
}

}  // namespace
}  // namespace hawser::sim
