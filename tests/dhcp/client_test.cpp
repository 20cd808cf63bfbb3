// The client against a scripted server, in virtual time.
#include "dhcp/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hawser::dhcp {
namespace {

using namespace std::chrono_literals;
using wire::DhcpMessage;
using wire::DhcpType;

const MacAddress kMac({2, 0, 0, 0, 0, 9});
const IpAddress kNobody = IpAddress::v4(0, 0, 0, 0);
const IpAddress kEverybody = IpAddress::v4(255, 255, 255, 255);
const IpAddress kServer = IpAddress::v4(10, 0, 0, 1);
const IpAddress kOther = IpAddress::v4(10, 0, 0, 2);
const IpAddress kGiven = IpAddress::v4(10, 0, 0, 50);

struct Sent {
  IpAddress source;
  IpAddress destination;
  DhcpMessage message;
};

class DhcpClientTest : public ::testing::Test {
 protected:
  // ---- what the client says

  /// The only output, a message of that type.
  Sent sent(DhcpType type) {
    const auto output = client.poll_output();
    const auto* datagram = output ? std::get_if<SendDatagram>(&*output) : nullptr;
    if (datagram == nullptr) {
      ADD_FAILURE() << "nothing is sent";
      return {};
    }
    EXPECT_FALSE(client.poll_output().has_value());
    const auto message = wire::parse_dhcp(datagram->bytes);
    EXPECT_TRUE(message);
    EXPECT_EQ(message->type, type);
    EXPECT_EQ(message->mac, kMac);
    return {datagram->source, datagram->destination, *message};
  }
  Lease gained() {
    const auto output = client.poll_output();
    const auto* gained = output ? std::get_if<LeaseGained>(&*output) : nullptr;
    if (gained == nullptr) ADD_FAILURE() << "no lease was gained";
    EXPECT_FALSE(client.poll_output().has_value());
    return gained != nullptr ? gained->lease : Lease{};
  }
  void lost() {
    const auto output = client.poll_output();
    const auto* lost = output ? std::get_if<LeaseLost>(&*output) : nullptr;
    ASSERT_NE(lost, nullptr);
    EXPECT_EQ(lost->address.address, kGiven);
  }
  void quiet() { EXPECT_FALSE(client.poll_output().has_value()); }

  // ---- what the server says

  DhcpMessage answer(DhcpType type, const DhcpMessage& question) const {
    DhcpMessage message;
    message.type = type;
    message.transaction = question.transaction;
    message.mac = kMac;
    message.server = kServer;
    if (type == DhcpType::nak) return message;
    message.yours = kGiven;
    message.prefix_length = 24;
    message.routers = {kServer};
    message.dns = {IpAddress::v4(10, 0, 0, 53)};
    message.domain = "harbour.example";
    message.lease_seconds = 1000;
    return message;
  }
  std::optional<DropReason> say(const DhcpMessage& message) {
    return client.on_datagram(now, wire::emit_dhcp(message));
  }

  // ---- the way to a state

  void wait_for_deadline() {
    ASSERT_NE(client.next_deadline(), kNever);
    now = std::max(now, client.next_deadline());
    client.on_time(now);
  }
  DhcpMessage reach_selecting() {
    client.start(now);
    return sent(DhcpType::discover).message;
  }
  DhcpMessage reach_requesting() {
    const DhcpMessage discover = reach_selecting();
    EXPECT_FALSE(say(answer(DhcpType::offer, discover)));
    return sent(DhcpType::request).message;
  }
  Lease reach_bound() {
    const DhcpMessage request = reach_requesting();
    EXPECT_FALSE(say(answer(DhcpType::ack, request)));
    EXPECT_EQ(client.state(), State::bound);
    return gained();
  }
  DhcpMessage reach_renewing() {
    reach_bound();
    wait_for_deadline();
    EXPECT_EQ(client.state(), State::renewing);
    return sent(DhcpType::request).message;
  }
  DhcpMessage reach_rebinding() {
    DhcpMessage request = reach_renewing();
    while (client.state() == State::renewing) {
      wait_for_deadline();
      request = sent(DhcpType::request).message;
    }
    EXPECT_EQ(client.state(), State::rebinding);
    return request;
  }

