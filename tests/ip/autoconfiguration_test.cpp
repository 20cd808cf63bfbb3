// An interface that configures itself, in virtual time.
#include "ip/autoconfiguration.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/ip/support.hpp"

namespace hawser::ip {
namespace {

using namespace testing;
using namespace std::chrono_literals;

const MacAddress kMac = *MacAddress::parse("02:00:5e:10:00:01");

class AutoconfigurationTest : public ::testing::Test {
 protected:
  struct Seen {
    Duration at;
    AutoconfigurationOutput what;
  };

  explicit AutoconfigurationTest(IdentifierKind kind = IdentifierKind::stable)
      : autoconfiguration(interfaces, Random(1), KeyedHash(1, 2), kind) {}

  void run_until(Duration end) {
    for (;;) {
      const Instant next = std::min(autoconfiguration.next_deadline(), interfaces.next_deadline());
      if (next > Instant(end)) break;
      ASSERT_LT(++steps, 100000) << "time does not go on";
      now = std::max(now, next);
      interfaces.on_time(now, expired);
      autoconfiguration.on_time(now);
      take();
    }
    now = Instant(end);
  }
  void run_for(Duration span) { run_until(now.time_since_epoch() + span); }
  void take() {
    while (const auto output = autoconfiguration.poll_output(now)) {
      seen.push_back({now.time_since_epoch(), *output});
    }
  }
  template <typename What>
  std::vector<std::pair<Duration, What>> all() const {
    std::vector<std::pair<Duration, What>> found;
    for (const Seen& one : seen) {
      if (const auto* what = std::get_if<What>(&one.what)) found.emplace_back(one.at, *what);
    }
    return found;
  }
  /// Started, with a link-local address.
  void start() {
    autoconfiguration.start(now, kFirst, kMac);
    run_for(3s);
    ASSERT_NE(own_with(AddressOrigin::link_local), nullptr);
  }
  const OwnAddress* own_with(AddressOrigin origin) const {
    for (const OwnAddress& own : interfaces.addresses().all()) {
      if (own.origin == origin) return &own;
    }
    return nullptr;
  }
  std::size_t count(AddressOrigin origin) const {
    std::size_t number = 0;
    for (const OwnAddress& own : interfaces.addresses().all()) number += own.origin == origin;
    return number;
  }

  static wire::RouterAdvertisement advertisement(std::uint16_t lifetime_seconds = 1800) {
    wire::RouterAdvertisement told;
    told.lifetime_seconds = lifetime_seconds;
    return told;
  }
  static wire::PrefixInformation information(const char* text, std::uint32_t valid,
                                             std::uint32_t preferred) {
    return {.prefix = prefix(text),
            .on_link = true,
            .autonomous = true,
            .valid_seconds = valid,
            .preferred_seconds = preferred};
  }
  void hear(const wire::RouterAdvertisement& told, const char* router = "fe80::1") {
    autoconfiguration.on_router_advertisement(now, kFirst, address(router), told);
    take();
  }
  void hear_prefix(const char* text, std::uint32_t valid, std::uint32_t preferred) {
    wire::RouterAdvertisement told = advertisement();
    told.prefixes.push_back(information(text, valid, preferred));
    hear(told);
  }
  std::optional<IpAddress> next_hop(const char* to) const {
    const auto way = interfaces.route(address(to));
    return way ? std::optional(way->next_hop) : std::nullopt;
  }

