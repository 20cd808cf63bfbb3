#include "ip/duplicate_detection.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/ip/support.hpp"

namespace hawser::ip {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class DuplicateDetectionTest : public ::testing::Test {
 protected:
  struct Seen {
    Duration at;
    DuplicateDetection::Output what;
  };

  void run_until(Duration end) {
    while (detection.next_deadline() <= Instant(end)) {
      now = detection.next_deadline();
      detection.on_time(now);
      take();
    }
    now = Instant(end);
  }
  void take() {
    while (const auto output = detection.poll_output()) {
      seen.push_back({now.time_since_epoch(), *output});
    }
  }
  const ProbeAddress& probe(std::size_t number) {
    return std::get<ProbeAddress>(seen.at(number).what);
  }
  const AddressVerdict& verdict(std::size_t number) {
    return std::get<AddressVerdict>(seen.at(number).what);
  }

  DuplicateDetection detection{Random(1)};
  IpAddress wanted = address("fe80::1");
  Instant now{};
  std::vector<Seen> seen;
};

TEST_F(DuplicateDetectionTest, AsksOnceAndWaits) {  // RFC4862-5.4
  detection.start(now, kFirst, wanted, false);
  EXPECT_TRUE(detection.is_asking(kFirst, wanted));
  run_until(10s);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(probe(0).address, wanted);
  EXPECT_EQ(seen[0].at, 0s);
  EXPECT_EQ(seen[1].at, 1s);
  EXPECT_FALSE(verdict(1).duplicate);
  EXPECT_FALSE(detection.is_asking(kFirst, wanted));
  EXPECT_EQ(detection.next_deadline(), kNever);
}

TEST_F(DuplicateDetectionTest, TheFirstQuestionMayBeDelayed) {  // RFC4862-5.4.2
  for (int i = 1; i <= 20; ++i) {
    detection.start(now, kFirst, address("fe80::" + std::to_string(i)), true);
  }
  run_until(2s);
  std::set<Duration> times;
  for (const Seen& one : seen) {
    if (!std::holds_alternative<ProbeAddress>(one.what)) continue;
    EXPECT_LE(one.at, 1s);
    times.insert(one.at);
  }
  EXPECT_EQ(times.size(), 20U);
}

TEST_F(DuplicateDetectionTest, WhoHasItEndsTheQuestion) {  // RFC4862-5.4.4
  detection.start(now, kFirst, wanted, false);
  run_until(500ms);
  detection.on_claim(kSecond, wanted);  // on another link
  detection.on_claim(kFirst, address("fe80::2"));
  take();
  ASSERT_EQ(seen.size(), 1U);
  detection.on_claim(kFirst, wanted);
  detection.on_claim(kFirst, wanted);
  take();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(verdict(1).duplicate);
  EXPECT_EQ(verdict(1).interface, kFirst);
  run_until(10s);
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(DuplicateDetectionTest, WhoAsksAsWellHasIt) {  // RFC4862-5.4.3
  detection.start(now, kFirst, wanted, false);
  run_until(500ms);
  detection.on_probe(kFirst, wanted, std::nullopt);
  take();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(verdict(1).duplicate);
}

TEST_F(DuplicateDetectionTest, OurOwnQuestionComeBackIsNoAnswer) {  // RFC7527-4.2
  detection.start(now, kFirst, wanted, false);
  run_until(500ms);
  detection.on_probe(kFirst, wanted, probe(0).nonce);
  run_until(10s);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_FALSE(verdict(1).duplicate);
  detection.start(now, kFirst, wanted, false);
  wire::Nonce other = probe(0).nonce;
  other[0] ^= 1;
  detection.on_probe(kFirst, wanted, other);
  take();
  EXPECT_TRUE(verdict(2).duplicate);
}

TEST_F(DuplicateDetectionTest, WaitsAsLongAsRoutersSay) {
  detection.set_retrans_timer(kFirst, 3s);
  detection.start(now, kFirst, wanted, false);
  run_until(10s);
  EXPECT_EQ(seen.at(1).at, 3s);
  seen.clear();
  detection.set_retrans_timer(kFirst, 24h);  // who says so wants us to have no address
  detection.start(now, kFirst, wanted, false);
  run_until(21s);
  EXPECT_EQ(seen.at(1).at, 20s);
}

TEST_F(DuplicateDetectionTest, OfIpv4ByThreeProbes) {  // RFC5227-2.1.1
  wanted = address("10.0.0.2");
  detection.start(now, kFirst, wanted, true);
  run_until(60s);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_LE(seen[0].at, 1s);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(probe(i).address, wanted);
    EXPECT_GE(seen[i].at - seen[i - 1].at, 1s);
    EXPECT_LE(seen[i].at - seen[i - 1].at, 2s);
  }
  EXPECT_FALSE(verdict(3).duplicate);
  EXPECT_EQ(seen[3].at - seen[2].at, 2s);
}

TEST_F(DuplicateDetectionTest, StopsWhenTheAddressIsNotWantedAnyMore) {
  detection.start(now, kFirst, wanted, false);
  detection.start(now, kFirst, wanted, false);  // once is enough
  run_until(500ms);
  EXPECT_EQ(seen.size(), 1U);
  detection.stop(kFirst, wanted);
  run_until(10s);
  EXPECT_EQ(seen.size(), 1U);
}

}  // namespace
}  // namespace hawser::ip