  Instant now{1000s};
  Client client{{.mac = kMac, .host_name = "boat"}, Random(1)};
};

// ---- to a lease

// RFC2131-4.4.1: the fields of table 5.
TEST_F(DhcpClientTest, AsksAndTakesWhatIsOffered) {
  EXPECT_EQ(client.next_deadline(), kNever);
  client.start(now);
  const Sent discover = sent(DhcpType::discover);
  EXPECT_EQ(discover.source, kNobody);
  EXPECT_EQ(discover.destination, kEverybody);
  EXPECT_TRUE(discover.message.broadcast);
  EXPECT_EQ(discover.message.client, kNobody);
  EXPECT_FALSE(discover.message.requested);
  EXPECT_FALSE(discover.message.server);
  EXPECT_EQ(discover.message.host_name, "boat");
  EXPECT_EQ(discover.message.largest, 1472);
  EXPECT_EQ(std::ranges::count(discover.message.wanted, 121), 1);

  EXPECT_FALSE(say(answer(DhcpType::offer, discover.message)));
  const Sent request = sent(DhcpType::request);
  EXPECT_EQ(request.source, kNobody);
  EXPECT_EQ(request.destination, kEverybody);
  EXPECT_TRUE(request.message.broadcast);
  EXPECT_EQ(request.message.transaction, discover.message.transaction);
  EXPECT_EQ(request.message.client, kNobody);
  EXPECT_EQ(request.message.requested, kGiven);
  EXPECT_EQ(request.message.server, kServer);

  EXPECT_FALSE(say(answer(DhcpType::ack, request.message)));
  const Lease lease = gained();
  EXPECT_EQ(lease.address, (Prefix{kGiven, 24}));
  EXPECT_EQ(lease.server, kServer);
  EXPECT_EQ(lease.routes, (std::vector<wire::DhcpRoute>{{{kNobody, 0}, kServer}}));
  EXPECT_EQ(lease.dns, std::vector{IpAddress::v4(10, 0, 0, 53)});
  EXPECT_EQ(lease.search, std::vector<std::string>{"harbour.example"});
  EXPECT_EQ(lease.expires_at, now + 1000s);
  EXPECT_NEAR(static_cast<double>((lease.renew_at - now).count()), 500e9, 10e9);
  EXPECT_NEAR(static_cast<double>((lease.rebind_at - now).count()), 875e9, 15e9);
  EXPECT_EQ(client.next_deadline(), lease.renew_at);
}

// RFC2131-4.1: 4, 8, 16, 32, 64, 64 seconds, each one more or less.
TEST_F(DhcpClientTest, AsksAgainLessAndLessOften) {
  const std::uint32_t transaction = reach_selecting().transaction;
  bool off = false;
  for (const Duration wait : {4s, 8s, 16s, 32s, 64s, 64s, 64s}) {
    const Instant before = now;
    wait_for_deadline();
    EXPECT_GE(now - before, wait - 1s);
    EXPECT_LE(now - before, wait + 1s);
    off = off || now - before != wait;
    const DhcpMessage again = sent(DhcpType::discover).message;
    EXPECT_EQ(again.transaction, transaction);
    EXPECT_EQ(again.seconds,
              std::chrono::duration_cast<std::chrono::seconds>(now - Instant(1000s)).count());
  }
  EXPECT_TRUE(off) << "no two hosts at one time";
  client.on_time(now);
  quiet();
}

TEST_F(DhcpClientTest, BeginsAnewWhenTheOfferIsNotKept) {
  const DhcpMessage first = reach_requesting();
  for (unsigned i = 1; i < Client::kRequests; ++i) {
    wait_for_deadline();
    EXPECT_EQ(sent(DhcpType::request).message.transaction, first.transaction);
  }
  wait_for_deadline();
  EXPECT_NE(sent(DhcpType::discover).message.transaction, first.transaction);
  EXPECT_EQ(client.state(), State::selecting);
}

TEST_F(DhcpClientTest, TakesTheFirstOfferOnly) {
  const DhcpMessage discover = reach_selecting();
  DhcpMessage offer = answer(DhcpType::offer, discover);
  EXPECT_FALSE(say(offer));
  const DhcpMessage request = sent(DhcpType::request).message;
  offer.server = kOther;
  EXPECT_EQ(say(offer), DropReason::unexpected_dhcp);
  DhcpMessage ack = answer(DhcpType::ack, request);
  ack.server = kOther;
  EXPECT_EQ(say(ack), DropReason::unexpected_dhcp) << "we have chosen another";
  quiet();
  EXPECT_EQ(client.state(), State::requesting);
}

/// Or else a relay that waits for some seconds would pass on one of them and not the other.
TEST_F(DhcpClientTest, ARequestSaysTheSecondsOfItsDiscover) {  // RFC2131-3.1
  reach_selecting();
  wait_for_deadline();
  const DhcpMessage discover = sent(DhcpType::discover).message;
  EXPECT_GT(discover.seconds, 0);
  now += 2s;
  EXPECT_FALSE(say(answer(DhcpType::offer, discover)));
  EXPECT_EQ(sent(DhcpType::request).message.seconds, discover.seconds);
  wait_for_deadline();
  EXPECT_EQ(sent(DhcpType::request).message.seconds, discover.seconds);
}

TEST_F(DhcpClientTest, CountsTheLeaseFromWhenItAsked) {
  const DhcpMessage request = reach_requesting();
  const Instant asked = now;
  wait_for_deadline();
  sent(DhcpType::request);
  now += 1s;
  EXPECT_FALSE(say(answer(DhcpType::ack, request)));
  EXPECT_EQ(gained().expires_at, asked + 1000s);
}

TEST_F(DhcpClientTest, BeginsAnewAfterARefusalButNotInARush) {
  EXPECT_FALSE(say(answer(DhcpType::nak, reach_requesting())));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(say(answer(DhcpType::offer, sent(DhcpType::discover).message)));
    EXPECT_FALSE(say(answer(DhcpType::nak, sent(DhcpType::request).message)));
    quiet();
    EXPECT_EQ(client.state(), State::resting);
    EXPECT_EQ(client.next_deadline(), now + Client::kRest);
    wait_for_deadline();
  }
}

