#include "wire/membership.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <variant>
#include <vector>

#include "tests/wire/support.hpp"
#include "wire/bytes.hpp"
#include "wire/checksum.hpp"

namespace hawser::wire {
namespace {

using namespace std::chrono_literals;
using testing::Bytes;
using testing::bytes;

const IpAddress kRouter4 = IpAddress::v4(10, 0, 0, 1);
const IpAddress kRouter6 = *IpAddress::parse("fe80::1");
const IpAddress kGroup4 = IpAddress::v4(239, 1, 2, 3);
const IpAddress kGroup6 = *IpAddress::parse("ff05::1:3");

IpHeader header_of(bool v4) {
  IpHeader ip;
  ip.source = v4 ? kRouter4 : kRouter6;
  ip.destination = v4 ? IpAddress::v4(224, 0, 0, 1) : *IpAddress::parse("ff02::1");
  ip.hop_limit = 1;
  ip.router_alert = !v4;
  return ip;
}

class Membership : public ::testing::Test {
 protected:
  /// With its checksum filled in.
  Packet message(Bytes content, bool v4) {
    const IpHeader ip = header_of(v4);
    Checksum checksum;
    if (!v4) {
      checksum.add_pseudo_header(ip.source, ip.destination, 58,
                                 static_cast<std::uint32_t>(content.size()));
    }
    checksum.add(content);
    write16(&content[2], checksum.value());
    return testing::received(pool, content);
  }
  MembershipQuery igmp(Bytes content) {
    const auto parsed = parse_igmp(message(std::move(content), true), header_of(true));
    EXPECT_TRUE(parsed);
    if (!parsed) return {};
    EXPECT_TRUE(std::holds_alternative<MembershipQuery>(*parsed));
    return std::get<MembershipQuery>(*parsed);
  }
  MembershipQuery mld(Bytes content) {
    const auto parsed = parse_mld(message(std::move(content), false), header_of(false));
    EXPECT_TRUE(parsed);
    if (!parsed) return {};
    EXPECT_TRUE(std::holds_alternative<MembershipQuery>(*parsed));
    return std::get<MembershipQuery>(*parsed);
  }
  static Bytes mld_query(int code, const IpAddress& group) {
    Bytes content = bytes({130, 0, 0, 0, code >> 8, code & 0xff, 0, 0});
    for (const std::uint8_t byte : group.bytes()) content.push_back(std::byte{byte});
    return content;
  }

