#include "hawser/resolver.hpp"

#include <gtest/gtest.h>

#include "host/wake_up.hpp"
#include "tests/names/dns_server.hpp"
#include "tests/sockets/two_hosts.hpp"

namespace hawser {
namespace {

using testing::DnsServer;
using testing::kServerAddress;
using testing::kServerAddress6;
using testing::TwoHosts;

const IpAddress kOne = IpAddress::v4(192, 0, 2, 1);
const IpAddress kTwo = IpAddress::v4(10, 0, 0, 77);  // on the link of the client
const IpAddress kThree = *IpAddress::parse("fd00::77");

class ResolverTest : public ::testing::Test {
 protected:
  static ResolveOptions options() {
    ResolveOptions options;
    options.servers = {{kServerAddress, Port{}}};
    options.timeout = std::chrono::milliseconds(300);
    return options;
  }
  auto look_up(const std::string& name, const ResolveOptions& options) {
    return resolve(hosts_.client, name, options);
  }
  auto look_up(const std::string& name) { return look_up(name, options()); }

  TwoHosts hosts_;
};

TEST_F(ResolverTest, FindsTheAddressesOfBothFamilies) {
  DnsServer server(hosts_.server, {{"both.test", {.addresses = {kTwo, kThree}}}});
  const auto found = look_up("both.test");
  ASSERT_TRUE(found) << found.error().message;
  // RFC 6724 2.1: unique local addresses come behind IPv4.
  EXPECT_EQ(*found, (std::vector{kTwo, kThree}));
}

TEST_F(ResolverTest, AsksOverIpv6AsWell) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}}}});
  ResolveOptions options = this->options();
  options.servers = {{kServerAddress6, Port{53}}};
  const auto found = look_up("one.test", options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::vector{kOne});
}

TEST_F(ResolverTest, OneFamilyIsEnoughIfThatIsAskedFor) {
  DnsServer server(hosts_.server, {{"both.test", {.addresses = {kTwo, kThree}}}});
  ResolveOptions options = this->options();
  options.family = Family::ipv4;
  EXPECT_EQ(look_up("both.test", options).value(), std::vector{kTwo});
  EXPECT_EQ(server.udp_questions(), 1);
}

TEST_F(ResolverTest, AnAddressIsItsOwnAndNobodyIsAsked) {
  EXPECT_EQ(look_up("192.0.2.1").value(), std::vector{kOne});
  EXPECT_EQ(look_up("fd00::77").value(), std::vector{kThree});
  ResolveOptions options = this->options();
  options.family = Family::ipv6;
  EXPECT_FALSE(look_up("192.0.2.1", options));
}

TEST_F(ResolverTest, TruncatedAnswersAreFetchedOverTcp) {
  std::vector<IpAddress> many;
  for (std::uint8_t i = 0; i < 200; ++i) many.push_back(IpAddress::v4(192, 0, 2, i));
  DnsServer server(hosts_.server, {{"many.test", {.addresses = many, .truncated = true}}});
  ResolveOptions options = this->options();
  options.family = Family::ipv4;
  const auto found = look_up("many.test", options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->size(), many.size());
  EXPECT_GE(server.tcp_questions(), 1);
}

TEST_F(ResolverTest, LostQuestionsAreAskedAgain) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}, .lost = 2}}});
  const auto found = look_up("one.test");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::vector{kOne});
  EXPECT_GT(server.udp_questions(), 2);
}

TEST_F(ResolverTest, SaysThatThereIsNoSuchName) {
  DnsServer server(hosts_.server, {{"empty.test", {}}});
  const auto none = look_up("none.test");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "there is no such name");
  EXPECT_EQ(none.error().code, make_error_code(Error::host_unreachable));
  const auto empty = look_up("empty.test");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().message, "it has no address");
}

TEST_F(ResolverTest, GivesUpWhenNobodyAnswers) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}, .lost = 1000}}});
  ResolveOptions options = this->options();
  options.timeout = std::chrono::milliseconds(50);
  options.tries = 2;
  const auto found = look_up("one.test", options);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, make_error_code(Error::timed_out));
  EXPECT_EQ(server.udp_questions(), 4);  // two of each family
}

TEST_F(ResolverTest, ASecondServerIsAskedWhenTheFirstRefuses) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}}}});
  ResolveOptions options = this->options();
  options.servers = {{testing::kClientAddress, Port{}},
                     {kServerAddress, Port{}}};  // at the first nobody listens
  const auto found = look_up("one.test", options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::vector{kOne});
}