TEST_F(DhcpClientTest, KeepsALeaseForEver) {
  DhcpMessage ack = answer(DhcpType::ack, reach_requesting());
  ack.lease_seconds = 0xffffffff;
  EXPECT_FALSE(say(ack));
  EXPECT_EQ(gained().expires_at, kNever);
  EXPECT_EQ(client.next_deadline(), kNever);
}

// A lease of 136 years that begins when a clock has run for 200 ended in the past.
TEST_F(DhcpClientTest, KeepsALeaseThatEndsAfterTheEndOfTime) {
  now = Instant(24h * 365 * 200);
  DhcpMessage ack = answer(DhcpType::ack, reach_requesting());
  ack.lease_seconds = 0xfffffffe;
  EXPECT_FALSE(say(ack));
  EXPECT_EQ(gained().expires_at, kNever);
}

TEST_F(DhcpClientTest, KeepsTheTimesOfTheServerIfTheyMakeSense) {
  const auto times = [&](std::uint32_t t1, std::uint32_t t2) {
    client = Client({.mac = kMac}, Random(1));
    DhcpMessage ack = answer(DhcpType::ack, reach_requesting());
    ack.renew_seconds = t1;
    ack.rebind_seconds = t2;
    EXPECT_FALSE(say(ack));
    const Lease lease = gained();
    EXPECT_LE(lease.renew_at, lease.rebind_at);
    EXPECT_LT(lease.rebind_at, lease.expires_at);
    EXPECT_GE(lease.renew_at, now + Client::kSoonestRenewal);
    return std::pair(lease.renew_at - now, lease.rebind_at - now);
  };
  EXPECT_EQ(times(100, 200), (std::pair<Duration, Duration>(100s, 200s)));
  EXPECT_EQ(times(0, 0), (std::pair<Duration, Duration>(5s, 5s)));
  EXPECT_EQ(times(300, 200), (std::pair<Duration, Duration>(100s, 200s))) << "T1 comes first";
  EXPECT_GT(times(100, 1000).second, 850s) << "no sooner than the lease ends";
  times(0xffffffff, 0xffffffff);
}

