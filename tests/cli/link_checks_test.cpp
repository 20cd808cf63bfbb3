// Addresses that cannot work together are refused with a line that names the option.
#include "cli/link_checks.hpp"

#include <gtest/gtest.h>

namespace hawser::cli {
namespace {

std::vector<Prefix> prefixes(const std::vector<std::string>& texts) {
  std::vector<Prefix> parsed;
  for (const std::string& text : texts) parsed.push_back(*Prefix::parse(text));
  return parsed;
}

std::string fault(const std::vector<std::string>& ours, const std::vector<std::string>& kernel = {},
                  const std::vector<std::string>& gateways = {}) {
  LinkAddresses addresses{prefixes(ours), prefixes(kernel)};
  for (const std::string& text : gateways) {
    addresses.gateways.push_back(*IpAddress::parse(text));
  }
  return find_fault(addresses).value_or("");
}

TEST(LinkChecks, WhatFitsTogetherIsFine) {
  EXPECT_EQ(fault({"10.9.0.2/24"}), "");
  EXPECT_EQ(fault({"10.9.0.2/24", "fd00:9::2/64"}, {"fd00:9::1/64", "10.9.0.1/24"}), "");
  EXPECT_EQ(fault({"10.9.0.0/31"}, {"10.9.0.1/31"}), "");
  EXPECT_EQ(fault({"10.9.0.2"}), "");
  EXPECT_EQ(fault({"10.9.0.2/24"}, {}, {"10.9.0.1"}), "");
  EXPECT_EQ(fault({"10.9.0.2/32"}, {}, {"10.9.0.1"}), "");
  EXPECT_EQ(fault({"fd00:9::2/64"}, {}, {"fe80::1"}), "");
}

TEST(LinkChecks, SomeAddressesAreOfNoHost) {
  EXPECT_EQ(fault({"10.9.0.255/24"}),
            "--address: no host can have 10.9.0.255/24: it is the broadcast address of that "
            "network");
  EXPECT_EQ(fault({"10.9.0.2/24"}, {"10.9.0.0/24"}),
            "--host-address: no host can have 10.9.0.0/24: it is that network itself");
  for (const std::string text : {"0.0.0.0/0", "::/0", "127.0.0.1/8", "::1/128", "224.0.0.1/24",
                                 "ff02::1/64", "255.255.255.255", "10.255.255.255/8"}) {
    EXPECT_TRUE(fault({text}).starts_with("--address: no host can have ")) << text;
  }
}

TEST(LinkChecks, EachAddressOnce) {
  EXPECT_EQ(fault({"10.9.0.2/24", "10.9.0.2/24"}), "--address: 10.9.0.2 is given twice");
}

TEST(LinkChecks, TheTwoEndsHaveToMeet) {
  EXPECT_EQ(fault({"10.9.0.2/24"}, {"10.9.0.2/24"}),
            "10.9.0.2 is both --address and --host-address: each end of the link needs its own");
  for (const auto& [own, kernel] : {std::pair{"10.9.0.2/24", "10.8.0.1/24"},
                                    {"10.9.0.2/32", "10.9.0.1/24"},
                                    {"10.9.0.2/24", "10.9.0.1/32"},
                                    {"10.9.0.2/24", "fd00:9::1/64"}}) {
    EXPECT_TRUE(fault({own}, {kernel}).contains("in one network with no --address")) << kernel;
  }
}

TEST(LinkChecks, AnEndThatConfiguresItselfMeetsTheOther) {
  // The kernel's address was refused because ours was not known yet.
  const auto fault_of = [](const std::vector<std::string>& ours, const std::string& kernel,
                           bool leased, bool advertised) {
    return find_fault({prefixes(ours), prefixes({kernel}), {}, leased, advertised}).value_or("");
  };
  EXPECT_EQ(fault_of({}, "10.9.0.1/24", true, true), "");
  EXPECT_EQ(fault_of({}, "fd00:9::1/64", false, true), "");
  EXPECT_EQ(fault_of({}, "fd00:9::1/64", true, true), "");
  EXPECT_EQ(fault_of({"10.9.0.2/24"}, "fd00:9::1/64", false, true), "");
  const std::string no_network = "in one network with no --address";
  EXPECT_TRUE(fault_of({}, "10.9.0.1/24", false, true).contains(no_network)) << "nothing leases it";
  EXPECT_TRUE(fault_of({}, "fd00:9::1/64", true, false).contains(no_network)) << "no Ethernet";
  EXPECT_TRUE(fault_of({"fd00:8::2/64"}, "fd00:9::1/64", false, true).contains(no_network));
}

TEST(LinkChecks, AGatewayIsOnTheLink) {
  EXPECT_EQ(fault({"10.9.0.2/24"}, {}, {"10.8.0.1"}),
            "--gateway: 10.8.0.1 is in the network of no --address");
  EXPECT_EQ(fault({"10.9.0.2/24"}, {}, {"fd00::1"}),
            "--gateway: fd00::1 is in the network of no --address");
  EXPECT_EQ(fault({"10.9.0.2/24"}, {}, {"10.9.0.2"}), "--gateway: 10.9.0.2 is our own --address");
}

}  // namespace
}  // namespace hawser::cli
