#include "hawser/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hawser {
namespace {

struct TextCase {
  const char* text;
  const char* canonical;  ///< null: not an address
};

class AddressText : public testing::TestWithParam<TextCase> {};

TEST_P(AddressText, ParsesAndPrints) {
  const auto address = IpAddress::parse(GetParam().text);
  if (GetParam().canonical == nullptr) {
    EXPECT_FALSE(address) << GetParam().text << " was read as " << address->to_string();
    return;
  }
  ASSERT_TRUE(address) << GetParam().text;
  EXPECT_EQ(address->to_string(), GetParam().canonical);
  EXPECT_EQ(IpAddress::parse(address->to_string()), address);
}

INSTANTIATE_TEST_SUITE_P(
    V4, AddressText,
    testing::Values(TextCase{"0.0.0.0", "0.0.0.0"}, TextCase{"255.255.255.255", "255.255.255.255"},
                    TextCase{"10.9.0.2", "10.9.0.2"}, TextCase{"256.0.0.1", nullptr},
                    TextCase{"1.2.3", nullptr}, TextCase{"1.2.3.4.5", nullptr},
                    TextCase{"1.2.3.", nullptr}, TextCase{".1.2.3", nullptr},
                    TextCase{"01.2.3.4", nullptr}, TextCase{"", nullptr},
                    TextCase{"1.2.3.4 ", nullptr}, TextCase{"+1.2.3.4", nullptr},
                    TextCase{"-1.2.3.4", nullptr}, TextCase{"1.2.3.0x4", nullptr},
                    TextCase{"1..2.3", nullptr}, TextCase{"1.2.3.4.", nullptr},
                    TextCase{"1234.1.1.1", nullptr}));

// RFC 5952 4 and 5: the canonical form, and what must be read although it is never printed.
INSTANTIATE_TEST_SUITE_P(
    V6, AddressText,
    testing::Values(
        TextCase{"::", "::"}, TextCase{"::1", "::1"}, TextCase{"1::", "1::"},
        TextCase{"2001:DB8::1", "2001:db8::1"},
        TextCase{"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
        TextCase{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        TextCase{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        TextCase{"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        TextCase{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        TextCase{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        TextCase{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"}, TextCase{"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
        TextCase{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"}, TextCase{"fe80::0a00:1", "fe80::a00:1"},
        TextCase{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        TextCase{"::ffff:10.0.0.1", "10.0.0.1"}, TextCase{"::ffff:a00:1", "10.0.0.1"},
        TextCase{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}, TextCase{":", nullptr},
        TextCase{":::", nullptr}, TextCase{"1", nullptr}, TextCase{"1:2:3:4:5:6:7", nullptr},
        TextCase{"1:2:3:4:5:6:7:8:9", nullptr}, TextCase{"1:2:3:4::5:6:7:8", nullptr},
        TextCase{"1::2::3", nullptr}, TextCase{":1:2:3:4:5:6:7", nullptr},
        TextCase{"1:2:3:4:5:6:7:", nullptr}, TextCase{"12345::", nullptr}, TextCase{"g::", nullptr},
        TextCase{"fe80::1%eth0", nullptr}, TextCase{"1.2.3.4::", nullptr},
        TextCase{"::1.2.3", nullptr}, TextCase{"1:2:3:4:5:6:7:1.2.3.4", nullptr},
        TextCase{"::1.2.3.4:5", nullptr}, TextCase{"[::1]", nullptr}, TextCase{"-1::", nullptr},
        TextCase{"::0x1", nullptr}));

TEST(IpAddress, KeepsV4AsMapped) {
  const auto address = IpAddress::v4(10, 9, 0, 2);
  EXPECT_TRUE(address.is_v4());
  EXPECT_EQ(address.family(), Family::ipv4);
  EXPECT_EQ(address.v4_bytes(), (std::array<std::uint8_t, 4>{10, 9, 0, 2}));
  EXPECT_NE(address, IpAddress::v4(10, 9, 0, 3));
  EXPECT_LT(address, IpAddress::v4(10, 9, 0, 3));
}

struct KindCase {
  const char* text;
  bool unspecified, loopback, multicast, broadcast, link_local;
};

TEST(IpAddress, TellsTheKindsApart) {
  const KindCase cases[] = {
      {"0.0.0.0", true, false, false, false, false},
      {"0.0.0.1", false, false, false, false, false},
      {"127.0.0.1", false, true, false, false, false},
      {"127.255.0.3", false, true, false, false, false},
      {"128.0.0.1", false, false, false, false, false},
      {"223.255.255.255", false, false, false, false, false},
      {"224.0.0.1", false, false, true, false, false},
      {"239.255.255.255", false, false, true, false, false},
      {"240.0.0.1", false, false, false, false, false},
      {"255.255.255.255", false, false, false, true, false},
      {"169.254.1.1", false, false, false, false, true},
      {"169.253.1.1", false, false, false, false, false},
      {"::", true, false, false, false, false},
      {"::1", false, true, false, false, false},
      {"1::1", false, false, false, false, false},
      {"ff02::1", false, false, true, false, false},
      {"fe80::1", false, false, false, false, true},
      {"febf::1", false, false, false, false, true},
      {"fec0::1", false, false, false, false, false},
      {"fd00::1", false, false, false, false, false},
  };
  for (const KindCase& expected : cases) {
    SCOPED_TRACE(expected.text);
    const auto address = IpAddress::parse(expected.text).value();
    EXPECT_EQ(address.is_unspecified(), expected.unspecified);
    EXPECT_EQ(address.is_loopback(), expected.loopback);
    EXPECT_EQ(address.is_multicast(), expected.multicast);
    EXPECT_EQ(address.is_limited_broadcast(), expected.broadcast);
    EXPECT_EQ(address.is_link_local(), expected.link_local);
  }
}

TEST(Endpoint, PrintsItsPort) {
  EXPECT_EQ((Endpoint{IpAddress::v4(10, 0, 0, 1), Port{80}}.to_string()), "10.0.0.1:80");
  EXPECT_EQ((Endpoint{*IpAddress::parse("fd00::1"), Port{65535}}.to_string()), "[fd00::1]:65535");
  const Endpoint scoped{*IpAddress::parse("fe80::1"), Port{80}, zone_of(InterfaceId{1})};
  EXPECT_EQ(scoped.to_string(), "[fe80::1%2]:80");
}

TEST(IpAddress, NeedsAZoneWhenItMeansSomethingElseOnEachLink) {
  for (const char* text : {"fe80::1", "febf::1", "ff02::1", "ff01::1", "ff32::1"}) {
    EXPECT_TRUE(IpAddress::parse(text)->needs_zone()) << text;
  }
  for (const char* text : {"fec0::1", "fd00::1", "ff05::1", "ff0e::2", "::1", "169.254.1.1",
                           "224.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(IpAddress::parse(text)->needs_zone()) << text;
  }
}

TEST(IpAddress, CountsTheBitsInCommon) {
  const auto common = [](const char* a, const char* b) {
    return common_prefix_bits(*IpAddress::parse(a), *IpAddress::parse(b));
  };
  EXPECT_EQ(common("10.0.0.1", "10.0.0.1"), 32U);
  EXPECT_EQ(common("10.0.0.1", "10.0.0.2"), 30U);
  EXPECT_EQ(common("10.0.0.1", "138.0.0.1"), 0U);
  EXPECT_EQ(common("fd00::1", "fd00::1"), 128U);
  EXPECT_EQ(common("fd00::1", "fd00::8000:0:0:1"), 64U);
}

TEST(Prefix, ParsesAndPrints) {
  EXPECT_EQ(Prefix::parse("10.9.0.2/24"), (Prefix{IpAddress::v4(10, 9, 0, 2), 24}));
  EXPECT_EQ(Prefix::parse("10.9.0.2"), (Prefix{IpAddress::v4(10, 9, 0, 2), 32}));
  EXPECT_EQ(Prefix::parse("fd00:9::2/64"), (Prefix{*IpAddress::parse("fd00:9::2"), 64}));
  EXPECT_EQ(Prefix::parse("::/0"), (Prefix{IpAddress{}, 0}));
  EXPECT_EQ(Prefix::parse("fd00::2")->length, 128);
  EXPECT_EQ(Prefix::parse("10.9.0.2/24")->to_string(), "10.9.0.2/24");
  for (const char* text :
       {"10.9.0.2/33", "::1/129", "10.9.0.2/", "/24", "10.9.0.2/-1", "10.9.0.2/+1", "10.9.0.2/024",
        "10.9.0/24", "10.9.0.2/24/24", "", "10.9.0.2/ 24"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, TellsItsNetwork) {
  for (const auto& [text, network] :
       std::vector<std::pair<const char*, const char*>>{{"10.9.255.2/24", "10.9.255.0/24"},
                                                        {"10.9.255.2/21", "10.9.248.0/21"},
                                                        {"10.9.255.2/0", "0.0.0.0/0"},
                                                        {"10.9.255.2/32", "10.9.255.2/32"},
                                                        {"fd00:9::2/64", "fd00:9::/64"},
                                                        {"fd00:9:ffff::2/47", "fd00:9:fffe::/47"},
                                                        {"fd00:9::2/0", "::/0"}}) {
    EXPECT_EQ(Prefix::parse(text)->network().to_string(), network);
  }
}

TEST(Prefix, ContainsWhatSharesItsNetworkPart) {
  const auto contains = [](const char* prefix, const char* address) {
    return Prefix::parse(prefix)->contains(*IpAddress::parse(address));
  };
  EXPECT_TRUE(contains("10.9.0.2/24", "10.9.0.255"));
  EXPECT_FALSE(contains("10.9.0.2/24", "10.9.1.2"));
  EXPECT_TRUE(contains("10.9.0.2/23", "10.9.1.2"));
  EXPECT_FALSE(contains("10.9.0.2/23", "10.9.2.2"));
  EXPECT_TRUE(contains("10.9.0.2/32", "10.9.0.2"));
  EXPECT_FALSE(contains("10.9.0.2/32", "10.9.0.3"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "fd00::1"));
  EXPECT_FALSE(contains("::/0", "10.0.0.1"));
  EXPECT_TRUE(contains("::/0", "fd00::1"));
  EXPECT_TRUE(contains("fd00:9::2/65", "fd00:9::7fff:0:0:1"));
  EXPECT_FALSE(contains("fd00:9::2/65", "fd00:9::8000:0:0:1"));
  EXPECT_TRUE(contains("fd00:9::2/128", "fd00:9::2"));
}

}  // namespace
}  // namespace hawser