TEST_F(DhcpClientTest, PrefersClasslessRoutes) {
  DhcpMessage ack = answer(DhcpType::ack, reach_requesting());
  ack.routes = {{{IpAddress::v4(192, 168, 0, 0), 16}, kOther}};
  EXPECT_FALSE(say(ack));
  EXPECT_EQ(gained().routes, ack.routes);
}

// ---- keeping it

// RFC2131-4.3.2: DHCPREQUEST generated during RENEWING state.
TEST_F(DhcpClientTest, RenewsAtItsServer) {
  reach_bound();
  wait_for_deadline();
  const Sent request = sent(DhcpType::request);
  EXPECT_EQ(request.source, kGiven);
  EXPECT_EQ(request.destination, kServer);
  EXPECT_EQ(request.message.client, kGiven);
  EXPECT_FALSE(request.message.requested);
  EXPECT_FALSE(request.message.server);
  EXPECT_FALSE(request.message.broadcast);
  now += 100ms;
  EXPECT_FALSE(say(answer(DhcpType::ack, request.message)));
  EXPECT_EQ(gained().expires_at, now - 100ms + 1000s);
  EXPECT_EQ(client.state(), State::bound);
}

// RFC2131-4.4.5: after half of what is left until T2, and then of the lease.
TEST_F(DhcpClientTest, AsksEverybodyWhenItsServerIsSilentAndLosesTheLeaseInTheEnd) {
  const Lease lease = reach_bound();
  std::vector<Instant> renewals;
  std::vector<Instant> rebindings;
  for (;;) {
    wait_for_deadline();
    if (now == lease.expires_at) break;
    const Sent request = sent(DhcpType::request);
    EXPECT_EQ(request.source, kGiven);
    const bool renews = request.destination == kServer;
    EXPECT_EQ(renews ? State::renewing : State::rebinding, client.state());
    (renews ? renewals : rebindings).push_back(now);
  }
  ASSERT_GE(renewals.size(), 3U);
  EXPECT_EQ(renewals[1] - renewals[0], (lease.rebind_at - renewals[0]) / 2);
  for (std::size_t i = 1; i < renewals.size(); ++i) EXPECT_GE(renewals[i] - renewals[i - 1], 60s);
  ASSERT_GE(rebindings.size(), 2U);
  EXPECT_EQ(rebindings.front(), lease.rebind_at);
  lost();
  sent(DhcpType::discover);
  EXPECT_EQ(client.state(), State::selecting);
  EXPECT_FALSE(client.lease());
}

TEST_F(DhcpClientTest, RebindsAtAnotherServer) {
  DhcpMessage ack = answer(DhcpType::ack, reach_rebinding());
  ack.server = kOther;
  EXPECT_FALSE(say(ack));
  EXPECT_EQ(gained().server, kOther);
  wait_for_deadline();
  EXPECT_EQ(sent(DhcpType::request).destination, kOther);
}

TEST_F(DhcpClientTest, GivesTheAddressUpWhenARenewalIsRefused) {
  EXPECT_FALSE(say(answer(DhcpType::nak, reach_renewing())));
  lost();
  sent(DhcpType::discover);
}

