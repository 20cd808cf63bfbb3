// Malformed frames of each kind, by name: exactly one counter moves, and what may leave is said.
// Each is a valid frame of an Ethernet in which some bytes were changed.
#include <gtest/gtest.h>

#include <string>

#include "fuzz/hostile_frames.hpp"

namespace hawser {
namespace {

using Bytes = fuzz::FrameBytes;
using enum DropReason;
using fuzz::frame_of;
using fuzz::ip_frame;
using fuzz::kOurs;
using fuzz::kOurs6;
using fuzz::kPeer;
using fuzz::kPeer6;
using fuzz::kPeerMac;

// Where headers are in a frame.
constexpr std::size_t kIp = wire::kEthernetHeader;
constexpr std::size_t kAfter4 = kIp + wire::kIpv4MinHeader;
constexpr std::size_t kAfter6 = kIp + wire::kIpv6Header;

// Stations of a frame that is for more than us.
const std::vector<int> kBroadcast(6, 0xff);
const std::vector<int> kAllNodesMac = {0x33, 0x33, 0, 0, 0, 1};

struct Patch {
  std::size_t at;
  std::vector<int> bytes;
};

enum class From {
  arp,
  tcp4,
  tcp6,
  udp4,
  udp6,
  echo4,
  echo6,
  igmp,
  mld,
  solicitation,
  advertised,
  dhcp
};

struct Malformed {
  std::string name;
  From from;
  std::vector<Patch> patches;
  DropReason reason;
  bool answered = false;  ///< by an ICMP error, a reset or a defence of our address
  bool repaired = true;   ///< checksums are made right afterwards
  std::size_t cut = 0;    ///< bytes of the frame that are left; zero: all
};

class Originals {
 public:
  Bytes operator()(From from) {
    switch (from) {
      case From::arp: {
        Packet packet = pool_.take_packet();
        wire::push_arp(packet, {wire::ArpOperation::request, kPeerMac, kPeer, {}, kOurs});
        return frame_of(std::move(packet), wire::EtherType::arp);
      }
      case From::tcp4:
        return syn(kPeer, kOurs);
      case From::tcp6:
        return syn(kPeer6, kOurs6);
      case From::udp4:
        return datagram(kPeer, kOurs, {Port{4000}, Port{5000}}, Bytes(30));
      case From::udp6:
        return datagram(kPeer6, kOurs6, {Port{4000}, Port{5000}}, Bytes(30));
      case From::echo4:
        return ip_frame(fuzz::packet_of(pool_, bytes({8, 0, 0, 0, 0, 1, 0, 2})), kPeer, kOurs, 1,
                        64);
      case From::echo6:
        return ip_frame(fuzz::packet_of(pool_, bytes({128, 0, 0, 0, 0, 1, 0, 2})), kPeer6, kOurs6,
                        58, 64);
      case From::igmp:
        return ip_frame(fuzz::packet_of(pool_, bytes({0x11, 100, 0, 0, 0, 0, 0, 0})), kPeer,
                        *IpAddress::parse("224.0.0.1"), 2, 1);
      case From::mld: {
        Bytes query = bytes({130, 0, 0, 0, 1, 0});
        query.resize(24);
        return fuzz::mld_frame(fuzz::packet_of(pool_, query), *IpAddress::parse("fe80::1"));
      }
      case From::solicitation:
        return ip_frame(wire::make_neighbour_message(
                            pool_, wire::NeighbourSolicitation{kOurs6, kPeerMac}, kPeer6, kOurs6),
                        kPeer6, kOurs6, 58, wire::kNeighbourHopLimit);
      case From::advertised: {
        wire::RouterAdvertisement told;
        told.lifetime_seconds = 60;
        told.source_mac = kPeerMac;  // 16 bytes behind the type, and then 32 of a prefix
        told.prefixes.push_back({.prefix = *Prefix::parse("2001:db8::/64"),
                                 .on_link = true,
                                 .autonomous = true,
                                 .valid_seconds = 60,
                                 .preferred_seconds = 60});
        const IpAddress router = *IpAddress::parse("fe80::1");
        return ip_frame(wire::make_neighbour_message(pool_, told, router, wire::kAllNodes), router,
                        wire::kAllNodes, 58, wire::kNeighbourHopLimit);
      }
      case From::dhcp: {
        wire::DhcpMessage offer;
        offer.type = wire::DhcpType::offer;
        offer.yours = kOurs;
        offer.mac = fuzz::StackTarget::mac();
        offer.server = kPeer;
        offer.lease_seconds = 600;
        return datagram(kPeer, kOurs, {wire::kDhcpServerPort, wire::kDhcpClientPort},
                        wire::emit_dhcp(offer));
      }
    }
    return {};
  }