  BufferPool pool;
};

TEST_F(Membership, TellsTheVersionsOfIgmpQueriesApart) {  // RFC3376-7.1
  MembershipQuery query = igmp(bytes({0x11, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(query.version, MembershipVersion::one);
  EXPECT_EQ(query.max_response, 10s);
  query = igmp(bytes({0x11, 25, 0, 0, 239, 1, 2, 3}));
  EXPECT_EQ(query.version, MembershipVersion::two);
  EXPECT_EQ(query.max_response, 2500ms);
  EXPECT_EQ(query.group, kGroup4);
  query = igmp(bytes({0x11, 25, 0, 0, 0, 0, 0, 0, 0x0b, 125, 0, 0}));
  EXPECT_EQ(query.version, MembershipVersion::three);
  EXPECT_EQ(query.robustness, 3);
  EXPECT_TRUE(query.group.is_unspecified());
  query = igmp(bytes({0x11, 0x8f, 0, 0, 239, 1, 2, 3, 2, 125, 0, 1, 10, 0, 0, 9}));
  EXPECT_EQ(query.max_response, 100ms * (31 << 3));  // RFC3376-4.1.1
}

TEST_F(Membership, TellsTheVersionsOfMldQueriesApart) {  // RFC3810-8.1
  MembershipQuery query = mld(mld_query(1000, IpAddress{}));
  EXPECT_EQ(query.version, MembershipVersion::two);
  EXPECT_EQ(query.max_response, 1s);
  Bytes content = mld_query(0x9abc, kGroup6);
  for (const std::byte byte : bytes({2, 125, 0, 0})) content.push_back(byte);
  query = mld(content);
  EXPECT_EQ(query.version, MembershipVersion::three);
  EXPECT_EQ(query.robustness, 2);
  EXPECT_EQ(query.group, kGroup6);
  EXPECT_EQ(query.max_response, 1ms * (0x1abc << 4));  // RFC3810-5.1.3
}

TEST_F(Membership, RefusesWhatCannotBe) {
  const auto bad4 = [&](Bytes content) {
    const auto parsed = parse_igmp(message(std::move(content), true), header_of(true));
    return !parsed && parsed.error() == DropReason::bad_igmp;
  };
  EXPECT_TRUE(bad4(bytes({0x11, 0, 0, 0, 0, 0, 0})));
  EXPECT_TRUE(bad4(bytes({0x11, 9, 0, 0, 0, 0, 0, 0, 1})));                   // no length that is
  EXPECT_TRUE(bad4(bytes({0x11, 9, 0, 0, 10, 0, 0, 1})));                     // no group
  EXPECT_TRUE(bad4(bytes({0x16, 0, 0, 0, 10, 0, 0, 1})));                     // no group
  EXPECT_TRUE(bad4(bytes({0x11, 9, 0, 0, 0, 0, 0, 0, 2, 125, 0, 1, 1, 2})));  // a source is cut
  const auto bad6 = [&](Bytes content) {
    const auto parsed = parse_mld(message(std::move(content), false), header_of(false));
    return !parsed && parsed.error() == DropReason::bad_icmp;
  };
  Bytes cut = mld_query(1000, kGroup6);
  cut.pop_back();
  EXPECT_TRUE(bad6(cut));
  EXPECT_TRUE(bad6(mld_query(1000, kRouter6)));
  IpHeader quiet = header_of(false);
  quiet.router_alert = false;
  EXPECT_FALSE(parse_mld(message(mld_query(1000, kGroup6), false), quiet));  // RFC3810-6.2
  IpHeader far = header_of(true);
  far.hop_limit = 2;
  EXPECT_FALSE(parse_igmp(message(bytes({0x11, 9, 0, 0, 0, 0, 0, 0}), true), far));
  Packet broken = testing::received(pool, bytes({0x11, 9, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(parse_igmp(broken, header_of(true)));
}

TEST_F(Membership, HearsWhatOtherHostsReport) {
  for (const int type : {0x12, 0x16}) {
    const auto parsed =
        parse_igmp(message(bytes({type, 0, 0, 0, 239, 1, 2, 3}), true), header_of(true));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(std::get<MembershipReport>(*parsed).group, kGroup4);
  }
  Bytes content = mld_query(0, kGroup6);
  content[0] = std::byte{131};
  const auto parsed = parse_mld(message(content, false), header_of(false));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<MembershipReport>(*parsed).group, kGroup6);
}

TEST_F(Membership, ReportsCarryARouterAlertAndGoNoFurther) {  // RFC2236-2, RFC3376-4, RFC3810-5
  for (const bool v4 : {true, false}) {
    const IpAddress group = v4 ? kGroup4 : kGroup6;
    const IpAddress source = v4 ? IpAddress::v4(10, 0, 0, 2) : *IpAddress::parse("fe80::2");
    for (const MembershipVersion version :
         {MembershipVersion::one, MembershipVersion::two, MembershipVersion::three}) {
      for (const MembershipChange change :
           {MembershipChange::now_wanted, MembershipChange::not_wanted}) {
        const MembershipRecord record{change, group};
        auto [packet, destination] =
            make_membership_report(pool, version, std::span(&record, 1), source);
        ASSERT_TRUE(packet);
        const auto ip = parse_ip(packet.head(), packet.size());
        ASSERT_TRUE(ip);
        EXPECT_EQ(ip->header.destination, destination);
        EXPECT_TRUE(destination.is_multicast());
        EXPECT_EQ(ip->header.hop_limit, 1);
        EXPECT_EQ(ip->header.source, source);
        EXPECT_EQ(ip->header_bytes, v4 ? 24 : 48);
        EXPECT_EQ(ip->header.protocol, v4 ? 2 : 58);
        const Bytes whole = testing::contents(packet);
        if (v4) {
          EXPECT_EQ(read32(&whole[20]), 0x94040000U);
        } else {
          EXPECT_EQ(read32(&whole[42]), 0x05020000U);
        }
        packet.trim_front(ip->header_bytes);
        EXPECT_TRUE(v4 ? parse_igmp(packet, ip->header).has_value()
                       : parse_mld(packet, ip->header).has_value());
      }
    }
  }
}

TEST_F(Membership, ReportsOfVersionThreeHoldManyRecords) {  // RFC3376-4.2, RFC3810-5.2
  std::vector<MembershipRecord> records;
  for (std::size_t i = 0; i < kMembershipRecords; ++i) {
    records.push_back({MembershipChange::wanted, kGroup6});
  }
  auto [packet, destination] =
      make_membership_report(pool, MembershipVersion::three, records, kRouter6);
  EXPECT_EQ(destination, *IpAddress::parse("ff02::16"));
  EXPECT_LE(packet.size(), 1280U);
  const auto ip = parse_ip(packet.head(), packet.size());
  ASSERT_TRUE(ip);
  packet.trim_front(ip->header_bytes);
  const Bytes content = testing::contents(packet);
  EXPECT_EQ(content[0], std::byte{143});
  EXPECT_EQ(read16(&content[6]), records.size());
  EXPECT_EQ(content.size(), 8 + records.size() * 20);
  EXPECT_EQ(content[8], std::byte{2});
}

TEST_F(Membership, NoiseDoesNoHarm) {
  Random random(5);
  for (int i = 0; i < 100000; ++i) {
    const bool v4 = random.chance(0.5);
    Bytes content = testing::random_bytes(random, 4 + random.below(40));
    const int types4[] = {0x11, 0x12, 0x16, 0x17, 0x22};
    const int types6[] = {130, 131, 132, 143};
    content[0] = static_cast<std::byte>(v4 ? types4[random.below(5)] : types6[random.below(4)]);
    content[2] = content[3] = std::byte{0};
    if (content.size() > 23 && random.chance(0.7)) {
      std::fill(content.begin() + 4, content.begin() + 24, std::byte{0});
    }
    const Packet packet = message(content, v4);
    const auto parsed =
        v4 ? parse_igmp(packet, header_of(true)) : parse_mld(packet, header_of(false));
    if (!parsed) continue;
    if (const auto* query = std::get_if<MembershipQuery>(&*parsed)) {
      EXPECT_EQ(query->group.is_v4(), v4);
      EXPECT_GE(query->max_response, Duration::zero());
    }
  }
}

}  // namespace
}  // namespace hawser::wire
