// Damaged frames of every kind at a stack: each is a counted drop, or is taken or has a legal
// answer, and nothing of them stays.
#include "fuzz/hostile_frames.hpp"

#include <gtest/gtest.h>

namespace hawser {
namespace {

TEST(HostileFrames, SeedsAreTakenByTheStack) {
  const fuzz::FrameSource source;
  for (const fuzz::FrameBytes& frame : source.all()) {
    fuzz::StackTarget target;
    EXPECT_EQ(target.feed(frame), nullptr);
    const StackCounters& counters = target.stack().counters();
    for (const DropReason reason :
         {DropReason::truncated, DropReason::bad_ip_header, DropReason::bad_ip_checksum,
          DropReason::bad_tcp_checksum, DropReason::bad_udp_checksum, DropReason::bad_igmp,
          DropReason::bad_neighbour_message, DropReason::bad_arp, DropReason::bad_ethernet}) {
      EXPECT_EQ(counters.dropped(reason), 0U) << to_string(reason);
    }
  }
}

/// By how much the answer to a valid packet may be longer than it, as docs/hostile-input.md has it.
std::size_t allowed_excess(std::span<const std::byte> packet) {
  const bool v4 = wire::read8(&packet[0]) >> 4 == 4;
  const std::size_t header = v4 ? wire::kIpv4MinHeader : wire::kIpv6Header;
  const auto protocol = static_cast<wire::IpProtocol>(wire::read8(&packet[v4 ? 9 : 6]));
  const std::uint8_t first = wire::read8(&packet[header]);
  if (protocol == wire::IpProtocol::tcp) return 4;  // RFC9293-SHLD-5: the MSS
  if (protocol == wire::IpProtocol::icmp || protocol == wire::IpProtocol::igmp) return 0;
  // RFC4861-7.2.4: the address of the station that was asked for.
  if (protocol == wire::IpProtocol::icmpv6) return first == 135 ? 8 : 0;
  const std::size_t error = 2 * (header + 8);  // with the least that it must quote
  return error > packet.size() ? error - packet.size() : 0;
}

TEST(HostileFrames, AnswersAreHardlyLongerThanQuestions) {
  const fuzz::FrameSource source;
  for (const bool ethernet : {false, true}) {
    for (const fuzz::FrameBytes& frame : source.all()) {
      const auto packet = std::span(frame).subspan(wire::kEthernetHeader);
      const bool arp = frame[13] == std::byte{6};
      if (arp && !ethernet) continue;
      fuzz::StackTarget target(ethernet);
      // Whom it need not ask for.
      for (std::size_t i = 0; ethernet && i < source.all().size(); ++i) {
        if (i == 0 || source.all()[i].size() == 86) {
          ASSERT_EQ(target.feed(source.all()[i]), nullptr);
        }
      }
      const fuzz::FrameFates before = target.fates();
      ASSERT_EQ(target.feed(ethernet ? frame : packet), nullptr);
      const fuzz::FrameFates& after = target.fates();
      EXPECT_LE(after.bytes_out - before.bytes_out,
                after.bytes_in - before.bytes_in + (arp ? 0 : allowed_excess(packet)))
          << "frame " << &frame - source.all().data();
    }
  }
}

class HostileFramesOn : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Links, HostileFramesOn, ::testing::Bool(), [](const auto& given) {
  return given.param ? "Ethernet" : "BarePackets";
});

TEST_P(HostileFramesOn, AreAnsweredLegallyAndForgotten) {
  fuzz::FrameSource source;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    fuzz::StackTarget target(GetParam(), seed);
    for (int round = 0; round < 20000; ++round) {
      const fuzz::Violation violation = target.feed(next_frame(source, target, random));
      ASSERT_EQ(violation, nullptr) << violation << " in round " << round << " of seed " << seed;
    }
    // The replies do reach connections and leases, and most of the rest is refused.
    EXPECT_GT(target.stack().counters().connections_accepted, 0U);
    EXPECT_EQ(target.fates().requests > 0, GetParam());
    EXPECT_GT(target.fates().dropped, target.fates().taken);
    const fuzz::Violation violation = target.rest();
    ASSERT_EQ(violation, nullptr) << violation << " after seed " << seed;
  }
}

}  // namespace
}  // namespace hawser