TEST_F(ResolverTest, SaysWhereNobodyListens) {
  const auto found = look_up("one.test");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, make_error_code(Error::connection_refused));
  EXPECT_EQ(found.error().message, "no name server can be reached at 10.0.0.1:53");
}

TEST_F(ResolverTest, SaysThatTheServerRefuses) {
  DnsServer server(hosts_.server, {}, DnsServer::kRefused);
  const auto found = look_up("one.test");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "refused, or given up, by the name server at 10.0.0.1:53");
}

TEST_F(ResolverTest, CanBeCancelled) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}, .lost = 1000}}});
  host::WakeUp cancel;
  cancel.signal();
  ResolveOptions options = this->options();
  options.cancel = cancel.descriptor();
  const auto found = look_up("one.test", options);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, std::errc::operation_canceled);
}

TEST_F(ResolverTest, KeepsToItsDeadline) {
  DnsServer server(hosts_.server, {{"one.test", {.addresses = {kOne}, .lost = 1000}}});
  ResolveOptions options = this->options();
  options.deadline = std::chrono::milliseconds(100);
  const auto found = look_up("one.test", options);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, make_error_code(Error::timed_out));
}

TEST_F(ResolverTest, WhatCannotBeANameIsRefused) {
  for (const std::string& name : {std::string(), std::string(300, 'a'), std::string("a\0b", 3)}) {
    const auto found = look_up(name);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, make_error_code(Error::invalid_argument));
  }
}

TEST_F(ResolverTest, EndsWithItsHost) {
  hosts_.client.stop();
  EXPECT_FALSE(look_up("one.test"));
}

TEST_F(ResolverTest, LooksForShortNamesInTheSearchDomains) {
  DnsServer server(hosts_.server, {{"web.quay.test", {.addresses = {kOne}}},
                                   {"web.harbour.test", {.addresses = {kTwo}}},
                                   {"mail.harbour.test", {.addresses = {kTwo}}},
                                   {"a.b.quay.test", {.addresses = {kOne}}},
                                   {"web", {.addresses = {kTwo}}}});
  ResolveOptions options = this->options();
  options.search = {"quay.test", "harbour.test"};
  EXPECT_EQ(look_up("web", options).value(), std::vector{kOne});
  EXPECT_EQ(look_up("mail", options).value(), std::vector{kTwo});
  EXPECT_EQ(look_up("web.", options).value(), std::vector{kTwo}) << "a whole name";
  EXPECT_EQ(look_up("web.harbour.test", options).value(), std::vector{kTwo});
  EXPECT_EQ(look_up("a.b", options).value(), std::vector{kOne}) << "when it is no whole name";
  EXPECT_FALSE(look_up("none", options));
}

TEST_F(ResolverTest, KnowsTheNamesOfEtcHosts) {
  const auto found = look_up("localhost");
  ASSERT_TRUE(found) << found.error().message;
  for (const IpAddress& address : *found) EXPECT_TRUE(address.is_loopback());
}

/// c-ares knows addresses of servers, but not the links of those that mean another on each.
TEST(ResolverOfTwoLinks, AsksAServerOnItsLink) {
  const auto config = [](std::initializer_list<const char*> addresses) {
    HostConfig result;
    for (const char* address : addresses) {
      result.stack.interfaces.push_back({"pair", 1500, {*Prefix::parse(address)}});
    }
    return result;
  };
  auto [ours_first, theirs_first] = make_pipe();
  auto [ours_second, theirs_second] = make_pipe();
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(ours_first));
  devices.push_back(std::move(ours_second));
  Host client(config({"fe80::2/64", "fe80::3/64"}), std::move(devices));
  Host nobody(config({"fe80::9/64"}), std::move(theirs_first));
  Host server_host(config({"fe80::1/64"}), std::move(theirs_second));
  DnsServer server(server_host, {{"one.test", {.addresses = {kOne}}}});
  ResolveOptions options;
  options.timeout = std::chrono::milliseconds(300);
  options.servers = {{*IpAddress::parse("fe80::1"), Port{53}, zone_of(InterfaceId{1})}};
  const auto found = resolve(client, "one.test", options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::vector{kOne});
}

}  // namespace
}  // namespace hawser