  Interfaces interfaces{{{1500, true}}};
  Autoconfiguration autoconfiguration;
  Instant now{};
  std::vector<Seen> seen;
  std::vector<OwnAddress> expired;
  int steps = 0;
};

// ---- the own address of the link

TEST_F(AutoconfigurationTest, BeginsWithALinkLocalAddress) {  // RFC4862-5.3
  autoconfiguration.start(now, kFirst, kMac);
  const OwnAddress* own = own_with(AddressOrigin::link_local);
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(prefix("fe80::/64").contains(own->prefix.address));
  EXPECT_EQ(own->state, AddressState::tentative);
  EXPECT_FALSE(interfaces.is_ours(own->prefix.address)) << "RFC4862-5.4: not assigned yet";
  EXPECT_FALSE(interfaces.source_for(address("fe80::9")));
  run_until(2s);
  own = own_with(AddressOrigin::link_local);
  EXPECT_EQ(own->state, AddressState::preferred);
  EXPECT_EQ(interfaces.source_for(address("fe80::9")), own->prefix.address);
  ASSERT_EQ(all<AddressReady>().size(), 1U);
  EXPECT_LE(all<ProbeAddress>().at(0).first, 1s);
  EXPECT_EQ(all<AddressReady>()[0].first, all<ProbeAddress>()[0].first + 1s);
}

TEST_F(AutoconfigurationTest, TheIdentifierIsStableAndTellsNothing) {  // RFC7217-5
  const KeyedHash key(1, 2);
  const IpAddress one = stable_address(key, prefix("fe80::/64"), kMac, 0);
  EXPECT_EQ(stable_address(key, prefix("fe80::/64"), kMac, 0), one);
  const std::set<IpAddress> different{
      one, stable_address(key, prefix("fe80::/64"), kMac, 1),
      stable_address(key, prefix("fe80::/64"), *MacAddress::parse("02:00:5e:10:00:02"), 0),
      stable_address(KeyedHash(1, 3), prefix("fe80::/64"), kMac, 0),
      eui64_address(prefix("fe80::/64"), kMac)};
  EXPECT_EQ(different.size(), 5U);
  const IpAddress other_network = stable_address(key, prefix("2001:db8::/64"), kMac, 0);
  EXPECT_NE(common_prefix_bits(one, other_network), 128U);
  EXPECT_FALSE(
      std::ranges::equal(std::span(one.bytes()).last(8), std::span(other_network.bytes()).last(8)));
}

TEST_F(AutoconfigurationTest, TheModifiedEui64) {  // RFC4291-A
  EXPECT_EQ(eui64_address(prefix("2001:db8::/64"), *MacAddress::parse("00:11:22:33:44:55")),
            address("2001:db8::211:22ff:fe33:4455"));
}

TEST_F(AutoconfigurationTest, OfATakenAddressAnotherIsTried) {  // RFC7217-6, RFC4862-5.4.5
  autoconfiguration.start(now, kFirst, kMac);
  std::set<IpAddress> tried;
  for (int i = 0; i <= Autoconfiguration::kIdentifierRetries; ++i) {
    const OwnAddress* own = own_with(AddressOrigin::link_local);
    ASSERT_NE(own, nullptr);
    EXPECT_EQ(own->state, AddressState::tentative);
    tried.insert(own->prefix.address);
    run_for(1s);
    autoconfiguration.on_claim(kFirst, own_with(AddressOrigin::link_local)->prefix.address);
    take();
  }
  EXPECT_EQ(tried.size(), 4U);
  EXPECT_EQ(all<AddressTaken>().size(), 4U);
  EXPECT_EQ(count(AddressOrigin::link_local), 1U);
  EXPECT_EQ(own_with(AddressOrigin::link_local)->state, AddressState::duplicate);
  run_for(60s);
  EXPECT_TRUE(all<SolicitRouters>().empty()) << "without an address of the link there is no IPv6";
  EXPECT_FALSE(interfaces.source_for(address("fe80::9")));
}

class WithEui64 : public AutoconfigurationTest {
 protected:
  WithEui64() : AutoconfigurationTest(IdentifierKind::eui64) {}
};

TEST_F(WithEui64, ATakenAddressStaysUnused) {  // RFC4862-5.4.5
  autoconfiguration.start(now, kFirst, kMac);
  EXPECT_EQ(own_with(AddressOrigin::link_local)->prefix.address, address("fe80::5eff:fe10:1"));
  autoconfiguration.on_probe(kFirst, address("fe80::5eff:fe10:1"), std::nullopt);
  take();
  run_until(10s);
  EXPECT_EQ(own_with(AddressOrigin::link_local)->state, AddressState::duplicate);
  EXPECT_EQ(all<AddressTaken>().size(), 1U);
}

TEST_F(AutoconfigurationTest, AGivenLinkLocalAddressServes) {
  ASSERT_TRUE(interfaces.add_address(own("fe80::77/64", kFirst, AddressState::tentative)));
  autoconfiguration.start(now, kFirst, kMac);
  autoconfiguration.detect_duplicates(now, kFirst, address("fe80::77"), false);
  EXPECT_EQ(own_with(AddressOrigin::link_local), nullptr);
  run_until(1s);
  ASSERT_EQ(all<SolicitRouters>().size(), 1U);
  EXPECT_EQ(all<SolicitRouters>()[0].second.source, address("fe80::77"));
}

TEST_F(AutoconfigurationTest, AnAddressThatIsRemovedIsAskedAboutNoMore) {
  start();
  ASSERT_TRUE(interfaces.add_address(own("fd00::5/64", kFirst, AddressState::tentative)));
  autoconfiguration.detect_duplicates(now, kFirst, address("fd00::5"), false);
  interfaces.remove_address(kFirst, address("fd00::5"));
  autoconfiguration.on_removed(kFirst, address("fd00::5"));
  autoconfiguration.on_claim(kFirst, address("fd00::5"));
  run_for(10s);
  EXPECT_TRUE(all<AddressTaken>().empty());
  EXPECT_EQ(all<AddressReady>().size(), 1U);
}

// ---- questions for routers

TEST_F(AutoconfigurationTest, AsksForRoutersEverMoreRarely) {  // RFC4861-6.3.7, RFC7559-2
  start();
  run_until(20000s);
  const auto asked = all<SolicitRouters>();
  ASSERT_GE(asked.size(), 12U);
  EXPECT_EQ(asked[0].first, all<AddressReady>()[0].first);
  EXPECT_EQ(asked[0].second.source, own_with(AddressOrigin::link_local)->prefix.address);
  Duration before = 4s / 2;
  for (std::size_t i = 1; i < asked.size(); ++i) {
    const Duration wait = asked[i].first - asked[i - 1].first;
    if (2 * before + before / 10 < 1h) {
      EXPECT_GE(wait, before * 19 / 10 - 400ms) << i;
      EXPECT_LE(wait, before * 21 / 10 + 400ms) << i;
    }
    EXPECT_LE(wait, 66min);
    before = wait;
  }
  EXPECT_GE(before, 54min);
}

TEST_F(AutoconfigurationTest, AsksNoMoreOnceThereIsARouter) {  // RFC4861-6.3.7
  start();
  hear(advertisement(0));  // it is there, but no default router
  run_for(10s);
  EXPECT_EQ(all<SolicitRouters>().size(), 2U);
  hear(advertisement());
  seen.clear();
  run_for(1000s);
  EXPECT_TRUE(all<SolicitRouters>().empty());
}

// ---- default routers

TEST_F(AutoconfigurationTest, ADefaultRouterServesForItsLifetime) {  // RFC4861-6.3.4
  start();
  EXPECT_FALSE(next_hop("2001:db8::9"));
  hear(advertisement(100));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
  run_for(60s);
  hear(advertisement(100));
  run_for(99s);
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
  run_for(1s);
  EXPECT_FALSE(next_hop("2001:db8::9"));
  hear(advertisement(100));
  hear(advertisement(0));  // it ceases
  EXPECT_FALSE(next_hop("2001:db8::9"));
  hear(advertisement(100));
  autoconfiguration.on_router_ceased(kFirst, address("fe80::1"));  // RFC4861-7.2.5
  EXPECT_FALSE(next_hop("2001:db8::9"));
}

TEST_F(AutoconfigurationTest, OfSeveralRoutersThePreferredOne) {  // RFC4191-3.2
  start();
  wire::RouterAdvertisement told = advertisement();
  hear(told, "fe80::1");
  told.preference = wire::RouterPreference::high;
  hear(told, "fe80::2");
  told.preference = wire::RouterPreference::low;
  hear(told, "fe80::3");
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::2"));
  hear(told, "fe80::2");  // it thinks otherwise now
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
  interfaces.set_reachable(kFirst, address("fe80::1"), false);
  EXPECT_NE(next_hop("2001:db8::9"), address("fe80::1"));
}

TEST_F(AutoconfigurationTest, TheRouteOfTheConfigurationComesFirst) {
  ASSERT_TRUE(interfaces.add_route({.destination = prefix("::/0"), .gateway = address("fe80::9")}));
  start();
  hear(advertisement());
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::9"));
}

// ---- prefixes and addresses

TEST_F(AutoconfigurationTest, MakesAnAddressOfAPrefix) {  // RFC4862-5.5.3
  start();
  hear_prefix("2001:db8::/64", 7200, 3600);
  const OwnAddress* own = own_with(AddressOrigin::advertised);
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->state, AddressState::tentative);
  EXPECT_EQ(own->router, address("fe80::1"));
  const IpAddress made = own->prefix.address;
  EXPECT_TRUE(prefix("2001:db8::/64").contains(made));
  EXPECT_EQ(next_hop("2001:db8::9"), address("2001:db8::9")) << "the prefix is on the link";
  const Duration heard_at = now.time_since_epoch();
  run_for(3s);
  EXPECT_EQ(interfaces.source_for(address("2001:db9::9")), made);
  run_until(heard_at + 3600s);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->state, AddressState::deprecated);
  EXPECT_TRUE(interfaces.is_ours(made));
  run_until(heard_at + 7200s);  // RFC4862-5.5.4
  EXPECT_FALSE(interfaces.is_ours(made));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].prefix.address, made);
  EXPECT_FALSE(next_hop("2001:db8::9"));
}

