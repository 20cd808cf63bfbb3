#include "ip/path_mtu.hpp"

#include <gtest/gtest.h>

namespace hawser::ip {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(1)};
const IpAddress kThere = IpAddress::v4(192, 0, 2, 1);
const IpAddress kThere6 = *IpAddress::parse("2001:db8::1");

IpAddress host(std::uint32_t number) {
  return IpAddress::v4(10, static_cast<std::uint8_t>(number >> 16),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

class PathMtuTest : public ::testing::Test {
 protected:
  Random random{1};
  PathMtu paths{1000, 10min, random};
};

TEST_F(PathMtuTest, IsThatOfTheInterfaceUntilARouterSaysOtherwise) {
  EXPECT_EQ(paths.get(kStart, kThere, 1500), 1500U);
  EXPECT_FALSE(paths.find(kStart, kThere));
  paths.lower(kStart, kThere, 1400);
  EXPECT_EQ(paths.get(kStart, kThere, 1500), 1400U);
  EXPECT_EQ(paths.get(kStart, kThere, 1300), 1300U);
  EXPECT_EQ(paths.get(kStart, kThere6, 1500), 1500U);
  EXPECT_FALSE(paths.find(kStart, kThere)->cut);
}

TEST_F(PathMtuTest, NeverRisesByAMessage) {  // RFC8201-4
  paths.lower(kStart, kThere, 1300);
  EXPECT_EQ(paths.lower(kStart + 1s, kThere, 1400).mtu, 1300U);
  EXPECT_EQ(paths.get(kStart + 1s, kThere, 1500), 1300U);
  EXPECT_EQ(paths.size(), 1U);
}

TEST_F(PathMtuTest, FollowsWhatProbesFind) {  // RFC4821-5.2
  paths.on_found(kStart, kThere, 1400, false);
  EXPECT_FALSE(paths.find(kStart, kThere)) << "there was nothing to correct";
  paths.on_found(kStart, kThere, 1400, true);
  EXPECT_EQ(paths.get(kStart, kThere, 1500), 1400U);
  paths.on_found(kStart, kThere, 1300, false);
  EXPECT_EQ(paths.get(kStart, kThere, 1500), 1400U) << "it carries at least so much";
  paths.on_found(kStart, kThere, 1450, false);
  EXPECT_EQ(paths.get(kStart, kThere, 1500), 1450U);
  paths.on_found(kStart + 1min, kThere, 1200, true);
  EXPECT_EQ(paths.get(kStart + 10min, kThere, 1500), 1200U);
  EXPECT_EQ(paths.get(kStart + 11min, kThere, 1500), 1500U);
  paths.on_found(kStart + 11min, kThere, 100, true);
  EXPECT_EQ(paths.find(kStart + 11min, kThere)->mtu, kMinPathMtuV4);
  EXPECT_FALSE(paths.find(kStart + 11min, kThere)->cut);
}

TEST_F(PathMtuTest, IsForgottenAfterAWhile) {  // RFC1191-6.3, RFC8201-5.3
  EXPECT_EQ(paths.next_deadline(), kNever);
  paths.lower(kStart, kThere, 1400);
  EXPECT_EQ(paths.next_deadline(), kStart + 10min);
  EXPECT_EQ(paths.get(kStart + 10min - 1ns, kThere, 1500), 1400U);
  EXPECT_EQ(paths.get(kStart + 10min, kThere, 1500), 1500U);
  EXPECT_EQ(paths.lower(kStart + 10min, kThere, 1450).mtu, 1450U) << "what is too old is nothing";
  paths.on_time(kStart + 20min);
  EXPECT_EQ(paths.size(), 0U);
  EXPECT_EQ(paths.next_deadline(), kNever);
}

TEST_F(PathMtuTest, HasABottom) {  // RFC8201-4
  PathMtu::Entry entry = paths.lower(kStart, kThere, 68);
  EXPECT_EQ(entry.mtu, kMinPathMtuV4);
  EXPECT_TRUE(entry.cut) << "then routers have to";
  entry = paths.lower(kStart, kThere6, 68);
  EXPECT_EQ(entry.mtu, kMinPathMtuV6);
  EXPECT_FALSE(entry.cut);
}

TEST_F(PathMtuTest, KeepsTheLatestWhenThereAreTooMany) {
  for (std::uint32_t i = 0; i < 5000; ++i) paths.lower(kStart + i * 1ms, host(i), 1400);
  EXPECT_EQ(paths.size(), 1000U);
  EXPECT_FALSE(paths.find(kStart + 5s, host(3999)));
  EXPECT_TRUE(paths.find(kStart + 5s, host(4000)));
  paths.lower(kStart + 5s, host(4000), 1300);
  paths.lower(kStart + 5s, host(9000), 1300);
  EXPECT_TRUE(paths.find(kStart + 5s, host(4000))) << "heard of again";
  EXPECT_FALSE(paths.find(kStart + 5s, host(4001)));
}

TEST(ClaimedMtu, IsLowerThanThePacketWas) {  // RFC5927-7.2, RFC8201-4
  EXPECT_EQ(claimed_mtu(Family::ipv4, 1400, 1500), 1400U);
  EXPECT_EQ(claimed_mtu(Family::ipv6, 1400, 1500), 1400U);
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    EXPECT_FALSE(claimed_mtu(family, 1500, 1500));
    EXPECT_FALSE(claimed_mtu(family, 9000, 1500));
  }
  EXPECT_FALSE(claimed_mtu(Family::ipv6, 1279, 1500));
  EXPECT_EQ(claimed_mtu(Family::ipv6, 1280, 1500), 1280U);
  EXPECT_EQ(claimed_mtu(Family::ipv4, 68, 1500), 68U);
}

TEST(ClaimedMtu, IsThePlateauBelowForOldRouters) {  // RFC1191-5, RFC1191-7
  EXPECT_EQ(claimed_mtu(Family::ipv4, 0, 1500), 1492U);
  EXPECT_EQ(claimed_mtu(Family::ipv4, 0, 1492), 1006U);
  EXPECT_EQ(claimed_mtu(Family::ipv4, 0, 65535), 32000U);
  EXPECT_EQ(claimed_mtu(Family::ipv4, 0, 69), 68U);
  EXPECT_FALSE(claimed_mtu(Family::ipv4, 0, 68));
  EXPECT_FALSE(claimed_mtu(Family::ipv6, 0, 1500));
}

}  // namespace
}  // namespace hawser::ip
