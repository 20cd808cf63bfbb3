// The examples of RFC 6724 10.1 and 10.2, and the rules one by one.
#include "ip/source_selection.hpp"

#include <gtest/gtest.h>

#include "tests/ip/support.hpp"

namespace hawser::ip {
namespace {

using namespace testing;

constexpr InterfaceId kOut{0};
constexpr InterfaceId kOther{1};

/// Text of the chosen source towards `to`, which is behind a gateway unless `on_link`.
std::string choose(const char* to, const std::vector<OwnAddress>& own,
                   const char* next_hop = nullptr) {
  const IpAddress destination = address(to);
  const OwnAddress* best = select_source(
      {destination, kOut, next_hop == nullptr ? destination : address(next_hop)}, own);
  return best == nullptr ? "none" : best->prefix.address.to_string();
}

TEST(SourceSelection, ExamplesOfTheRfc) {  // RFC6724-10.1
  const auto deprecated = AddressState::deprecated;
  // The scope is right, though the label of the other matches better.
  EXPECT_EQ(choose("2001:db8:1::1", {own("2001:db8:3::1/64"), own("fe80::1/64")}), "2001:db8:3::1");
  EXPECT_EQ(choose("ff05::1", {own("2001:db8:3::1/64"), own("fe80::1/64")}), "2001:db8:3::1");
  // The destination itself, though it is deprecated.
  EXPECT_EQ(
      choose("2001:db8:1::1", {own("2001:db8:1::1/64", kOut, deprecated), own("2001:db8:2::1/64")}),
      "2001:db8:1::1");
  EXPECT_EQ(choose("fe80::1", {own("fe80::2/64", kOut, deprecated), own("2001:db8:1::1/64")}),
            "fe80::2");
  // The longest prefix in common.
  EXPECT_EQ(choose("2001:db8:1::1", {own("2001:db8:1::2/64"), own("2001:db8:3::2/64")}),
            "2001:db8:1::2");
  // The label, before the prefix.
  EXPECT_EQ(choose("2002:c633:6401::1",
                   {own("2002:c633:6401::d5e3:7953:13eb:22e8/64"), own("2001:db8:1::2/64")}),
            "2002:c633:6401:0:d5e3:7953:13eb:22e8");
}

TEST(SourceSelection, RulesInTheirOrder) {
  // RFC6724-5-3
  EXPECT_EQ(choose("2001:db8::9",
                   {own("2001:db8::1/64", kOut, AddressState::deprecated), own("2001:db9::1/64")}),
            "2001:db9::1");
  // RFC6724-5-5: the interface comes before the prefix.
  EXPECT_EQ(choose("2001:db8::9", {own("2001:db8::1/64", kOther), own("2001:db9::1/64")}),
            "2001:db9::1");
  EXPECT_EQ(choose("2001:db8::9", {own("2001:db9::1/64", kOther)}), "2001:db9::1");
  // RFC6724-5-5.5: the prefix of the first hop, before the longest in common.
  OwnAddress near = own("2001:db8::1/64");
  near.router = address("fe80::a");
  OwnAddress far = own("2001:db9::1/64");
  far.router = address("fe80::b");
  EXPECT_EQ(choose("2001:db8::9", {near, far}, "fe80::b"), "2001:db9::1");
  EXPECT_EQ(choose("2001:db8::9", {near, far}, "fe80::a"), "2001:db8::1");
  // RFC6724-5-6: from a unique local address to another, though its prefix is shorter in common.
  EXPECT_EQ(choose("fd00::9", {own("2001:db8::1/64"), own("fc00::1/64")}), "fc00::1");
  // RFC6724-5-8, as far as the prefix of the source goes (RFC6724-2.2): equal, so the first.
  EXPECT_EQ(choose("2001:db8::9", {own("2001:db8::1/64"), own("2001:db8::8/64")}), "2001:db8::1");
  // The largest scope when none is large enough, the smallest of those that are.
  EXPECT_EQ(choose("ff02::1", {own("2001:db8::1/64"), own("fe80::1/64")}), "fe80::1");
}

TEST(SourceSelection, WhatDoesNotServe) {
  EXPECT_EQ(choose("2001:db8::9", {own("2001:db8::1/64", kOut, AddressState::tentative),
                                   own("2001:db8::2/64", kOut, AddressState::duplicate)}),
            "none");
  EXPECT_EQ(choose("2001:db8::9", {own("10.0.0.1/8")}), "none");
  // RFC6724-4: for the link and for groups, only addresses of the interface.
  EXPECT_EQ(choose("fe80::9", {own("fe80::1/64", kOther), own("2001:db8::1/64", kOther)}), "none");
  EXPECT_EQ(choose("ff05::9", {own("2001:db8::1/64", kOther)}), "none");
  // No router forwards what comes from an address of the link.
  EXPECT_EQ(choose("2001:db8::9", {own("fe80::1/64")}, "fe80::a"), "none");
  EXPECT_EQ(choose("2001:db8::9", {own("fe80::1/64")}), "fe80::1");
  EXPECT_EQ(choose("8.8.8.8", {own("169.254.1.1/16")}, "10.0.0.1"), "none");
}

TEST(SourceSelection, OfIpv4TheNetworkOfTheNextHop) {
  const std::vector<OwnAddress> own_addresses{own("10.0.0.2/8"), own("192.0.2.2/24"),
                                              own("192.0.2.3/24"), own("192.0.2.4/16"),
                                              own("10.1.0.2/16", kOther)};
  EXPECT_EQ(choose("8.8.8.8", own_addresses, "192.0.2.1"), "192.0.2.2");
  EXPECT_EQ(choose("8.8.8.8", own_addresses, "10.1.0.1"), "10.0.0.2");
  EXPECT_EQ(choose("192.0.2.3", own_addresses), "192.0.2.3");
  EXPECT_EQ(choose("192.0.77.1", own_addresses), "192.0.2.4");
  EXPECT_EQ(choose("8.8.8.8", {own("169.254.1.1/16"), own("10.0.0.2/8")}, "169.254.1.9"),
            "10.0.0.2");
}

Candidate to(const char* destination, const char* source, bool deprecated = false) {
  Candidate candidate{.destination = address(destination)};
  if (source != nullptr) candidate.source = prefix(source);
  candidate.source_deprecated = deprecated;
  return candidate;
}

std::vector<IpAddress> sorted(std::vector<Candidate> candidates) {
  sort_destinations(candidates);
  std::vector<IpAddress> result;
  for (const Candidate& candidate : candidates) result.push_back(candidate.destination);
  return result;
}

/// Whichever comes first in the list, `best` is put first.
void expect_first(const Candidate& best, const Candidate& other) {
  const std::vector<IpAddress> order{best.destination, other.destination};
  EXPECT_EQ(sorted({best, other}), order);
  EXPECT_EQ(sorted({other, best}), order) << best.destination.to_string();
}

TEST(DestinationOrder, ExamplesOfTheRfc) {  // RFC6724-10.2
  expect_first(to("2001:db8:1::1", "2001:db8:1::2/64"), to("198.51.100.121", "169.254.13.78/16"));
  expect_first(to("198.51.100.121", "198.51.100.117/24"), to("2001:db8:1::1", "fe80::1/64"));
  expect_first(to("2001:db8:1::1", "2001:db8:1::2/64"), to("10.1.2.3", "10.1.2.4/24"));
  expect_first(to("fe80::1", "fe80::2/64"), to("2001:db8:1::1", "2001:db8:1::2/64"));
  expect_first(to("2001:db8:1::1", "2001:db8:1::2/64"), to("fe80::1", "fe80::2/64", true));
  expect_first(to("2001:db8:1::1", "2001:db8:1::2/64"),
               to("2001:db8:3ffe::1", "2001:db8:3f44::2/64"));
  expect_first(to("2002:c633:6401::1", "2002:c633:6401::2/64"),
               to("2001:db8:1::1", "2002:c633:6401::2/64"));
  expect_first(to("2001:db8:1::1", "2001:db8:1::2/64"),
               to("2002:c633:6401::1", "2002:c633:6401::2/64"));
}

TEST(DestinationOrder, RulesInTheirOrder) {
  // RFC6724-6-1
  expect_first(to("10.1.2.3", "10.1.2.4/24"), to("2001:db8:1::1", nullptr));
  // RFC6724-6-6: native IPv6, then IPv4, then unique local addresses.
  expect_first(to("10.1.2.3", "10.1.2.4/24"), to("fd00::1", "fd00::2/64"));
  // RFC6724-6-9 does not compare families, nor more than the prefix of the source.
  expect_first(to("192.0.2.1", "192.0.2.2/24"), to("8.8.8.8", "192.0.2.2/24"));
  // RFC6724-6-10: what is alike keeps its order, so that servers share the load.
  const auto list = addresses({"9.9.9.9", "8.8.8.8", "12.0.0.1"});
  EXPECT_EQ(sorted({to("9.9.9.9", "192.0.2.2/24"), to("8.8.8.8", "192.0.2.2/0"),
                    to("12.0.0.1", "192.0.2.2/0")}),
            list);
}

TEST(Scope, IsHowFarAnAddressReaches) {  // RFC6724-3.1, RFC6724-3.2
  const std::vector<std::pair<const char*, int>> scopes{
      {"fe80::1", 2},   {"::1", 2},      {"2001:db8::1", 14}, {"fd00::1", 14},
      {"fec0::1", 5},   {"ff02::1", 2},  {"ff05::1", 5},      {"ff0e::1", 14},
      {"10.0.0.1", 14}, {"8.8.8.8", 14}, {"127.0.0.1", 2},    {"169.254.0.1", 2}};
  for (const auto& [text, scope] : scopes) EXPECT_EQ(scope_of(address(text)), scope) << text;
}

}  // namespace
}  // namespace hawser::ip