TEST_F(AutoconfigurationTest, OnLinkAndAutonomousAreTwoThings) {  // RFC4861-6.3.4, RFC5942-4
  start();
  wire::RouterAdvertisement told = advertisement();
  told.prefixes.push_back(information("2001:db8:1::/64", 7200, 3600));
  told.prefixes.begin()->on_link = false;
  told.prefixes.push_back(information("2001:db8:2::/64", 7200, 3600));
  (told.prefixes.begin() + 1)->autonomous = false;
  hear(told);
  run_for(3s);
  EXPECT_EQ(count(AddressOrigin::advertised), 1U);
  EXPECT_TRUE(
      prefix("2001:db8:1::/64").contains(own_with(AddressOrigin::advertised)->prefix.address));
  EXPECT_EQ(next_hop("2001:db8:1::9"), address("fe80::1"));
  EXPECT_EQ(next_hop("2001:db8:2::9"), address("2001:db8:2::9"));
  told.prefixes.begin()[1].valid_seconds = 0;  // no longer on the link
  hear(told);
  EXPECT_EQ(next_hop("2001:db8:2::9"), address("fe80::1"));
}

TEST_F(AutoconfigurationTest, PrefixesThatMakeNoAddress) {  // RFC4862-5.5.3 (b), (c), (d)
  start();
  hear_prefix("fe80::/64", 7200, 3600);
  hear_prefix("ff02::/64", 7200, 3600);
  hear_prefix("2001:db8::/63", 7200, 3600);
  hear_prefix("2001:db8::/65", 7200, 3600);
  hear_prefix("2001:db8::/64", 3600, 7200);
  hear_prefix("2001:db8::/64", 0, 0);
  EXPECT_EQ(count(AddressOrigin::advertised), 0U);
}