 private:
  static Bytes bytes(std::initializer_list<int> values) {
    Bytes result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
  }
  Bytes syn(const IpAddress& source, const IpAddress& destination) {
    Packet packet = pool_.take_packet();
    TcpHeader header;
    header.source = Port{4000};
    header.destination = Port{80};
    header.flags = TcpFlag::syn;
    header.options.mss = 1460;
    wire::push_tcp(packet, header, source, destination);
    return ip_frame(std::move(packet), source, destination, 6, 64);
  }
  Bytes datagram(const IpAddress& source, const IpAddress& destination,
                 const wire::UdpHeader& header, const Bytes& payload) {
    Packet packet = fuzz::packet_of(pool_, payload);
    wire::push_udp(packet, header, source, destination);
    return ip_frame(std::move(packet), source, destination, 17, 64);
  }

  BufferPool pool_;
};

std::vector<Malformed> corpus() {
  return {
      // Ethernet and 802.1Q
      {"OneByte", From::arp, {}, truncated, false, false, 1},
      {"EthernetCutInItsHeader", From::arp, {}, truncated, false, false, 13},
      {"EthernetWithALength", From::tcp4, {{12, {0, 46}}}, bad_ethernet},
      {"EthernetFromAGroup", From::tcp4, {{6, {0x03}}}, bad_ethernet},
      {"EthernetForAnother", From::tcp4, {{5, {9}}}, other_mac},
      {"EthernetOfAnUnknownType", From::tcp4, {{12, {0x88, 0xcc}}}, unknown_ether_type},
      {"VlanTag", From::tcp4, {{12, {0x81, 0x00, 0x00, 0x05}}}, other_vlan},
      {"VlanTagCut", From::tcp4, {{12, {0x81, 0x00}}}, truncated, false, false, 15},
      {"EtherTypeAgainstVersion", From::tcp4, {{12, {0x86, 0xdd}}}, bad_ip_version},
      {"NothingInAFrame", From::tcp4, {}, truncated, false, false, 14},
      // ARP
      {"ArpCut", From::arp, {}, truncated, false, false, 40},
      {"ArpOfAnotherHardware", From::arp, {{14, {0, 6}}}, bad_arp},
      {"ArpOfAnotherProtocol", From::arp, {{16, {0x86, 0xdd}}}, bad_arp},
      {"ArpWithLongAddresses", From::arp, {{18, {8}}}, bad_arp},
      {"ArpOfAnUnknownOperation", From::arp, {{20, {0, 9}}}, bad_arp},
      // RFC5227-2.4: the address is defended, once in ten seconds.
      {"ArpFromOurAddress", From::arp, {{28, {10, 9, 0, 2}}}, address_conflict, true},
      {"ArpFromBroadcast", From::arp, {{28, {255, 255, 255, 255}}}, bad_arp},
      // IPv4
      {"Ipv4OfVersionFive", From::tcp4, {{kIp, {0x55}}}, bad_ip_version},
      {"Ipv4WithAShortHeader", From::tcp4, {{kIp, {0x44}}}, bad_ip_header},
      {"Ipv4CutInItsHeader", From::tcp4, {}, truncated, false, false, kIp + 19},
      {"Ipv4HeaderBehindItsEnd", From::echo4, {{kIp, {0x4f}}}, bad_ip_header},
      {"Ipv4LongerThanTheFrame", From::tcp4, {{kIp + 2, {1, 0}}}, truncated},
      {"Ipv4ShorterThanItsHeader", From::tcp4, {{kIp + 2, {0, 19}}}, bad_ip_header},
      {"Ipv4WithAWrongChecksum", From::tcp4, {{kIp + 10, {0xab}}}, bad_ip_checksum, false, false},
      {"Ipv4ForAnother", From::tcp4, {{kIp + 19, {77}}}, not_ours},
      {"Ipv4FromNobody", From::echo4, {{kIp + 12, {0, 0, 0, 0}}}, bad_source},
      {"Ipv4FromAGroup", From::echo4, {{kIp + 12, {224}}}, bad_source},
      {"Ipv4FromOurselves", From::echo4, {{kIp + 12, {10, 9, 0, 2}}}, bad_source},
      {"Ipv4FromLoopback", From::echo4, {{kIp + 12, {127, 0, 0, 1}}}, bad_source},
      {"Ipv4OfAnUnknownProtocol", From::echo4, {{kIp + 9, {99}}}, unknown_protocol, true},
      {"Ipv4FragmentBeyondTheLargest", From::udp4, {{kIp + 6, {0x1f, 0xff}}}, bad_fragment},
      {"Ipv4FragmentNotOfEights", From::udp4, {{kIp + 6, {0x20, 0}}}, bad_fragment},
      {"Ipv4FragmentToAllOnTheLink",  // RFC1122-3.3.6: it takes no memory
       From::udp4,
       {{0, kBroadcast}, {kIp + 2, {0, 52}}, {kIp + 6, {0x20, 0}}},
       not_unicast},
      {"Ipv4WithAnOptionOfNoLength",
       From::echo4,
       {{kIp, {0x46}}, {kAfter4, {0x44, 0, 0, 0}}},
       ip_options_malformed,
       true},
      {"Ipv4WithAnOptionBehindItsHeader",
       From::echo4,
       {{kIp, {0x46}}, {kAfter4, {0x44, 8, 5, 0}}},
       ip_options_malformed,
       true},
      {"Ipv4WithABadOptionToAllOnTheLink",  // RFC1122-3.2.2
       From::echo4,
       {{0, kBroadcast}, {kIp, {0x46}}, {kAfter4, {0x44, 0, 0, 0}}},
       ip_options_malformed},
      {"Ipv4WithASourceRoute",
       From::echo4,
       {{kIp, {0x47}}, {kAfter4, {0x83, 7, 4, 10, 9, 0, 9, 0}}},
       not_ours},
      // IPv6
      {"Ipv6CutInItsHeader", From::tcp6, {}, truncated, false, false, kIp + 39},
      {"Ipv6LongerThanTheFrame", From::tcp6, {{kIp + 4, {1, 0}}}, truncated},
      {"Ipv6ForAnother", From::tcp6, {{kIp + 39, {77}}}, not_ours},
      {"Ipv6FromAGroup", From::echo6, {{kIp + 8, {0xff, 0x02}}}, bad_source},
      {"Ipv6OfAnUnknownProtocol", From::echo6, {{kIp + 6, {99}}}, unknown_protocol, true},
      {"Ipv6WithACutExtension", From::echo6, {{kIp + 6, {60}}, {kAfter6, {58, 9}}}, bad_ip_header},
      {"Ipv6FragmentNotOfEights",
       From::udp6,
       {{kIp + 6, {44}}, {kAfter6, {17, 0, 0, 1, 0, 0, 0, 1}}},
       bad_fragment,
       true},
      {"Ipv6FragmentNotOfEightsToAllOnTheLink",  // RFC4443-2.4
       From::udp6,
       {{0, kAllNodesMac}, {kIp + 6, {44}}, {kAfter6, {17, 0, 0, 1, 0, 0, 0, 1}}},
       bad_fragment},
      {"Ipv6WithAnOptionToDiscardIt",
       From::udp6,
       {{kIp + 6, {60}}, {kAfter6, {17, 0, 0x44, 4, 0, 0, 0, 0}}},
       ip_options_malformed},
      {"Ipv6WithAnOptionToTellItsSender",
       From::udp6,
       {{kIp + 6, {60}}, {kAfter6, {17, 0, 0xc4, 4, 0, 0, 0, 0}}},
       ip_options_malformed,
       true},
      {"Ipv6WithAnOptionToTellItsSenderToAllOnTheLink",  // RFC4443-2.4
       From::udp6,
       {{0, kAllNodesMac}, {kIp + 6, {60}}, {kAfter6, {17, 0, 0xc4, 4, 0, 0, 0, 0}}},
       ip_options_malformed},
      {"Ipv6WithAnOptionToTellItsSenderWhateverCame",  // RFC4443-2.4: even then
       From::udp6,
       {{0, kAllNodesMac}, {kIp + 6, {60}}, {kAfter6, {17, 0, 0x84, 4, 0, 0, 0, 0}}},
       ip_options_malformed,
       true},
      {"Ipv6WithARouteThatGoesOn",
       From::udp6,
       {{kIp + 6, {43}}, {kAfter6, {17, 0, 0, 1, 0, 0, 0, 0}}},
       not_ours,
       true},
      {"Ipv6WithHopByHopOptionsNotInFront",
       From::udp6,
       {{kIp + 6, {60}}, {kAfter6, {0, 0, 1, 4, 0, 0, 0, 0}}},
       unknown_protocol,
       true},
      // ICMP, ICMPv6
      {"EchoWithAWrongChecksum", From::echo4, {{kAfter4 + 2, {0x12}}}, bad_icmp, false, false},
      {"EchoCut", From::echo4, {{kIp + 2, {0, 27}}}, bad_icmp},
      {"ErrorThatQuotesNothing", From::echo4, {{kAfter4, {3, 3}}}, bad_icmp},
      {"Echo6WithAWrongChecksum", From::echo6, {{kAfter6 + 2, {0x12}}}, bad_icmp, false, false},
      {"Echo6Cut", From::echo6, {{kIp + 4, {0, 7}}}, bad_icmp},
      {"Error6ThatQuotesNothing", From::echo6, {{kAfter6, {1, 4}}}, bad_icmp},
      // neighbour discovery
      {"SolicitationFromFar", From::solicitation, {{kIp + 7, {64}}}, bad_neighbour_message},
      {"SolicitationWithACode", From::solicitation, {{kAfter6 + 1, {1}}}, bad_neighbour_message},
      {"SolicitationOfAGroup", From::solicitation, {{kAfter6 + 8, {0xff}}}, bad_neighbour_message},
      {"SolicitationWithAnEmptyOption",
       From::solicitation,
       {{kAfter6 + 25, {0}}},
       bad_neighbour_message},
      {"SolicitationWithALongOption",
       From::solicitation,
       {{kAfter6 + 25, {9}}},
       bad_neighbour_message},
      {"SolicitationCut", From::solicitation, {{kIp + 4, {0, 20}}}, bad_neighbour_message},
      {"SolicitationCutInItsOption",
       From::solicitation,
       {{kIp + 4, {0, 28}}},
       bad_neighbour_message},
      {"SolicitationFromAGroupOfStations",
       From::solicitation,
       {{kAfter6 + 26, {0x03}}},
       bad_neighbour_message},
      {"SolicitationFromNoStation",
       From::solicitation,
       {{kAfter6 + 26, {0, 0, 0, 0, 0, 0}}},
       bad_neighbour_message},
      {"SolicitationOfNobodyWithAStation",  // RFC4861-7.1.1
       From::solicitation,
       {{kIp + 8, std::vector<int>(16, 0)}},
       bad_neighbour_message},
      {"AdvertisementToAGroupAsked",  // RFC4861-7.1.2
       From::solicitation,
       {{kIp + 24, {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {kAfter6, {136, 0, 0, 0, 0x40}}},
       bad_neighbour_message},
      {"RouterFromFar", From::advertised, {{kIp + 7, {254}}}, bad_neighbour_message},
      {"RouterThatIsNotOfTheLink",  // RFC4861-6.1.2
       From::advertised,
       {{kIp + 8, {0x20, 0x01}}},
       bad_neighbour_message},
      {"RouterCut", From::advertised, {{kIp + 4, {0, 15}}}, bad_neighbour_message},
      {"RouterWithAnEmptyPrefixOption",
       From::advertised,
       {{kAfter6 + 25, {0}}},
       bad_neighbour_message},
      {"RouterWithAPrefixOptionBehindItsEnd",
       From::advertised,
       {{kAfter6 + 25, {5}}},
       bad_neighbour_message},
      {"RedirectFromTheLinkToAGroup",  // RFC4861-8.1
       From::advertised,
       {{kAfter6, {137, 0, 0, 0}}, {kAfter6 + 24, {0xff}}},
       bad_neighbour_message},
      {"AdvertisementOfNobodysRouter",
       From::solicitation,
       {{kAfter6, {134}}},
       bad_neighbour_message},
      // groups
      {"IgmpCut", From::igmp, {{kIp + 2, {0, 27}}}, bad_igmp},
      {"IgmpFromFar", From::igmp, {{kIp + 8, {2}}}, bad_igmp},
      {"IgmpOfAHost", From::igmp, {{kAfter4 + 4, {10, 0, 0, 1}}}, bad_igmp},
      {"MldCut", From::mld, {{kIp + 4, {0, 28}}}, bad_icmp},
      {"MldFromFar", From::mld, {{kIp + 7, {2}}}, bad_icmp},
      {"MldWithoutAlert", From::mld, {{kAfter6 + 2, {1, 2, 0, 0}}}, bad_icmp},  // RFC3810-6.2
      {"MldWithAnotherAlert", From::mld, {{kAfter6 + 4, {0, 1}}}, bad_icmp},    // RFC2711-2.1
      {"MldOfAHost", From::mld, {{kAfter6 + 8 + 8, {0x20}}}, bad_icmp},
      // UDP and DHCP
      {"UdpCut", From::udp4, {{kIp + 2, {0, 27}}}, truncated},
      {"UdpShorterThanItsHeader", From::udp4, {{kAfter4 + 4, {0, 7}}}, bad_udp_header},
      {"UdpLongerThanThePacket", From::udp4, {{kAfter4 + 4, {0, 99}}}, bad_udp_header},
      {"UdpWithAWrongChecksum",
       From::udp4,
       {{kAfter4 + 6, {0x12}}},
       bad_udp_checksum,
       false,
       false},
      {"UdpWithoutAChecksumInIpv6",
       From::udp6,
       {{kAfter6 + 6, {0, 0}}},
       bad_udp_checksum,
       false,
       false},
      {"UdpToNoPort", From::udp4, {{kAfter4 + 2, {0, 9}}}, no_port, true},
      {"Udp6ToNoPort", From::udp6, {{kAfter6 + 2, {0, 9}}}, no_port, true},
      {"DhcpToNoQuestion", From::dhcp, {}, unexpected_dhcp},  // RFC2131-4.4.1
      {"DhcpWithoutItsCookie", From::dhcp, {{kAfter4 + 8 + 236, {0}}}, bad_dhcp},
      {"DhcpForAnotherHardware", From::dhcp, {{kAfter4 + 8 + 1, {6}}}, bad_dhcp},
      // TCP
      {"TcpCut", From::tcp4, {{kIp + 2, {0, 39}}}, truncated},
      {"TcpWithAShortHeader", From::tcp4, {{kAfter4 + 12, {0x40}}}, bad_tcp_header},
      {"TcpHeaderBehindItsEnd", From::tcp4, {{kAfter4 + 12, {0xf0}}}, bad_tcp_header},
      {"TcpWithAWrongChecksum",
       From::tcp4,
       {{kAfter4 + 16, {0x12}}},
       bad_tcp_checksum,
       false,
       false},
      {"TcpOptionOfNoLength", From::tcp4, {{kAfter4 + 21, {0}}}, bad_tcp_options},
      {"TcpOptionBehindTheHeader", From::tcp4, {{kAfter4 + 21, {5}}}, bad_tcp_options},
      {"TcpTimestampsOfAnotherLength", From::tcp4, {{kAfter4 + 20, {8}}}, bad_tcp_options},
      {"TcpSackOfAnotherLength", From::tcp4, {{kAfter4 + 20, {5}}}, bad_tcp_options},
      {"TcpWithoutFlags", From::tcp4, {{kAfter4 + 13, {0}}}, no_ack},
      {"TcpResetOfNothing", From::tcp6, {{kAfter6 + 13, {4}}}, bad_rst},
      {"TcpAckOfNothing", From::tcp6, {{kAfter6 + 13, {16}}}, no_connection, true},
      {"TcpSynToNoPort", From::tcp4, {{kAfter4 + 2, {0, 9}}}, no_connection, true},
      {"TcpToBroadcast", From::tcp4, {{kIp + 16, {255, 255, 255, 255}}}, not_unicast},
  };
}

void PrintTo(const Malformed& frame, std::ostream* out) { *out << frame.name; }

class MalformedFrame : public ::testing::TestWithParam<Malformed> {};
INSTANTIATE_TEST_SUITE_P(Corpus, MalformedFrame, ::testing::ValuesIn(corpus()),
                         [](const auto& given) { return given.param.name; });

TEST_P(MalformedFrame, MovesItsCounterAndNoOther) {
  const Malformed& malformed = GetParam();
  Bytes frame = Originals()(malformed.from);
  fuzz::FrameRepair::apply(frame);
  for (const Patch& patch : malformed.patches) {
    for (std::size_t i = 0; i < patch.bytes.size(); ++i) {
      frame.at(patch.at + i) = static_cast<std::byte>(patch.bytes[i]);
    }
  }
  if (malformed.repaired) fuzz::FrameRepair::apply(frame);
  if (malformed.cut != 0) frame.resize(malformed.cut);
  frame.shrink_to_fit();

  fuzz::StackTarget target;
  // So that an answer need not wait until its neighbour is known.
  ASSERT_EQ(target.feed(Originals()(From::arp)), nullptr);
  Bytes solicitation = Originals()(From::solicitation);
  ASSERT_EQ(target.feed(solicitation), nullptr);

  const StackCounters before = target.stack().counters();
  const std::uint64_t answered = target.fates().answered;
  EXPECT_EQ(target.feed(frame), nullptr);
  const StackCounters& after = target.stack().counters();
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    EXPECT_EQ(after.dropped(reason) - before.dropped(reason), reason == malformed.reason ? 1U : 0U)
        << to_string(reason);
  }
  EXPECT_EQ(target.fates().answered - answered, malformed.answered ? 1U : 0U);
}

TEST(MalformedFrames, TheirOriginalsAreTaken) {
  for (const From from :
       {From::arp, From::tcp4, From::tcp6, From::udp4, From::udp6, From::echo4, From::echo6,
        From::igmp, From::mld, From::solicitation, From::advertised}) {
    Bytes frame = Originals()(from);
    fuzz::FrameRepair::apply(frame);
    fuzz::StackTarget target;
    const auto before = target.stack().counters().drops;
    EXPECT_EQ(target.feed(frame), nullptr);
    EXPECT_EQ(target.stack().counters().drops, before) << static_cast<int>(from);
  }
}

}  // namespace
}  // namespace hawser