TEST_F(DhcpClientTest, LosesTheLeaseEvenIfItIsToldTheTimeLate) {
  const Lease lease = reach_bound();
  now = lease.expires_at + 1h;
  client.on_time(now);
  lost();
  sent(DhcpType::discover);
}

// ---- giving it up

// RFC2131-3.1: step 5 and table 5.
TEST_F(DhcpClientTest, DeclinesAnAddressThatIsTaken) {
  reach_bound();
  client.on_conflict(now);
  lost();
  const Sent decline = sent(DhcpType::decline);
  EXPECT_EQ(decline.source, kNobody);
  EXPECT_EQ(decline.destination, kEverybody);
  EXPECT_EQ(decline.message.client, kNobody);
  EXPECT_EQ(decline.message.requested, kGiven);
  EXPECT_EQ(decline.message.server, kServer);
  EXPECT_EQ(client.next_deadline(), now + 10s);
  wait_for_deadline();
  sent(DhcpType::discover);
  client.on_conflict(now);  // of no lease
  quiet();
}

// RFC2131-4.4.6
TEST_F(DhcpClientTest, ReleasesTheLease) {
  reach_bound();
  client.release(now);
  const auto first = client.poll_output();
  ASSERT_TRUE(first && std::holds_alternative<SendDatagram>(*first)) << "while it has the address";
  const auto& datagram = std::get<SendDatagram>(*first);
  EXPECT_EQ(datagram.source, kGiven);
  EXPECT_EQ(datagram.destination, kServer);
  const auto release = wire::parse_dhcp(datagram.bytes);
  EXPECT_EQ(release->type, DhcpType::release);
  EXPECT_EQ(release->client, kGiven);
  EXPECT_EQ(release->server, kServer);
  EXPECT_FALSE(release->requested);
  lost();
  quiet();
  EXPECT_EQ(client.next_deadline(), kNever);
  client.release(now);
  quiet();
  client.start(now);
  sent(DhcpType::discover);
}

// ---- hostile servers

TEST_F(DhcpClientTest, TakesNoAnswerToAQuestionItDidNotAsk) {
  const DhcpMessage discover = reach_selecting();
  DhcpMessage offer = answer(DhcpType::offer, discover);
  ++offer.transaction;
  EXPECT_EQ(say(offer), DropReason::unexpected_dhcp);
  offer = answer(DhcpType::offer, discover);
  offer.mac = MacAddress({2, 0, 0, 0, 0, 8});
  EXPECT_EQ(say(offer), DropReason::unexpected_dhcp);
  EXPECT_EQ(say(answer(DhcpType::ack, discover)), DropReason::unexpected_dhcp);
  EXPECT_EQ(say(answer(DhcpType::nak, discover)), DropReason::unexpected_dhcp);
  EXPECT_EQ(say(discover), DropReason::unexpected_dhcp) << "what another client says";
  EXPECT_EQ(client.on_datagram(now, std::vector<std::byte>(300)), DropReason::bad_dhcp);
  quiet();
  EXPECT_EQ(client.state(), State::selecting);
}

TEST_F(DhcpClientTest, WhileItIsBoundNobodyCanTakeTheLeaseAway) {
  const Lease lease = reach_bound();
  DhcpMessage last;
  for (const DhcpType type : {DhcpType::nak, DhcpType::ack, DhcpType::offer}) {
    EXPECT_EQ(say(answer(type, last)), DropReason::unexpected_dhcp);
  }
  quiet();
  EXPECT_EQ(client.next_deadline(), lease.renew_at);
}