TEST_F(AutoconfigurationTest, LifetimesAreRenewed) {
  start();
  hear_prefix("2001:db8::/64", 7200, 3600);
  run_for(3600s);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->state, AddressState::deprecated);
  hear_prefix("2001:db8::/64", wire::kInfiniteLifetime, wire::kInfiniteLifetime);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->state, AddressState::preferred);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->valid_until, kNever);
  EXPECT_EQ(count(AddressOrigin::advertised), 1U);
  hear_prefix("2001:db8::/64", 86400, 0);  // deprecated at once
  EXPECT_EQ(own_with(AddressOrigin::advertised)->state, AddressState::deprecated);
}

TEST_F(AutoconfigurationTest, NobodyTakesAnAddressAwayAtOnce) {  // RFC4862-5.5.3 (e)
  start();
  const auto valid_for = [&] { return own_with(AddressOrigin::advertised)->valid_until - now; };
  hear_prefix("2001:db8::/64", 86400, 86400);
  hear_prefix("2001:db8::/64", 100, 50);  // RemainingLifetime is above two hours
  EXPECT_EQ(valid_for(), 2h);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->preferred_until - now, 50s);
  run_for(1h);
  hear_prefix("2001:db8::/64", 100, 50);  // below: ignored
  EXPECT_EQ(valid_for(), 1h);
  hear_prefix("2001:db8::/64", 0, 0);
  EXPECT_EQ(valid_for(), 1h);
  hear_prefix("2001:db8::/64", 3601, 50);  // longer than what remains
  EXPECT_EQ(valid_for(), 3601s);
  hear_prefix("2001:db8::/64", 7201, 50);  // longer than two hours
  EXPECT_EQ(valid_for(), 7201s);
}

