// The neighbour cache in virtual time: states, what waits, what others may do to it.
#include "ip/neighbours.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hawser::ip {
namespace {

using namespace std::chrono_literals;

constexpr InterfaceId kEth0{0};
const MacAddress kMac = *MacAddress::parse("02:00:00:00:00:01");
const MacAddress kOther = *MacAddress::parse("02:00:00:00:00:02");
const IpAddress kUs = IpAddress::v4(10, 0, 0, 1);
const IpAddress kPeer = IpAddress::v4(10, 0, 0, 2);

IpAddress address(std::uint32_t number) {
  return IpAddress::v4(10, static_cast<std::uint8_t>(number >> 16),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

class NeighbourCache : public ::testing::Test {
 protected:
  void at(Duration since_start) {
    const Instant end = Instant{} + since_start;
    while (cache.next_deadline() <= end) {
      now = std::max(now, cache.next_deadline());
      cache.on_time(now);
      ASSERT_LT(++steps_, 100000) << "time does not go on";
    }
    now = end;
    cache.on_time(now);
  }
  void after(Duration span) { at(now - Instant{} + span); }

  NeighbourReference resolve(const IpAddress& to = kPeer) {
    return cache.resolve(now, kEth0, to, kUs);
  }
  /// What a sender does: the station address, or the packet waits.
  bool send(const IpAddress& to = kPeer) {
    const NeighbourReference neighbour = resolve(to);
    if (cache.use(now, neighbour) != nullptr) return true;
    cache.hold(neighbour, pool.take_packet());
    return false;
  }
  /// Outputs since the last call, as words.
  std::vector<std::string> outputs() {
    std::vector<std::string> words;
    while (auto output = cache.poll_output()) {
      if (const auto* solicit = std::get_if<Solicit>(&*output)) {
        words.push_back((solicit->only ? "ask " + solicit->only->to_string() : "ask all") +
                        " for " + solicit->target.to_string());
      } else if (const auto* deliver = std::get_if<Deliver>(&*output)) {
        words.push_back("deliver " + deliver->to.to_string());
      } else if (const auto* failed = std::get_if<Undeliverable>(&*output)) {
        words.emplace_back(to_string(failed->reason));
      } else if (const auto* lost = std::get_if<NeighbourLost>(&*output)) {
        words.push_back("lost " + lost->address.to_string());
      } else if (std::get_if<RouterCeased>(&*output) != nullptr) {
        words.emplace_back("no router");
      }
    }
    return words;
  }
  using Words = std::vector<std::string>;

  NeighbourInfo info(const IpAddress& of = kPeer) {
    for (const NeighbourInfo& entry : cache.list(now)) {
      if (entry.address == of) return entry;
    }
    ADD_FAILURE() << "no entry of " << of.to_string();
    return {};
  }
  NeighbourState state(const IpAddress& of = kPeer) { return info(of).state; }
  bool known(const IpAddress& of) {
    for (const NeighbourInfo& entry : cache.list(now)) {
      if (entry.address == of) return true;
    }
    return false;
  }
  /// It answered just now.
  void make_reachable() {
    send();
    cache.on_arp_reply(now, kEth0, kPeer, kMac);
    outputs();
    ASSERT_EQ(state(), NeighbourState::reachable);
  }

  BufferPool pool;
  Instant now{};
  Neighbours cache{Random(1)};

 private:
  int steps_ = 0;
};

using enum NeighbourState;

TEST_F(NeighbourCache, AsksThenDeliversWhatWaited) {  // RFC4861-7.2.2
  EXPECT_FALSE(send());
  EXPECT_FALSE(send());
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"}) << "once, however many wait";
  EXPECT_EQ(state(), incomplete);
  cache.on_advertisement(now, kEth0, kPeer, {.mac = kMac, .solicited = true});
  EXPECT_EQ(outputs(), (Words{"deliver 02:00:00:00:00:01", "deliver 02:00:00:00:00:01"}));
  EXPECT_EQ(state(), reachable);
  EXPECT_TRUE(send());
  EXPECT_EQ(outputs(), Words{});
  EXPECT_EQ(cache.held(), 0U);
}

TEST_F(NeighbourCache, AsksThreeTimesAndGivesUp) {  // RFC4861-7.2.2, RFC1122-2.3.2.1
  send();
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"});
  at(999ms);
  EXPECT_EQ(outputs(), Words{});
  at(1s);
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"});
  at(2s);
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"});
  at(2999ms);
  EXPECT_EQ(outputs(), Words{});
  at(3s);
  EXPECT_EQ(outputs(), (Words{"no neighbour", "lost 10.0.0.2"}));
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.next_deadline(), kNever);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST_F(NeighbourCache, AnAnswerAtAnyTrialServes) {
  send();
  at(2500ms);
  cache.on_arp_reply(now, kEth0, kPeer, kMac);
  outputs();
  EXPECT_EQ(state(), reachable);
  at(10s);
  EXPECT_EQ(outputs(), Words{});
  EXPECT_EQ(state(), reachable);
}

TEST_F(NeighbourCache, TheOldestOfTooManyGoes) {  // RFC4861-7.2.2
  for (std::size_t i = 0; i < Neighbours::kMaxHeld; ++i) send();
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"});
  send();
  EXPECT_EQ(outputs(), Words{"neighbour queue full"});
  EXPECT_EQ(cache.held(), Neighbours::kMaxHeld);
}

TEST_F(NeighbourCache, IsReachableForAboutHalfAMinute) {  // RFC4861-6.3.2
  make_reachable();
  after(15s - 1ns);
  EXPECT_EQ(state(), reachable);
  after(30s);
  EXPECT_EQ(state(), stale);
  EXPECT_EQ(outputs(), Words{}) << "nobody asks until it is used";
}

TEST_F(NeighbourCache, StaleIsUsedAndThenProbed) {  // RFC4861-7.3.3
  make_reachable();
  after(45s);
  const Instant used = now;
  EXPECT_TRUE(send());
  EXPECT_EQ(state(), delay);
  at(used - Instant{} + 4999ms);
  EXPECT_EQ(outputs(), Words{});
  for (const Duration when : {5s, 6s, 7s}) {
    at(used - Instant{} + when);
    EXPECT_EQ(outputs(), Words{"ask 02:00:00:00:00:01 for 10.0.0.2"});
    EXPECT_EQ(state(), probe);
    EXPECT_TRUE(send()) << "it is used while it is probed";
  }
  at(used - Instant{} + 8s);
  EXPECT_EQ(outputs(), Words{"lost 10.0.0.2"});
  EXPECT_FALSE(send()) << "all are asked, from the beginning";
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.2"});
}

TEST_F(NeighbourCache, AnAnswerToAProbeMakesReachable) {
  make_reachable();
  after(45s);
  send();
  after(5s);
  outputs();
  cache.on_arp_reply(now, kEth0, kPeer, kMac);
  EXPECT_EQ(state(), reachable);
  after(14s);
  EXPECT_EQ(outputs(), Words{});
}

TEST_F(NeighbourCache, ProgressOfTcpSparesTheProbe) {  // RFC4861-7.3.1
  make_reachable();
  for (int i = 0; i < 100; ++i) {
    after(20s);
    send();
    cache.confirm(now, resolve());
    EXPECT_EQ(state(), reachable);
  }
  EXPECT_EQ(outputs(), Words{});
  after(45s);
  send();
  EXPECT_EQ(state(), delay);
  after(4s);
  cache.confirm(now, resolve());
  EXPECT_EQ(state(), reachable);
  after(10s);
  EXPECT_EQ(outputs(), Words{});
}

TEST_F(NeighbourCache, ProgressTellsNothingOfWhoIsNotKnown) {
  send();
  cache.confirm(now, resolve());
  EXPECT_EQ(state(), incomplete);
}

TEST_F(NeighbourCache, TcpThatGetsNowhereMakesItStale) {
  make_reachable();
  cache.suspect(resolve());
  EXPECT_EQ(state(), stale);
  send();
  after(5s);
  EXPECT_EQ(outputs(), Words{"ask 02:00:00:00:00:01 for 10.0.0.2"});
}

TEST_F(NeighbourCache, AdvertisementsChangeWhatTheirFlagsSay) {  // RFC4861-7.2.5
  struct Case {
    const char* what;
    Advertised advertised;
    NeighbourState state;
    MacAddress mac;
  };
  const Case cases[] = {
      {"the same, solicited", {kMac, true, false, {}}, reachable, kMac},
      {"the same", {kMac, false, false, {}}, reachable, kMac},
      {"the same, override", {kMac, false, true, {}}, reachable, kMac},
      {"another", {kOther, false, false, {}}, stale, kMac},
      {"another, solicited", {kOther, true, false, {}}, stale, kMac},
      {"another, override", {kOther, false, true, {}}, stale, kOther},
      {"another, solicited, override", {kOther, true, true, {}}, reachable, kOther},
      {"without an address, solicited", {{}, true, false, {}}, reachable, kMac},
  };
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.what);
    if (cache.size() == 0) make_reachable();
    cache.on_advertisement(now, kEth0, kPeer, {kMac, true, true, {}});
    ASSERT_EQ(state(), reachable);
    cache.on_advertisement(now, kEth0, kPeer, expected.advertised);
    EXPECT_EQ(state(), expected.state);
    EXPECT_EQ(info().mac, expected.mac);
  }
}

TEST_F(NeighbourCache, AStaleEntryIgnoresAnotherAddressWithoutOverride) {  // RFC4861-7.2.5
  make_reachable();
  after(45s);
  cache.on_advertisement(now, kEth0, kPeer, {kOther, true, false, {}});
  EXPECT_EQ(state(), stale);
  EXPECT_EQ(info().mac, kMac);
}

TEST_F(NeighbourCache, AnAdvertisementWithoutAddressIsNoAnswer) {  // RFC4861-7.2.5
  send();
  cache.on_advertisement(now, kEth0, kPeer, {{}, true, true, {}});
  EXPECT_EQ(state(), incomplete);
  cache.on_advertisement(now, kEth0, kPeer, {kMac, false, true, {}});
  EXPECT_EQ(state(), stale) << "not solicited";
}

TEST_F(NeighbourCache, TellsWhenARouterCeasesToBeOne) {  // RFC4861-7.2.5
  make_reachable();
  cache.on_advertisement(now, kEth0, kPeer, {kMac, true, true, true});
  EXPECT_TRUE(info().is_router);
  EXPECT_EQ(outputs(), Words{});
  cache.on_advertisement(now, kEth0, kPeer, {kMac, true, true, false});
  EXPECT_EQ(outputs(), Words{"no router"});
}

TEST_F(NeighbourCache, AnswersToNoQuestionOfOursAreForgotten) {  // RFC4861-7.2.5
  cache.on_advertisement(now, kEth0, kPeer, {kMac, true, true, {}});
  cache.on_arp_reply(now, kEth0, kPeer, kMac);
  cache.on_overheard(now, kEth0, kPeer, kMac);
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(NeighbourCache, AnArpReplyWithoutQuestionConfirmsNothing) {
  make_reachable();
  after(45s);
  ASSERT_EQ(state(), stale);
  cache.on_arp_reply(now, kEth0, kPeer, kMac);
  EXPECT_EQ(state(), stale);
}

TEST_F(NeighbourCache, WhoAsksForUsIsKnownButNotSure) {  // RFC4861-7.2.3, RFC 826
  cache.on_heard(now, kEth0, kPeer, kMac);
  EXPECT_EQ(state(), stale);
  EXPECT_TRUE(send());
  EXPECT_EQ(state(), delay);
  EXPECT_EQ(outputs(), Words{});
}

TEST_F(NeighbourCache, WhoAsksForUsWhileWeAskForItIsAnswerEnough) {
  send();
  outputs();
  cache.on_heard(now, kEth0, kPeer, kMac);
  EXPECT_EQ(state(), stale);
  EXPECT_EQ(outputs(), Words{"deliver 02:00:00:00:00:01"});
}

TEST_F(NeighbourCache, AnAnnouncementMovesAKnownNeighbour) {  // RFC4861-7.2.3, RFC 5227 1.2
  make_reachable();
  cache.on_overheard(now, kEth0, kPeer, kMac);
  EXPECT_EQ(state(), reachable) << "nothing new";
  cache.on_overheard(now, kEth0, kPeer, kOther);
  EXPECT_EQ(state(), stale);
  EXPECT_EQ(info().mac, kOther);
}

TEST_F(NeighbourCache, KeepsInterfacesApart) {
  make_reachable();
  cache.resolve(now, InterfaceId{1}, kPeer, kUs);
  ASSERT_EQ(cache.list(now).size(), 2U);
  EXPECT_EQ(cache.list(now)[0].state, reachable);
  EXPECT_EQ(cache.list(now)[1].state, incomplete);
}

TEST_F(NeighbourCache, RoutersSetTheTimes) {  // RFC4861-6.3.4
  cache.set_reachable_time(kEth0, 2s);
  cache.set_retrans_timer(kEth0, 1ms);  // brought up to 100 ms
  make_reachable();
  after(1s - 1ns);
  EXPECT_EQ(state(), reachable);
  after(2s + 1ns);
  EXPECT_EQ(state(), stale);
  send(address(9));
  outputs();
  after(99ms);
  EXPECT_EQ(outputs(), Words{});
  after(1ms);
  EXPECT_EQ(outputs(), Words{"ask all for 10.0.0.9"});
}

TEST_F(NeighbourCache, IsForgottenWhenNobodyUsesIt) {  // RFC1122-2.3.2.1
  make_reachable();
  cache.on_heard(now, kEth0, address(7), kOther);
  after(Neighbours::kForget - 1s);
  EXPECT_EQ(cache.size(), 2U);
  send();
  cache.confirm(now, resolve());
  after(2s);
  EXPECT_EQ(cache.size(), 1U) << "the one that was used";
  after(Neighbours::kForget);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.next_deadline(), kNever);
}

TEST_F(NeighbourCache, ReferencesGoOutOfDate) {
  make_reachable();
  const NeighbourReference reference = resolve();
  EXPECT_TRUE(cache.is_current(reference));
  cache.renew_references();
  EXPECT_FALSE(cache.is_current(reference));
  const NeighbourReference again = resolve();
  after(2 * Neighbours::kForget);
  EXPECT_FALSE(cache.is_current(again));
  EXPECT_FALSE(cache.is_current({}));
}

TEST_F(NeighbourCache, AFloodOfQuestionsDrivesOutNobodyInUse) {
  make_reachable();
  for (std::uint32_t i = 0; i < 100000; ++i) {
    cache.on_heard(now, kEth0, address(1000 + i), kOther);
    cache.on_overheard(now, kEth0, address(500000 + i), kOther);
    cache.on_arp_reply(now, kEth0, address(500000 + i), kOther);
  }
  EXPECT_EQ(cache.size(), 1 + Neighbours::kMaxHeard);
  EXPECT_EQ(state(), reachable);
  EXPECT_FALSE(cache.has_output());
}

TEST_F(NeighbourCache, AFloodThatMakesUsAskDrivesOutNobodyInUse) {
  make_reachable();
  for (std::uint32_t i = 0; i < 10000; ++i) send(address(1000 + i));
  EXPECT_EQ(cache.size(), 1 + Neighbours::kMaxIncomplete);
  EXPECT_LE(cache.held(), Neighbours::kMaxIncomplete);
  EXPECT_EQ(state(), reachable);
  std::size_t asked = 0;
  for (const std::string& word : outputs()) asked += word.starts_with("ask") ? 1U : 0U;
  EXPECT_EQ(asked, 499U) << "and the link is spared";
  at(60s);
  outputs();
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.held(), 0U);
  EXPECT_EQ(pool.bytes_in_use(), 0U);
}

TEST_F(NeighbourCache, WhatWaitsIsBoundedInAll) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    for (int packet = 0; packet < 16; ++packet) send(address(1000 + i));
  }
  EXPECT_EQ(cache.held(), Neighbours::kMaxHeldInAll);
}

TEST_F(NeighbourCache, AFullTableForgetsTheLeastRecentlyUsed) {
  const auto meet = [&](std::uint32_t number) {
    send(address(number));
    cache.on_arp_reply(now, kEth0, address(number), kMac);
    outputs();
  };
  for (std::uint32_t i = 0; i < Neighbours::kMaxEntries; ++i) {
    meet(i);
    after(1ms);
  }
  after(60s);
  ASSERT_EQ(cache.size(), Neighbours::kMaxEntries);
  send(address(0));
  meet(70000);
  EXPECT_EQ(cache.size(), Neighbours::kMaxEntries);
  EXPECT_TRUE(known(address(0))) << "in use";
  EXPECT_FALSE(known(address(1)));
  EXPECT_TRUE(known(address(70000)));
}

}  // namespace
}  // namespace hawser::ip