TEST_F(DhcpClientTest, TakesNoOfferThatNoHostCouldUse) {
  const DhcpMessage discover = reach_selecting();
  for (const IpAddress& address :
       {kNobody, kEverybody, IpAddress::v4(127, 0, 0, 1), IpAddress::v4(224, 0, 0, 1),
        IpAddress::v4(240, 0, 0, 1), IpAddress::v4(10, 0, 0, 0), IpAddress::v4(10, 0, 0, 255),
        IpAddress::v4(0, 1, 2, 3)}) {
    DhcpMessage offer = answer(DhcpType::offer, discover);
    offer.yours = address;
    EXPECT_EQ(say(offer), DropReason::bad_dhcp) << address.to_string();
  }
  DhcpMessage offer = answer(DhcpType::offer, discover);
  offer.server.reset();
  EXPECT_EQ(say(offer), DropReason::bad_dhcp);
  quiet();
}

TEST_F(DhcpClientTest, TakesNoLeaseWithoutATimeNorAVeryShortOne) {
  const DhcpMessage request = reach_requesting();
  DhcpMessage ack = answer(DhcpType::ack, request);
  ack.lease_seconds.reset();
  EXPECT_EQ(say(ack), DropReason::bad_dhcp);
  for (const std::uint32_t time : {0U, 1U, 9U}) {
    ack.lease_seconds = time;
    EXPECT_EQ(say(ack), DropReason::bad_dhcp);
  }
  quiet();
  ack.lease_seconds = 10;
  EXPECT_FALSE(say(ack));
  gained();
}

TEST_F(DhcpClientTest, ARenewalCannotChangeTheAddress) {
  DhcpMessage ack = answer(DhcpType::ack, reach_renewing());
  ack.yours = IpAddress::v4(10, 0, 0, 66);
  EXPECT_EQ(say(ack), DropReason::bad_dhcp);
  quiet();
  ack.yours = kGiven;
  ack.server = kOther;
  EXPECT_EQ(say(ack), DropReason::unexpected_dhcp) << "it was asked of one server";
}

/// A server that answers at random, and often wrongly: the client sends no more than its timers and
/// those answers allow, and its state and its lease always agree.
TEST_F(DhcpClientTest, SurvivesAServerOutOfItsMind) {
  constexpr Duration kCenturies = 24h * 365 * 200;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    client = Client({.mac = kMac}, random.fork());
    now = Instant(1000s);
    client.start(now);
    std::uint64_t sent = 0;
    std::uint64_t said = 0;
    std::uint64_t fired = 1;
    bool has_lease = false;
    DhcpMessage question;
    for (int step = 0; step < 300; ++step) {
      // A lease may have come so late that it is time to renew it.
      if (client.next_deadline() <= now) client.on_time(now);
      ASSERT_GT(client.next_deadline(), now) << "seed " << seed;
      while (const auto output = client.poll_output()) {
        if (const auto* datagram = std::get_if<SendDatagram>(&*output)) {
          ++sent;
          question = *wire::parse_dhcp(datagram->bytes);
        } else {
          has_lease = std::holds_alternative<LeaseGained>(*output);
        }
      }
      ASSERT_EQ(has_lease, client.lease().has_value());
      ASSERT_EQ(has_lease, client.state() >= State::bound);
      if (random.chance(0.3) && client.next_deadline() < Instant(kCenturies)) {
        ++fired;
        wait_for_deadline();
        continue;
      }
      if (random.chance(0.02)) client.on_conflict(now);
      constexpr DhcpType kTypes[] = {DhcpType::offer, DhcpType::ack, DhcpType::nak};
      DhcpMessage message = answer(kTypes[random.below(3)], question);
      message.lease_seconds = static_cast<std::uint32_t>(random.next() >> random.below(64));
      message.renew_seconds = static_cast<std::uint32_t>(random.next() >> random.below(64));
      message.rebind_seconds = static_cast<std::uint32_t>(random.next() >> random.below(64));
      std::vector<std::byte> bytes = wire::emit_dhcp(message);
      if (random.chance(0.3))
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
      ++said;
      static_cast<void>(client.on_datagram(now, bytes));
    }
    EXPECT_LE(sent, 2 * said + fired) << "a late lease and its renewal, at most";
  }
}

}  // namespace
}  // namespace hawser::dhcp