TEST_F(AutoconfigurationTest, ATakenAddressOfAPrefixIsReplaced) {
  start();
  hear_prefix("2001:db8::/64", 7200, 3600);
  const IpAddress first = own_with(AddressOrigin::advertised)->prefix.address;
  autoconfiguration.on_claim(kFirst, first);
  take();
  ASSERT_EQ(count(AddressOrigin::advertised), 1U);
  EXPECT_NE(own_with(AddressOrigin::advertised)->prefix.address, first);
  run_for(3s);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->state, AddressState::preferred);
  EXPECT_EQ(own_with(AddressOrigin::advertised)->router, address("fe80::1"));
  hear_prefix("2001:db8::/64", 7200, 3600);
  EXPECT_EQ(count(AddressOrigin::advertised), 1U);
}

// ---- the rest of an advertisement

TEST_F(AutoconfigurationTest, MtuAndHopLimitWithinReason) {  // RFC4861-6.3.4
  start();
  EXPECT_FALSE(autoconfiguration.hop_limit(kFirst));
  wire::RouterAdvertisement told = advertisement();
  told.mtu = 1400;
  told.hop_limit = 100;
  hear(told);
  EXPECT_EQ(interfaces.route(address("2001:db8::9"))->mtu, 1400U);
  EXPECT_EQ(autoconfiguration.hop_limit(kFirst), 100);
  for (const std::uint32_t mtu : {0U, 1279U, 1501U, 0xffffffffU}) {
    told.mtu = mtu;
    told.hop_limit = 1;  // would cut us off from all that is not on the link
    hear(told);
    EXPECT_EQ(interfaces.route(address("2001:db8::9"))->mtu, 1400U);
    EXPECT_EQ(autoconfiguration.hop_limit(kFirst), 100);
  }
}

TEST_F(AutoconfigurationTest, AsksAgainWhenTheLastRouterIsGone) {  // RFC4861-6.3.7, RFC7559-2
  start();
  hear(advertisement(1000), "fe80::1");
  hear(advertisement(500), "fe80::2");
  seen.clear();
  run_for(999s);
  EXPECT_TRUE(all<SolicitRouters>().empty()) << "there is still one";
  const Duration gone = now.time_since_epoch() + 1s;
  run_for(60s);
  const auto asked = all<SolicitRouters>();
  ASSERT_GE(asked.size(), 3U);
  EXPECT_GE(asked[0].first, gone);
  EXPECT_LE(asked[0].first, gone + 1s);
  EXPECT_LT(asked[1].first - asked[0].first, 5s) << "as in the beginning";

  hear(advertisement(1000));
  seen.clear();
  run_for(10s);
  EXPECT_TRUE(all<SolicitRouters>().empty());
  hear(advertisement(0));  // it says itself that it is none any more
  run_for(2s);
  EXPECT_EQ(all<SolicitRouters>().size(), 1U);
}

TEST_F(AutoconfigurationTest, KeepsServersOfNames) {  // RFC8106-5.3.1
  start();
  wire::RouterAdvertisement told = advertisement();
  told.dns_servers.push_back({address("2001:db8::53"), 100});
  told.dns_servers.push_back({address("fe80::53"), wire::kInfiniteLifetime});
  told.dns_servers.push_back({address("ff02::fb"), 100});
  hear(told);
  const Endpoint far{address("2001:db8::53"), Port{53}};
  const Endpoint near{address("fe80::53"), Port{53}, zone_of(kFirst)};
  EXPECT_EQ(autoconfiguration.dns_servers(), (std::vector{far, near}));
  run_for(99s);
  EXPECT_EQ(autoconfiguration.dns_servers().size(), 2U);
  run_for(1s);
  EXPECT_EQ(autoconfiguration.dns_servers(), std::vector{near});
  told.dns_servers = {};
  told.dns_servers.push_back({address("fe80::53"), 0});
  hear(told);
  EXPECT_TRUE(autoconfiguration.dns_servers().empty());
}

