#include "ip/multicast.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace hawser::ip {
namespace {

using namespace std::chrono_literals;
using Change = wire::MembershipChange;
using Version = wire::MembershipVersion;

constexpr InterfaceId kFirst{0};
constexpr InterfaceId kSecond{1};
const IpAddress kGroup4 = IpAddress::v4(239, 1, 2, 3);
const IpAddress kOther4 = IpAddress::v4(239, 1, 2, 4);
const IpAddress kGroup6 = *IpAddress::parse("ff05::1:3");
const IpAddress kAny4 = IpAddress::any(Family::ipv4);

class Groups : public ::testing::TestWithParam<Family> {
 protected:
  IpAddress group() const { return GetParam() == Family::ipv4 ? kGroup4 : kGroup6; }
  IpAddress all() const { return IpAddress::any(GetParam()); }

  void go_to(Instant when) {
    while (multicast.next_deadline() <= when) {
      now = std::max(now, multicast.next_deadline());
      multicast.on_time(now);
    }
    now = when;
  }
  void pass(Duration span) { go_to(now + span); }
  /// The next report, which must be about one group.
  void reports(Version version, Change change, const IpAddress& about,
               InterfaceId interface = kFirst) {
    const auto report = multicast.poll_report();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->interface, interface);
    EXPECT_EQ(report->version, version);
    EXPECT_EQ(report->records, (std::vector<wire::MembershipRecord>{{change, about}}));
  }
  void quiet() { EXPECT_FALSE(multicast.has_output()); }
  void query(Version version, const IpAddress& about, Duration max_response) {
    multicast.on_query(now, kFirst,
                       {.version = version, .group = about, .max_response = max_response});
  }

  Random random{3};
  Multicast multicast{random};
  Instant now = Instant{} + 1h;
};
INSTANTIATE_TEST_SUITE_P(Families, Groups, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& param) {
                           return param.param == Family::ipv4 ? "Ipv4" : "Ipv6";
                         });

TEST_P(Groups, AreSaidTwiceWhenJoinedAndWhenLeft) {  // RFC3376-5.1, RFC3810-6.1
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  reports(Version::three, Change::now_wanted, group());
  quiet();
  pass(1s);
  reports(Version::three, Change::now_wanted, group());
  EXPECT_EQ(multicast.next_deadline(), kNever);
  EXPECT_TRUE(multicast.is_member(kFirst, group()));
  EXPECT_FALSE(multicast.is_member(kSecond, group()));

  multicast.leave(now, kFirst, group());
  EXPECT_FALSE(multicast.is_member(kFirst, group()));
  reports(Version::three, Change::not_wanted, group());
  pass(1s);
  reports(Version::three, Change::not_wanted, group());
  EXPECT_EQ(multicast.next_deadline(), kNever);
}

TEST_P(Groups, AreCounted) {
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  multicast.leave(now, kFirst, group());
  EXPECT_TRUE(multicast.is_member(kFirst, group()));
  multicast.leave(now, kFirst, group());
  EXPECT_FALSE(multicast.is_member(kFirst, group()));
  multicast.leave(now, kFirst, group());  // once too often
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  EXPECT_TRUE(multicast.is_member(kFirst, group()));
}

TEST_P(Groups, JoinedAgainWhileTheLeaveIsBeingSaid) {
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  pass(1s);
  while (multicast.poll_report()) {
  }
  multicast.leave(now, kFirst, group());
  reports(Version::three, Change::not_wanted, group());
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  reports(Version::three, Change::now_wanted, group());
  pass(1s);
  reports(Version::three, Change::now_wanted, group());
  quiet();
}

TEST_P(Groups, AnswerAQueryWithinItsTime) {  // RFC3376-5.2, RFC3810-6.2
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  pass(2s);
  while (multicast.poll_report()) {
  }
  query(Version::three, all(), 10s);
  quiet();
  EXPECT_GE(multicast.next_deadline(), now);
  EXPECT_LT(multicast.next_deadline(), now + 10s);
  query(Version::three, group(), 1s);
  EXPECT_LT(multicast.next_deadline(), now + 1s);
  pass(1s);
  reports(Version::three, Change::wanted, group());
  quiet();
  pass(9s);  // about all
  reports(Version::three, Change::wanted, group());
  EXPECT_EQ(multicast.next_deadline(), kNever);
  query(Version::three, *IpAddress::parse(GetParam() == Family::ipv4 ? "239.9.9.9" : "ff05::9"),
        1s);
  EXPECT_EQ(multicast.next_deadline(), kNever);
}

