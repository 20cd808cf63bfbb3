#include "names/reverse_names.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/names/dns_server.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser::names {
namespace {

using testing::DnsServer;
using testing::kClientAddress;
using testing::kServerAddress;
using testing::TwoHosts;

const IpAddress kOne = IpAddress::v4(192, 0, 2, 1);
const IpAddress kTwo = *IpAddress::parse("2001:db8::2");
constexpr Duration kShort = std::chrono::milliseconds(100);
constexpr const char* kOneReversed = "1.2.0.192.in-addr.arpa";
constexpr const char* kTwoReversed =
    "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

class ReverseNamesTest : public ::testing::Test {
 protected:
  /// As a program would wait that has nothing else to do.
  static std::string wait_for(ReverseNames& names, const IpAddress& address) {
    for (;;) {
      if (const std::optional<std::string> name = names.name(address)) return *name;
      pollfd polled{names.descriptor(), POLLIN, 0};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(names.longest_wait());
      ::poll(&polled, 1, static_cast<int>(left.count()));
      names.process();
    }
  }

  TwoHosts hosts_;
};

TEST_F(ReverseNamesTest, AddressesOfBothFamiliesHaveNames) {
  DnsServer server(hosts_.server,
                   {{kOneReversed, {.host = "one.test"}}, {kTwoReversed, {.host = "two.test"}}});
  ReverseNames names(hosts_.client, {kServerAddress});
  names.ask(kOne);
  names.ask(kTwo);
  EXPECT_EQ(names.name(kOne), std::nullopt);
  EXPECT_EQ(wait_for(names, kOne), "one.test");
  EXPECT_EQ(wait_for(names, kTwo), "two.test");
  names.ask(kOne);
  EXPECT_EQ(names.name(kOne), "one.test");
  EXPECT_EQ(server.udp_questions(), 2) << "each is asked for once";
}

TEST_F(ReverseNamesTest, OneWithoutANameHasNone) {
  DnsServer server(hosts_.server, {});
  ReverseNames names(hosts_.client, {kServerAddress});
  EXPECT_EQ(names.name(kOne), "") << "it was not asked for";
  names.ask(kOne);
  EXPECT_EQ(wait_for(names, kOne), "");
}

TEST_F(ReverseNamesTest, AServerThatIsNotThereIsNotWaitedFor) {
  ReverseNames names(hosts_.client, {IpAddress::v4(10, 99, 0, 1)});  // no route
  names.ask(kOne);
  EXPECT_EQ(names.name(kOne), "");
}

TEST_F(ReverseNamesTest, SilenceIsWaitedForOnlySoLong) {
  DnsServer server(hosts_.server, {{kOneReversed, {.host = "one.test", .lost = 1000}}});
  ReverseNames names(hosts_.client, {kServerAddress}, kShort);
  names.ask(kOne);
  EXPECT_LE(names.longest_wait(), kShort);
  EXPECT_EQ(wait_for(names, kOne), "");
  EXPECT_GE(server.udp_questions(), 1);
}

TEST_F(ReverseNamesTest, OnlySoManyAreAskedForAtATime) {
  DnsServer server(hosts_.server, {{kOneReversed, {.host = "one.test"}}});
  ReverseNames names(hosts_.client, {kServerAddress});
  for (std::uint8_t i = 0; i < ReverseNames::kMaxUnderWay; ++i) {
    names.ask(IpAddress::v4(198, 51, 100, i));
  }
  names.ask(kOne);
  EXPECT_EQ(names.name(kOne), "");
  wait_for(names, IpAddress::v4(198, 51, 100, 0));
  names.ask(kOne);
  EXPECT_EQ(wait_for(names, kOne), "one.test");
}

TEST_F(ReverseNamesTest, EndsWhileItAsks) {
  DnsServer server(hosts_.server, {{kOneReversed, {.host = "one.test", .lost = 1000}}});
  {
    ReverseNames names(hosts_.client, {kServerAddress});
    names.ask(kOne);
  }
  ReverseNames names(hosts_.client, {kServerAddress}, kShort);
  names.ask(kOne);
  hosts_.client.stop();
  names.process();
  EXPECT_EQ(wait_for(names, kOne), "");
}

}  // namespace
}  // namespace hawser::names