TEST_F(AutoconfigurationTest, NothingGrowsWithoutBound) {
  start();
  for (unsigned i = 0; i < 2000; ++i) {
    wire::RouterAdvertisement told = advertisement();
    std::array<std::uint8_t, 16> bytes = address("2001:db8::").bytes();
    bytes[6] = static_cast<std::uint8_t>(i >> 8);
    bytes[7] = static_cast<std::uint8_t>(i);
    told.prefixes.push_back({.prefix = {IpAddress::v6(bytes), 64},
                             .on_link = true,
                             .autonomous = true,
                             .valid_seconds = 7200,
                             .preferred_seconds = 3600});
    bytes[15] = 1;
    told.dns_servers.push_back({IpAddress::v6(bytes), 7200});
    bytes[0] = 0xfe;
    bytes[1] = 0x80;
    autoconfiguration.on_router_advertisement(now, kFirst, IpAddress::v6(bytes), told);
    take();
  }
  EXPECT_EQ(count(AddressOrigin::advertised), Autoconfiguration::kMaxAddresses);
  EXPECT_EQ(autoconfiguration.dns_servers().size(), Autoconfiguration::kMaxServers);
  // The network of our own address, the routers, the prefixes.
  EXPECT_EQ(interfaces.routes().all().size(),
            1 + Autoconfiguration::kMaxRouters + Autoconfiguration::kMaxPrefixes);
}

TEST_F(AutoconfigurationTest, AnInterfaceThatWasNotStartedHeedsNobody) {
  hear_prefix("2001:db8::/64", 7200, 3600);
  EXPECT_FALSE(next_hop("2001:db8::9"));
  EXPECT_TRUE(interfaces.addresses().all().empty());
  EXPECT_EQ(autoconfiguration.next_deadline(), kNever);
}

// ---- redirects

class Redirects : public AutoconfigurationTest {
 protected:
  void SetUp() override {
    start();
    hear(advertisement(65535));
  }
  bool redirect(const char* destination, const char* target, const char* router = "fe80::1") {
    return autoconfiguration.on_redirect(
        now, kFirst, address(router),
        {.target = address(target), .destination = address(destination)});
  }
};

TEST_F(Redirects, LeadToABetterFirstHop) {  // RFC4861-8.3
  EXPECT_TRUE(redirect("2001:db8::9", "fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::8"), address("fe80::1"));
  EXPECT_TRUE(redirect("2001:db8::8", "2001:db8::8"));  // it is on the link
  EXPECT_EQ(next_hop("2001:db8::8"), address("2001:db8::8"));
  run_for(Autoconfiguration::kRedirectLifetime);
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
}

TEST_F(Redirects, CountOnlyFromTheRouterInUse) {  // RFC4861-8.1
  EXPECT_FALSE(redirect("2001:db8::9", "fe80::3", "fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
  EXPECT_TRUE(redirect("2001:db8::9", "fe80::2"));
  EXPECT_FALSE(redirect("2001:db8::9", "fe80::3"));  // it is no longer the first hop
  EXPECT_TRUE(redirect("2001:db8::9", "fe80::3", "fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::3"));
  const IpAddress ours = own_with(AddressOrigin::link_local)->prefix.address;
  EXPECT_FALSE(redirect("2001:db8::9", ours.to_string().c_str(), "fe80::3"));
}

TEST_F(Redirects, ToASilentNeighbourAreForgotten) {  // RFC4861-7.3.3
  EXPECT_TRUE(redirect("2001:db8::9", "fe80::2"));
  autoconfiguration.on_neighbour_lost(kFirst, address("fe80::3"));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::2"));
  autoconfiguration.on_neighbour_lost(kFirst, address("fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::9"), address("fe80::1"));
}

TEST_F(Redirects, AreBounded) {
  const std::size_t before = interfaces.routes().all().size();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(redirect(("2001:db8::" + std::to_string(i + 1)).c_str(), "fe80::2"));
  }
  EXPECT_EQ(interfaces.routes().all().size(), before + Autoconfiguration::kMaxRedirects);
  EXPECT_EQ(next_hop("2001:db8::1000"), address("fe80::2"));
  EXPECT_EQ(next_hop("2001:db8::1"), address("fe80::1")) << "the oldest makes room";
}

}  // namespace
}  // namespace hawser::ip