TEST_P(Groups, SpeakToAnOldRouterInItsVersion) {  // RFC3376-7.2.1, RFC3810-8.2.1
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  pass(2s);
  while (multicast.poll_report()) {
  }
  query(Version::two, all(), 10s);
  pass(10s);
  reports(Version::two, Change::wanted, group());
  quiet();
  multicast.leave(now, kFirst, group());
  reports(Version::two, Change::not_wanted, group());
  EXPECT_EQ(multicast.next_deadline(), kNever);  // once
  pass(300s);                                    // and then it is not there any more
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  reports(Version::three, Change::now_wanted, group());
}

TEST_P(Groups, LeaveTheAnswerToAnotherHost) {  // RFC2236-3, RFC2710-4
  query(Version::two, all(), 10s);
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  reports(Version::two, Change::now_wanted, group());
  pass(10s);
  reports(Version::two, Change::now_wanted, group());
  query(Version::two, all(), 10s);
  multicast.on_report(now, kFirst, group());
  EXPECT_EQ(multicast.next_deadline(), kNever);
  multicast.leave(now, kFirst, group());
  quiet();  // the other reported last
  EXPECT_FALSE(multicast.is_member(kFirst, group()));
}

TEST_P(Groups, VersionThreeAnswersWhateverOthersSay) {  // RFC3376-A.2
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  pass(2s);
  while (multicast.poll_report()) {
  }
  query(Version::three, all(), 10s);
  multicast.on_report(now, kFirst, group());
  pass(10s);
  reports(Version::three, Change::wanted, group());
}

TEST_P(Groups, OfAllHostsNeedNoWord) {  // RFC1112-4, RFC3376-6, RFC3810-6
  for (const char* text : {"224.0.0.1", "ff02::1", "ff01::1", "ff01::99", "ff00::7"}) {
    const IpAddress address = *IpAddress::parse(text);
    ASSERT_TRUE(multicast.join(now, kFirst, address));
    EXPECT_TRUE(multicast.is_member(kFirst, address));
    query(Version::two, IpAddress::any(address.family()), 1s);
    pass(5s);
    multicast.leave(now, kFirst, address);
    quiet();
  }
  EXPECT_TRUE(multicast.is_member(kFirst, *IpAddress::parse("ff02::1")));
  EXPECT_EQ(multicast.join(now, kFirst, *IpAddress::parse("10.0.0.1")).error(),
            Error::invalid_argument);
}

TEST_P(Groups, AQueryFloodIsAnsweredNowAndThen) {
  ASSERT_TRUE(multicast.join(now, kFirst, group()));
  pass(2s);
  while (multicast.poll_report()) {
  }
  const Instant start = now;
  std::size_t answers = 0;
  for (int i = 0; i < 100000; ++i) {
    go_to(start + i * 10us);  // for one second
    query(Version::three, all(), 0s);
    query(Version::three, group(), 0s);
    while (multicast.poll_report()) ++answers;
  }
  EXPECT_GT(answers, 10U);
  EXPECT_LE(answers, 2U * 51U);
}

class ManyGroups : public ::testing::Test {};

TEST_F(ManyGroups, ShareReports) {
  Random random{1};
  Multicast multicast{random};
  Instant now{};
  for (std::uint8_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(multicast.join(now, kFirst, IpAddress::v4(239, 0, 0, i)));
  }
  now += 2s;
  while (multicast.next_deadline() <= now) multicast.on_time(now);
  while (multicast.poll_report()) {
  }
  multicast.on_query(now, kFirst, {.version = Version::three, .group = kAny4, .max_response = 1s});
  now += 1s;
  multicast.on_time(now);
  const auto first = multicast.poll_report();
  const auto second = multicast.poll_report();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->records.size(), wire::kMembershipRecords);
  EXPECT_EQ(first->records.size() + second->records.size(), 100U);
  EXPECT_FALSE(multicast.has_output());
}

TEST_F(ManyGroups, AreBounded) {
  Random random{1};
  Multicast multicast{random};
  for (std::size_t i = 0; i < Multicast::kMaxGroups; ++i) {
    ASSERT_TRUE(multicast.join(
        {}, kFirst,
        IpAddress::v4(239, 2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i))));
  }
  EXPECT_EQ(multicast.join({}, kFirst, kOther4).error(), Error::no_buffer_space);
}

}  // namespace
}  // namespace hawser::ip
