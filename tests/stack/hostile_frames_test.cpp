// Damaged frames of every kind at a stack on an Ethernet: each is a counted drop or has a legal
// answer, and nothing of them stays.
#include <gtest/gtest.h>

#include <vector>

#include "fuzz/stack_target.hpp"
#include "tests/wire/support.hpp"

namespace hawser {
namespace {

using wire::testing::Bytes;

const IpAddress kOurs = *IpAddress::parse("10.9.0.2");
const IpAddress kPeer = *IpAddress::parse("10.9.0.1");
const IpAddress kOurs6 = *IpAddress::parse("fd00:9::2");
const IpAddress kPeer6 = *IpAddress::parse("fd00:9::1");
const MacAddress kPeerMac = *MacAddress::parse("02:00:00:00:00:01");

class Seeds {
 public:
  Seeds() {
    add_arp(wire::ArpOperation::request, kPeer, kOurs);
    add_arp(wire::ArpOperation::reply, kPeer, kOurs);
    add_arp(wire::ArpOperation::request, kPeer, kPeer);
    for (const bool v6 : {false, true}) {
      const IpAddress& source = v6 ? kPeer6 : kPeer;
      const IpAddress& destination = v6 ? kOurs6 : kOurs;
      add_tcp(TcpFlag::syn, source, destination);
      add_tcp(TcpFlag::ack, source, destination);
      Packet echo = payload(40);
      wire::push_icmp_echo(echo, {.reply = false, .identifier = 1, .sequence = 2}, source,
                           destination);
      add_ip(std::move(echo), source, destination, v6 ? 58 : 1, 64);
      add_ip(payload(30), source, destination, 17, 64);
      add_ip(payload(30), source, destination, 99, 64);
    }
    const IpAddress router = *IpAddress::parse("fe80::1");
    wire::RouterAdvertisement advertisement;
    advertisement.lifetime_seconds = 60;
    advertisement.reachable_ms = 1;
    advertisement.retransmit_ms = 1;
    advertisement.source_mac = kPeerMac;
    advertisement.prefixes.push_back({.prefix = *Prefix::parse("2001:db8::/64"),
                                      .on_link = true,
                                      .autonomous = true,
                                      .valid_seconds = 60,
                                      .preferred_seconds = 60});
    add_message(wire::NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, kOurs6);
    add_message(wire::NeighbourSolicitation{kOurs6}, {}, wire::solicited_node(kOurs6));
    add_message(wire::NeighbourAdvertisement{kPeer6, true, true, true, kPeerMac}, kPeer6, kOurs6);
    add_message(advertisement, router, wire::kAllNodes);
    add_message(wire::Redirect{router, kPeer6, kPeerMac}, router, kOurs6);
  }

  const Bytes& any(Random& random) const { return frames_[random.below(frames_.size())]; }
  std::span<const Bytes> all() const { return frames_; }

 private:
  Packet payload(std::size_t size) { return wire::testing::received(pool_, Bytes(size)); }
  void add(Packet packet, wire::EtherType type) {
    wire::push_ethernet(packet, {fuzz::StackTarget::mac(), kPeerMac, type});
    frames_.push_back(wire::testing::contents(packet));
  }
  void add_arp(wire::ArpOperation operation, const IpAddress& sender, const IpAddress& target) {
    Packet packet = pool_.take_packet();
    wire::push_arp(packet, {operation, kPeerMac, sender, {}, target});
    add(std::move(packet), wire::EtherType::arp);
  }
  void add_ip(Packet packet, const IpAddress& source, const IpAddress& destination,
              std::uint8_t protocol, std::uint8_t hop_limit) {
    wire::push_ip(packet, {.source = source,
                           .destination = destination,
                           .protocol = protocol,
                           .hop_limit = hop_limit});
    add(std::move(packet), source.is_v4() ? wire::EtherType::ipv4 : wire::EtherType::ipv6);
  }
  void add_tcp(TcpFlags flags, const IpAddress& source, const IpAddress& destination) {
    Packet packet = pool_.take_packet();
    TcpHeader header;
    header.source = Port{4000};
    header.destination = Port{80};
    header.flags = flags;
    header.options.mss = 1460;
    wire::push_tcp(packet, header, source, destination);
    add_ip(std::move(packet), source, destination, 6, 64);
  }
  void add_message(const wire::NeighbourMessage& message, const IpAddress& source,
                   const IpAddress& destination) {
    add_ip(wire::make_neighbour_message(pool_, message, source, destination), source, destination,
           58, wire::kNeighbourHopLimit);
  }

  BufferPool pool_;
  std::vector<Bytes> frames_;
};

void damage(Random& random, Bytes& frame) {
  for (std::uint64_t left = 1 + random.below(4); left > 0 && !frame.empty(); --left) {
    const std::size_t at = random.below(frame.size());
    switch (random.below(5)) {
      case 0:
        frame[at] ^= std::byte{1} << random.below(8);
        break;
      case 1:
        frame[at] = static_cast<std::byte>(random.below(3) - 1);
        break;
      case 2:
        frame[at] = static_cast<std::byte>(random.next());
        break;
      case 3:
        if (random.chance(0.2)) frame.resize(at);
        break;
      default:  // in the last bytes of an address: many neighbours
        if (frame.size() > 41) frame[random.chance(0.5) ? 29 : 31] ^= std::byte{1};
        break;
    }
  }
}

TEST(HostileFrames, SeedsAreTakenByTheStack) {
  const Seeds seeds;
  for (const Bytes& frame : seeds.all()) {
    fuzz::StackTarget target;
    EXPECT_EQ(target.feed(frame), nullptr);
    const StackCounters& counters = target.stack().counters();
    for (const DropReason reason :
         {DropReason::truncated, DropReason::bad_ip_header, DropReason::bad_icmp,
          DropReason::bad_neighbour_message, DropReason::bad_arp, DropReason::bad_ethernet}) {
      EXPECT_EQ(counters.dropped(reason), 0U) << to_string(reason);
    }
  }
}

TEST(HostileFrames, AreAnsweredLegallyAndForgotten) {
  const Seeds seeds;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    fuzz::StackTarget target;
    for (int round = 0; round < 20000; ++round) {
      Bytes frame = seeds.any(random);
      damage(random, frame);
      if (random.chance(0.8)) fuzz::FrameRepair::apply(frame);
      frame.shrink_to_fit();  // so that a sanitizer sees a read behind its end
      const fuzz::Violation violation = target.feed(frame);
      ASSERT_EQ(violation, nullptr) << violation << " in round " << round << " of seed " << seed;
    }
    const fuzz::Violation violation = target.rest();
    ASSERT_EQ(violation, nullptr) << violation << " after seed " << seed;
    EXPECT_EQ(target.pool().bytes_in_use(), 0U);
  }
}

}  // namespace
}  // namespace hawser
